package graph_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caregraph/caregraph/graph"
	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/graph/plan"
	"github.com/caregraph/caregraph/internal/limits"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
)

// arjun is a patient in literals, without an e-mail address.
const arjun = `name: "Arjun", dateOfBirth: "1990-05-15", gender: MALE, phone: "9876543210", address: "MG Road", emergencyContact: "9876543211"`

// create returns a root field of Mutation.
func create(input, payload string) string {
	return "createPatient(input: {" + arjun + input + "}) { " + payload + " } "
}

// TestMutation_RunsOnce, whichever engine answers.
func TestMutation_RunsOnce(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	s.Account("Admin", model.RoleAdmin)
	rahul := s.Account("Rahul", model.RolePatient)
	s.Exec(`CREATE TABLE inserts (name text)`)
	s.Exec(`CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO inserts VALUES (NEW.name); RETURN NEW; END'`)
	s.Exec(`CREATE TRIGGER note BEFORE INSERT ON patients FOR EACH ROW EXECUTE FUNCTION note()`)
	for what, c := range map[string]struct {
		client    *graphtest.Client
		document  string
		variables map[string]any
		change    func(*graph.Config)
		how       string
		inserts   int
	}{
		"a short payload":                 {document: "mutation { " + create("", "patient { id } userErrors { code }") + "}", how: graph.Compiled, inserts: 1},
		"no field of the record":          {document: "mutation { " + create("", "__typename") + "}", how: graph.Compiled, inserts: 1},
		"two fields":                      {document: "mutation { a: " + create("", "patient { id }") + "b: " + create("", "patient { id }") + "}", how: graph.Compiled, inserts: 2},
		"one field that merges":           {document: "mutation { " + create("", "patient { id }") + create("", "patient { name }") + "}", how: graph.Compiled, inserts: 1},
		"one left out":                    {document: "mutation ($no: Boolean!) { a: " + create("", "patient { id }") + "... @include(if: $no) { b: " + create("", "patient { id }") + "} }", variables: map[string]any{"no": false}, how: graph.Compiled, inserts: 1},
		"all left out":                    {document: "mutation { createPatient(input: {" + arjun + "}) @skip(if: true) { patient { id } } }", how: graph.Compiled},
		"a query":                         {document: "mutation { " + create("", "query { patients { nodes { doctors { totalCount } } } }") + "}", how: graph.Compiled, inserts: 1},
		"an edge":                         {document: "mutation { " + create("", "patientEdge { cursor node { createdBy { id } } }") + "}", how: graph.Compiled, inserts: 1},
		"a query with bad arguments":      {document: "mutation { " + create("", "query { patients(first: -1) { totalCount } }") + "}", how: plan.ReasonArguments, inserts: 1},
		"a query for the schema":          {document: "mutation { " + create("", "query { __schema { description } }") + "}", how: plan.ReasonIntrospection, inserts: 1},
		"a query that the caller may not": {document: "mutation { " + create("", "query { accounts { totalCount } }") + "}", how: plan.ReasonRefused, inserts: 1},
		"a record that is named":          {document: "mutation { " + create("", "patient { createdBy { id } }") + "}", how: plan.ReasonReads, inserts: 1},
		"a list":                          {document: "mutation { " + create("", "patient { doctors { totalCount } }") + "}", how: plan.ReasonReads, inserts: 1},
		"a list of the second":            {document: "mutation { a: " + create("", "patient { id }") + "b: " + create("", "patient { mappings { totalCount } }") + "}", how: plan.ReasonReads, inserts: 2},
		"a null that a default forbids":   {document: "mutation ($f: PhoneFormat) { " + create("", "patient { phone(format: $f) }") + "}", variables: map[string]any{"f": nil}},
		"a variable of a wrong type":      {document: "mutation ($i: CreatePatientInput!) { createPatient(input: $i) { patient { id } } }", variables: map[string]any{"i": map[string]any{"name": 1}}},
		"one that begins a session":       {document: `mutation { ` + create("", "patient { id }") + `refreshToken(refresh: "x") { userErrors { code } } }`, how: "Mutation.refreshToken", inserts: 1},
		"one that the caller may not":     {document: "mutation { " + create("", "patient { id }") + `verifyDoctor(id: 1, input: {isVerified: true}, expectedVersion: 1) { userErrors { code } } }`, how: plan.ReasonRefused, inserts: 1},
		"a caller without an account":     {client: s.Nobody(), document: "mutation { " + create("", "patient { id }") + "}", how: "unauthenticated"},
		"the reference engine":            {document: "mutation { " + create("", "patient { id }") + "}", change: referenceOnly, how: "interpreted", inserts: 1},
		"a panic after the write":         {document: "mutation { " + create("", "patient { age }") + "}", change: func(c *graph.Config) { c.Now = func() time.Time { panic("no clock") } }, how: graph.Compiled, inserts: 1},
		"a refused value":                 {document: "mutation { " + create(", email: \"none\"", "patient { id } userErrors { code }") + "}", how: graph.Compiled},
		"an answer longer than allowed":   {document: "mutation { " + create("", "patient { name address }") + "}", change: func(c *graph.Config) { c.Answers = &limits.Answers{One: 10, Account: mebi, All: mebi} }, how: graph.Compiled, inserts: 1},
		"a failure after the first":       {document: "mutation { a: " + create("", "patient { id }") + "b: " + create(`, recordNumber: "fails"`, "patient { id }") + "c: " + create("", "patient { id }") + "}", how: graph.Compiled, inserts: 2},
		"a name that is in use, at last":  {document: "mutation { a: " + create(`, email: "a@b.example"`, "patient { id }") + "b: " + create(`, email: "a@b.example"`, "patient { id }") + "}", how: graph.Compiled, inserts: 1},
	} {
		t.Run(what, func(t *testing.T) {
			s.Exec(`TRUNCATE inserts; DELETE FROM patients; ALTER TABLE patients DROP CONSTRAINT IF EXISTS never`)
			s.Exec(`ALTER TABLE patients ADD CONSTRAINT never CHECK (record_number <> 'fails')`)
			client, server := c.client, s
			if client == nil {
				client = rahul
			}
			if c.change != nil {
				server = s.With(c.change)
			}
			answer := client.At(server).Do(c.document, c.variables)
			equalJSON(t, "answered", answer.Answered, c.how)
			equalJSON(t, "inserts", s.Row("SELECT count(*)::text FROM inserts"), fmt.Sprint(c.inserts))
			equalJSON(t, "patients", s.Row("SELECT count(*)::text FROM patients"), fmt.Sprint(c.inserts))
		})
	}
}

