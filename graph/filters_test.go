package graph_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/model"
)

// listed returns the names in a list of Query with a filter, sorted, by both engines.
func listed(t *testing.T, c *graphtest.Client, list, filter string) []string {
	t.Helper()
	var found []string
	for how, server := range bothEngines(c.Server) {
		out := c.At(server).Must(fmt.Sprintf(`{ %s(first: 100, filter: {%s}) { totalCount nodes { name } } }`, list, filter), nil).At(list)
		names := names(out)
		slices.Sort(names)
		if out.At("totalCount").Value != float64(len(names)) {
			t.Errorf("%s by %s: %v of %v", filter, how, names, out.At("totalCount").Value)
		}
		if found != nil && !slices.Equal(found, names) {
			t.Errorf("%s by %s: %v, and %v by the other engine", filter, how, names, found)
		}
		found = names
	}
	return found
}

func TestPatientFilter_ByIdsTimesCareAndLists(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	owner := c.Rahul
	confirm(c, c.Rahul)
	bina, chand := owner.Patient("Bina"), owner.Patient("Chand")
	other := c.Asha.Patient("Of Asha")
	c.Exec("UPDATE patients SET gender = 'FEMALE', blood_group = NULL, updated_at = '2020-02-01T00:00:00.000001Z' WHERE id = $1", num(bina))
	c.Exec("UPDATE patients SET gender = 'OTHER', blood_group = 'A_NEGATIVE', updated_at = '2020-01-01T00:00:00Z' WHERE id = $1", num(chand))
	join(c.Asha, owner, "Rahul", "SEE") // a team whose member is the owner of others
	arjun := graphtest.PatientName
	for filter, want := range map[string][]string{
		"":          {arjun, "Bina", "Chand", "Of Asha"},
		"ids: null": {arjun, "Bina", "Chand", "Of Asha"}, "ids: []": {}, `ids: "` + bina + `"`: {"Bina"},
		fmt.Sprintf("ids: [%q, %q, %q, %q, %d]", bina, other, "doc_1", "nonsense", num(chand)): {"Bina", "Chand", "Of Asha"},
		`updatedSince: "2020-01-15T00:00:00Z"`:                                                 {arjun, "Bina", "Of Asha"},
		`updatedSince: "2020-02-01T05:30:00.0000019+05:30"`:                                    {arjun, "Bina", "Of Asha"},
		`updatedSince: "2020-02-01T00:00:00.000002Z"`:                                          {arjun, "Of Asha"},
		"mine: true":      {arjun, "Bina", "Chand"},
		"mine: false":     {"Of Asha"},
		"hasDoctor: true": {arjun}, "hasDoctor: false": {"Bina", "Chand", "Of Asha"},
		"genders: [MALE, OTHER]": {arjun, "Chand", "Of Asha"}, "genders: []": {}, "genders: null": {arjun, "Bina", "Chand", "Of Asha"},
		"genders: FEMALE, gender: MALE":            {},
		"bloodGroups: [A_NEGATIVE, O_NEGATIVE]":    {"Chand"},
		"bloodGroups: [A_NEGATIVE], genders: MALE": {},
	} {
		slices.Sort(want)
		equalJSON(t, filter, listed(t, owner, "patients", filter), want)
	}
	equalJSON(t, "owned by no administrator", listed(t, c.Admin, "patients", "mine: true"), []string{})
	equalJSON(t, "whose patient", listed(t, c.Priya, "patients", "mine: false, hasDoctor: true"), []string{arjun})
}

// TestFilter_OnAHiddenValueFindsNothing: bloodGroups as bloodGroup. A member of the team of
// the level SEE owns a patient, too, and finds that one.
func TestFilter_OnAHiddenValueFindsNothing(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	confirm(c, c.Asha)
	join(c.Rahul, c.Asha, "Asha", "SEE")
	c.Asha.Patient("Of Asha")
	all := "A_POSITIVE, A_NEGATIVE, B_POSITIVE, B_NEGATIVE, AB_POSITIVE, AB_NEGATIVE, O_POSITIVE, O_NEGATIVE"
	for _, filter := range []string{"bloodGroups: [" + all + "]", "bloodGroup: B_POSITIVE"} {
		equalJSON(t, filter, listed(t, c.Asha, "patients", filter), []string{"Of Asha"})
		equalJSON(t, filter, listed(t, c.Admin, "patients", filter), []string{})
	}
	equalJSON(t, "what both can read", listed(t, c.Asha, "patients", "genders: [MALE], hasDoctor: true"), []string{graphtest.PatientName})
}

