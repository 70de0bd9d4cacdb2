package graph_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/caregraph/caregraph/graph"
	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/model"
)

// readQueries are queries of every kind, and one that reads nothing.
var readQueries = []string{
	`{ __typename me { id } }`,
	`{ patients { totalCount } }`,
	`{ patients { nodes { name } } }`,
	`{ patients { totalCount nodes { name mappings { totalCount nodes { doctor { name } } } } } }`,
	`{ patient(id: "pat_1") { name } }`,
	`{ node(id: "xyz_1") { id } }`,
	`{ nodes(ids: ["xyz_1", "pat_1", "", "pat_99999999999999999999", "doc_1"]) { id } }`,
	`{ nodes(ids: []) { id } }`,
	`{ specializations { name doctorCount } }`,
	`{ doctors(first: 0) { pageInfo { hasNextPage } } }`,
	`{ mappings { __typename } }`,
}

// TestCompiled_RefusesAtOnce: after a session has ended, the next request is refused, for
// every kind of query.
func TestCompiled_RefusesAtOnce(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	changes := []struct{ what, do, undo string }{
		{"ended", "UPDATE sessions SET ended_at = now() WHERE user_id = $1", "UPDATE sessions SET ended_at = NULL WHERE user_id = $1"},
		{"expired", "UPDATE sessions SET expires_at = now() WHERE user_id = $1", "UPDATE sessions SET expires_at = now() + interval '1h' WHERE user_id = $1"},
		{"not active", "UPDATE users SET is_active = FALSE WHERE id = $1", "UPDATE users SET is_active = TRUE WHERE id = $1"},
	}
	for _, change := range changes {
		for _, query := range readQueries {
			before := c.Rahul.Do(query, nil)
			equalJSON(t, query, before.Answered, graph.Compiled)
			equalJSON(t, query, before.Codes(), []string{})
			c.Exec(change.do, c.Rahul.UserID)
			after := c.Rahul.Do(query, nil)
			equalJSON(t, change.what+" "+query, len(after.Errors), 1)
			if !strings.Contains(after.Body, `"code":"UNAUTHENTICATED"`) || strings.Contains(after.Body, graphtest.PatientName) {
				t.Errorf("%s: %s is answered %s", change.what, query, after.Body)
			}
			c.Exec(change.undo, c.Rahul.UserID)
		}
	}
}

// TestCompiled_RoleChanges: the next request is answered with the new role of the account.
func TestCompiled_RoleChanges(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	const query = `{ patients { totalCount nodes { name viewer { relations } medicalHistory } } }`
	for _, who := range []struct {
		client        *graphtest.Client
		role          model.Role
		before, after string
	}{
		{c.Admin, model.RolePatient, `"ADMIN"]`, `{"data":{"patients":{"totalCount":0,"nodes":[]}}}`},
		{c.Priya, model.RolePatient, `"ASSIGNED_DOCTOR"]`, `{"data":{"patients":{"totalCount":0,"nodes":[]}}}`},
		{c.Asha, model.RoleAdmin, `{"data":{"patients":{"totalCount":0,"nodes":[]}}}`, `"ADMIN"]`},
	} {
		for range 2 { // the second time it is remembered
			if got := who.client.Do(query, nil).Body; !strings.Contains(got, who.before) {
				t.Errorf("before: %s", got)
			}
		}
		c.Exec("UPDATE users SET role = $1 WHERE id = $2", who.role, who.client.UserID)
		for range 2 {
			if got := who.client.Do(query, nil).Body; !strings.Contains(got, who.after) {
				t.Errorf("after: %s", got)
			}
		}
	}
}

