package graph_test

import (
	"fmt"
	"testing"

	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/model"
)

// page has the fields of a connection that a client selects.
const page = ` { nodes { name } edges { cursor node { name } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }`

func names(r graphtest.Result) []string {
	list := []string{}
	for i := range r.Len("nodes") {
		list = append(list, r.Text("nodes", i, "name"))
	}
	return list
}

func TestConnection_IsReadForwardsAndBackwards(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	for _, name := range []string{"Dev", "asha", "Émile", "Bina", "Chand"} {
		rahul.Patient(name)
	}
	order := "orderBy: {field: NAME}"
	list := func(args string) graphtest.Result {
		return rahul.Must(fmt.Sprintf(`{ patients(%s %s)%s }`, order, args, page), nil).At("patients")
	}
	flags := func(r graphtest.Result) [2]any {
		return [2]any{r.At("pageInfo", "hasPreviousPage").Value, r.At("pageInfo", "hasNextPage").Value}
	}

	all := list("")
	equalJSON(t, "regardless of case and accents", names(all), []string{"asha", "Bina", "Chand", "Dev", "Émile"})
	equalJSON(t, "flags of all", flags(all), [2]any{false, false})
	for i := range all.Len("edges") {
		equalJSON(t, "edges and nodes", all.Text("edges", i, "node", "name"), all.Text("nodes", i, "name"))
	}
	equalJSON(t, "startCursor", all.Text("pageInfo", "startCursor"), all.Text("edges", 0, "cursor"))
	equalJSON(t, "endCursor", all.Text("pageInfo", "endCursor"), all.Text("edges", 4, "cursor"))

	first := list("first: 2")
	equalJSON(t, "first", names(first), []string{"asha", "Bina"})
	equalJSON(t, "flags of the first", flags(first), [2]any{false, true})
	second := list(fmt.Sprintf("first: 2, after: %q", first.Text("pageInfo", "endCursor")))
	equalJSON(t, "after", names(second), []string{"Chand", "Dev"})
	equalJSON(t, "flags of the second", flags(second), [2]any{true, true})
	back := list(fmt.Sprintf("last: 1, before: %q", second.Text("pageInfo", "startCursor")))
	equalJSON(t, "before", names(back), []string{"Bina"})
	equalJSON(t, "flags going back", flags(back), [2]any{true, true})
	last := list("last: 2")
	equalJSON(t, "last", names(last), []string{"Dev", "Émile"})
	equalJSON(t, "flags of the last", flags(last), [2]any{true, false})
	between := list(fmt.Sprintf("after: %q, before: %q", all.Text("edges", 0, "cursor"), all.Text("edges", 3, "cursor")))
	equalJSON(t, "between", names(between), []string{"Bina", "Chand"})

	none := list("first: 0")
	equalJSON(t, "none", names(none), []string{})
	equalJSON(t, "none", none.At("pageInfo", "endCursor").Value, nil)

	order = "orderBy: {field: NAME, direction: DESC}"
	equalJSON(t, "the other way", names(list("first: 2")), []string{"Émile", "Dev"})
}

