package store_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/storetest"
)

// quotaClinic is a clinic with quotas and a clock of its own.
func quotaClinic(t *testing.T, quotas store.Quotas) (c *storetest.Clinic, advance func(time.Duration)) {
	t.Helper()
	var passed atomic.Int64
	start := time.Now()
	return storetest.New(t, func(o *store.Options) {
		o.Quotas, o.Now = quotas, func() time.Time { return start.Add(time.Duration(passed.Load())) }
	}), func(d time.Duration) { passed.Add(int64(d)) }
}

// creations creates a record of each kind that has a quota.
func creations(c *storetest.Clinic, asha *storetest.Account) map[string]func(context.Context) error {
	patient := asha.Patient("Assigned")
	var others atomic.Int64
	return map[string]func(context.Context) error{
		"patients": func(ctx context.Context) error {
			_, err := c.Store.CreatePatient(ctx, asha.Viewer, c.NewPatient("New"))
			return err
		},
		"doctors": func(ctx context.Context) error {
			_, err := c.Store.CreateDoctor(ctx, asha.Viewer, c.NewDoctor("New"), false)
			return err
		},
		"mappings": func(ctx context.Context) error {
			other := c.Owner(fmt.Sprint("Other", others.Add(1))) // has a quota, too
			m := &model.Mapping{PatientID: patient.ID, DoctorID: other.Entry("New").ID}
			_, err := c.Store.AssignDoctor(ctx, asha.Viewer, m)
			return err
		},
	}
}

// TestQuota_OfRecordsIsExactAtItsEnd: the last record within the quota is stored and the
// next is not, also when two writers come at once; another account is not concerned.
func TestQuota_OfRecordsIsExactAtItsEnd(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"patients", "doctors", "mappings"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			const quota, writers = 6, 12
			c, advance := quotaClinic(t, store.Quotas{Records: quota})
			asha, ravi := c.Owner("Asha"), c.Owner("Ravi")
			create := creations(c, asha)[kind]
			var stored atomic.Int64
			before := count(t, c, kind, asha)
			var running sync.WaitGroup
			for range writers {
				running.Go(func() {
					switch err := create(t.Context()); model.CodeOf(err) {
					case "":
						stored.Add(1)
					case model.CodeLimitExceeded:
						if !strings.Contains(err.Error(), "--max-records") {
							t.Errorf("the message is %v", err)
						}
					default:
						t.Error(err)
					}
				})
			}
			running.Wait()
			if got := count(t, c, kind, asha); got != quota || int(stored.Load()) != quota-before {
				t.Errorf("%d records, and %d of %d stored", got, stored.Load(), writers)
			}
			advance(2 * time.Minute)
			if err := create(t.Context()); model.CodeOf(err) != model.CodeLimitExceeded {
				t.Errorf("later: %v", err)
			}
			if _, err := c.Store.CreatePatient(t.Context(), ravi.Viewer, c.NewPatient("Ravi")); err != nil {
				t.Errorf("another account: %v", err)
			}
		})
	}
}

func count(t *testing.T, c *storetest.Clinic, table string, of *storetest.Account) (n int) {
	t.Helper()
	if err := c.DB.NewRaw("SELECT count(*) FROM "+table+" WHERE created_by = ?", of.UserID).Scan(t.Context(), &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestQuota_DeletedRecordsCount, because they take as much of the disk.
func TestQuota_DeletedRecordsCount(t *testing.T) {
	t.Parallel()
	c, _ := quotaClinic(t, store.Quotas{Records: 1})
	asha := c.Owner("Asha")
	asha.DeletedPatient("Gone")
	if _, err := c.Store.CreatePatient(t.Context(), asha.Viewer, c.NewPatient("New")); model.CodeOf(err) != model.CodeLimitExceeded {
		t.Errorf("got %v", err)
	}
}

// TestQuota_OfBytesFillsUpWithinADay, for new records and for changes.
func TestQuota_OfBytesFillsUpWithinADay(t *testing.T) {
	t.Parallel()
	c, advance := quotaClinic(t, store.Quotas{DailyBytes: 50_000})
	asha, ravi := c.Owner("Asha"), c.Owner("Ravi")
	large := func(p *model.Patient) { p.Address = strings.Repeat("a", 20_000) }
	patient := asha.Patient("First", large)
	changes := 0
	rename := func() error {
		changes++ // the same address again would be no change
		_, err := c.Store.UpdatePatient(t.Context(), asha.Viewer, patient.ID, nil, []model.Change[model.Patient]{set("address", func(p *model.Patient) {
			large(p)
			p.Address = strconv.Itoa(changes) + p.Address[1:]
		})})
		return err
	}
	if err := rename(); err != nil {
		t.Fatal(err)
	}
	for name, write := range map[string]func() error{
		"change": rename,
		"create": func() error {
			p := c.NewPatient("Second")
			large(p)
			_, err := c.Store.CreatePatient(t.Context(), asha.Viewer, p)
			return err
		},
	} {
		err := write()
		apiErr, ok := err.(*model.Error) //nolint:errorlint // the store returns it as it is
		if !ok || apiErr.Code != model.CodeRateLimited || !strings.Contains(apiErr.Message, "--max-daily-bytes") {
			t.Fatalf("%s: %v", name, err)
		}
		if wait := time.Duration(apiErr.RetryAfter) * time.Second; wait < 4*time.Hour || wait > 9*time.Hour {
			t.Errorf("%s: wait %v", name, wait)
		}
	}
	ravi.Patient("Ravi", large)
	advance(12 * time.Hour)
	if err := rename(); err != nil {
		t.Errorf("half a day later: %v", err)
	}
}

// TestFreeDisk_BelowTheFloorOnlyAdministratorsWrite, and everyone can read.
func TestFreeDisk_BelowTheFloorOnlyAdministratorsWrite(t *testing.T) {
	t.Parallel()
	var free atomic.Int64
	free.Store(1_000)
	c, _ := quotaClinic(t, store.Quotas{MinFree: 1_000, FreeDisk: func() (int64, error) { return free.Load(), nil }})
	asha, admin := c.Owner("Asha"), c.Admin("Admin")
	all := creations(c, asha)
	patient := asha.Patient("Arjun")
	all["a change"] = func(ctx context.Context) error {
		_, err := c.Store.UpdatePatient(ctx, asha.Viewer, patient.ID, nil, []model.Change[model.Patient]{set("name", func(p *model.Patient) { p.Name = "Other" })})
		return err
	}
	all["a new account"] = func(ctx context.Context) error {
		_, err := c.Store.CreateUser(ctx, &model.User{Username: "new", Email: "new@clinic.example", Role: model.RolePatient}, "hash", nil)
		return err
	}
	delete(all, "mappings") // needs a new doctor entry
	free.Store(999)
	for name, write := range all {
		if err := write(t.Context()); model.CodeOf(err) != model.CodeUnavailable {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := c.Store.CreatePatient(t.Context(), admin.Viewer, c.NewPatient("Admin")); err != nil {
		t.Errorf("an administrator: %v", err)
	}
	if _, err := Patient(t.Context(), c.Store, asha.Viewer, patient.ID); err != nil {
		t.Errorf("a read: %v", err)
	}
	free.Store(1_000)
	for name, write := range all {
		if err := write(t.Context()); err != nil {
			t.Errorf("%s with a free disk: %v", name, err)
		}
	}
}
