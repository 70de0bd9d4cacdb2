package graph_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/graph"
	"github.com/caregraph/caregraph/graph/graphtest"
)

// kindsOfValues are values as literals and as JSON, and the types that take them.
var kindsOfValues = []struct {
	literal, json string
	types         []string
}{
	{"7", "7", []string{"Int", "ID", "Decimal"}},
	{`"7"`, `"7"`, []string{"ID", "Decimal", "String", "text"}},
	{"7.5", "7.5", []string{"Decimal"}},
	{"2147483648", "2147483648", []string{"ID", "Decimal"}},
	{"-2147483649", "-2147483649", []string{"ID", "Decimal"}},
	{"12345678901234567890", "12345678901234567890", []string{"ID", "Decimal"}},
	{"true", "true", []string{"Boolean"}},
	{"[[7]]", "[[7]]", nil},
	{"{a: 7}", `{"a":7}`, nil},
	{"[{a: 7}]", `[{"a":7}]`, nil},
}

// takes reports whether a place of a type takes a value of kindsOfValues.
func takes(schema *ast.Schema, typ *ast.Type, types []string) bool {
	name := typ.Name()
	if def := schema.Types[name]; def.Kind == ast.Scalar && !slices.Contains([]string{"Int", "ID", "Boolean", "Decimal", "String"}, name) {
		name = "text"
	}
	return slices.Contains(types, name)
}

// coercionCase is a value in a place of the schema.
type coercionCase struct {
	literal, json string
	fits          bool
}

// coercionCases returns a value of each kind for a place: right, wrong, null, in a list,
// nested in an input object.
func coercionCases(schema *ast.Schema, typ *ast.Type) []coercionCase {
	null := coercionCase{"null", "null", !typ.NonNull}
	var cases []coercionCase
	switch def := schema.Types[typ.Name()]; def.Kind {
	case ast.Enum:
		name := def.EnumValues[0].Name
		cases = []coercionCase{
			{name, `"` + name + `"`, true},
			{strings.ToLower(name), `"` + strings.ToLower(name) + `"`, false},
			{"7", "7", false},
			{"{a: 7}", `{"a":7}`, false},
			{"NOTHING", `"NOTHING"`, false},
		}
	case ast.InputObject:
		cases = []coercionCase{{"7", "7", false}, {`"x"`, `"x"`, false}, {"[7]", "[7]", false}, {"{unknown: 7}", `{"unknown":7}`, false}}
		if slices.ContainsFunc(def.Fields, func(f *ast.FieldDefinition) bool { return f.Type.NonNull && f.DefaultValue == nil }) {
			cases = append(cases, coercionCase{"{}", "{}", false})
		}
	default:
		for _, kind := range kindsOfValues {
			cases = append(cases, coercionCase{kind.literal, kind.json, takes(schema, typ, kind.types)})
		}
	}
	if typ.Elem == nil {
		return append(cases, null, coercionCase{"[" + cases[0].literal + "]", "[" + cases[0].json + "]", false})
	}
	for _, c := range cases {
		cases = append(cases, coercionCase{"[" + c.literal + "]", "[" + c.json + "]", c.fits})
	}
	return append(cases, null, coercionCase{"[null]", "[null]", !typ.Elem.NonNull})
}

// TestCoercion_HappensBeforeExecution: a value of the wrong kind in any place of the
// schema is an error of the request, as a literal and as a variable, for both engines.
// The field before it is not executed.
func TestCoercion_HappensBeforeExecution(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	reference := c.With(referenceOnly)
	schema := graph.Schema()
	before := fmt.Sprintf(`{ before: updatePatient(id: %q, input: {address: "changed"}) { userErrors { code } } `, c.Patient)
	version := func() any { return c.Rahul.Must(`{ patient(id: 1) { version } }`, nil).At("patient", "version").Value }
	for _, place := range inputPlaces(schema) {
		kind, _, _ := strings.Cut(place.name, " ")
		unchanged := version()
		check := func(try coercionCase, operation string, variables map[string]any) {
			if kind == "mutation" && !try.fits {
				operation = strings.Replace(operation, "{ ", before, 1)
			}
			clients := []*graphtest.Client{clientFor(c, place.name)}
			if kind == "query" {
				other := *clients[0]
				other.Server = reference
				clients = append(clients, &other)
			}
			for _, client := range clients {
				answer := client.Do(kind+" "+operation, variables)
				if refused := answer.Status == 400 && answer.Data == nil && len(answer.Errors) > 0; refused == try.fits {
					t.Errorf("%s = %s %v: %d %.400s", place.name, try.literal, variables, answer.Status, answer.Body)
				}
				for _, err := range answer.Errors {
					if !try.fits && err["extensions"].(map[string]any)["code"] != "BAD_USER_INPUT" {
						t.Errorf("%s = %s: %.400s", place.name, try.literal, answer.Body)
					}
				}
			}
		}
		for _, try := range coercionCases(schema, place.typ) {
			if try.fits && kind == "mutation" {
				continue // the tests of the mutations send right values
			}
			check(try, place.fill(try.literal), nil)
			declared := fmt.Sprintf("($v: %s) ", place.typ)
			check(try, declared+place.fill("$v"), map[string]any{"v": json.RawMessage(try.json)})
		}
		absent := coercionCase{"absent", "", !place.typ.NonNull}
		if !absent.fits || kind == "query" {
			check(absent, fmt.Sprintf("($v: %s) ", place.typ)+place.fill("$v"), nil)
		}
		if got := version(); got != unchanged {
			t.Errorf("%s: something was executed: version %v is %v", place.name, unchanged, got)
		}
	}
}