// knownMutations are common mutations and known difficult ones, for the owner Rahul.
func knownMutations() []request {
	query := func(document string) request { return request{Document: document} }
	every := `id name dateOfBirth age gender email phone other: phone(format: NATIONAL) address emergencyContact bloodGroup medicalHistory
		recordNumber abhaNumber createdAt updatedAt version deletedAt __typename viewer { relations canUpdate canDelete writableFields redactedFields __typename }`
	return []request{
		query("mutation { " + create(`, bloodGroup: B_POSITIVE, medicalHistory: "a\"b\n<i>\u0001", abhaNumber: "91123456789012"`, "patient { "+every+" } userErrors { code }") + "}"),
		query("mutation @redact { " + create(`, bloodGroup: B_POSITIVE`, "it: patient { secret: bloodGroup "+every+" } it: patient { name } userErrors { code }") + "}"),
		query("mutation { " + create(`, email: "none", recordNumber: "`+strings.Repeat("n", 51)+`"`,
			"__typename patient { id } errors: userErrors { __typename f: field code message params { __typename name value } } userErrors { params { v: value } }") + "}"),
		query("mutation { ...M __typename } fragment M on Mutation { a: " + create("", "...P") + "b: " + create(`, email: " "`, "...P") + `}
			fragment P on MutationPayload { __typename userErrors { code field } ... on PatientPayload { patient { ...N name } } ... on AuthPayload { device } }
			fragment N on Node { id ... on Patient { version } ... on Doctor { isVerified } }`),
		query(`mutation { updatePatient(id: 1, input: {phone: "9876500000"}, expectedVersion: 77) { patient { id phone version } userErrors { code field message params { name } } } }`),
		query(`mutation { a: updatePatient(id: 1, input: {email: null, address: "New"}) { patient { email address } userErrors { code } } b: updatePatient(id: 1,
			input: {name: null, phone: "1"}) { patient { name } userErrors { field code } } c: updatePatient(id: "doc_1", input: {}) { patient { id } userErrors { field code message } } }`),
		query(`mutation { deletePatient(id: 1) { patient { id deletedAt viewer { canUpdate } } userErrors { code } } again: deletePatient(id: 1) { patient { id } userErrors { code } }
			restorePatient(id: 1) { patient { id deletedAt bloodGroup } userErrors { code } } }`),
		query(`mutation { assignDoctor(input: {patientId: 1, doctorId: 6, notes: "see"}) { mapping { id notes isActive assignedAt endedAt viewer { relations } } userErrors { code field } } }`),
		query(`mutation { assignDoctor(input: {patientId: 1, doctorId: 6}) { mapping { id } userErrors { code field message } } }`),
		query(`mutation { createDoctor(input: {name: "Dr. New", email: "D@x.example", phone: "080 2222 3333", specialization: "Cardiology", licenseNumber: "lic-001",
			experienceYears: 3, address: "x", consultationFee: 12.5, availability: "never"}) { doctor { id } userErrors { code field } } }`),
		query(`mutation { createDoctor(input: {name: " Dr. New ", email: "D@x.example", phone: "080 2222 3333", specialization: "Cardiology", licenseNumber: "new",
			experienceYears: 3, address: "x", consultationFee: "1e3", availability: "never"}) { doctor { id name email phone consultationFee experienceYears isVerified deletedAt } } }`),
		query(`mutation { createDoctor(input: {isMe: true, name: "Dr. New", email: "D@x.example", phone: "9876543210", specialization: "C", licenseNumber: "new 2",
			experienceYears: 3, address: "x", consultationFee: 1, availability: "never"}) { doctor { id } userErrors { code field message params { name } } } }`),
		query(`mutation { updateMe(input: {username: "Rahul the second", phone: "9876543219"}) { user { id username role email phone createdAt } userErrors { code } } }`),
		query(`mutation { updateMe(input: {username: ""}) { user { id } userErrors { code } } } `),
		query(`mutation { a: updatePatient(id: 1, input: {address: "Newer"}) { query { __typename patients(first: 2, orderBy: {field: NAME}) { totalCount nodes { name address } } me { id } }
			patientEdge { cursor node { address bloodGroup createdBy { username } mappings(first: 1) { totalCount nodes { notes } } } __typename } patient { version } }
			b: updatePatient(id: 1, input: {address: "Newest"}) { ... on MutationPayload { other: query { patient(id: 1) { address bloodGroup } node(id: "doc_99") { id } } }
			by: patientEdge(orderBy: {field: DATE_OF_BIRTH}) { cursor node { address } } } c: updatePatient(id: 99999, input: {}) { patientEdge { cursor } query { specializations { name } } userErrors { code } } }`),
		query(`mutation { assignDoctor(input: {patientId: 2, doctorId: 6}) { patientDoctorEdge { cursor node { name patients(first: 2) { totalCount } } mapping { notes id } }
			doctorPatientEdge { __typename node { name doctors(first: 1) { totalCount } } mapping { id } cursor } query { patient(id: 2) { doctors { totalCount nodes { name } } } } } }`),
		{
			Document: `mutation ($i: CreatePatientInput!, $yes: Boolean!) { createPatient(input: $i) { patient @include(if: $yes) { id name @skip(if: $yes) phone }
				userErrors @skip(if: $yes) { code } __typename } }`,
			Variables: map[string]any{"yes": true, "i": map[string]any{
				"name": "Émile", "dateOfBirth": "2000-2-29", "gender": "OTHER", "phone": "+44 20 7123 4567", "address": " x ", "emergencyContact": "9876543210", "email": nil,
			}},
		},
	}
}