func TestDoctorFilter_ByIdsTimesAndRanges(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	ids := map[string]string{"Dr. Old Friend": c.RahulsEntry, "Dr. Priya Patel": c.PriyasEntry, "Dr. Dev Rao": c.DevsEntry, "Dr. Neha Iyer": c.NehasEntry}
	for i, name := range []string{"Dr. Old Friend", "Dr. Priya Patel", "Dr. Dev Rao", "Dr. Neha Iyer"} {
		c.Exec("UPDATE doctors SET experience_years = $2, consultation_fee = $3, updated_at = $4::text::timestamptz WHERE id = $1",
			num(ids[name]), i*10, i*100, fmt.Sprintf("2020-01-0%dT00:00:00Z", i+1))
	}
	c.Exec(`UPDATE doctors SET specialization = 'Ear, "Nose" \ {Throat}', specialization_fold = NULL WHERE id = $1`, num(c.DevsEntry))
	for filter, want := range map[string][]string{
		"ids: []": {}, fmt.Sprintf("ids: [%q, %q]", c.NehasEntry, c.Patient): {"Dr. Neha Iyer"},
		`updatedSince: "2020-01-03T00:00:00Z"`:                 {"Dr. Dev Rao", "Dr. Neha Iyer"},
		"minExperienceYears: 10, maxExperienceYears: 20":       {"Dr. Dev Rao", "Dr. Priya Patel"},
		`minConsultationFee: 100, maxConsultationFee: "200.0"`: {"Dr. Dev Rao", "Dr. Priya Patel"},
		`specializations: ["ear, \"nose\" \\ {throat}", "x"]`:  {"Dr. Dev Rao"},
		`specializations: []`:                                  {},
	} {
		equalJSON(t, filter, listed(t, c.Rahul, "doctors", filter), want)
	}
	order := c.Rahul.Must(`{ doctors(orderBy: {field: UPDATED_AT, direction: DESC}) { nodes { name } } }`, nil).At("doctors")
	equalJSON(t, "by the latest change", names(order), []string{"Dr. Neha Iyer", "Dr. Dev Rao", "Dr. Priya Patel", "Dr. Old Friend"})
}

// TestNotAssignedTo_RevealsNoPatient: for who cannot see the patient it is as an unknown
// one, and matches nothing.
func TestNotAssignedTo_RevealsNoPatient(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	others := []string{"Dr. Dev Rao", "Dr. Old Friend"} // Dev's mapping has ended
	for _, client := range []*graphtest.Client{c.Rahul, c.Priya, c.Admin} {
		equalJSON(t, "the circle", listed(t, client, "doctors", fmt.Sprintf("notAssignedTo: %q", c.Patient)), others)
	}
	for _, client := range []*graphtest.Client{c.Asha, c.Dev, c.Neha} {
		for _, id := range []string{c.Patient, "pat_99999", "doc_1", "nonsense"} {
			equalJSON(t, id, listed(t, client, "doctors", fmt.Sprintf("notAssignedTo: %q", id)), []string{})
		}
	}
	c.Rahul.Delete(c.Patient)
	equalJSON(t, "a deleted one", listed(t, c.Rahul, "doctors", fmt.Sprintf("notAssignedTo: %q", c.Patient)), []string{})
}

func TestFilter_RefusesMalformedValues(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	many := func(value string) string { return "[" + strings.Repeat(value+",", 101) + "]" }
	for query, argument := range map[string]string{
		`patients(filter: {updatedSince: "yesterday"})`:               "updatedSince",
		`patients(filter: {updatedSince: "2026-01-01"})`:              "updatedSince",
		`patients(filter: {updatedSince: "0000-01-01T00:00:00Z"})`:    "updatedSince",
		`doctors(filter: {updatedSince: ""})`:                         "updatedSince",
		`patients(filter: {ids: ` + many("1") + `})`:                  "ids",
		`patients(filter: {genders: ` + many("MALE") + `})`:           "genders",
		`patients(filter: {bloodGroups: ` + many("A_POSITIVE") + `})`: "bloodGroups",
		`doctors(filter: {ids: ` + many("1") + `})`:                   "ids",
		`doctors(filter: {specializations: ` + many(`"x"`) + `})`:     "specializations",
		`doctors(filter: {specializations: ["\u0000"]})`:              "specializations",
		`doctors(filter: {minConsultationFee: "dear"})`:               "minConsultationFee",
	} {
		answer := rahul.Do("{ it: "+query+" { nodes { id } } }", nil)
		equalJSON(t, query, answer.Codes(), []string{"it BAD_USER_INPUT"})
		if len(answer.Errors) == 1 && answer.Errors[0]["extensions"].(map[string]any)["argument"] != argument {
			t.Errorf("%s: %s", query, answer.Body)
		}
	}
	equalJSON(t, "a number", rahul.Do(`{ patients(filter: {updatedSince: 5}) { nodes { id } } }`, nil).Status, 400)
}
