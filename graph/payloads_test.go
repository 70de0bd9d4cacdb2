package graph_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/graph"
	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/graph/plan"
	"github.com/caregraph/caregraph/internal/limits"
	"github.com/caregraph/caregraph/model"
)

// bothEngines returns servers over the same store, by how they answer.
func bothEngines(s *graphtest.Server) map[string]*graphtest.Server {
	return map[string]*graphtest.Server{graph.Compiled: s, "interpreted": s.With(referenceOnly)}
}

// TestPayloadQuery_IsReadAfterItsMutation, and before the next one of the operation.
func TestPayloadQuery_IsReadAfterItsMutation(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	for how, server := range bothEngines(s) {
		rahul := s.Account("Rahul"+how, model.RolePatient).At(server)
		answer := rahul.Do("mutation { a: "+create("", "query { patients { totalCount nodes { name } } me { username } }")+
			"b: "+create(`, email: "none"`, "userErrors { code } query { ...Q }")+
			"c: "+create("", "query { ...Q __typename } again: query { specializations { name } }")+
			"} fragment Q on Query { patients(first: 1) { totalCount } }", nil)
		equalJSON(t, how, answer.Answered, how)
		first := map[string]any{"patients": map[string]any{"totalCount": 1, "nodes": []any{map[string]any{"name": "Arjun"}}}, "me": map[string]any{"username": "Rahul" + how}}
		equalJSON(t, how, answer.Data, map[string]any{
			"a": map[string]any{"query": first},
			"b": map[string]any{"userErrors": []any{map[string]any{"code": "INVALID"}}, "query": map[string]any{"patients": map[string]any{"totalCount": 1}}},
			"c": map[string]any{"query": map[string]any{"patients": map[string]any{"totalCount": 2}, "__typename": "Query"}, "again": map[string]any{"specializations": []any{}}},
		})
	}
}

// TestPayloadQuery_TakesTheStatementsOfAQuery, after those of the mutation.
func TestPayloadQuery_TakesTheStatementsOfAQuery(t *testing.T) {
	t.Parallel()
	sent := &statements{}
	c := graphtest.New(t, graphtest.Options{Tracer: sent}).NewClinic()
	const update, query = `mutation { updatePatient(id: 1, input: {}) { patient { id } %s } }`, `{ patients { totalCount nodes { name doctors { nodes { name } } } } }`
	write, read := sent.fewest(c.Rahul, fmt.Sprintf(update, "")), sent.fewest(c.Rahul, query)
	both := sent.fewest(c.Rahul, fmt.Sprintf(update, "query "+query))
	if len(both) != len(write)+len(read) {
		t.Errorf("%d statements, want %d:\n%s", len(both), len(write)+len(read), strings.Join(both, "\n"))
	}
}

// TestPayloadQuery_IsOfTheAccountThatIsSignedInThen.
func TestPayloadQuery_IsOfTheAccountThatIsSignedInThen(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	login := func(password string) string {
		return `mutation { login(input: {email: "priya@clinic.example", password: "` + password + `"}) { query { me { username } patients { totalCount } } userErrors { code } } }`
	}
	for who, client := range map[string]*graphtest.Client{"no one": c.Nemo, "another account": c.Asha} {
		equalJSON(t, who, client.Do(login(graphtest.Password), nil).Body, `{"data":{"login":{"query":{"me":{"username":"Priya"},"patients":{"totalCount":1}},"userErrors":[]}}}`)
	}
	equalJSON(t, "refused", c.Nemo.Do(login("wrong"), nil).Body, `{"data":{"login":{"query":null,"userErrors":[{"code":"INVALID_CREDENTIALS"}]}}}`)
	equalJSON(t, "still signed in", c.Asha.Do(login("wrong"), nil).Body,
		`{"data":{"login":{"query":{"me":{"username":"Asha"},"patients":{"totalCount":0}},"userErrors":[{"code":"INVALID_CREDENTIALS"}]}}}`)
	for _, way := range []string{"logout", "logoutEverywhere"} {
		equalJSON(t, way, c.Dev.NewSession().Do("mutation { "+way+" { query { me { id } patients { nodes { id } } } userErrors { code } } }", nil).Body,
			`{"data":{"`+way+`":{"query":null,"userErrors":[]}}}`)
	}
	changed := c.Neha.Do(`mutation { changePassword(input: {currentPassword: "`+graphtest.Password+`", newPassword: "Other@4567"}) { query { me { username } } } }`, nil)
	equalJSON(t, "a new session", changed.Body, `{"data":{"changePassword":{"query":{"me":{"username":"Neha"}}}}}`)
}

