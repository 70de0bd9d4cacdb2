package graph_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/graph"
	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
)

// explained is an answer with what explains it.
type explained struct {
	body, timing string
	cost         map[string]int
}

// explain sends an operation with a value of the header X-CareGraph-Explain; "" is none.
func explain(t *testing.T, client *graphtest.Client, value, query string, variables map[string]any) explained {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	testutil.Must(t, err)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, client.Server.URL+"/graphql", strings.NewReader(string(body)))
	testutil.Must(t, err)
	return explainRequest(t, client, value, request)
}

func explainRequest(t *testing.T, client *graphtest.Client, value string, request *http.Request) explained {
	t.Helper()
	request.Header.Set("Content-Type", "application/json")
	if value != "" {
		request.Header.Set("X-CareGraph-Explain", value)
	}
	if client.Token != "" {
		request.Header.Set("Authorization", "Bearer "+client.Token)
	}
	response, err := http.DefaultClient.Do(request)
	testutil.Must(t, err)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	testutil.Must(t, err)
	var answer struct {
		Extensions struct{ Cost map[string]int }
	}
	testutil.Must(t, json.Unmarshal(text, &answer))
	return explained{string(text), response.Header.Get("Server-Timing"), answer.Extensions.Cost}
}

// statements returns the number of statements in Server-Timing.
func (e explained) statements(t *testing.T) int {
	t.Helper()
	found := regexp.MustCompile(`^total;dur=\d+\.\d, db;dur=\d+\.\d, statements;desc="(\d+)"$`).FindStringSubmatch(e.timing)
	if found == nil {
		t.Fatalf("Server-Timing: %q", e.timing)
	}
	n, err := strconv.Atoi(found[1])
	testutil.Must(t, err)
	return n
}

func interpreted(c *graph.Config) { c.ReferenceOnly = true }

// TestExplain_AddsTheCostAndTheTimes to the same answer, in both engines.
func TestExplain_AddsTheCostAndTheTimes(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	addPatients(s, rahul, 3, rahul.Entry("Dr. Priya"))
	for _, c := range []struct {
		query     string
		variables map[string]any
		cost      int
	}{
		{`{ me { id } }`, nil, 2},
		{`{ patient(id: "pat_1") { id name } }`, nil, 3},
		{`{ patients(first: 10) { nodes { id name } } }`, nil, 1 + 10*3},
		{`query ($n: Int) { patients(first: $n, search: "Patient") { totalCount nodes { ...p } } } fragment p on Patient { id name }`, map[string]any{"n": 2}, 1 + 2*(1+3)},
		{`{ patients(first: 2) { nodes { doctors(first: 3) { nodes { name } } } } }`, nil, 1 + 2*(1+1+3*2)},
		{`query @redact { patients(first: 1) { nodes { medicalHistory } } }`, nil, 1 + 1*(1+6)},
		{`{ __schema { queryType { name } } }`, nil, 3},
		{`{ patient(id: "pat_9") { name } unknown: patient(id: "doc_1") { name } }`, nil, 4},
	} {
		for name, client := range map[string]*graphtest.Client{"plans": rahul, "the reference engine": rahul.At(s.With(interpreted))} {
			plain, got := explain(t, client, "", c.query, c.variables), explain(t, client, "1", c.query, c.variables)
			testutil.Equal(t, name+": "+c.query, got.cost, map[string]int{"requested": c.cost, "limit": 50_000})
			extension := `,"extensions":{"cost":{"requested":` + strconv.Itoa(c.cost) + `,"limit":50000}}}`
			testutil.Equal(t, name+": the rest of the answer", strings.Replace(got.body, extension, "}", 1), plain.body)
			if asks := !strings.Contains(c.query, "__schema"); asks != (got.statements(t) > 0) {
				t.Errorf("%s: %s took %s", name, c.query, got.timing)
			}
		}
	}
}

