package store_test

import (
	"testing"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/storetest"
)

// care is a patient with one mapping.
type care struct {
	*storetest.Clinic

	owner   *storetest.Account
	patient *model.Patient
	entry   *model.Doctor
	mapping *model.Mapping
}

// A mapping ends while its entry, which had no standing, gets it. The device of the entry's
// account never keeps the patient: either it hears of the end, or the entry waits.
func TestChanges_MappingEndsWhileEntryIsVerified(t *testing.T) {
	t.Parallel()
	ends := map[string]func(care) error{
		"removed": func(c care) error {
			return errOf(c.Store.RemoveMapping(t.Context(), c.owner.Viewer, c.mapping.ID, nil))
		},
		"deleted with its patient": func(c care) error {
			return errOf(c.Store.DeletePatient(t.Context(), c.owner.Viewer, c.patient.ID, nil))
		},
	}
	verify := func(c care) error {
		return errOf(c.VerifyAs(model.Operator(), c.entry.ID, store.Verification{IsVerified: true, KeepsMappings: true}))
	}
	for how, end := range ends {
		for what, standing := range map[string]struct {
			prepare func(c care, account *storetest.Account)
			gets    func(c care) error
		}{
			"verified": {func(care, *storetest.Account) {}, verify},
			"restored": {
				func(c care, account *storetest.Account) {
					testutil.Must(t, verify(c))
					ok(c.Store.DeleteDoctor(t.Context(), account.Viewer, c.entry.ID, nil))(t)
				},
				func(c care) error { return errOf(c.Store.RestoreDoctor(t.Context(), model.Operator(), c.entry.ID)) },
			},
		} {
			t.Run(how+" while the entry is "+what, func(t *testing.T) {
				t.Parallel()
				c := care{Clinic: concurrentClinic(t)}
				neha := c.DoctorAccount("Neha")
				c.owner, c.entry = c.Owner("Asha"), neha.OwnEntry("Dr. Neha")
				c.patient = c.owner.Patient("Arjun")
				c.mapping = c.owner.Assign(c.patient, c.entry)
				standing.prepare(c, neha)
				phone := newDevice(t, c.Clinic, neha.Viewer, 100)
				phone.types = []model.ChangeType{model.ChangesOfPatients}
				phone.sync()

				held := ok(c.DB.BeginTx(t.Context(), nil))(t)
				ok(held.NewRaw("SELECT FROM mappings WHERE id = ? FOR UPDATE", c.mapping.ID).Exec(t.Context()))(t)
				ended, gotten := make(chan error, 1), make(chan error, 1)
				go func() { ended <- end(c) }()
				c.waiting(t, 1, gotten)
				go func() { gotten <- standing.gets(c) }()
				c.waiting(t, 2, gotten)
				phone.sync()
				testutil.Must(t, held.Rollback())
				testutil.Must(t, <-ended)
				testutil.Must(t, <-gotten)
				if phone.sync(); phone.holds[globalID(c.patient)] != 0 {
					t.Error("the device keeps a patient that its account does not see")
				}
			})
		}
	}
}

// waiting returns when so many connections wait for a lock, or when done has a result.
func (c care) waiting(t *testing.T, connections int, done chan error) {
	t.Helper()
	for n := 0; n < connections && len(done) == 0; {
		testutil.Must(t, c.DB.NewRaw(`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(t.Context(), &n))
	}
}