// TestPayloadQuery_SeesChangedRights of the caller: those that a mutation takes and those
// that it gives.
func TestPayloadQuery_SeesChangedRights(t *testing.T) {
	t.Parallel()
	for _, how := range []string{graph.Compiled, "interpreted"} {
		c := graphtest.New(t, graphtest.Options{}).NewClinic()
		server := bothEngines(c.Server)[how]
		confirm(c, c.Asha)
		offer := c.Rahul.Must(`mutation { addTeamMember(input: {username: "Asha", level: SEE}) { grant { id } userErrors { code } } }`, nil).Text("addTeamMember", "grant", "id")
		accepted := c.Asha.At(server).Do(`mutation ($id: ID!) { acceptGrant(id: $id) { query { patients { nodes { name } } } } }`, map[string]any{"id": offer})
		equalJSON(t, how, accepted.Answered, how)
		equalJSON(t, "a grant", accepted.Body, `{"data":{"acceptGrant":{"query":{"patients":{"nodes":[{"name":"Arjun Sharma"}]}}}}}`)
		ended := c.Asha.At(server).Do(`mutation ($id: ID!) { endGrant(id: $id) { query { patients { nodes { name } } } } }`, map[string]any{"id": offer})
		equalJSON(t, "the end of a grant", ended.Body, `{"data":{"endGrant":{"query":{"patients":{"nodes":[]}}}}}`)

		second := c.Account("Second", model.RoleAdmin).At(server)
		disabled := second.Do(`mutation { disableAccount(id: "`+second.ID()+`", reason: "leaves") { query { me { id } accounts { totalCount } } userErrors { code } } }`, nil)
		equalJSON(t, how, disabled.Answered, how)
		equalJSON(t, "the own account", disabled.Body, `{"data":{"disableAccount":{"query":null,"userErrors":[]}}}`)
	}
}

// TestPayloadQuery_ConfirmsTheSession, which may end while the mutation runs.
func TestPayloadQuery_ConfirmsTheSession(t *testing.T) {
	t.Parallel()
	for _, how := range []string{graph.Compiled, "interpreted"} {
		s := graphtest.New(t, graphtest.Options{})
		rahul := s.Account("Rahul", model.RolePatient).At(bothEngines(s)[how])
		s.Exec(`CREATE FUNCTION sign_out() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN UPDATE sessions SET ended_at = now(); RETURN NEW; END'`)
		s.Exec(`CREATE TRIGGER sign_out AFTER INSERT ON patients FOR EACH ROW EXECUTE FUNCTION sign_out()`)
		answer := rahul.Do("mutation { "+create("", "patient { name } patientEdge { cursor } query { patients { nodes { name } } }")+"}", nil)
		equalJSON(t, how, answer.Answered, how)
		equalJSON(t, how, answer.Result(t).At("createPatient", "query").Value, nil)
	}
}

