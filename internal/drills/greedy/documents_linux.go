package greedy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// hostile is one request that a hostile account sends again and again.
type hostile struct {
	name string
	// of is the hostile account; no value sends no token.
	of account
	// connections is the number of connections; zero means 24.
	connections int
	body        []byte
}

// documents are the requests that once stopped everyone else.
func documents(big, bulky, writer account, bulkyIDs []string) []hostile {
	count := func(i int) string { return fmt.Sprintf(`a%d: patients(first: 0, search: "a") { totalCount }`, i) }
	mixed := func(i int) string {
		return fmt.Sprintf(`a%d: patients(first: 20, search: "a") { totalCount nodes { id name } }`, i)
	}
	list := func(i int) string { return fmt.Sprintf(`a%d: patients(first: 1) { totalCount nodes { id } }`, i) }
	nested := `query { patients(first: 100) { totalCount nodes { id name mappings { totalCount nodes { notes doctor { name } } } } } }`
	long := func(i int) string {
		return fmt.Sprintf(`a%d: patients(first: 100) { nodes { address medicalHistory } }`, i)
	}
	create := func(i int) string { return fmt.Sprintf(`a%d: createPatient(input: $i) { patient { id } }`, i) }
	register := func(i int) string {
		return fmt.Sprintf(`a%d: register(input: {username: "canary", email: "x%d@clinic.example", password: "Secure@1234", role: PATIENT}) { user { id } }`, i, i)
	}
	text := strings.Repeat("x", 20_000)
	patient := map[string]any{
		"name": "Filler", "dateOfBirth": "1990-05-15", "gender": "MALE", "phone": "+919876543210",
		"address": text, "emergencyContact": "+919876500000", "medicalHistory": text,
	}
	return []hostile{
		{name: "50 counts of a search", of: big, body: body("query { "+repeat(50, count)+" }", nil)},
		{name: "33 lists, searches and counts", of: big, body: body("query { "+repeat(33, mixed)+" }", nil)},
		{name: "one count of a search", of: big, connections: 64, body: body("query { "+count(0)+" }", nil)},
		{name: "21 lists with counts", of: big, body: body("query { "+repeat(21, list)+" }", nil)},
		{name: "nested lists, 64 connections", of: big, connections: 64, body: body(nested, nil)},
		{name: "long texts of 100 patients", of: bulky, body: body(
			"query($ids: [ID!]!) { nodes(ids: $ids) { ... on Patient { address medicalHistory } } }", map[string]any{"ids": bulkyIDs})},
		{name: "39 lists of long texts", of: bulky, body: body("query { "+repeat(39, long)+" }", nil)},
		{name: "50 creations of long texts", of: writer, body: body("mutation($i: CreatePatientInput!) { "+repeat(50, create)+" }", map[string]any{"i": patient})},
		{name: "introspection, no token", body: body(introspection, nil)},
		{name: "1 MB of unknown variables, no token", body: []byte(`{"query":"{ __typename }","variables":{` + strings.TrimSuffix(strings.Repeat(`"v":1,`, 170_000), ",") + `}}`)},
		{name: "1 MB of commas, no token", body: body("{ __typename "+strings.Repeat(",", 1_000_000)+" }", nil)},
		{name: "deep variables, no token", body: []byte(`{"query":"{ __typename }","variables":{"v":` + strings.Repeat("[", 500_000) + strings.Repeat("]", 500_000) + `}}`)},
		{name: "50 registrations, no token", body: body("mutation { "+repeat(50, register)+" }", nil)},
	}
}

func repeat(n int, field func(int) string) string {
	fields := make([]string, n)
	for i := range fields {
		fields[i] = field(i)
	}
	return strings.Join(fields, " ")
}

// body returns the request of a document.
func body(document string, variables map[string]any) []byte {
	var b bytes.Buffer
	// Texts and maps of texts always have a JSON form.
	_ = json.NewEncoder(&b).Encode(map[string]any{"query": document, "variables": variables})
	return b.Bytes()
}

// introspection asks for what tools ask for.
const introspection = `query { __schema { queryType { name } mutationType { name } types { ...T } directives { name args { ...V } } } }
fragment T on __Type { kind name description
	fields(includeDeprecated: true) { name description args { ...V } type { ...R } isDeprecated }
	inputFields { ...V } interfaces { ...R } enumValues(includeDeprecated: true) { name description } possibleTypes { ...R } }
fragment V on __InputValue { name description type { ...R } defaultValue }
fragment R on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }`