// TestExplain_IsForThoseWhoAsk: without the header, or with another value, the answer is
// that of every other request.
func TestExplain_IsForThoseWhoAsk(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	for _, value := range []string{"", "0", "true", "11"} {
		got := explain(t, rahul, value, `{ me { username } }`, nil)
		testutil.Equal(t, "with "+value, got.body, `{"data":{"me":{"username":"Rahul"}}}`)
		testutil.Equal(t, "Server-Timing with "+value, got.timing, "")
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/graphql?query="+url.QueryEscape(`{ me { username } }`), nil)
	testutil.Must(t, err)
	testutil.Equal(t, "by GET", explainRequest(t, rahul, "1", request).cost["requested"], 2)
	for _, refused := range []string{`{ me {`, `{ unknown }`} {
		if got := explain(t, rahul, "1", refused, nil); got.timing != "" || got.cost != nil {
			t.Errorf("%s, which is refused: %+v", refused, got)
		}
	}
	if got := explain(t, s.Nobody(), "1", `{ patients { totalCount } }`, nil); got.statements(t) != 0 || got.cost["requested"] == 0 || !strings.Contains(got.body, "UNAUTHENTICATED") {
		t.Errorf("a caller without a token: %+v", got)
	}
}

// TestExplain_TellsNothingOfOthers: neither the cost nor the statements depend on records
// that the caller does not see.
func TestExplain_TellsNothingOfOthers(t *testing.T) {
	t.Parallel()
	s, unused := graphtest.New(t, graphtest.Options{}), graphtest.New(t, graphtest.Options{})
	owner, stranger := s.Account("Owner", model.RolePatient), s.Account("Stranger", model.RolePatient)
	// So many rows may decide whether the operation is refused.
	near := func(c *graph.Config) { c.Limits.Cost = 11_000 }
	lists := `{ doctors(search: "Dr") { totalCount } patients(search: "Patient") { totalCount } mappings { totalCount } }`
	empty := explain(t, unused.With(near).Account("Stranger", model.RolePatient), "1", lists, nil)
	addPatients(s, owner, 200, owner.Entry("Dr. Priya"))
	s.Exec(`INSERT INTO doctors (name, email, phone, specialization, license_number, experience_years, address, consultation_fee, availability, created_by, deleted_at)
		SELECT 'Dr. ' || n, 'd@clinic.example', '+919876543210', 'Cardiology', 'LIC ' || n, 1, 'Here', 1, 'Mon', $1, now() FROM generate_series(1, 200) AS n`, owner.UserID)
	for name, engine := range map[string]func(*graph.Config){"plans": near, "the reference engine": func(c *graph.Config) { near(c); interpreted(c) }} {
		at := stranger.At(s.With(engine))
		testutil.Equal(t, name+": the cost of lists", explain(t, at, "1", lists, nil).cost, empty.cost)
		const one = `query ($id: ID!) { patient(id: $id) { name doctors { nodes { name } } } node(id: $id) { id ... on Patient { mappings { nodes { notes } } } } }`
		hidden, unknown := explain(t, at, "1", one, map[string]any{"id": "pat_1"}), explain(t, at, "1", one, map[string]any{"id": "pat_999999"})
		testutil.Equal(t, name+": the answer", hidden.body, unknown.body)
		testutil.Equal(t, name+": the statements", hidden.statements(t), unknown.statements(t))
	}
}

// TestExplain_OfMutationsHasTheTimeAlone: the number of statements would show which codes,
// addresses and names are right.
func TestExplain_OfMutationsHasTheTimeAlone(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	for _, client := range []*graphtest.Client{rahul, rahul.At(s.With(interpreted))} {
		for query, cost := range map[string]int{
			`mutation { claimPatient(code: "00000-00000", name: "Arjun", dateOfBirth: "1990-05-15") { userErrors { code } } }`: 3,
			`mutation { login(input: {email: "rahul@clinic.example", password: "wrong"}) { userErrors { code } } }`:            3,
			`mutation { updateMe(input: {username: "Rahul"}) { user { username } userErrors { code } } }`:                      5,
		} {
			got := explain(t, client, "1", query, nil)
			if !regexp.MustCompile(`^total;dur=\d+\.\d$`).MatchString(got.timing) || got.cost["requested"] != cost {
				t.Errorf("%s: %+v", query, got)
			}
		}
	}
}