// TestCoercion_NamesEveryFault as graphql-js does, without the texts of the client.
func TestCoercion_NamesEveryFault(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	const create = `mutation ($i: CreatePatientInput!) { createPatient(input: $i) { userErrors { code } } }`
	patient := func(name string, value any) map[string]any {
		input := graphtest.PatientInput("Asha")
		if input[name] = value; value == nil {
			delete(input, name)
		}
		return map[string]any{"i": input}
	}
	for _, try := range []struct {
		query     string
		variables map[string]any
		faults    []string // each is a path and a message
	}{
		{create, nil, []string{`i Variable "$i" of required type "CreatePatientInput!" was not provided.`}},
		{create, map[string]any{"i": nil}, []string{`i Variable "$i" of non-null type "CreatePatientInput!" must not be null.`}},
		{create, map[string]any{"i": 7}, []string{`i Variable "$i" got invalid value ...; Expected type "CreatePatientInput" to be an object.`}},
		{
			create, patient("dateOfBirth", nil),
			[]string{`i.dateOfBirth Variable "$i" got invalid value {...}; Field "dateOfBirth" of required type "Date!" was not provided.`},
		},
		{
			create, patient("dateOfBirth", 12),
			[]string{`i.dateOfBirth Variable "$i" got invalid value ... at "i.dateOfBirth"; Date cannot represent a non string value.`},
		},
		{
			create, patient("phone", json.Number("9876543210")),
			[]string{`i.phone Variable "$i" got invalid value ... at "i.phone"; PhoneNumber cannot represent a non string value.`},
		},
		{
			create, patient("gender", "female"),
			[]string{`i.gender Variable "$i" got invalid value "..." at "i.gender"; Value "..." does not exist in "Gender" enum. Its values are MALE, FEMALE, OTHER.`},
		},
		{
			create,
			map[string]any{"i": map[string]any{"name": nil, "age": 7, "Asha Rao": 1, "address": "x", "phone": true, "emergencyContact": "1", "gender": "MALE"}},
			[]string{
				`i.name Variable "$i" got invalid value null at "i.name"; Expected non-nullable type "String!" not to be null.`,
				`i.dateOfBirth Variable "$i" got invalid value {...}; Field "dateOfBirth" of required type "Date!" was not provided.`,
				`i.phone Variable "$i" got invalid value true at "i.phone"; PhoneNumber cannot represent a non string value: true`,
				`i Variable "$i" got invalid value {...}; Field "..." is not defined by type "CreatePatientInput".`,
				`i Variable "$i" got invalid value {...}; Field "age" is not defined by type "CreatePatientInput".`,
			},
		},
		{`query ($n: Int) { patients(first: $n) { totalCount } }`, map[string]any{"n": 2.5}, []string{`n Variable "$n" got invalid value 2.5; Int cannot represent non-integer value: 2.5`}},
		{`query ($n: Int) { patients(first: $n) { totalCount } }`, map[string]any{"n": "5"}, []string{`n Variable "$n" got invalid value "..."; Int cannot represent non-integer value: "..."`}},
		{
			`query ($n: Int) { patients(first: $n) { totalCount } }`,
			map[string]any{"n": 2147483648},
			[]string{`n Variable "$n" got invalid value 2147483648; Int cannot represent non 32-bit signed integer value: 2147483648`},
		},
		{
			`query ($ids: [ID!]!) { nodes(ids: $ids) { id } }`,
			map[string]any{"ids": []any{"pat_1", 1.5, true}},
			[]string{
				`ids[1] Variable "$ids" got invalid value 1.5 at "ids[1]"; ID cannot represent a non-string and non-integer value: 1.5`,
				`ids[2] Variable "$ids" got invalid value true at "ids[2]"; ID cannot represent a non-string and non-integer value: true`,
			},
		},
		{`query ($g: Gender = "female") { patients(filter: {gender: $g}) { totalCount } }`, nil, []string{`g Enum "Gender" cannot represent non-enum value: "...".`}},
		{`{ patients(first: {}) { totalCount } }`, nil, []string{`first Int cannot represent non-integer value: {...}`}},
		{`{ patients(filter: {bornFrom: 1}) { totalCount } }`, nil, []string{`filter.bornFrom Date cannot represent a non string value.`}},
		{`{ nodes(ids: ["pat_1"]) { id ... on Patient { mappings(first: 5.0) { totalCount } } } }`, nil, []string{`first Int cannot represent non-integer value: 5.0`}},
		{
			`mutation { updatePatient(id: 1, input: {phone: [], unknown: 1, gender: NONE}) { userErrors { code } } }`, nil,
			[]string{
				`input.phone PhoneNumber cannot represent a non string value: [...]`,
				`input Field "unknown" is not defined by type "UpdatePatientInput".`,
				`input.gender Value "..." does not exist in "Gender" enum. Its values are MALE, FEMALE, OTHER.`,
			},
		},
		{`{ me { id @include(if: 1) ...f } } fragment f on User { phone(format: e164) }`, nil, []string{
			`format Value "..." does not exist in "PhoneFormat" enum. Its values are E164, NATIONAL.`,
			`if Boolean cannot represent a non boolean value: 1`,
		}},
		{
			`query ($b: Boolean = true) { me { id @include(if: $b) } }`,
			map[string]any{"b": nil},
			[]string{`b Variable "$b" got invalid value null; Expected non-nullable type "Boolean!" not to be null.`},
		},
		{
			`mutation ($m: Boolean) { createDoctor(input: {name: "x", email: "x", phone: "x", specialization: "x", licenseNumber: "x", experienceYears: 1,
				address: "x", consultationFee: 1, availability: "x", isMe: $m}) { userErrors { code } } }`,
			map[string]any{"m": nil},
			[]string{`m Variable "$m" got invalid value null; Expected non-nullable type "Boolean!" not to be null.`},
		},
		{
			`query ($p: PhoneFormat) { me { ...f } } fragment f on User { phone(format: $p) }`,
			map[string]any{"p": nil},
			[]string{`p Variable "$p" got invalid value null; Expected non-nullable type "PhoneFormat!" not to be null.`},
		},
	} {
		answer := c.Rahul.Do(try.query, try.variables)
		got := []string{}
		for _, err := range answer.Errors {
			extensions := err["extensions"].(map[string]any)
			path := extensions["variable"]
			if path == nil {
				path = extensions["argument"]
			}
			got = append(got, fmt.Sprint(path, " ", err["message"]))
			if err["path"] != nil || err["locations"] == nil || extensions["code"] != "BAD_USER_INPUT" {
				t.Errorf("%s %v: %v", try.query, try.variables, err)
			}
		}
		if answer.Status != 400 || answer.Data != nil {
			t.Errorf("%s %v: %d %s", try.query, try.variables, answer.Status, answer.Body)
		}
		equalJSON(t, try.query+fmt.Sprint(try.variables), got, try.faults)
	}
}