// TestPageInfo_KnowsBothSides: in all lists, with every combination of a direction and
// the cursors of the first and the last of three entries, for both engines.
func TestPageInfo_KnowsBothSides(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	admin, priya := c.Admin, c.PriyasEntry
	for i := range 3 {
		patient := c.Asha.Patient(fmt.Sprintf("Patient %d", i))
		c.Asha.Assign(patient, priya, "x")
		c.Asha.Assign(c.Asha.Patient(fmt.Sprintf("Other %d", i)), c.Asha.Entry(fmt.Sprintf("Doctor %d", i)), "x")
	}
	many := c.Asha.Patient("Many")
	for i := range 3 {
		c.Asha.Assign(many, c.Asha.Entry(fmt.Sprintf("Of many %d", i)), "x")
	}
	for _, list := range []string{
		`{ it: patients(%s)%s }`, `{ it: doctors(%s)%s }`, `{ it: mappings(%s)%s }`,
		`{ it: patient(id: "` + many + `") { it: mappings(%s)%s } }`, `{ it: patient(id: "` + many + `") { it: doctors(%s)%s } }`,
		`{ it: doctor(id: "` + priya + `") { it: mappings(%s)%s } }`, `{ it: doctor(id: "` + priya + `") { it: patients(%s)%s } }`,
	} {
		const selection = ` { edges { cursor } pageInfo { hasPreviousPage hasNextPage } }`
		read := func(client *graphtest.Client, args string) graphtest.Result {
			it := client.Must(fmt.Sprintf(list, args, selection), nil).At("it")
			if it.Value.(map[string]any)["it"] != nil {
				return it.At("it")
			}
			return it
		}
		cursors := read(admin, "first: 100")
		n := cursors.Len("edges")
		first, last := fmt.Sprintf("%q", cursors.Text("edges", 0, "cursor")), fmt.Sprintf("%q", cursors.Text("edges", n-1, "cursor"))
		for args, want := range map[string][2]bool{ // previous, next
			"first: 100": {false, false}, "last: 100": {false, false}, "first: 1": {false, true}, "last: 1": {true, false},
			"first: 100, after: " + first: {true, false}, "last: 100, after: " + first: {true, false}, "after: " + first: {true, n-1 > 20},
			"last: 1, after: " + first:    {true, false},
			"first: 100, before: " + last: {false, true}, "last: 100, before: " + last: {false, true}, "first: 1, before: " + last: {false, true},
			"first: 100, after: " + first + ", before: " + last: {true, true}, "last: 100, after: " + first + ", before: " + last: {true, true},
		} {
			for engine, client := range map[string]*graphtest.Client{"plan": admin, "reference": admin.At(c.With(referenceOnly))} {
				info := read(client, args).At("pageInfo")
				got := [2]any{info.At("hasPreviousPage").Value, info.At("hasNextPage").Value}
				if got != [2]any{want[0], want[1]} {
					t.Errorf("%s by %s with %s: %v, want %v", list, engine, args, got, want)
				}
			}
		}
	}
}

func TestConnection_RefusesPagesAndCursorsThatAreNone(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	cursor := c.Rahul.Must(`{ patients { edges { cursor } } }`, nil).Text("patients", "edges", 0, "cursor")
	for field, path := range map[string]string{
		`patients(%s) { totalCount nodes { id } }`:                                  "patients",
		`doctors(%s) { nodes { id } }`:                                              "doctors",
		`mappings(%s) { nodes { id } }`:                                             "mappings",
		`it: patient(id: "` + c.Patient + `") { mappings(%s) { nodes { id } } }`:    "it.mappings",
		`it: patient(id: "` + c.Patient + `") { doctors(%s) { nodes { id } } }`:     "it.doctors",
		`it: doctor(id: "` + c.PriyasEntry + `") { patients(%s) { nodes { id } } }`: "it.patients",
		`it: doctor(id: "` + c.PriyasEntry + `") { mappings(%s) { nodes { id } } }`: "it.mappings",
	} {
		for args, code := range map[string]string{
			"first: -1": "BAD_USER_INPUT", "first: 101": "BAD_USER_INPUT", "last: 101": "BAD_USER_INPUT", "last: -1": "BAD_USER_INPUT",
			"first: 1, last: 1": "BAD_USER_INPUT", `after: "x"`: "INVALID_CURSOR", `before: ""`: "INVALID_CURSOR",
			`after: "W10"`: "INVALID_CURSOR",
		} {
			answer := c.Rahul.Do(fmt.Sprintf("{ "+field+" }", args), nil)
			equalJSON(t, field+" with "+args, answer.Codes(), []string{path + " " + code})
		}
	}
	for _, other := range []string{
		`patients(orderBy: {field: CREATED_AT}, after: %q) { nodes { id } }`, `patients(orderBy: {field: NAME}, after: %q) { nodes { id } }`,
		`doctors(after: %q) { nodes { id } }`, `mappings(before: %q) { nodes { id } }`,
	} {
		answer := c.Rahul.Do(fmt.Sprintf("{ it: "+other+" }", cursor), nil)
		equalJSON(t, "a cursor of another list", answer.Codes(), []string{"it INVALID_CURSOR"})
	}
}

