package graph_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/graph"
	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/internal/limits"
	"github.com/caregraph/caregraph/model"
)

const mebi = 1 << 20

// withPatients returns a server and an account with 100 patients, whose texts have 20,000
// characters each.
func withPatients(t *testing.T, answers *limits.Answers) (*graphtest.Server, *graphtest.Client) {
	t.Helper()
	s := graphtest.New(t, graphtest.Options{Answers: answers})
	asha := s.Account("Asha", model.RolePatient)
	s.Exec(`INSERT INTO patients (created_by, name, date_of_birth, gender, phone, address, emergency_contact, medical_history)
		SELECT $1, 'Patient ' || i, '1990-05-15', 'FEMALE', '+919876543210', repeat('a', 20000), '+919876543210', repeat('h', 20000)
		FROM generate_series(1, 100) AS i`, asha.UserID)
	return s, asha
}

// TestAnswer_LongerThanAllowedHasNoData, in both engines: the answer may be exactly as long
// as the bound.
func TestAnswer_LongerThanAllowedHasNoData(t *testing.T) {
	t.Parallel()
	_, asha := withPatients(t, nil)
	for _, reference := range []bool{false, true} {
		for _, query := range []string{
			`{ me { id username } }`,
			`{ patients(first: 2) { nodes { id address } } }`,
			`{ patients(first: 30) { nodes { id address } edges { node { medicalHistory } } } }`,
		} {
			data := int64(len(asha.Do(query, nil).Body) - len(`{"data":}`))
			for bound, want := range map[int64]string{data + 1: "", data: "", data - 1: "LIMIT_EXCEEDED"} {
				bounded := asha.Server.With(func(c *graph.Config) {
					c.ReferenceOnly = reference
					c.Answers = &limits.Answers{One: bound, Account: 100 * mebi, All: 100 * mebi}
				})
				answer := asha.At(bounded).Do(query, nil)
				switch {
				case want == "" && (answer.Errors != nil || answer.Data == nil):
					t.Errorf("%s with %d of %d bytes: %.200s", query, data, bound, answer.Body)
				case want != "" && (answer.Data != nil || !strings.Contains(answer.Body, want) || !strings.Contains(answer.Body, "--max-answer ")):
					t.Errorf("%s with %d of %d bytes: %.200s", query, data, bound, answer.Body)
				}
			}
		}
	}
}

// TestAnswer_RowsCountWhileTheyArrive: four lists of 4 MB are refused, and the next
// request is served.
func TestAnswer_RowsCountWhileTheyArrive(t *testing.T) {
	t.Parallel()
	_, asha := withPatients(t, &limits.Answers{One: 10 * mebi, Account: 40 * mebi, All: 40 * mebi})
	const list = `patients(first: 100) { nodes { address medicalHistory } } `
	for range 5 {
		answer := asha.Do(`{ a: `+list+` b: `+list+` c: `+list+` d: `+list+` }`, nil)
		if answer.Data != nil || !strings.Contains(answer.Body, "LIMIT_EXCEEDED") || answer.Answered != graph.Compiled {
			t.Fatalf("%s: %.200s", answer.Answered, answer.Body)
		}
		if answer := asha.Do(`{ a: `+list+` b: `+list+` }`, nil); answer.Errors != nil {
			t.Fatalf("two lists: %.200s", answer.Body)
		}
	}
}

// TestAnswers_BeyondTheMemoryOfAnAccountAreRateLimited, and another account is served.
func TestAnswers_BeyondTheMemoryOfAnAccountAreRateLimited(t *testing.T) {
	t.Parallel()
	s, asha := withPatients(t, &limits.Answers{One: 10 * mebi, Account: 3 * mebi, All: 40 * mebi})
	answer := asha.Do(`{ patients(first: 100) { nodes { address } } }`, nil)
	if answer.Status != http.StatusTooManyRequests || answer.Data != nil ||
		len(answer.Errors) != 1 || !strings.Contains(answer.Body, `"retryAfter":1`) || !strings.Contains(answer.Body, "--max-answers-per-account") {
		t.Errorf("%d %.200s", answer.Status, answer.Body)
	}
	asha.Must(`{ patients(first: 10) { nodes { address } } }`, nil)
	s.Account("Ravi", model.RolePatient).Must(`{ me { id } }`, nil)
}

// TestAnswer_OfAStoredChangeSaysSo: a payload that is too long hides no change.
func TestAnswer_OfAStoredChangeSaysSo(t *testing.T) {
	t.Parallel()
	s, asha := withPatients(t, &limits.Answers{One: 2_000, Account: mebi, All: mebi})
	answer := asha.Do(`mutation ($i: UpdatePatientInput!) { updatePatient(id: 1, input: $i) { patient { address } userErrors { code } } }`,
		map[string]any{"i": map[string]any{"name": "Changed"}})
	if answer.Data != nil || !strings.Contains(answer.Body, "The changes are stored.") || !strings.Contains(answer.Body, "LIMIT_EXCEEDED") {
		t.Errorf("%.300s", answer.Body)
	}
	if got := s.Row(`SELECT name FROM patients WHERE id = 1`); got != "Changed" {
		t.Errorf("the name is %q", got)
	}
}