// TestCoercion_TakesWhatTheSpecificationAllows: a single value for a list, an integer for
// an id, defaults, and an absent variable where null is not allowed but a default is.
func TestCoercion_TakesWhatTheSpecificationAllows(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	for _, try := range []struct {
		query     string
		variables string
		want      string
	}{
		{`query ($ids: [ID!]!) { it: nodes(ids: $ids) { id } }`, `{"ids": "pat_1"}`, `[{"id":"pat_1"}]`},
		{`query ($ids: [ID!]! = "pat_1") { it: nodes(ids: $ids) { id } }`, `{}`, `[{"id":"pat_1"}]`},
		{`query ($id: ID!) { it: nodes(ids: [$id, 12345678901234567890123, "pat_1"]) { id } }`, `{"id": 12345678901234567890123}`, `[null,null,{"id":"pat_1"}]`},
		{`query ($id: ID!) { it: patient(id: $id) { id } }`, `{"id": 1}`, `{"id":"pat_1"}`},
		{`query ($n: Int = 0) { it: patients(first: $n) { nodes { id } } }`, `{}`, `{"nodes":[]}`},
		{`query ($n: Int = 0) { it: patients(first: $n) { nodes { id } } }`, `{"n": null}`, `{"nodes":[{"id":"pat_1"}]}`},
		{`query ($n: Int) { it: patients(first: $n) { nodes { id } } }`, `{"n": 1.0, "other": "x"}`, `{"nodes":[{"id":"pat_1"}]}`},
		{`query ($p: PhoneFormat) { it: patient(id: 1) { phone(format: $p) } }`, `{}`, `{"phone":"+918765432109"}`},
		{`query ($b: Boolean = true) { it: patient(id: 1) { id @include(if: $b) } }`, `{}`, `{"id":"pat_1"}`},
		{`query ($d: Date) { it: patients(filter: {bornFrom: $d}) { totalCount } }`, `{"d": null}`, `{"totalCount":1}`},
	} {
		for _, server := range []*graphtest.Server{c.Server, c.With(referenceOnly)} {
			client := *c.Rahul
			client.Server = server
			answer := client.Do(try.query, variablesOf(t, try.variables))
			equalJSON(t, try.query+try.variables, answer.Data["it"], json.RawMessage(try.want))
		}
	}
}