func TestGraph_IsWalkedFromPatientToDoctorToPatient(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	second := c.Asha.Patient("Bina Das")
	c.Asha.Assign(second, c.PriyasEntry, "Second opinion")
	const walk = `query ($id: ID!) { patient(id: $id) { name doctors(first: 1) { totalCount edges { mapping { notes isActive } node { name
		patients { totalCount edges { mapping { notes } node { name createdBy { username } } } } } } } } }`
	care := func(notes, name, owner string) map[string]any {
		return map[string]any{
			"mapping": map[string]any{"notes": notes},
			"node":    map[string]any{"name": name, "createdBy": map[string]any{"username": owner}},
		}
	}
	walked := func(patients ...any) map[string]any {
		return map[string]any{"patient": map[string]any{"name": "Arjun Sharma", "doctors": map[string]any{
			"totalCount": 2, "edges": []any{map[string]any{
				"mapping": map[string]any{"notes": graphtest.Notes, "isActive": true},
				"node": map[string]any{"name": "Dr. Priya Patel", "patients": map[string]any{
					"totalCount": len(patients), "edges": patients,
				}},
			}},
		}}}
	}
	equalJSON(t, "the doctor sees both patients", c.Priya.Do(walk, map[string]any{"id": c.Patient}).Data,
		walked(care("Second opinion", "Bina Das", "Asha"), care(graphtest.Notes, "Arjun Sharma", "Rahul")))
	equalJSON(t, "the owner sees the own one alone", c.Rahul.Do(walk, map[string]any{"id": c.Patient}).Data,
		walked(care(graphtest.Notes, "Arjun Sharma", "Rahul")))
}

func TestDeletedFilter_GivesDeletedRecordsToWhoMayRestoreThem(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	gone := c.Rahul.Patient("Gone Person")
	c.Rahul.Assign(gone, c.PriyasEntry, "")
	c.Rahul.Delete(gone)
	c.Rahul.Must(`mutation ($id: ID!) { deleteDoctor(id: $id) { userErrors { code } } }`, map[string]any{"id": c.RahulsEntry})
	for _, who := range []struct {
		name     string
		client   *graphtest.Client
		patients map[string]int
		doctors  map[string]int
	}{
		{"the owner", c.Rahul, map[string]int{"EXCLUDE": 1, "INCLUDE": 2, "ONLY": 1}, map[string]int{"EXCLUDE": 3, "INCLUDE": 4, "ONLY": 1}},
		{"the doctor", c.Priya, map[string]int{"EXCLUDE": 1, "INCLUDE": 1, "ONLY": 0}, map[string]int{"EXCLUDE": 3, "INCLUDE": 3, "ONLY": 0}},
		{"the administrator", c.Admin, map[string]int{"EXCLUDE": 1, "INCLUDE": 1, "ONLY": 0}, map[string]int{"EXCLUDE": 3, "INCLUDE": 4, "ONLY": 1}},
		{"a stranger", c.Asha, map[string]int{"EXCLUDE": 0, "INCLUDE": 0, "ONLY": 0}, map[string]int{"EXCLUDE": 3, "INCLUDE": 3, "ONLY": 0}},
	} {
		for _, filter := range []string{"EXCLUDE", "INCLUDE", "ONLY"} {
			out := who.client.Must(fmt.Sprintf(`{ patients(filter: {deleted: %s}) { totalCount nodes { deletedAt } }
				doctors(filter: {deleted: %s}) { totalCount nodes { id } } }`, filter, filter), nil)
			equalJSON(t, who.name+" "+filter, out.At("patients", "totalCount").Value, who.patients[filter])
			equalJSON(t, who.name+" "+filter, out.Len("patients", "nodes"), who.patients[filter])
			equalJSON(t, who.name+" "+filter, out.At("doctors", "totalCount").Value, who.doctors[filter])
			equalJSON(t, who.name+" "+filter, out.Len("doctors", "nodes"), who.doctors[filter])
		}
	}
}
