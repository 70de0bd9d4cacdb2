package store_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/storetest"
)

// concurrentClinic returns a clinic whose store has several connections.
func concurrentClinic(t *testing.T) *storetest.Clinic {
	t.Helper()
	return storetest.New(t, func(o *store.Options) { o.Connections = 8 })
}

// wantOneWinner checks that one of the errors is nil and all others have the code.
func wantOneWinner(t *testing.T, errs []error, code model.Code) {
	t.Helper()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if model.CodeOf(err) != code {
			t.Errorf("a loser gets %v, want %s", err, code)
		}
	}
	testutil.Equal(t, "winners", won, 1)
}

const rivals = 8

func TestRaces_EqualAccounts(t *testing.T) {
	t.Parallel()
	c := concurrentClinic(t)
	phone := new(model.PhoneNumber("+919811111111"))
	errs := concurrently(rivals, func(i int) error {
		u := &model.User{Username: "Asha", Email: "asha@clinic.example", Phone: phone, Role: model.RolePatient}
		_, err := c.Store.CreateUser(t.Context(), u, "hash", func(id int64) (store.Session, error) {
			return storetest.Session(fmt.Sprint("session ", i), id, "r"), nil
		})
		return err
	})
	wantOneWinner(t, errs, model.CodeTaken)
	for _, err := range errs {
		if err != nil {
			wantCode(t, err, model.CodeTaken, "username", "email", "phone")
		}
	}
}

func TestRaces_EqualRecords(t *testing.T) {
	t.Parallel()
	c := concurrentClinic(t)
	asha, priya := c.Owner("Asha"), c.DoctorAccount("Priya")
	patient, entry := asha.Patient("Arjun"), asha.Entry("Dr. Rao")
	t.Run("assignments", func(t *testing.T) {
		t.Parallel()
		wantOneWinner(t, concurrently(rivals, func(int) error {
			return errOf(c.Store.AssignDoctor(t.Context(), asha.Viewer, &model.Mapping{PatientID: patient.ID, DoctorID: entry.ID}))
		}), model.CodeAlreadyAssigned)
	})
	t.Run("patients with one e-mail address", func(t *testing.T) {
		t.Parallel()
		wantOneWinner(t, concurrently(rivals, func(int) error {
			p := c.NewPatient("Banu")
			p.Email = new(model.EmailAddress("banu@home.example"))
			_, err := c.Store.CreatePatient(t.Context(), asha.Viewer, p)
			return err
		}), model.CodeTaken)
	})
	t.Run("doctors with one license number", func(t *testing.T) {
		t.Parallel()
		wantOneWinner(t, concurrently(rivals, func(int) error {
			d := c.NewDoctor("Dr. Sen")
			d.LicenseNumber = "ONE"
			_, err := c.Store.CreateDoctor(t.Context(), asha.Viewer, d, false)
			return err
		}), model.CodeTaken)
	})
	t.Run("entries of one account", func(t *testing.T) {
		t.Parallel()
		wantOneWinner(t, concurrently(rivals, func(int) error {
			return errOf(c.Store.CreateDoctor(t.Context(), priya.Viewer, c.NewDoctor("Dr. Priya"), true))
		}), model.CodeTaken)
	})
}

func TestRaces_UpdatesOfOneVersion(t *testing.T) {
	t.Parallel()
	c := concurrentClinic(t)
	asha := c.Owner("Asha")
	arjun := asha.Patient("Arjun")
	errs := concurrently(rivals, func(i int) error {
		return errOf(c.Store.UpdatePatient(t.Context(), asha.Viewer, arjun.ID, new(1), rename(fmt.Sprint("Arjun ", i))))
	})
	wantOneWinner(t, errs, model.CodeVersionConflict)
	after := ok(Patient(t.Context(), c.Store, asha.Viewer, arjun.ID))(t)
	testutil.Equal(t, "version", after.Version, 2)
	testutil.Equal(t, "name", after.Name, fmt.Sprint("Arjun ", slices.Index(errs, nil)))
}

// Without a version all updates succeed, one after the other.
func TestRaces_UpdatesOfDifferentFieldsLoseNothing(t *testing.T) {
	t.Parallel()
	c := concurrentClinic(t)
	asha := c.Owner("Asha")
	arjun := asha.Patient("Arjun")
	changes := []model.Change[model.Patient]{
		set("name", func(p *model.Patient) { p.Name = "Arjun Rao" }),
		set("address", func(p *model.Patient) { p.Address = "elsewhere" }),
		set("bloodGroup", func(p *model.Patient) { p.BloodGroup = nil }),
		set("medicalHistory", func(p *model.Patient) { p.MedicalHistory = new("asthma") }),
	}
	for _, err := range concurrently(len(changes), func(i int) error {
		return errOf(c.Store.UpdatePatient(t.Context(), asha.Viewer, arjun.ID, nil, changes[i:i+1]))
	}) {
		testutil.Equal(t, "error", err, nil)
	}
	after := ok(Patient(t.Context(), c.Store, asha.Viewer, arjun.ID))(t)
	testutil.Equal(t, "the record", fmt.Sprint(after.Version, after.Name, after.Address, after.BloodGroup, *after.MedicalHistory), "5Arjun Raoelsewhere<nil>asthma")
}

func TestRaces_RemovingOneMapping(t *testing.T) {
	t.Parallel()
	c := concurrentClinic(t)
	asha := c.Owner("Asha")
	m := asha.Assign(asha.Patient("Arjun"), asha.Entry("Dr. Rao"))
	wantOneWinner(t, concurrently(rivals, func(int) error {
		return errOf(c.Store.RemoveMapping(t.Context(), asha.Viewer, m.ID, nil))
	}), model.CodeDeleted)
}

