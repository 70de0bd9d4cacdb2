package graph_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/graph"
	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/model"
)

// writing is a field of an update input: the column behind it, two values that
// it can be set to, and the field of the record if it has another name.
type writing struct {
	column string
	values [2]any
	field  string
}

// writings has every field of every update input. A missing one fails the test.
func writings(lara, mira *graphtest.Client) map[string]writing {
	text := func(column string) writing {
		return writing{column: column, values: [2]any{"First " + column, "Second " + column}}
	}
	phone := func(column string) writing {
		return writing{column: column, values: [2]any{"+919000000011", "+919000000012"}}
	}
	email := writing{column: "email", values: [2]any{"first@mail.example", "second@mail.example"}}
	return map[string]writing{
		"UpdatePatientInput.name":             text("name"),
		"UpdatePatientInput.dateOfBirth":      {column: "date_of_birth", values: [2]any{"1991-01-02", "1992-03-04"}},
		"UpdatePatientInput.gender":           {column: "gender", values: [2]any{"FEMALE", "OTHER"}},
		"UpdatePatientInput.phone":            phone("phone"),
		"UpdatePatientInput.email":            email,
		"UpdatePatientInput.address":          text("address"),
		"UpdatePatientInput.emergencyContact": phone("emergency_contact"),
		"UpdatePatientInput.bloodGroup":       {column: "blood_group", values: [2]any{"O_NEGATIVE", "AB_POSITIVE"}},
		"UpdatePatientInput.medicalHistory":   text("medical_history"),
		"UpdatePatientInput.recordNumber":     text("record_number"),
		"UpdatePatientInput.abhaNumber":       {column: "abha_number", values: [2]any{"11-2222-3333-4444", "55-6666-7777-8888"}},
		"UpdateDoctorInput.name":              text("name"),
		"UpdateDoctorInput.email":             email,
		"UpdateDoctorInput.phone":             phone("phone"),
		"UpdateDoctorInput.specialization":    text("specialization"),
		"UpdateDoctorInput.licenseNumber":     text("license_number"),
		"UpdateDoctorInput.experienceYears":   {column: "experience_years", values: [2]any{1, 2}},
		"UpdateDoctorInput.address":           text("address"),
		"UpdateDoctorInput.consultationFee":   {column: "consultation_fee", values: [2]any{"10.00", "20.50"}},
		"UpdateDoctorInput.availability":      text("availability"),
		"VerifyDoctorInput.isVerified":        {column: "is_verified", values: [2]any{false, true}},
		"VerifyDoctorInput.accountId":         {column: "account_id", values: [2]any{lara.UserID, mira.UserID}, field: "account"},
		"UpdateMappingInput.notes":            text("notes"),
	}
}

// writer is one test of one mutation that changes a record.
type writer struct {
	*testing.T

	c              *graphtest.Clinic
	mutation       *ast.FieldDefinition
	input          *ast.Definition
	typ, id, table string
	writings       map[string]writing
	restore        func()
	writable       map[string][]string // by caller: what they could set
	deletes        string
}

func TestWrites_DoneByWhomThePolicyAdmitsAndByNobodyElse(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("-short: hundreds of requests, one after the other")
	}
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	lara, mira := c.Account("Lara", model.RoleDoctor), c.Account("Mira", model.RoleDoctor)
	team := newTeam(c)
	tryWrites(t, c, callers(c, lara, team, false), writings(lara, mira), func() {
		c.Exec("UPDATE doctors SET account_id = NULL, is_verified = false, verified_name = NULL, verified_license = NULL WHERE id = $1", num(c.RahulsEntry))
	})
	tryWrites(t, c, callers(c, lara, team, true), writings(lara, mira), func() {
		c.Exec("UPDATE doctors SET account_id = $1, is_verified = true WHERE id = $2", lara.UserID, num(c.RahulsEntry))
	})
}

