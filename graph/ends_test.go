package graph_test

import (
	"fmt"
	"maps"
	"testing"

	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/model"
)

// TestEnds_BothShowTheSameRelations: a caller learns from one end of a relation what it
// learns from the other, and no more.
func TestEnds_BothShowTheSameRelations(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	lara := c.Account("Lara", model.RoleDoctor)
	c.Admin.Verify(c.RahulsEntry, map[string]any{"isVerified": true, "accountId": lara.ID()})
	for _, who := range callers(c, lara, newTeam(c), true) {
		if who.client == c.Nemo {
			continue
		}
		for _, ends := range [][2]relation{
			{{"User", "doctorProfile { id }", "usr"}, {"Doctor", "account { id }", "doc"}},
			{{"Patient", "mappings(isActive: null) { nodes { id } }", "pat"}, {"Mapping", "patient { id }", "map"}},
			{{"Doctor", "mappings(isActive: null) { nodes { id } }", "doc"}, {"Mapping", "doctor { id }", "map"}},
			{{"Patient", "doctors { nodes { id } }", "pat"}, {"Doctor", "patients { nodes { id } }", "doc"}},
		} {
			there, back := ends[0].read(who.client), map[[2]string]bool{}
			for pair := range ends[1].read(who.client) {
				back[[2]string{pair[1], pair[0]}] = true
			}
			if !maps.Equal(there, back) {
				t.Errorf("%s.%s shows %s %v, and %s.%s %v", ends[0].typ, ends[0].field, who.name, there, ends[1].typ, ends[1].field, back)
			}
		}
	}
	stranger := c.Asha.Do(`query ($account: ID!, $entry: ID!) { account: node(id: $account) { ... on User { doctorProfile { id } } }
		doctor(id: $entry) { account { id } } }`, map[string]any{"account": c.Priya.ID(), "entry": c.RahulsEntry})
	equalJSON(t, "both ends to a stranger", stranger.Codes(), []string{"doctor.account FORBIDDEN_FIELD"})
	equalJSON(t, "the account to a stranger", stranger.Data["account"], nil)
}

// relation is one end: a field of the records of a type, with the prefix of their ids.
type relation struct{ typ, field, prefix string }

// read returns the pairs of ids that the field shows. Records that the caller does not
// see, and hidden fields, show none.
func (r relation) read(client *graphtest.Client) map[[2]string]bool {
	pairs := map[[2]string]bool{}
	const more = 30 // than there are records of a type
	for n := range more {
		id := fmt.Sprintf("%s_%d", r.prefix, n+1)
		answer := client.Do(fmt.Sprintf(`query ($id: ID!) { node(id: $id) { ... on %s { it: %s } } }`, r.typ, r.field), map[string]any{"id": id})
		node, _ := answer.Data["node"].(map[string]any)
		it, _ := node["it"].(map[string]any)
		related, isList := it["nodes"].([]any)
		if !isList && it != nil {
			related = []any{it}
		}
		for _, one := range related {
			pairs[[2]string{id, one.(map[string]any)["id"].(string)}] = true
		}
	}
	return pairs
}

// TestDeletedEntry_TellsWhenToEveryoneWhoSeesIt: updatedAt shows the time anyway.
func TestDeletedEntry_TellsWhenToEveryoneWhoSeesIt(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	c.Admin.Must(`mutation ($id: ID!) { deleteDoctor(id: $id) { userErrors { code } } }`, map[string]any{"id": c.PriyasEntry})
	seen := c.Rahul.Must(`query ($id: ID!) { node(id: $id) { ... on Mapping { doctor { deletedAt } } } }`, map[string]any{"id": c.PriyasMapping})
	if seen.At("node", "doctor", "deletedAt").Value == nil {
		t.Error("the owner of the patient does not see when the entry was deleted")
	}
	gone := c.Rahul.Must(`query ($id: ID!) { doctor(id: $id) { deletedAt } }`, map[string]any{"id": c.PriyasEntry})
	equalJSON(t, "outside of mappings", gone.At("doctor").Value, nil)
}

// TestVerifyDoctor_AsksForTheVersionThatWasChecked: a client cannot forget it.
func TestVerifyDoctor_AsksForTheVersionThatWasChecked(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	without := c.Admin.Do(`mutation ($id: ID!) { verifyDoctor(id: $id, input: {isVerified: true}) { userErrors { code } } }`, map[string]any{"id": c.NehasEntry})
	equalJSON(t, "without a version", without.Codes(), []string{"GRAPHQL_VALIDATION_FAILED"})
	c.Neha.Must(`mutation ($id: ID!) { updateDoctor(id: $id, input: {name: "Dr. Swapped"}) { userErrors { code } } }`, map[string]any{"id": c.NehasEntry})
	swapped := c.Admin.Do(`mutation ($id: ID!) { verifyDoctor(id: $id, input: {isVerified: true}, expectedVersion: 1) {
		doctor { name isVerified } userErrors { code } } }`, map[string]any{"id": c.NehasEntry})
	equalJSON(t, "a version that is gone", swapped.Body,
		`{"data":{"verifyDoctor":{"doctor":{"name":"Dr. Swapped","isVerified":false},"userErrors":[{"code":"VERSION_CONFLICT"}]}}}`)
}
