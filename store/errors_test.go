package store_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/storetest"
)

func TestErrors_EveryUniqueIndexHasItsWords(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	var names []string
	err := c.DB.NewRaw(`SELECT indexrelid::regclass::text FROM pg_index
		WHERE indisunique AND NOT indisprimary AND indrelid::regclass::text IN ('users', 'sessions', 'patients', 'doctors', 'mappings')`).Scan(t.Context(), &names)
	if err != nil || len(names) == 0 {
		t.Fatalf("%d unique indexes, %v", len(names), err)
	}
	for _, name := range names {
		field, known := store.Constraints(name)
		if !known || field.Field == "" || field.Message == "" {
			t.Errorf("%s is translated to %+v", name, field)
		}
		if want := map[bool]model.Code{false: model.CodeTaken, true: model.CodeAlreadyAssigned}[strings.HasPrefix(name, "mappings")]; field.Code != want {
			t.Errorf("%s is translated to %s, want %s", name, field.Code, want)
		}
	}
}

// failing returns a clinic in which every write of a patient fails with the SQLSTATE
// and a message that contains the row.
func failing(t *testing.T, state string) *storetest.Clinic {
	t.Helper()
	c := storetest.New(t)
	c.Exec(fmt.Sprintf(`CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		RAISE EXCEPTION 'cannot write %%', NEW USING ERRCODE = '%s', DETAIL = NEW::text, HINT = NEW::text; END $$`, state))
	c.Exec("CREATE TRIGGER fail BEFORE INSERT OR UPDATE ON patients FOR EACH ROW EXECUTE FUNCTION fail()")
	return c
}

func TestErrors_OfTheDatabaseNeverHoldTheRow(t *testing.T) {
	t.Parallel()
	for _, state := range []string{
		"08006", "22001", "22003", "23502", "23503", "23505", "23514", "40001", "40P01",
		"53100", "53300", "54000", "57014", "57P01", "P0001", "XX000",
	} {
		t.Run(state, func(t *testing.T) {
			t.Parallel()
			c := failing(t, state)
			_, err := c.Store.CreatePatient(t.Context(), c.Owner("Asha").Viewer, c.NewPatient("Arjun"))
			wantNothingOf(t, err, "Arjun", "MG Road", "+91", "1990")
			want := model.CodeInternal
			if slices.Contains([]string{"08", "40", "53", "57"}, state[:2]) {
				want = model.CodeUnavailable
			}
			testutil.Equal(t, "code", model.CodeOf(err), want)
			if want == model.CodeInternal && !strings.Contains(err.Error(), "create patient: SQLSTATE "+state) {
				t.Errorf("for our log it says only %q", err)
			}
		})
	}
}

// wantNothingOf checks that there is an error without any of the texts.
func wantNothingOf(t *testing.T, err error, texts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, text := range texts {
		if strings.Contains(fmt.Sprintf("%v %+v", err, err), text) {
			t.Errorf("the error holds %q: %v", text, err)
		}
	}
}

// The constraints hold without validation, too, and their errors reveal nothing.
func TestErrors_OfConstraintsNeverHoldTheRow(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	p := c.NewPatient("Arjun")
	p.Gender = "SECRET"
	_, err := c.Store.CreatePatient(t.Context(), asha.Viewer, p)
	wantNothingOf(t, err, "Arjun", "SECRET")
	testutil.Equal(t, "code", model.CodeOf(err), model.CodeInternal)

	arjun := asha.Patient("Arjun")
	_, err = c.Store.UpdatePatient(t.Context(), asha.Viewer, arjun.ID, nil, []model.Change[model.Patient]{
		set("gender", func(p *model.Patient) { p.Gender = "SECRET" }),
	})
	wantNothingOf(t, err, "Arjun", "SECRET")
	_, err = c.Store.CreatePatient(t.Context(), &model.Viewer{UserID: 999}, c.NewPatient("Banu"))
	wantNothingOf(t, err, "Banu", "999")
}

func TestErrors_WithoutTheDatabaseAreUnavailable(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	late, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	_, err := Patients(late, c.Store, asha.Viewer, PatientQuery{})
	wantCode(t, err, model.CodeUnavailable)
	_, err = c.Store.SessionViewer(late, asha.SessionID)
	wantCode(t, err, model.CodeUnavailable)
	_, err = c.Store.CreatePatient(late, asha.Viewer, c.NewPatient("Arjun"))
	wantCode(t, err, model.CodeUnavailable)

	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Patients(gone, c.Store, asha.Viewer, PatientQuery{})
	wantNothingOf(t, err, "SELECT")
}

func TestOpen_TellsNoPassword(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"postgres://caregraph:s3cret@[bad/db", "postgres://caregraph:s3cret@localhost:x/db", "host=localhost password=s3cret port=x",
		"postgres://caregraph:s3cret@127.0.0.1:1/db", "postgres://caregraph:s3cret@127.0.0.1:1/db?sslmode=s3cret",
	} {
		_, err := store.Open(t.Context(), url, store.Options{Policy: storetest.Policy(t)})
		wantNothingOf(t, err, "s3cret")
		wantNothingOf(t, store.Migrate(t.Context(), url, slog.New(slog.DiscardHandler)), "s3cret")
	}
}