// TestDifferential_KnownMutations: both engines answer them with the same bytes.
func TestDifferential_KnownMutations(t *testing.T) {
	t.Parallel()
	twins := newTwins(t, unchanged, unchanged)
	for _, known := range knownMutations() {
		got, want := twins.ask(t, twins.viewer("Rahul"), known)
		if difference := difference(t, got, want); difference != "" || got.Answered != graph.Compiled || got.Data == nil {
			t.Errorf("%s: %s\n%s", known.Document, difference, got.Body)
		}
		if slices.ContainsFunc(got.Errors, func(e map[string]any) bool { return code(e) != "FORBIDDEN_FIELD" }) {
			t.Errorf("%s: %s", known.Document, got.Body)
		}
	}
}

// TestMutation_HiddenValuesAreNull in payloads, too, with one error each.
func TestMutation_HiddenValuesAreNull(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	hiding := c.With(func(config *graph.Config) {
		config.Policy = withReaders(t, model.Admin, "Patient.bloodGroup", "Patient.medicalHistory")
	})
	const fields = "{ " + `createPatient(input: {` + arjun + `, bloodGroup: B_POSITIVE, medicalHistory: "Asthma"}) { patient { name bloodGroup secret: medicalHistory } } }`
	loud, quiet := c.Rahul.At(hiding).Do("mutation "+fields, nil), c.Rahul.At(hiding).Do("mutation @redact "+fields, nil)
	equalJSON(t, "answered", []string{loud.Answered, quiet.Answered}, []string{graph.Compiled, graph.Compiled})
	equalJSON(t, "errors", loud.Codes(), []string{"createPatient.patient.bloodGroup FORBIDDEN_FIELD", "createPatient.patient.secret FORBIDDEN_FIELD"})
	equalJSON(t, "redacted", quiet.Redacted(), []string{"createPatient.patient.bloodGroup", "createPatient.patient.secret"})
	equalJSON(t, "errors with @redact", quiet.Codes(), []string{})
	for _, answer := range []graphtest.Answer{loud, quiet} {
		if !strings.Contains(answer.Body, `"data":{"createPatient":{"patient":{"name":"Arjun","bloodGroup":null,"secret":null}}}`) ||
			strings.Contains(answer.Body, "B_POSITIVE") || strings.Contains(answer.Body, "Asthma") {
			t.Errorf("%s", answer.Body)
		}
	}
}