func variablesOf(t *testing.T, text string) map[string]any {
	t.Helper()
	var variables map[string]any
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&variables); err != nil {
		t.Fatal(err)
	}
	return variables
}

// TestCoercion_KeepsTheDefaultsOfOperationsApart: two operations share a fragment and
// have different defaults for its variable.
func TestCoercion_KeepsTheDefaultsOfOperationsApart(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	const document = `query A($g: Gender) { ...f } query B($g: Gender = FEMALE) { ...f } query C($g: Gender = MALE) { ...f }
		fragment f on Query { it: patients(filter: {gender: $g}) { totalCount } }`
	for _, server := range []*graphtest.Server{c.Server, c.With(referenceOnly)} {
		for operation, want := range map[string]float64{"A": 1, "B": 0, "C": 1} {
			got := c.Rahul.At(server).Run(document, operation)
			equalJSON(t, operation, got.Data["it"], map[string]any{"totalCount": want})
		}
	}
}

// TestCoercion_StopsCountingFaults: a short body can have very many.
func TestCoercion_StopsCountingFaults(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	bad := slices.Repeat([]any{true}, 10_000)
	answer := c.Rahul.Do(`query ($ids: [ID!]!) { nodes(ids: $ids) { id } }`, map[string]any{"ids": bad})
	if last := len(answer.Errors) - 1; last != 50 || !strings.HasPrefix(answer.Errors[last]["message"].(string), "Too many errors") {
		t.Errorf("%d errors: %.300s", len(answer.Errors), answer.Body)
	}
}

// TestDate_OfTheFirstYearIsADate: .NET and Go clients send it for "no lower end".
func TestDate_OfTheFirstYearIsADate(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	for _, client := range []*graphtest.Client{c.Rahul, c.Rahul.At(c.With(referenceOnly))} {
		for filter, want := range map[string]float64{
			`bornFrom: "0001-01-01"`: 1, `bornFrom: "0001-1-1"`: 1, `bornTo: "0001-01-01"`: 0, `bornFrom: "0001-01-01", bornTo: "9999-12-31"`: 1,
		} {
			got := client.Must(`{ patients(filter: {`+filter+`}) { totalCount nodes { id } } }`, nil).At("patients", "totalCount").Value
			equalJSON(t, filter, got, want)
		}
	}
	born := c.Rahul.Do(`mutation { it: updatePatient(id: 1, input: {dateOfBirth: "0001-01-01"}) { userErrors { field code } } }`, nil)
	equalJSON(t, "a birth", born.UserErrorCodes("it"), []string{"input.dateOfBirth INVALID"})
}

// TestDecimal_LiteralIsExact: a fee in the document is as exact as one in a variable.
func TestDecimal_LiteralIsExact(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	for literal, want := range map[string]string{
		"100000.000000000001": "INVALID", "1500.00000000000001": "INVALID", "0.1e-1": "", "1500.10": "", "1e3": "", "7": "", `"7.5"`: "",
		"123456789012345678901234567890": "INVALID", "1e400": "INVALID",
	} {
		answer := c.Priya.Do(fmt.Sprintf(`mutation { it: updateDoctor(id: %q, input: {consultationFee: %s}) { userErrors { code } } }`, c.PriyasEntry, literal), nil)
		got := ""
		for _, e := range answer.UserErrors("it") {
			got += e.Code
		}
		if got != want || len(answer.Errors) > 0 {
			t.Errorf("%s: %s", literal, answer.Body)
		}
	}
}
