package graph_test

import (
	"fmt"
	"testing"

	"github.com/caregraph/caregraph/graph"
	"github.com/caregraph/caregraph/graph/graphtest"
)

// nested returns the names in a list below a record, by a client of either engine.
func nested(client *graphtest.Client, record, list, args string) []string {
	return names(client.Must(fmt.Sprintf(`{ it: %s { list: %s(%s) { totalCount nodes { name } edges { cursor } pageInfo { hasNextPage endCursor } } } }`, record, list, args), nil).At("it", "list"))
}

// TestNestedLists_AreOrderedAndSearchedByTheirNodes, as the lists of Query are.
func TestNestedLists_AreOrderedAndSearchedByTheirNodes(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	for _, name := range []string{"émile zola", "Zoë", "Ana Maria", "ana"} {
		c.Rahul.Assign(c.Rahul.Patient(name), c.PriyasEntry, "x")
	}
	c.Asha.Assign(c.Asha.Patient("Ana of Asha"), c.PriyasEntry, "x")
	c.Exec("UPDATE patients SET date_of_birth = '1980-01-01' WHERE name = 'Zoë'")
	for _, name := range []string{"Dr. Ames", "dr. bose"} {
		c.Rahul.Assign(c.Patient, c.Rahul.Entry(name), "x")
	}
	c.Exec("UPDATE doctors SET consultation_fee = id * 100, specialization = 'Radiology', specialization_fold = NULL, search_fold = NULL WHERE name = 'dr. bose'")
	doctor, patient := fmt.Sprintf("doctor(id: %q)", c.PriyasEntry), "patient(id: 1)"
	for how, server := range bothEngines(c.Server) {
		for _, tc := range []struct {
			client             *graphtest.Client
			record, list, args string
			want               []string
		}{
			{c.Rahul, doctor, "patients", "search: null, orderBy: null", []string{"ana", "Ana Maria", "Zoë", "émile zola", "Arjun Sharma"}},
			{c.Rahul, doctor, "patients", "orderBy: {field: NAME}", []string{"ana", "Ana Maria", "Arjun Sharma", "émile zola", "Zoë"}},
			{c.Priya, doctor, "patients", "orderBy: {field: NAME, direction: DESC}, first: 2", []string{"Zoë", "émile zola"}},
			{c.Priya, doctor, "patients", "orderBy: {field: NAME, direction: DESC}, last: 2", []string{"Ana Maria", "ana"}},
			{c.Rahul, doctor, "patients", "orderBy: {field: DATE_OF_BIRTH}, first: 1", []string{"Zoë"}},
			{c.Rahul, doctor, "patients", `search: "ANA", orderBy: {field: NAME}`, []string{"ana", "Ana Maria"}},
			{c.Priya, doctor, "patients", `search: "ana", orderBy: {field: NAME}`, []string{"ana", "Ana Maria", "Ana of Asha"}},
			{c.Asha, doctor, "patients", `search: "an"`, []string{"Ana of Asha"}},
			{c.Dev, doctor, "patients", `search: "an", orderBy: {field: NAME}`, []string{}},
			{c.Rahul, patient, "doctors", "orderBy: {field: NAME}", []string{"Dr. Ames", "dr. bose", "Dr. Neha Iyer", "Dr. Priya Patel"}},
			{c.Rahul, patient, "doctors", "orderBy: {field: CONSULTATION_FEE}, first: 1", []string{"dr. bose"}},
			{c.Rahul, patient, "doctors", `search: "radio"`, []string{"dr. bose"}},
			{c.Rahul, patient, "doctors", `search: "  "`, []string{"dr. bose", "Dr. Ames", "Dr. Priya Patel", "Dr. Neha Iyer"}},
			{c.Rahul, patient, "doctors", `search: "Rao"`, []string{}}, // Dev's mapping has ended
		} {
			equalJSON(t, how+": "+tc.record+tc.args, nested(tc.client.At(server), tc.record, tc.list, tc.args), tc.want)
		}
		rahul := c.Rahul.At(server)
		for _, pages := range []struct{ record, list, order string }{
			{doctor, "patients", `orderBy: {field: NAME}`},
			{doctor, "patients", `orderBy: {field: DATE_OF_BIRTH, direction: DESC}, search: "mail.example"`},
			{doctor, "patients", `orderBy: {field: CREATED_AT, direction: DESC}`},
			{patient, "doctors", `orderBy: {field: EXPERIENCE_YEARS}`},
			{patient, "doctors", `orderBy: {field: CONSULTATION_FEE, direction: DESC}`},
		} {
			all, after, read := nested(rahul, pages.record, pages.list, pages.order), "", []string{}
			for range len(all) {
				page := rahul.Must(fmt.Sprintf(`{ it: %s { list: %s(first: 1, %s%s) { totalCount nodes { name } pageInfo { hasNextPage endCursor } } } }`,
					pages.record, pages.list, pages.order, after), nil).At("it", "list")
				equalJSON(t, "the whole list", page.At("totalCount").Value, len(all))
				read, after = append(read, names(page)...), fmt.Sprintf(", after: %q", page.Text("pageInfo", "endCursor"))
				equalJSON(t, "more", page.At("pageInfo", "hasNextPage").Value, len(read) < len(all))
			}
			equalJSON(t, how+": page by page in "+pages.order, read, all)
		}
		cursor := rahul.Must(`{ doctor(id: "`+c.PriyasEntry+`") { patients(orderBy: {field: NAME}) { pageInfo { endCursor } } } }`, nil).Text("doctor", "patients", "pageInfo", "endCursor")
		created := rahul.Must(`{ doctor(id: "`+c.PriyasEntry+`") { patients(orderBy: {field: CREATED_AT}) { pageInfo { endCursor } } } }`, nil).Text("doctor", "patients", "pageInfo", "endCursor")
		for args, code := range map[string]string{
			`orderBy: {field: UPDATED_AT}, after: "` + created + `"`: "INVALID_CURSOR",
			`after: "` + cursor + `"`:                                "INVALID_CURSOR", `orderBy: {field: NAME, direction: DESC}, after: "` + cursor + `"`: "INVALID_CURSOR",
			`search: "\u0000"`: "BAD_USER_INPUT",
		} {
			answer := rahul.Do(`{ doctor(id: "`+c.PriyasEntry+`") { patients(`+args+`) { nodes { id } } } }`, nil)
			equalJSON(t, how+": "+args, answer.Codes(), []string{"doctor.patients " + code})
		}
	}
}