// tryWrites sets every field as every caller. restore gives Rahul's entry its account
// and its verification again.
func tryWrites(t *testing.T, c *graphtest.Clinic, callers []caller, writings map[string]writing, restore func()) {
	t.Helper()
	restore()
	records := map[string]writer{
		"Patient": {id: c.Patient, table: "patients", deletes: "deletePatient"},
		"Doctor":  {id: c.RahulsEntry, table: "doctors", deletes: "deleteDoctor"},
		"Mapping": {id: c.PriyasMapping, table: "mappings", deletes: "removeMapping"},
	}
	can := map[string]map[string][]string{"Patient": {}, "Doctor": {}, "Mapping": {}}
	for _, mutation := range graph.Schema().Mutation.Fields {
		input := mutation.Arguments.ForName("input")
		if input == nil || graph.Schema().Types[input.Type.Name()].Directives.ForName("updates") == nil || mutation.Name == "updateMe" {
			continue // updateMe can name no other account: see below
		}
		payload := graph.Schema().Types[mutation.Type.Name()]
		w := records[payload.Fields[0].Type.Name()]
		w.T, w.c, w.mutation, w.typ, w.restore = t, c, mutation, payload.Fields[0].Type.Name(), restore
		w.input = graph.Schema().Types[input.Type.Name()]
		w.writings, w.writable = writings, can[w.typ]
		if !w.hasCases() {
			continue
		}
		for _, who := range callers {
			for _, name := range w.fields() {
				w.attempt(who, name)
			}
		}
	}
	for typ, w := range records {
		w.T, w.c, w.typ, w.writable = t, c, typ, can[typ]
		for _, who := range callers {
			w.checkViewer(who)
		}
	}
}

func num(id string) int64 { return model.ParseID(id).Num }

func (w writer) row() string {
	return w.c.Row("SELECT row_to_json(t)::text FROM "+w.table+" AS t WHERE id = $1", num(w.id))
}

// hasCases reports by name the fields of the input that have no case.
func (w writer) hasCases() bool {
	w.Helper()
	complete := true
	for _, name := range w.fields() {
		if _, known := w.writings[w.input.Name+"."+name]; !known {
			w.Errorf("%s.%s has no case in this test: say what it can be set to", w.input.Name, name)
			complete = false
		}
	}
	return complete
}

// fields returns the fields of the input that set fields of the record.
func (w writer) fields() []string {
	var names, except []string
	if argument := w.input.Directives.ForName("updates").Arguments.ForName("except"); argument != nil {
		for _, child := range argument.Value.Children {
			except = append(except, child.Value.Raw)
		}
	}
	for _, field := range w.input.Fields {
		if !slices.Contains(except, field.Name) {
			names = append(names, field.Name)
		}
	}
	return names
}

// attempt sets a field together with all fields that the caller may set.
func (w writer) attempt(who caller, name string) {
	w.Helper()
	where := w.mutation.Name + "." + name + " by " + who.name
	it := w.writings[w.input.Name+"."+name]
	rule, relations := w.c.Policy.Types[w.typ], who.relations[w.typ]
	value := w.another(it)
	input := map[string]any{name: value}
	for _, other := range w.fields() {
		if w.admits(who, other) || w.input.Fields.ForName(other).Type.NonNull && other != name {
			input[other] = w.another(w.writings[w.input.Name+"."+other])
		}
	}
	if account, ok := input["accountId"].(int64); ok {
		input["linkCode"] = w.c.LinkCode(account)
	}
	before, expected := w.row(), ""
	if version := w.mutation.Arguments.ForName("expectedVersion"); version != nil && version.Type.NonNull {
		expected = ", expectedVersion: " + w.c.Row("SELECT version::text FROM "+w.table+" WHERE id = $1", num(w.id))
	}
	answer := who.client.Do(fmt.Sprintf("mutation ($id: ID!, $input: %s!) { %s(id: $id, input: $input%s) { userErrors { field code } } }",
		w.input.Name, w.mutation.Name, expected), map[string]any{"id": w.id, "input": input})
	done := false
	switch {
	case who.client == w.c.Nemo:
		equalJSON(w.T, where, answer.Codes(), []string{w.mutation.Name + " UNAUTHENTICATED"})
	case !w.c.Policy.CanCall("Mutation."+w.mutation.Name, relations):
		equalJSON(w.T, where, answer.Codes(), []string{w.mutation.Name + " FORBIDDEN"})
	case !relations.Any(rule.Exists):
		equalJSON(w.T, where, answer.UserErrorCodes(w.mutation.Name), []string{"id NOT_FOUND"})
	case !w.admits(who, name):
		equalJSON(w.T, where, answer.UserErrorCodes(w.mutation.Name), []string{"input." + name + " FORBIDDEN"})
	default:
		done = true
		equalJSON(w.T, where, answer.Body, `{"data":{"`+w.mutation.Name+`":{"userErrors":[]}}}`)
		got := w.c.Row("SELECT "+it.column+"::text FROM "+w.table+" WHERE id = $1", num(w.id))
		equalJSON(w.T, where, got, fmt.Sprint(input[name]))
		w.writable[who.name] = append(w.writable[who.name], w.field(name))
		w.restore()
	}
	if after := w.row(); !done && after != before {
		w.Errorf("%s: refused, and yet the row changed from %s to %s", where, before, after)
	}
}

