package store_test

import (
	"testing"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/storetest"
)

// TestInsert_RefusedValuesKeepTheConnection: a violated constraint does not cost a
// connection.
func TestInsert_RefusedValuesKeepTheConnection(t *testing.T) {
	t.Parallel()
	seen := &beforeQuery{}
	c := storetest.New(t, oneConnection, func(o *store.Options) { o.Tracer = seen })
	asha := c.Owner("Asha")
	create := func() error {
		p := c.NewPatient("Arjun")
		p.Email = new(model.EmailAddress("arjun@clinic.example"))
		return errOf(c.Store.CreatePatient(t.Context(), asha.Viewer, p))
	}
	testutil.Equal(t, "error", create(), nil)
	before := seen.conn
	for range 3 {
		wantCode(t, create(), model.CodeTaken, "email")
		if seen.conn != before {
			t.Fatal("it took another connection")
		}
	}
}

// TestInsert_GivesWhatIsStored, to the microsecond and with nulls.
func TestInsert_GivesWhatIsStored(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	for _, full := range []bool{false, true} {
		p := c.NewPatient("Arjun")
		p.Email, p.BloodGroup, p.MedicalHistory = nil, nil, nil
		if full {
			p.Email, p.BloodGroup, p.MedicalHistory = new(model.EmailAddress("a@b.example")), new(model.BPositive), new("it's \\ \"quoted\"")
		}
		made := ok(c.Store.CreatePatient(t.Context(), asha.Viewer, p))(t)
		stored := ok(Patient(t.Context(), c.Store, asha.Viewer, made.ID))(t)
		testutil.Equal(t, "the patient", resultText(made, nil), resultText(stored, nil))
		testutil.Equal(t, "when it was made", made.CreatedAt.Equal(stored.CreatedAt.Time), true)
	}
}