// TestCompiled_ManyAtOnce: viewers use one plan concurrently, and each gets its own answer.
// It is for the race detector, too.
func TestCompiled_ManyAtOnce(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	const query = `query ($n: Int, $more: Boolean!) { me { id } patients(first: $n) { totalCount nodes { name bloodGroup
		viewer { relations canUpdate } mappings(first: $n) { nodes { notes doctor { name account { id } } } } } } 
		specializations @include(if: $more) { name } }`
	interpreted := c.With(func(config *graph.Config) { config.ReferenceOnly = true })
	var group sync.WaitGroup
	for _, client := range []*graphtest.Client{c.Rahul, c.Priya, c.Dev, c.Asha, c.Admin} {
		for _, variables := range []map[string]any{{"n": 1, "more": true}, {"n": 5, "more": false}} {
			want := client.At(interpreted).Do(query, variables)
			group.Go(func() {
				for range 10 {
					got := client.Do(query, variables)
					if difference := difference(t, got, want); difference != "" || got.Answered != graph.Compiled {
						t.Errorf("%s", difference)
					}
				}
			})
		}
	}
	group.Wait()
}

// TestCompiled_EndsWhileOthersAsk: if a session ends during requests, every later request
// is refused.
func TestCompiled_EndsWhileOthersAsk(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	const query = `{ patients { nodes { name } } }`
	ended := make(chan struct{})
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 40 {
				late := false
				select {
				case <-ended:
					late = true
				default:
				}
				if got := c.Rahul.Do(query, nil); late && strings.Contains(got.Body, graphtest.PatientName) {
					t.Errorf("answered after the end: %s", got.Body)
				}
			}
		})
	}
	c.Exec("UPDATE sessions SET ended_at = now() WHERE user_id = $1", c.Rahul.UserID)
	close(ended)
	group.Wait()
}

// TestCompiled_Argument: bad and missing values are refused as by the executor and never
// cause a panic.
func TestCompiled_Arguments(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	interpreted := c.With(func(config *graph.Config) { config.ReferenceOnly = true })
	for _, query := range []string{
		`{ nodes(ids: [null]) { id } }`,
		`query ($ids: [ID!]!) { nodes(ids: $ids) { id } }`,
		`query ($i: ID!) { nodes(ids: [$i]) { id } }`,
		`query ($n: Int) { patients(first: $n) { nodes { id } } }`,
		`query ($f: PatientFilter) { patients(filter: $f) { nodes { id } } }`,
		`query ($o: PatientOrder) { patients(orderBy: $o) { nodes { id } } }`,
		`query ($f: PhoneFormat) { patients { nodes { phone(format: $f) } } }`,
		`query ($f: PhoneFormat = NATIONAL) { patients { nodes { phone(format: $f) } } }`,
		`{ patients(first: 1, last: 1) { totalCount } }`, `{ patients(first: -1) { __typename } }`,
		`{ patients(first: 99999999999) { nodes { id } } }`,
		`{ patients(after: "") { nodes { id } } }`, `{ patients { nodes { mappings(after: "x") { totalCount } } } }`,
		`{ node(id: 9223372036854775807) { id } }`, `{ node(id: "pat_9223372036854775808") { id } }`, `{ node(id: "pat_-1") { id } }`,
		`{ patient(id: "doc_1") { id } }`, `{ patient(id: "") { id } }`,
		`{ mappings(filter: {patientId: "doc_1"}) { nodes { id } } }`, `{ mappings(filter: {isActive: null}) { totalCount } }`,
	} {
		for _, variables := range []map[string]any{
			{},
			{"ids": []any{}, "n": 1, "i": "pat_1"},
			{"ids": "pat_1", "n": nil, "f": nil, "o": nil, "i": nil},
			{"ids": []any{nil}, "n": 101, "f": map[string]any{}, "i": 1},
			{"ids": []any{"pat_1", "pat_1", 1}, "n": 1.0, "f": map[string]any{"bornFrom": "never"}, "o": map[string]any{}, "i": ""},
			{"f": "NATIONAL", "o": map[string]any{"field": "NAME", "direction": nil}},
			{"f": map[string]any{"deleted": "EVEN_DELETED"}},
			{"f": map[string]any{"deleted": nil}},
		} {
			got, want := c.Rahul.Do(query, variables), c.Rahul.At(interpreted).Do(query, variables)
			if difference := difference(t, got, want); difference != "" || strings.Contains(got.Body, string(model.CodeInternal)) {
				t.Errorf("%s %v: %s\n%s", query, variables, difference, got.Body)
			}
		}
	}
}