func (w writer) field(name string) string {
	if it := w.writings[w.input.Name+"."+name]; it.field != "" {
		return it.field
	}
	return name
}

func (w writer) admits(who caller, name string) bool {
	return who.relations[w.typ].Any(w.c.Policy.Types[w.typ].Fields[w.field(name)].Write)
}

// another returns the value that the field does not have now.
func (w writer) another(it writing) any {
	now := w.c.Row("SELECT coalesce("+it.column+"::text, '') FROM "+w.table+" WHERE id = $1", num(w.id))
	if now == fmt.Sprint(it.values[0]) {
		return it.values[1]
	}
	return it.values[0]
}

// checkViewer compares `viewer` with the fields that could be set, the hidden fields, and
// whether the record can be deleted.
func (w writer) checkViewer(who caller) {
	w.Helper()
	if !who.relations[w.typ].Any(w.c.Policy.Types[w.typ].Exists) {
		return
	}
	where := w.typ + ".viewer for " + who.name
	def, fields := graph.Schema().Types[w.typ], []string{}
	for _, field := range def.Fields {
		fields = append(fields, field.Name+below(graph.Schema(), field))
	}
	answer := who.client.Do(fmt.Sprintf(`query ($id: ID!) { node(id: $id) { ... on %s { %s } } as: node(id: $id) { ... on %s {
		viewer { relations canUpdate canDelete writableFields redactedFields } } } }`, w.typ, strings.Join(fields, " "), w.typ), map[string]any{"id": w.id})
	var hidden []string
	for _, field := range def.Fields {
		if slices.Contains(answer.Codes(), "node."+field.Name+" FORBIDDEN_FIELD") {
			hidden = append(hidden, field.Name)
		}
	}
	viewer := answer.Data["as"].(map[string]any)["viewer"].(map[string]any)
	equalJSON(w.T, where, viewer["relations"], who.relations[w.typ].Names())
	equalJSON(w.T, where, viewer["redactedFields"], append([]string{}, hidden...))
	writable := map[any]bool{}
	for _, name := range viewer["writableFields"].([]any) {
		writable[name] = true
	}
	done := map[any]bool{}
	for _, name := range w.writable[who.name] {
		done[name] = true
	}
	if !maps.Equal(writable, done) {
		w.Errorf("%s: says that %v can be set, and %v were", where, writable, done)
	}
	equalJSON(w.T, where, viewer["canUpdate"], len(done) > 0)
	equalJSON(w.T, where, viewer["canDelete"], w.deleted(who))
}

// deleted tries to delete the record, and restores it.
func (w writer) deleted(who caller) bool {
	w.Helper()
	before := w.row()
	answer := who.client.Do(`mutation ($id: ID!) { `+w.deletes+`(id: $id) { userErrors { field code } } }`, map[string]any{"id": w.id})
	if userErrs := answer.UserErrorCodes(w.deletes); len(userErrs) > 0 {
		equalJSON(w.T, w.deletes+" by "+who.name, userErrs, []string{"id FORBIDDEN"})
		equalJSON(w.T, "refused "+w.deletes+" by "+who.name, w.row(), before)
		return false
	}
	if w.row() == before {
		w.Errorf("%s by %s did nothing: %s", w.deletes, who.name, answer.Body)
	}
	if w.table != "mappings" {
		w.c.Exec("UPDATE "+w.table+" SET deleted_at = NULL WHERE id = $1", num(w.id))
	}
	w.c.Exec("UPDATE mappings SET is_active = true, ended_at = NULL WHERE id = $1", num(w.c.PriyasMapping))
	return true
}

func TestUpdateMe_ChangesTheCallersAccountAlone(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	others := "SELECT json_agg(u ORDER BY id)::text FROM users AS u WHERE id <> $1"
	before := c.Row(others, c.Asha.UserID)
	c.Asha.Must(`mutation { updateMe(input: {username: "asha.new", phone: "9000000021"}) { userErrors { code } } }`, nil)
	equalJSON(t, "the others", c.Row(others, c.Asha.UserID), before)
	equalJSON(t, "the caller", c.Row("SELECT username || phone FROM users WHERE id = $1", c.Asha.UserID), "asha.new+919000000021")
	for _, field := range graph.Schema().Types["UpdateMeInput"].Fields {
		if field.Name != "username" && field.Name != "phone" {
			t.Errorf("UpdateMeInput.%s has no case in this test", field.Name)
		}
	}
}
