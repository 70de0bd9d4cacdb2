package graph_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/model"
)

func TestIDs_AreTakenWithAndWithoutPrefixWhereTheKindIsKnown(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	want := `{"data":{"patient":{"id":"` + c.Patient + `"}}}`
	number := strings.TrimPrefix(c.Patient, "pat_")
	for _, literal := range []string{`"` + c.Patient + `"`, number, `"` + number + `"`} {
		equalJSON(t, literal, c.Rahul.Do(`{ patient(id: `+literal+`) { id } }`, nil).Body, want)
		answer := c.Rahul.Do(`query ($id: ID!) { patient(id: $id) { id } }`, map[string]any{"id": json.RawMessage(literal)})
		equalJSON(t, literal+" in a variable", answer.Body, want)
	}
	for _, none := range []string{
		`"doc_` + number + `"`, `"pat_` + number + ` "`, `"PAT_` + number + `"`, `"` + number + `.0"`, `"+` + number + `"`, `"0"`, `0`, `-1`, `""`,
		`"pat_"`, `"_` + number + `"`, `"pat_9223372036854775808"`, `"pat_\u0000"`, `"99"`,
	} {
		equalJSON(t, none, c.Rahul.Do(`{ patient(id: `+none+`) { id } }`, nil).Body, `{"data":{"patient":null}}`)
	}
	filtered := c.Rahul.Do(fmt.Sprintf(`{ patients(filter: {doctorId: %s}) { totalCount } mappings(filter: {patientId: %s, doctorId: %q}) { totalCount } }`,
		strings.TrimPrefix(c.PriyasEntry, "doc_"), number, c.PriyasEntry), nil)
	equalJSON(t, "in filters", filtered.Body, `{"data":{"patients":{"totalCount":1},"mappings":{"totalCount":1}}}`)
}

func TestNodes_AnswersEachIDInItsPlace(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	gone := c.Rahul.Patient("Gone Person")
	c.Rahul.Delete(gone)
	asked := []string{
		"pat_999999", c.PriyasMapping, "nonsense", c.Patient, "1", c.Rahul.ID(), "", c.PriyasEntry, gone, c.DevsMapping, c.Patient, "xyz_1", "pat_1_1",
	}
	answer := c.Rahul.Do(`query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }`, map[string]any{"ids": asked})
	is := func(typ, id string) any { return map[string]any{"__typename": typ, "id": id} }
	equalJSON(t, "nodes", answer.Data["nodes"], []any{
		nil, is("Mapping", c.PriyasMapping), nil, is("Patient", c.Patient), nil, is("User", c.Rahul.ID()), nil,
		is("Doctor", c.PriyasEntry), nil, is("Mapping", c.DevsMapping), is("Patient", c.Patient), nil, nil,
	})
	equalJSON(t, "errors", answer.Codes(), []string{})

	equalJSON(t, "none", c.Rahul.Do(`{ nodes(ids: []) { id } }`, nil).Body, `{"data":{"nodes":[]}}`)
	for i, id := range asked {
		one := c.Rahul.Do(`query ($id: ID!) { node(id: $id) { __typename id } }`, map[string]any{"id": id})
		equalJSON(t, "node "+id, one.Data["node"], answer.Data["nodes"].([]any)[i])
	}
	many := make([]string, 101)
	refused := c.Rahul.Do(`query ($ids: [ID!]!) { nodes(ids: $ids) { id } }`, map[string]any{"ids": many})
	if !strings.Contains(refused.Body, "BAD_USER_INPUT") {
		t.Errorf("101 ids: %s", refused.Body)
	}
}

// TestRecords_OfTheSameKindAreFoundByTheirOwnQuery and not by that of another kind.
func TestRecords_AreFoundByTheQueryOfTheirKindAlone(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	mine := map[string]string{"patient": c.Patient, "doctor": c.PriyasEntry, "mapping": c.PriyasMapping}
	for query := range mine {
		for kind, id := range mine {
			answer := c.Rahul.Do(fmt.Sprintf(`{ %s(id: %q) { id } }`, query, id), nil)
			want := `{"data":{"` + query + `":null}}`
			if query == kind {
				want = `{"data":{"` + query + `":{"id":"` + id + `"}}}`
			}
			equalJSON(t, query+" "+id, answer.Body, want)
		}
	}
}

func TestIntrospection_IsAnsweredToEverybodyOrToNobody(t *testing.T) {
	t.Parallel()
	const query = `{ __schema { queryType { name } types { name description fields { name } } } __type(name: "Patient") { name } }`
	on := graphtest.New(t, graphtest.Options{})
	for _, client := range []*graphtest.Client{on.Nobody(), on.Account("Rahul", model.RolePatient)} {
		answer := client.Do(query, nil)
		equalJSON(t, "on", answer.Codes(), []string{})
		if !strings.Contains(answer.Body, `"__type":{"name":"Patient"}`) {
			t.Errorf("on: %.300s", answer.Body)
		}
	}
	off := graphtest.New(t, graphtest.Options{NoIntrospection: true})
	for _, client := range []*graphtest.Client{off.Nobody(), off.Account("Rahul", model.RolePatient)} {
		answer := client.Do(query, nil)
		equalJSON(t, "off", answer.Codes(), []string{"__schema FORBIDDEN", "__type FORBIDDEN"})
		if strings.Contains(answer.Body, "Mapping") {
			t.Errorf("off: %s", answer.Body)
		}
		equalJSON(t, "__typename", client.Do(`{ __typename }`, nil).Body, `{"data":{"__typename":"Query"}}`)
		guess := client.Do(`{ patientz { id } }`, nil)
		if strings.Contains(guess.Body, "Did you mean") {
			t.Errorf("a wrong name is corrected: %s", guess.Body)
		}
	}
}
