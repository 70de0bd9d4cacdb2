package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/storetest"
)

// This file checks that no method of the store gives access to hidden rows. The calls of
// each method are in isolation_cases_test.go; a missing method fails the first test.

func TestIsolation_EveryMethodIsTried(t *testing.T) {
	t.Parallel()
	tried := map[string]int{}
	for name := range attempts() {
		tried[name]++
	}
	for name := range ownRowsOnly() {
		tried[name]++
	}
	for name := range withoutViewer() {
		tried[name]++
	}
	methods := reflect.TypeFor[*store.Store]()
	for method := range methods.Methods() {
		if tried[method.Name] != 1 {
			t.Errorf("Store.%s has %d entries in isolation_cases_test.go, want 1: say what a stranger gets from it", method.Name, tried[method.Name])
		}
		delete(tried, method.Name)
	}
	for name := range tried {
		t.Errorf("isolation_cases_test.go names Store.%s, which does not exist", name)
	}
}

// attempt calls a method with the ids and returns all results as texts.
type attempt func(ctx context.Context, s *store.Store, v *model.Viewer, at target) []string

// target has the ids of the records that a stranger tries to reach.
type target struct {
	user, patient, deletedPatient, doctor, deletedDoctor, mapping, endedMapping, grant int64
	transfer, receiver                                                                 int64
	session, email, claim                                                              string
	sessionNumber                                                                      int64
}

// A stranger gets the same answers about Asha's rows as in an empty clinic about unknown
// ids, and Asha's rows do not change. Asha's own answers differ, so the attempt is a
// real one.
func TestIsolation_StrangerGetsWhatAnEmptyClinicGives(t *testing.T) {
	t.Parallel()
	nothing := privateClinic(t)
	for name, try := range attempts() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := privateClinic(t)
			asha, at := newTarget(c)
			before := rows(t, c)
			for who, v := range strangers(c) {
				got := try(t.Context(), c.Store, v, at)
				want := try(t.Context(), nothing.Store, v, unknownTarget())
				if !slices.Equal(got, want) {
					t.Errorf("%s gets %v, want %v", who, got, want)
				}
			}
			wantUntouched(t, before, rows(t, c))

			hers, noones := try(t.Context(), c.Store, asha.Viewer, at), try(t.Context(), nothing.Store, asha.Viewer, unknownTarget())
			for i := range hers {
				if hers[i] == noones[i] {
					t.Errorf("call %d tells its owner what it tells everybody: %s", i, hers[i])
				}
			}
		})
	}
}

// A stranger's changes of own rows do not change Asha's rows, even if they name them.
func TestIsolation_OwnRowsOnly(t *testing.T) {
	t.Parallel()
	for name, try := range ownRowsOnly() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := privateClinic(t)
			asha, at := newTarget(c)
			before := rows(t, c)
			for _, v := range strangers(c) {
				try(t.Context(), c.Store, v, at)
			}
			wantUntouched(t, before, rows(t, c))

			try(t.Context(), c.Store, asha.Viewer, at)
			quiet := []string{
				"CredentialOf", "SendConfirmation", // Asha has confirmed her address
				"EraseMe", // while she owns patients; see erase_test.go
			}
			if slices.Equal(rows(t, c), before) && !slices.Contains(quiet, name) {
				t.Error("the method does nothing for its owner either")
			}
		})
	}
}

// privateClinic returns a clinic under a schema in which every record is private, so
// that there are strangers to every record.
func privateClinic(t *testing.T) *storetest.Clinic {
	t.Helper()
	policy := storetest.Policy(t,
		"type Doctor implements Node @access(to: SIGNED_IN)", "type Doctor implements Node @access(to: PROFILE)")
	return storetest.New(t, func(o *store.Options) { o.Policy = policy })
}