// Twenty clients use one refresh token at once: all get the same successor, and it works.
func TestRaces_OneRefreshTokenInTwoHands(t *testing.T) {
	t.Parallel()
	c := concurrentClinic(t)
	asha := c.Owner("Asha")
	now := storetest.Session(asha.SessionID, asha.UserID, "refresh-of-Asha")
	const hands = 20
	successors := make([]string, hands)
	for _, err := range concurrently(hands, func(i int) error {
		rotated, err := c.Store.RotateSession(t.Context(), now, storetest.Session(asha.SessionID, asha.UserID, fmt.Sprint("next ", i)))
		if err == nil {
			successors[i] = rotated.Session.RefreshID
		}
		return err
	}) {
		testutil.Equal(t, "error", err, nil)
	}
	if different := slices.Compact(successors); len(different) != 1 {
		t.Fatalf("the successors are %q", different)
	}
	wantRotation(t, c, storetest.Session(asha.SessionID, asha.UserID, successors[0]), storetest.Session(asha.SessionID, asha.UserID, "last"), "last")
	wantLive(t, c, map[string]bool{asha.SessionID: true})
}

func TestRaces_DeletedPatientHasNoActiveMapping(t *testing.T) {
	t.Parallel()
	c := concurrentClinic(t)
	asha := c.Owner("Asha")
	entry := asha.Entry("Dr. Rao")
	for range 20 {
		arjun := asha.Patient("Arjun")
		errs := concurrently(2, func(i int) error {
			if i == 0 {
				return errOf(c.Store.DeletePatient(t.Context(), asha.Viewer, arjun.ID, nil))
			}
			return errOf(c.Store.AssignDoctor(t.Context(), asha.Viewer, &model.Mapping{PatientID: arjun.ID, DoctorID: entry.ID}))
		})
		testutil.Equal(t, "deleting", errs[0], nil)
		if code := model.CodeOf(errs[1]); code != "" && code != model.CodeDeleted {
			t.Errorf("assigning: %v", errs[1])
		}
	}
	wantNoActiveMappingOfADeletedPatient(t, c)
}

func wantNoActiveMappingOfADeletedPatient(t *testing.T, c *storetest.Clinic) {
	t.Helper()
	n, err := c.DB.NewSelect().Table("mappings").Join("JOIN patients AS p ON p.id = mappings.patient_id").
		Where("mappings.is_active AND p.deleted_at IS NOT NULL").Count(t.Context())
	if err != nil || n > 0 {
		t.Errorf("%d active mappings of deleted patients, %v", n, err)
	}
}

// Many concurrent operations on the same few rows: each succeeds or is refused, and there
// is no deadlock.
func TestRaces_MixedOperationsNeverFail(t *testing.T) {
	t.Parallel()
	c := concurrentClinic(t)
	asha, boss := c.Owner("Asha"), c.Admin("Boss")
	priya, entry := c.Doctor("Priya")
	_, other := c.Doctor("Meera")
	arjun, banu := asha.Patient("Arjun"), asha.Patient("Banu")
	mapping := func(p *model.Patient, d *model.Doctor) *model.Mapping {
		return &model.Mapping{PatientID: p.ID, DoctorID: d.ID}
	}
	note := []model.Change[model.Mapping]{set("notes", func(m *model.Mapping) { m.Notes = nil })}
	operations := []func(i int64) error{
		func(int64) error { return errOf(c.Store.AssignDoctor(t.Context(), asha.Viewer, mapping(arjun, entry))) },
		func(int64) error { return errOf(c.Store.AssignDoctor(t.Context(), asha.Viewer, mapping(banu, other))) },
		func(i int64) error { return errOf(c.Store.RemoveMapping(t.Context(), asha.Viewer, i, nil)) },
		func(i int64) error { return errOf(c.Store.UpdateMapping(t.Context(), priya.Viewer, i, nil, note)) },
		func(int64) error { return errOf(c.Store.DeletePatient(t.Context(), asha.Viewer, arjun.ID, nil)) },
		func(int64) error { return errOf(c.Store.RestorePatient(t.Context(), asha.Viewer, arjun.ID)) },
		func(int64) error { return errOf(c.Store.UpdatePatient(t.Context(), priya.Viewer, arjun.ID, nil, nil)) },
		func(int64) error { return errOf(c.Store.DeleteDoctor(t.Context(), boss.Viewer, entry.ID, nil)) },
		func(int64) error { return errOf(c.Store.RestoreDoctor(t.Context(), priya.Viewer, entry.ID)) },
		func(int64) error {
			return errOf(c.VerifyAs(boss.Viewer, entry.ID, store.Verification{IsVerified: true, Account: new(&priya.UserID)}))
		},
		func(int64) error { return errOf(c.Store.UpdateMe(t.Context(), asha.Viewer, nil)) },
	}
	refusals := []model.Code{"", model.CodeNotFound, model.CodeDeleted, model.CodeAlreadyAssigned, model.CodeForbidden}
	for _, err := range concurrently(rivals, func(i int) error {
		for round := range 25 {
			n := i*7 + round*3
			if err := operations[n%len(operations)](int64(1 + n%20)); !slices.Contains(refusals, model.CodeOf(err)) {
				return fmt.Errorf("operation %d: %w", n%len(operations), err)
			}
		}
		return nil
	}) {
		testutil.Equal(t, "error", err, nil)
	}
	wantNoActiveMappingOfADeletedPatient(t, c)
}