// TestNestedSearch_ReadsOnlyWhatTheCallerMay: below many records at once, by one plan.
func TestNestedSearch_ReadsOnlyWhatTheCallerMay(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	const query = `{ doctors(orderBy: {field: NAME}) { nodes { name patients(search: "arjun", orderBy: {field: NAME}) { totalCount nodes { name } } } } }`
	answer := c.Rahul.Do(query, nil)
	equalJSON(t, "answered", answer.Answered, graph.Compiled)
	found := func(client *graphtest.Client) (total float64) {
		list := client.Must(query, nil).At("doctors", "nodes")
		for i := range list.Len() {
			total += list.At(i, "patients", "totalCount").Value.(float64)
		}
		return total
	}
	for who, want := range map[*graphtest.Client]float64{c.Rahul: 2, c.Priya: 2, c.Admin: 2, c.Asha: 0, c.Dev: 0, c.Neha: 0} {
		if got := found(who); got != want {
			t.Errorf("%s finds %v, want %v", who.Email, got, want)
		}
	}
}

// TestMappingVersion_IsExpected: of two who change a mapping, the second gets the conflict
// with the mapping as it is.
func TestMappingVersion_IsExpected(t *testing.T) {
	t.Parallel()
	for _, how := range []string{graph.Compiled, "interpreted"} {
		c := graphtest.New(t, graphtest.Options{}).NewClinic()
		server := bothEngines(c.Server)[how]
		update := func(client *graphtest.Client, notes string, version any) graphtest.Answer {
			return client.At(server).Do(`mutation ($id: ID!, $notes: String, $version: Int) { updateMapping(id: $id, input: {notes: $notes}, expectedVersion: $version) {
				mapping { notes version } userErrors { field code } } }`, map[string]any{"id": c.PriyasMapping, "notes": notes, "version": version})
		}
		equalJSON(t, "the first", update(c.Rahul, "one", 1).Data["updateMapping"], map[string]any{
			"mapping": map[string]any{"notes": "one", "version": 2}, "userErrors": []any{},
		})
		late := update(c.Priya, "two", 1)
		equalJSON(t, "the second", late.UserErrorCodes("updateMapping"), []string{"expectedVersion VERSION_CONFLICT"})
		equalJSON(t, "the mapping", late.Result(t).At("updateMapping", "mapping").Value, map[string]any{"notes": "one", "version": 2})
		equalJSON(t, "a stranger", update(c.Asha, "x", 7).Body, `{"data":{"updateMapping":{"mapping":null,"userErrors":[{"field":["id"],"code":"NOT_FOUND"}]}}}`)
		equalJSON(t, "any", update(c.Priya, "two", nil).UserErrorCodes("updateMapping"), []string{})
		remove := func(version int) graphtest.Answer {
			return c.Rahul.At(server).Do(`mutation ($id: ID!, $version: Int) { removeMapping(id: $id, expectedVersion: $version) { mapping { isActive version } userErrors { field code } } }`,
				map[string]any{"id": c.PriyasMapping, "version": version})
		}
		equalJSON(t, "ended in another version", remove(1).Body,
			`{"data":{"removeMapping":{"mapping":{"isActive":true,"version":3},"userErrors":[{"field":["expectedVersion"],"code":"VERSION_CONFLICT"}]}}}`)
		equalJSON(t, "ended", remove(3).Body, `{"data":{"removeMapping":{"mapping":{"isActive":false,"version":4},"userErrors":[]}}}`)
	}
}