// TestPayloadQuery_IsClosedAsQueryIs: to root fields of others, and to introspection where
// it is off.
func TestPayloadQuery_IsClosedAsQueryIs(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	update := func(selection string) string {
		return `mutation { updatePatient(id: 1, input: {}) { patient { id } query { ` + selection + ` } } }`
	}
	refused := c.Rahul.Do(update("me { username } accounts { totalCount }"), nil)
	equalJSON(t, "a field of administrators", refused.Codes(), []string{"updatePatient.query.accounts FORBIDDEN"})
	equalJSON(t, "and the rest", refused.Data, map[string]any{"updatePatient": map[string]any{
		"patient": map[string]any{"id": c.Patient}, "query": map[string]any{"me": map[string]any{"username": "Rahul"}, "accounts": nil},
	}})
	const introspection = `__type(name: "Patient") { name }`
	equalJSON(t, "introspection", c.Rahul.Do(update(introspection), nil).Codes(), []string{})
	off := c.Rahul.At(c.With(func(config *graph.Config) { config.Introspection = false }))
	equalJSON(t, "introspection that is off", off.Do(update(introspection), nil).Codes(), []string{"updatePatient.query.__type FORBIDDEN"})
	hidden := c.Admin.Do(`mutation { verifyDoctor(id: 1, input: {isVerified: true}, expectedVersion: 1) { query { patients { nodes { name medicalHistory } } } } }`, nil)
	equalJSON(t, "clinical text", hidden.Codes(), []string{"verifyDoctor.query.patients.nodes.0.medicalHistory FORBIDDEN_FIELD"})
	stranger := c.Asha.Do(`mutation { updatePatient(id: 1, input: {}) { userErrors { code } patientEdge { cursor } query { patient(id: 1) { id } patients { totalCount } } } }`, nil)
	equalJSON(t, "a stranger", stranger.Body,
		`{"data":{"updatePatient":{"userErrors":[{"code":"NOT_FOUND"}],"patientEdge":null,"query":{"patient":null,"patients":{"totalCount":0}}}}}`)
}

// TestPayloadQuery_FailsAlone: the change stays, and its payload says so.
func TestPayloadQuery_FailsAlone(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	document := "mutation { " + create("", "patient { name } userErrors { code } query { doctors { nodes { name address } } }") + "}"
	small := c.Rahul.At(c.With(func(config *graph.Config) { config.Answers = &limits.Answers{One: 200_000, Account: mebi, All: mebi} }))
	c.Exec("UPDATE doctors SET address = repeat('x', 100000)")
	tooLong := small.Do(document, nil)
	equalJSON(t, "too long", tooLong.Codes(), []string{"createPatient.query LIMIT_EXCEEDED"})
	equalJSON(t, "too long", tooLong.Data, map[string]any{"createPatient": map[string]any{"patient": map[string]any{"name": "Arjun"}, "userErrors": []any{}, "query": nil}})
	c.Exec("ALTER TABLE doctors RENAME COLUMN address TO moved")
	broken := c.Rahul.Do(document, nil)
	equalJSON(t, "broken", broken.Codes(), []string{"createPatient.query INTERNAL"})
	equalJSON(t, "broken", broken.Data, map[string]any{"createPatient": map[string]any{"patient": map[string]any{"name": "Arjun"}, "userErrors": []any{}, "query": nil}})
	equalJSON(t, "stored", c.Row("SELECT count(*)::text FROM patients WHERE name = 'Arjun'"), "2")
	refused := c.Rahul.Do("mutation { "+create("", "patient { name } query { patients(first: 101) { nodes { id } } }")+"}", nil)
	equalJSON(t, "a page that is none", refused.Answered, plan.ReasonArguments)
	equalJSON(t, "a page that is none", refused.Codes(), []string{"createPatient.query.patients BAD_USER_INPUT"})
}

