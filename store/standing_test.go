package store_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/storetest"
)

// pause is a tracer that, once it is armed, stops the first statement with a text after it
// has run.
type pause struct {
	after           string
	armed           atomic.Bool
	reached, resume chan struct{}
}

func newPause(after string) *pause {
	return &pause{after: after, reached: make(chan struct{}), resume: make(chan struct{})}
}

type pauseKey struct{}

func (p *pause) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	return context.WithValue(ctx, pauseKey{}, data.SQL)
}

func (p *pause) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryEndData) {
	if text, _ := ctx.Value(pauseKey{}).(string); strings.Contains(text, p.after) && p.armed.CompareAndSwap(true, false) {
		close(p.reached)
		<-p.resume
	}
}

// waitingForLocks reports how many transactions wait for one another.
func waitingForLocks(t *testing.T, c *storetest.Clinic) (n int) {
	t.Helper()
	testutil.Must(t, c.DB.NewRaw("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'").Scan(t.Context(), &n))
	return n
}

// overtakes runs a change A until the statement at which its tracer stops, and then a change
// B. B must wait for A, since its device would get what A takes from it, and never hear of
// it. Both must succeed.
func overtakes(t *testing.T, c *storetest.Clinic, p *pause, a, b func() error) {
	t.Helper()
	p.armed.Store(true)
	first, second := make(chan error, 1), make(chan error, 1)
	go func() { first <- a() }()
	select {
	case <-p.reached:
	case err := <-first:
		t.Fatalf("A ended without the statement: %v", err)
	}
	go func() { second <- b() }()
	var early bool
	eventually(t, "B waits", func() bool {
		select {
		case err := <-second:
			second <- err
			early = true
		default:
		}
		return early || waitingForLocks(t, c) > 0
	})
	if early {
		t.Error("B does not wait for A")
	}
	close(p.resume)
	testutil.Equal(t, "errors of A and B", errors.Join(<-first, <-second), nil)
}

// TestStanding_MappingEndsWhileEntryIsVerified: script I1. A mapping or a patient ends while
// its doctor entry gets the standing to see the patient.
func TestStanding_MappingEndsWhileEntryIsVerified(t *testing.T) {
	t.Parallel()
	for what, tc := range map[string]struct {
		// before takes the standing of the entry, and b gives it again.
		before string
		b      func(c *storetest.Clinic, boss, priya *storetest.Account, entry int64) error
	}{
		"verify": {"UPDATE doctors SET is_verified = FALSE WHERE id = ?", func(c *storetest.Clinic, boss, _ *storetest.Account, entry int64) error {
			return errOf(c.VerifyAs(boss.Viewer, entry, store.Verification{IsVerified: true}))
		}},
		"link": {"UPDATE doctors SET account_id = NULL WHERE id = ?", func(c *storetest.Clinic, boss, priya *storetest.Account, entry int64) error {
			return errOf(c.VerifyAs(boss.Viewer, entry, store.Verification{IsVerified: true, Account: new(&priya.UserID)}))
		}},
		"restore": {"UPDATE doctors SET deleted_at = now() WHERE id = ?", func(c *storetest.Clinic, boss, _ *storetest.Account, entry int64) error {
			return errOf(c.Store.RestoreDoctor(context.Background(), boss.Viewer, entry))
		}},
	} {
		for _, a := range []string{"RemoveMapping", "DeletePatient"} {
			t.Run(a+" "+what, func(t *testing.T) {
				t.Parallel()
				p := newPause(`UPDATE "mappings"`)
				c := storetest.New(t, func(o *store.Options) { o.Tracer = p })
				asha, boss := c.Owner("Asha"), c.Admin("Boss")
				priya, entry := c.Doctor("Priya")
				arjun := asha.Patient("Arjun")
				m := asha.Assign(arjun, entry)
				c.Exec(tc.before, entry.ID)
				end := func() error { return errOf(c.Store.RemoveMapping(t.Context(), asha.Viewer, m.ID, nil)) }
				if a == "DeletePatient" {
					end = func() error { return errOf(c.Store.DeletePatient(t.Context(), asha.Viewer, arjun.ID, nil)) }
				}
				overtakes(t, c, p, end, func() error { return tc.b(c, boss, priya, entry.ID) })
				_, err := Patient(t.Context(), c.Store, priya.Viewer, arjun.ID)
				wantCode(t, err, model.CodeNotFound, "id")
			})
		}
	}
}

// TestStanding_PatientEndsWhileGrantBegins: as I1, for those who get access by a grant.
func TestStanding_PatientEndsWhileGrantBegins(t *testing.T) {
	t.Parallel()
	for _, what := range []string{"delete", "transfer"} {
		for _, grant := range []string{"team", "claim"} {
			if what == "transfer" && grant == "claim" {
				continue // the patient's own access goes with the record
			}
			t.Run(what+" "+grant, func(t *testing.T) {
				t.Parallel()
				p := newPause(`UPDATE "patients"`)
				c := storetest.New(t, func(o *store.Options) { o.Tracer = p })
				asha, ravi, helper := c.Owner("Asha").Confirm(), c.Owner("Ravi").Confirm(), c.Owner("Helper").Confirm()
				arjun := asha.Patient("Arjun")
				offered := ok(c.Store.AddTeamMember(t.Context(), asha.Viewer, "Helper", model.LevelSee, nil))(t)
				code, _, err := c.Store.CreateClaimCode(t.Context(), asha.Viewer, arjun.ID)
				testutil.Must(t, err)
				transfer := ok(c.Store.OfferTransfer(t.Context(), asha.Viewer, store.Offer{From: asha.UserID, To: ravi.UserID, Reason: "moves"}))(t)
				end := func() error { return errOf(c.Store.DeletePatient(t.Context(), asha.Viewer, arjun.ID, nil)) }
				if what == "transfer" {
					end = func() error { return errOf(c.Store.AcceptTransfer(t.Context(), ravi.Viewer, transfer.ID)) }
				}
				begin := func() error { return errOf(c.Store.AcceptGrant(t.Context(), helper.Viewer, offered.ID)) }
				if grant == "claim" {
					begin = func() error {
						err := errOf(c.Store.ClaimPatient(t.Context(), helper.Viewer, code, "Arjun", arjun.DateOfBirth))
						if model.CodeOf(err) == model.CodeInvalidCode { // the patient is gone by then
							return nil
						}
						return err
					}
				}
				overtakes(t, c, p, end, begin)
			})
		}
	}
}