// TestMutation_FailsAsByTheExecutor: the errors of root fields, what is reported of them and the
// headers are the same from both engines.
func TestMutation_FailsAsByTheExecutor(t *testing.T) {
	t.Parallel()
	full := graphtest.New(t, graphtest.Options{Quotas: store.Quotas{Records: 2}})
	rahul := full.Account("Rahul", model.RolePatient)
	other := full.Account("Other", model.RolePatient)
	for range 2 {
		rahul.Must("mutation { "+create("", "patient { id }")+"}", nil)
	}
	broken := graphtest.New(t, graphtest.Options{}).NewClinic()
	broken.Exec("ALTER TABLE patients RENAME COLUMN address TO moved")
	for what, c := range map[string]struct {
		client   *graphtest.Client
		before   func(s *graphtest.Server)
		document string
		want     []string
		outcome  string
	}{
		"beyond the quota": {client: rahul, document: "{ " + create("", "patient { id } userErrors { code }") + "}", want: []string{"createPatient LIMIT_EXCEEDED"}, outcome: "refused"},
		"a broken database": {
			client: broken.Rahul, document: "@redact { __typename a: " + create("", "patient { id }") + `b: updateMe(input: {username: "Rahul"}) { user { id } }` + "c: " + create("", "__typename") + "}",
			want: []string{"a INTERNAL", "c INTERNAL"}, outcome: "failed",
		},
		"a statement that is canceled": {
			client: other, before: func(s *graphtest.Server) { cancelTheNext(t, s) }, document: "{ " + create("", "patient { id }") + "}",
			want: []string{"createPatient UNAVAILABLE"}, outcome: "failed",
		},
		"too many names that are in use": {
			client: other, before: func(*graphtest.Server) {
				for range 30 {
					other.Do(`mutation { updateMe(input: {username: "Rahul"}) { user { id } } }`, nil)
				}
			},
			document: `{ __typename updateMe(input: {username: "Rahul"}) { user { id } userErrors { code } } }`, want: []string{"updateMe RATE_LIMITED"}, outcome: "partial",
		},
	} {
		t.Run(what, func(t *testing.T) {
			var answers [2]graphtest.Answer
			var reports [2][]string
			for i, reference := range []bool{false, true} {
				server := c.client.Server.With(func(config *graph.Config) {
					config.ReferenceOnly = reference
					config.OnOperation = func(typ, outcome string, codes []string) {
						reports[i] = append(reports[i], fmt.Sprint(typ, " ", outcome, " ", codes))
					}
					config.AddLogAttrs = func(_ context.Context, attrs ...slog.Attr) { reports[i] = append(reports[i], fmt.Sprint(attrs)) }
				})
				if c.before != nil {
					c.before(server)
				}
				answers[i] = c.client.At(server).Do("mutation "+c.document, nil)
				equalJSON(t, "errors", answers[i].Codes(), c.want)
			}
			if difference := difference(t, answers[0], answers[1]); difference != "" || answers[0].Answered != graph.Compiled {
				t.Errorf("%s %s", answers[0].Answered, difference)
			}
			equalJSON(t, "reports", reports[0], reports[1])
			if got := reports[0][len(reports[0])-1]; !strings.HasPrefix(got, "mutation "+c.outcome) {
				t.Errorf("reported %s", got)
			}
		})
	}
}

// TestMutation_ReadsAfterTheOneBefore: what the reference engine has read for one payload
// is not the answer of the next.
func TestMutation_ReadsAfterTheOneBefore(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	const payload = `{ mapping { patient { address mappings { nodes { notes } } } } }`
	answer := c.Rahul.Do(`mutation ($id: ID!) { a: updateMapping(id: $id, input: {notes: "one"}) `+payload+` b: updateMapping(id: $id, input: {notes: "two"}) `+payload+` }`,
		map[string]any{"id": c.PriyasMapping})
	equalJSON(t, "answered", answer.Answered, plan.ReasonReads)
	for field, notes := range map[string]string{"a": "one", "b": "two"} {
		equalJSON(t, field, answer.Result(t).Text(field, "mapping", "patient", "mappings", "nodes", 0, "notes"), notes)
	}
}