// newTarget returns Asha, with one record of each kind.
func newTarget(c *storetest.Clinic) (*storetest.Account, target) {
	asha := c.DoctorAccount("Asha")
	patient, deleted := asha.Patient("Arjun"), asha.DeletedPatient("Banu")
	doctor, former, gone := asha.Entry("Dr. Rao"), asha.Entry("Dr. Sen"), asha.DeletedEntry("Dr. Das")
	ended := asha.Remove(asha.Assign(patient, former))
	helper := c.Owner("Helper")
	c.Exec("UPDATE users SET is_confirmed = TRUE WHERE id IN (?, ?)", asha.UserID, helper.UserID)
	boss := c.Owner("Boss")
	c.Exec("INSERT INTO grants (id, kind, level, granter_id, account_id) VALUES (800, 'TEAM', 'SEE', ?, ?)", boss.UserID, asha.UserID)
	claim, _, err := c.Store.CreateClaimCode(context.Background(), boss.Viewer, boss.Patient("Chitra").ID)
	if err != nil {
		panic(err)
	}
	asha.Grants = model.NamedInGrant
	c.Exec("INSERT INTO notices (id, kind, account_id) VALUES (900, 'NEW_DEVICE', ?)", asha.UserID)
	receiver := c.Owner("Receiver")
	c.Exec("UPDATE users SET is_confirmed = TRUE WHERE id = ?", receiver.UserID)
	c.Exec(`INSERT INTO transfers (id, from_id, to_id, sender, patient_count, reason, offered_by, expires_at, needs_approval)
		VALUES (900, ?0, ?1, 'Asha', 2, 'moves', ?0, now() + interval '1 day', FALSE)`, asha.UserID, receiver.UserID)
	return asha, target{
		user: asha.UserID, patient: patient.ID, deletedPatient: deleted.ID,
		doctor: doctor.ID, deletedDoctor: gone.ID,
		mapping: asha.Assign(patient, c.Link(doctor, asha)).ID, endedMapping: ended.ID,
		grant: 800, transfer: 900, receiver: receiver.UserID, session: asha.SessionID, email: string(asha.User.Email), claim: claim, sessionNumber: number(c, asha.SessionID),
	}
}

// number returns the number of a session in live_sessions.
func number(c *storetest.Clinic, session string) (n int64) {
	if err := c.DB.NewRaw("SELECT id FROM live_sessions WHERE session_id = ?", session).Scan(context.Background(), &n); err != nil {
		panic(err)
	}
	return n
}

// unknownTarget has unknown ids.
func unknownTarget() target {
	return target{101, 102, 103, 104, 105, 106, 107, 108, 109, 110, "no session", "nobody@clinic.example", "no code", 111}
}

func strangers(c *storetest.Clinic) map[string]*model.Viewer {
	return map[string]*model.Viewer{
		"nobody": nil, "a stranger": c.Stranger().Viewer, "a doctor": c.DoctorAccount("Kumar").Viewer,
		"an account that is gone": {UserID: 999, Role: model.RoleDoctor},
	}
}

// rows returns the text of each of Asha's rows. She is the first account.
func rows(t *testing.T, c *storetest.Clinic) []string {
	t.Helper()
	var texts []string
	err := c.DB.NewRaw(`SELECT 'user ' || users::text FROM users WHERE id = 1
		UNION ALL SELECT 'session ' || sessions::text FROM sessions WHERE user_id = 1
		UNION ALL SELECT 'patient ' || patients::text FROM patients WHERE created_by = 1
		UNION ALL SELECT 'doctor ' || doctors::text FROM doctors WHERE created_by = 1
		UNION ALL SELECT 'transfer ' || transfers::text FROM transfers WHERE from_id = 1
		UNION ALL SELECT 'code ' || codes::text FROM codes WHERE account_id = 1
		UNION ALL SELECT 'mail ' || mail::text FROM mail WHERE account_id = 1
		UNION ALL SELECT 'notice ' || notices::text FROM notices WHERE account_id = 1
		UNION ALL SELECT 'grant ' || grants::text FROM grants WHERE granter_id = 1 OR account_id = 1
		UNION ALL SELECT 'mapping ' || mappings::text FROM mappings ORDER BY 1`).Scan(t.Context(), &texts)
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

func wantUntouched(t *testing.T, before, after []string) {
	t.Helper()
	for _, row := range after {
		if !slices.Contains(before, row) {
			t.Errorf("a row was changed or added: %s", row)
		}
	}
	if len(after) < len(before) {
		t.Errorf("%d rows are gone", len(before)-len(after))
	}
}

// resultText returns the results of a call as a text.
func resultText[T any](value T, err error) string {
	text, jsonErr := json.Marshal(value)
	return fmt.Sprintf("%s %v %v", text, err, jsonErr)
}