// TestWrites_RemoveAgainstVerify: script I2. Both changes need the entry and its mapping.
func TestWrites_RemoveAgainstVerify(t *testing.T) {
	t.Parallel()
	for _, a := range []string{"RemoveMapping", "DeletePatient"} {
		t.Run(a, func(t *testing.T) {
			t.Parallel()
			p := newPause("FROM doctors AS d")
			c := storetest.New(t, func(o *store.Options) { o.Tracer = p })
			asha, boss := c.Owner("Asha"), c.Admin("Boss")
			_, entry := c.Doctor("Priya")
			arjun := asha.Patient("Arjun")
			m := asha.Assign(arjun, entry)
			end := func() error { return errOf(c.Store.RemoveMapping(t.Context(), asha.Viewer, m.ID, nil)) }
			if a == "DeletePatient" {
				end = func() error { return errOf(c.Store.DeletePatient(t.Context(), asha.Viewer, arjun.ID, nil)) }
			}
			overtakes(t, c, p, end, func() error {
				return errOf(c.VerifyAs(boss.Viewer, entry.ID, store.Verification{Account: new((*int64)(nil))}))
			})
		})
	}
}

// TestWrites_LockOrderDoesNotDeadlock: many random changes of the same few records at once.
func TestWrites_LockOrderDoesNotDeadlock(t *testing.T) {
	t.Parallel()
	c := storetest.New(t, func(o *store.Options) { o.Connections = 12 })
	asha, ravi, boss, helper := c.Owner("Asha").Confirm(), c.Owner("Ravi").Confirm(), c.Admin("Boss"), c.Owner("Helper").Confirm()
	priya, entry := c.Doctor("Priya")
	meera, other := c.Doctor("Meera")
	entries := []*model.Doctor{entry, other}
	patients := []*model.Patient{asha.Patient("Arjun"), asha.Patient("Banu"), asha.Patient("Chitra")}
	owners := []*storetest.Account{asha, ravi}
	accounts := []*storetest.Account{priya, meera}
	var active [3][2]atomic.Int64 // the last mapping of each pair
	const workers, rounds = 8, 1250
	one := func(random *rand.Rand) error {
		ctx, i, j, id := t.Context(), random.IntN(3), random.IntN(2), 1+random.Int64N(200)
		p, d, owner := patients[i].ID, entries[j].ID, owners[random.IntN(2)]
		switch random.IntN(15) {
		case 0, 1, 2:
			m, err := c.Store.AssignDoctor(ctx, owner.Viewer, &model.Mapping{PatientID: p, DoctorID: d})
			if err == nil {
				active[i][j].Store(m.ID)
			}
			return err
		case 3, 4:
			return errOf(c.Store.RemoveMapping(ctx, owner.Viewer, active[i][j].Load(), nil))
		case 5:
			return errOf(c.Store.DeletePatient(ctx, owner.Viewer, p, nil))
		case 6:
			return errOf(c.Store.RestorePatient(ctx, owner.Viewer, p))
		case 7:
			account := []*int64{nil, &accounts[j].UserID}[random.IntN(2)]
			return errOf(c.VerifyAs(boss.Viewer, d, store.Verification{IsVerified: random.IntN(2) > 0, Account: &account}))
		case 8:
			return errOf(c.Store.DeleteDoctor(ctx, boss.Viewer, d, nil))
		case 9:
			return errOf(c.Store.RestoreDoctor(ctx, boss.Viewer, d))
		case 10:
			return errOf(c.Store.AddTeamMember(ctx, owner.Viewer, "Helper", model.LevelFull, nil))
		case 11:
			return errOf(c.Store.AcceptGrant(ctx, helper.Viewer, id))
		case 12:
			return errOf(c.Store.EndGrant(ctx, helper.Viewer, id, nil))
		case 13:
			to := owners[0].UserID + owners[1].UserID - owner.UserID
			return errOf(c.Store.OfferTransfer(ctx, owner.Viewer, store.Offer{From: owner.UserID, To: to, Reason: "moves"}))
		default:
			return errOf(c.Store.AcceptTransfer(ctx, owner.Viewer, id))
		}
	}
	for _, err := range concurrently(workers, func(i int) error {
		random := rand.New(rand.NewPCG(1, uint64(i)))
		for range rounds {
			if err := one(random); model.CodeOf(err) == model.CodeUnavailable || model.CodeOf(err) == model.CodeInternal {
				return fmt.Errorf("worker %d: %w", i, err)
			}
		}
		return nil
	}) {
		testutil.Equal(t, "error", err, nil)
	}
}
