package graph_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/graph"
	"github.com/caregraph/caregraph/graph/graphtest"
)

// strangers are signed in, and the clinic's patient does not exist for them.
func strangers(c *graphtest.Clinic) map[string]*graphtest.Client {
	return map[string]*graphtest.Client{
		"a stranger": c.Asha, "a doctor whose mapping ended": c.Dev, "an unverified doctor": c.Neha,
	}
}

// TestStranger_CannotTellHiddenFromUnknown sends every operation that names a patient or a
// mapping with the id of a hidden one, and with unknown ids. The answers are the same
// byte for byte.
func TestStranger_CannotTellHiddenFromUnknown(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	gone := c.Rahul.Patient("Gone Person")
	goneMapping := c.Rahul.Assign(gone, c.PriyasEntry, graphtest.Notes)
	c.Rahul.Delete(gone)

	for name := range rootFields(t) {
		for who, client := range strangers(c) {
			sameAnswers(t, name+" for "+who, client, attempts()[name], c.PriyasEntry,
				pair{c.Patient, c.PriyasMapping}, pair{gone, goneMapping})
		}
		// A deleted patient exists for its owner alone.
		for who, client := range map[string]*graphtest.Client{"the doctor": c.Priya, "the administrator": c.Admin} {
			sameAnswers(t, name+" of the deleted for "+who, client, attempts()[name], c.PriyasEntry, pair{gone, goneMapping})
		}
	}
}

type pair struct{ patient, mapping string }

func sameAnswers(t *testing.T, what string, client *graphtest.Client, operation, doctor string, hidden ...pair) {
	t.Helper()
	if !strings.Contains(operation, "$patient:") && !strings.Contains(operation, "$mapping:") {
		return
	}
	ask := func(p pair) string {
		body := client.Do(operation, ids(operation, p.patient, doctor, p.mapping)).Body
		if p.patient == "" {
			return body
		}
		return strings.NewReplacer(p.patient, "ID", p.mapping, "ID").Replace(body)
	}
	unknown := ask(pair{"pat_999999", "map_999999"})
	others := append(slices.Clone(hidden),
		pair{"doc_1", "doc_1"}, pair{"pat_0", "map_0"}, pair{"pat_-1", "map_-1"}, pair{"pat_1x", "map_1x"}, pair{"", ""},
		pair{"pat_99999999999999999999", "map_99999999999999999999"}, pair{"pat_\x00", "map_\x00"})
	for _, p := range others {
		if strings.Contains(operation, "node") && p.patient == "doc_1" {
			continue // is an entry that everybody sees
		}
		if got := ask(p); got != unknown {
			t.Errorf("%s with %v: %s, but for an unknown id: %s", what, p, got, unknown)
		}
	}
}

// TestStranger_NoPathLeadsToAPatient selects everything that could lead to a patient, and
// searches the answers for its values.
func TestStranger_NoPathLeadsToAPatient(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	for who, client := range strangers(c) {
		for _, query := range append(pathsToPatients(c), filtered(t, c)...) {
			answer := client.Do(query, nil)
			equalJSON(t, who+" "+query, answer.Codes(), []string{})
			for _, secret := range []string{
				"Arjun", "Allergic", "MG Road", "8765432109", "9876543210", "arjun.sharma", graphtest.Notes,
				`"` + c.Patient + `"`, `"` + c.PriyasMapping + `"`, `"` + c.DevsMapping + `"`, `"` + c.NehasMapping + `"`,
			} {
				if strings.Contains(answer.Body, secret) {
					t.Errorf("%s sees %s by %s: %s", who, secret, query, answer.Body)
				}
			}
			if counted(answer.Body) {
				t.Errorf("%s counts what they cannot see by %s: %s", who, query, answer.Body)
			}
		}
	}
	// For the owner the same paths lead to the patient.
	for _, query := range append(pathsToPatients(c), filtered(t, c)...) {
		if answer := c.Rahul.Do(query, nil); !counted(answer.Body) && strings.Contains(query, "totalCount") {
			t.Errorf("the path leads nowhere, so the test above shows nothing: %s: %s", query, answer.Body)
		}
	}
}

// counted reports whether a count of patients or mappings is not zero.
func counted(body string) bool { return regexp.MustCompile(`"totalCount":[1-9]`).MatchString(body) }

const (
	patientPage = ` { totalCount nodes { id name } edges { cursor node { id address } } pageInfo { startCursor endCursor } }`
	mappingPage = ` { totalCount nodes { id notes patient { id name } } edges { cursor node { id } } pageInfo { startCursor endCursor } }`
	careEdges   = ` { totalCount nodes { id name } edges { cursor node { id name } mapping { id notes } } pageInfo { startCursor endCursor } }`
)