// TestPayloadEdges_AreEntriesOfTheirLists: with the same cursor, from which the list goes
// on.
func TestPayloadEdges_AreEntriesOfTheirLists(t *testing.T) {
	t.Parallel()
	for _, how := range []string{graph.Compiled, "interpreted"} {
		c := graphtest.New(t, graphtest.Options{}).NewClinic()
		owner := c.Rahul.At(bothEngines(c.Server)[how])
		for _, name := range []string{"Émile", "Zoë", "Ana"} {
			owner.Patient(name)
		}
		for order, orderBy := range map[string]string{
			"none": "", "null": "(orderBy: null)", "name": "(orderBy: {field: NAME})", "birth": "(orderBy: {field: DATE_OF_BIRTH, direction: DESC})",
			"updated": "(orderBy: {field: UPDATED_AT, direction: DESC})",
		} {
			answer := owner.Do(`mutation { updatePatient(id: 1, input: {}) { patientEdge`+orderBy+` { cursor node { id name doctors(first: 1) { nodes { name } } } __typename }
				query { patients`+orderBy+` { edges { cursor node { id name } } } } } }`, nil)
			equalJSON(t, order, answer.Answered, how)
			payload := answer.Result(t).At("updatePatient")
			edges := payload.At("query", "patients", "edges")
			found := false
			for i := range edges.Len() {
				found = found || edges.Text(i, "cursor") == payload.Text("patientEdge", "cursor") && edges.Text(i, "node", "id") == c.Patient
			}
			if !found {
				t.Errorf("%s by %s: %s", order, how, answer.Body)
			}
			equalJSON(t, order, payload.Text("patientEdge", "node", "doctors", "nodes", 0, "name"), "Dr. Priya Patel")
		}
		doctor := owner.Do(`mutation { updateDoctor(id: "`+c.RahulsEntry+`", input: {}) { doctorEdge(orderBy: {field: CONSULTATION_FEE}) { cursor node { id } }
			query { doctors(orderBy: {field: CONSULTATION_FEE}) { edges { cursor node { id } } } } } }`, nil)
		equalJSON(t, "a doctor's entry", strings.Count(doctor.Body, doctor.Result(t).Text("updateDoctor", "doctorEdge", "cursor")), 2)

		assigned := owner.Do(`mutation { assignDoctor(input: {patientId: 1, doctorId: "`+c.RahulsEntry+`", notes: "x"}) {
			patientDoctorEdge { cursor node { name } mapping { id notes } } doctorPatientEdge { cursor node { name } mapping { id } } mapping { id }
			query { patient(id: 1) { doctors { edges { cursor } } } doctor(id: "`+c.RahulsEntry+`") { patients { edges { cursor } } } } } }`, nil)
		equalJSON(t, how, assigned.Answered, how)
		payload := assigned.Result(t).At("assignDoctor")
		equalJSON(t, "the doctor", payload.At("patientDoctorEdge", "node").Value, map[string]any{"name": "Dr. Old Friend"})
		equalJSON(t, "the patient", payload.At("doctorPatientEdge", "node").Value, map[string]any{"name": "Arjun Sharma"})
		equalJSON(t, "the mapping", payload.At("patientDoctorEdge", "mapping").Value, map[string]any{"id": payload.Text("mapping", "id"), "notes": "x"})
		equalJSON(t, "of the patient", payload.Text("patientDoctorEdge", "cursor"), payload.Text("query", "patient", "doctors", "edges", 0, "cursor"))
		equalJSON(t, "of the doctor", payload.Text("doctorPatientEdge", "cursor"), payload.Text("query", "doctor", "patients", "edges", 0, "cursor"))

		removed := owner.Do(`mutation { removeMapping(id: "`+c.NehasMapping+`") { mapping { isActive } patientDoctorEdge { cursor } doctorPatientEdge { cursor } }
			deletePatient(id: 1) { patient { id } patientEdge { cursor } } }`, nil)
		equalJSON(t, "not in a list any more", removed.Body, `{"data":{"removeMapping":{"mapping":{"isActive":false},"patientDoctorEdge":null,"doctorPatientEdge":null},`+
			`"deletePatient":{"patient":{"id":"pat_1"},"patientEdge":null}}}`)
	}
}
