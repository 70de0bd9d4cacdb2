package graph_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/graph"
	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/model"
)

// refusedWith is the code for a value outside the limits of a field, where it is
// not that of the directive.
func refusedWith() map[string]string {
	return map[string]string{
		"RegisterInput.password":          "WEAK_PASSWORD",
		"ChangePasswordInput.newPassword": "WEAK_PASSWORD",
		"LoginInput.email":                "", // no such account, however long it is
	}
}

// bound is an input field with a limit of the schema, its own or the record's.
type bound struct {
	mutation *ast.FieldDefinition
	input    *ast.Definition
	field    string
	typ      string
	limit    *ast.Directive
}

func (b bound) name() string { return b.input.Name + "." + b.field }

func (b bound) number(t *testing.T, name string) int {
	t.Helper()
	argument := b.limit.Arguments.ForName(name)
	if argument == nil {
		return 0
	}
	number, err := strconv.Atoi(argument.Value.Raw)
	if err != nil {
		t.Fatal(err)
	}
	return number
}

func bounds(schema *ast.Schema) (all []bound) {
	for _, mutation := range schema.Mutation.Fields {
		argument := mutation.Arguments.ForName("input")
		if argument == nil {
			continue
		}
		input := schema.Types[argument.Type.Name()]
		record := schema.Types[schema.Types[mutation.Type.Name()].Fields[0].Type.Name()]
		for _, field := range input.Fields {
			for _, source := range []*ast.FieldDefinition{field, record.Fields.ForName(field.Name)} {
				if source == nil {
					continue
				}
				for _, kind := range []string{"text", "range"} {
					if limit := source.Directives.ForName(kind); limit != nil {
						all = append(all, bound{mutation, input, field.Name, field.Type.Name(), limit})
					}
				}
			}
		}
	}
	return all
}

// literal is a value of a length or size, in GraphQL.
func (b bound) literal(n int) string {
	switch b.typ {
	case "EmailAddress":
		const local, end = "a.patient.of.the.clinic@", "b.in" // the domain can be long, not what is before it
		return strconv.Quote(local + strings.Repeat("bbbbbbbbb.", n/10)[:n-len(local)-len(end)] + end)
	case "Int", "Decimal":
		return strconv.Itoa(n)
	default:
		return strconv.Quote(strings.Repeat("é", n)) // two bytes each
	}
}

// codes returns the codes of the mutation for the field.
func (b bound) codes(c *graphtest.Clinic, value string) (codes []string) {
	id := map[string]string{
		"updatePatient": c.Patient, "updateDoctor": c.RahulsEntry, "updateMapping": c.PriyasMapping,
	}[b.mutation.Name]
	if id != "" {
		id = fmt.Sprintf("id: %q, ", id)
	}
	answer := c.Rahul.Do(fmt.Sprintf("mutation { it: %s(%sinput: %s) { userErrors { field code } } }",
		b.mutation.Name, id, object(graph.Schema(), b.input, b.field, value)), nil)
	for _, code := range answer.UserErrorCodes("it") {
		if code, ok := strings.CutPrefix(code, "input."+b.field+" "); ok {
			codes = append(codes, code)
		}
	}
	return codes
}

// TestLimits_HoldForEveryInputField fails by name for a field that Validate
// forgets.
func TestLimits_HoldForEveryInputField(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	all := bounds(graph.Schema())
	if len(all) < 25 {
		t.Errorf("only %d input fields with limits were found", len(all))
	}
	for _, b := range all {
		code := map[string]string{"text": "TOO_LONG", "range": "INVALID"}[b.limit.Name]
		if other, ok := refusedWith()[b.name()]; ok {
			code = other
		}
		minimum, maximum := b.number(t, "min"), b.number(t, "max")
		tries := map[int]bool{maximum: true, maximum + 1: code == ""}
		if b.limit.Name == "range" || minimum > 0 {
			tries[minimum], tries[minimum-1] = true, false
		}
		for n, taken := range tries {
			switch got := b.codes(c, b.literal(n)); {
			case taken && len(got) > 0:
				t.Errorf("%s: %d is within the limits, and refused with %v", b.name(), n, got)
			case !taken && !slices.Equal(got, []string{code}):
				t.Errorf("%s: %d is outside the limits, and refused with %v, want %s", b.name(), n, got, code)
			}
		}
	}
}

// TestCost_OfSearchesAndCountsFollowsTheRowsOfTheCaller: dozens of them are refused for an
// account with many patients, and served to an account with few. A page with its search
// and its count is served to both.
func TestCost_OfSearchesAndCountsFollowsTheRowsOfTheCaller(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	large, small := s.Account("Large", model.RolePatient), s.Account("Small", model.RolePatient)
	s.Exec(`INSERT INTO patients (created_by, name, date_of_birth, gender, phone, address, emergency_contact)
		SELECT $1, 'Patient ' || i, '1990-05-15', 'FEMALE', '+919876543210', '', '+919876543210' FROM generate_series(1, 13000) AS i`, large.UserID)
	many := func(field string) string {
		var document strings.Builder
		for i := range 50 {
			fmt.Fprintf(&document, "a%d: %s ", i, field)
		}
		return "{" + document.String() + "}"
	}
	for _, field := range []string{
		`patients(first: 0, search: "a") { totalCount }`,
		`patients(search: "zz") { __typename }`,
		`patients(first: 0) { totalCount }`,
		`patients(first: 1, orderBy: {field: DATE_OF_BIRTH}) { nodes { id } }`,
		`patients(first: 1, filter: {gender: MALE}) { nodes { id } }`,
	} {
		if answer := small.Do(many(field), nil); len(answer.Errors) > 0 {
			t.Errorf("%s of a small account: %s", field, answer.Body)
		}
		answer := large.Do(many(field), nil)
		if len(answer.Errors) != 1 || answer.Data != nil || !strings.Contains(answer.Body, "--max-cost") || !strings.Contains(answer.Body, "LIMIT_EXCEEDED") {
			t.Errorf("%s of a large account: %.300s", field, answer.Body)
		}
	}
	large.Must(`{ patients(first: 100, search: "patient") { totalCount nodes { id name doctors { nodes { id name } } } } }`, nil)
}