func pathsToPatients(c *graphtest.Clinic) []string {
	queries := []string{
		`{ patients` + patientPage + ` }`,
		`{ patients(last: 5)` + patientPage + ` }`,
		`{ changes { gone nodes { __typename ... on Patient { id name } } } }`,
		`{ mappings` + mappingPage + ` }`,
		`{ mappings(filter: {isActive: null}, orderBy: {field: UPDATED_AT})` + mappingPage + ` }`,
		`{ doctors { nodes { patients` + careEdges + ` mappings(isActive: null)` + mappingPage + ` } } }`,
		`{ doctors(filter: {deleted: INCLUDE}) { edges { node { patients(last: 3)` + careEdges + ` } } } }`,
		fmt.Sprintf(`{ nodes(ids: ["%s", "%s", "%s", "%s"]) { __typename } }`, c.Patient, c.PriyasMapping, c.DevsMapping, c.NehasMapping),
		`mutation { updateMe(input: {}) { user { doctorProfile { name patients { nodes { name } } } } } }`,
	}
	for _, term := range []string{"Arjun", "arjun.sharma@mail.example", "8765432109", "+91 87654 32109", "", "a"} {
		queries = append(queries, fmt.Sprintf(`{ patients(search: %q)%s }`, term, patientPage))
	}
	for _, entry := range []string{c.PriyasEntry, c.NehasEntry} {
		queries = append(queries, fmt.Sprintf(`{ doctor(id: %q) { patients%s mappings(isActive: null)%s } }`, entry, careEdges, mappingPage))
	}
	queries = append(queries, fmt.Sprintf(`{ doctor(id: %q) { mappings(isActive: null)%s } }`, c.DevsEntry, mappingPage))
	return queries
}

// filtered returns queries with every condition of the filters of patients and mappings. A
// missing condition fails the test.
func filtered(t *testing.T, c *graphtest.Clinic) []string {
	t.Helper()
	conditions := map[string]string{
		"PatientFilter.gender": "MALE", "PatientFilter.bloodGroup": "B_POSITIVE", "PatientFilter.bornFrom": `"1990-05-15"`,
		"PatientFilter.bornTo": `"1990-05-15"`, "PatientFilter.doctorId": `"` + c.PriyasEntry + `"`, "PatientFilter.deleted": "INCLUDE",
		"PatientFilter.ownerId": `"` + c.Rahul.ID() + `"`,
		"PatientFilter.ids":     `["` + c.Patient + `"]`, "PatientFilter.updatedSince": `"2020-01-01T00:00:00Z"`, "PatientFilter.mine": "true",
		"PatientFilter.hasDoctor": "true", "PatientFilter.genders": "[MALE]", "PatientFilter.bloodGroups": "[B_POSITIVE, O_NEGATIVE]",
		"MappingFilter.patientId": `"` + c.Patient + `"`, "MappingFilter.doctorId": `"` + c.PriyasEntry + `"`, "MappingFilter.isActive": "true",
	}
	var queries []string
	for input, root := range map[string]string{"PatientFilter": "patients", "MappingFilter": "mappings"} {
		page := map[string]string{"patients": patientPage, "mappings": mappingPage}[root]
		for _, field := range graph.Schema().Types[input].Fields {
			value, known := conditions[input+"."+field.Name]
			if !known {
				t.Errorf("%s.%s has no case in this test", input, field.Name)
				continue
			}
			queries = append(queries, fmt.Sprintf(`{ %s(filter: {%s: %s})%s }`, root, field.Name, value, page))
		}
	}
	for _, order := range []string{"NAME", "DATE_OF_BIRTH", "UPDATED_AT"} {
		queries = append(queries, fmt.Sprintf(`{ patients(orderBy: {field: %s})%s }`, order, patientPage))
	}
	return queries
}

// TestAdministrator_CannotLookForClinicalText: a condition on a hidden value finds nothing.
func TestAdministrator_CannotLookForClinicalText(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	for _, filter := range []string{`filter: {bloodGroup: B_POSITIVE}`, `filter: {bloodGroups: [B_POSITIVE, A_POSITIVE]}`, `search: "penicillin"`, `search: "9876543210"`, `filter: {deleted: ONLY}`} {
		answer := c.Admin.Do(`{ patients(`+filter+`) { totalCount nodes { id } } }`, nil)
		equalJSON(t, filter, answer.Body, `{"data":{"patients":{"totalCount":0,"nodes":[]}}}`)
	}
	answer := c.Admin.Do(`{ patients(filter: {gender: MALE}) { totalCount } }`, nil)
	equalJSON(t, "by a value that is not hidden", answer.Body, `{"data":{"patients":{"totalCount":1}}}`)
}
