package graph_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
)

const changesPage = `query ($after: String, $first: Int, $types: [ChangeType!]) { changes(after: $after, first: $first, types: $types) {
	cursor reset hasMore gone nodes { __typename id
		... on Patient { name address medicalHistory version viewer { relations } mappings(first: 5, isActive: null) { nodes { id notes isActive } } }
		... on Doctor { name version account { email } } } } }`

// replica is what a client keeps: the JSON of each record by its id.
type replica struct {
	client *graphtest.Client
	cursor any
	holds  map[string]string
}

func newReplica(c *graphtest.Client) *replica { return &replica{client: c, holds: map[string]string{}} }

// sync applies all changes, and returns the kinds of what was applied.
func (r *replica) sync(t *testing.T, first int) (applied []string) {
	t.Helper()
	for range 1000 {
		answer := r.client.Do(changesPage, map[string]any{"after": r.cursor, "first": first})
		set, isSet := answer.Data["changes"].(map[string]any)
		if !isSet {
			t.Fatalf("no step: %s", answer.Body)
		}
		if answer.Answered != "compiled" {
			t.Errorf("answered by %s", answer.Answered)
		}
		if set["reset"] == true {
			applied = append(applied, "reset")
			clear(r.holds)
		}
		for _, node := range set["nodes"].([]any) {
			id := node.(map[string]any)["id"].(string)
			text, err := json.Marshal(node)
			testutil.Must(t, err)
			r.holds[id] = string(text)
			applied = append(applied, id)
		}
		for _, id := range set["gone"].([]any) {
			delete(r.holds, id.(string))
			applied = append(applied, "gone "+id.(string))
		}
		if r.cursor = set["cursor"]; set["hasMore"] != true {
			return applied
		}
	}
	t.Fatal("the changes have no end")
	return nil
}

// TestChanges_GiveWhatNodeGives: for each caller a record of a step is, byte for byte, what
// node(id:) answers at that moment.
func TestChanges_GiveWhatNodeGives(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	claimant, member := c.Claimant("Arjun"), c.Member("Desk", model.LevelDesk)
	sees := map[string]bool{}
	for who, client := range map[string]*graphtest.Client{
		"owner": c.Rahul, "doctor": c.Priya, "former doctor": c.Dev, "unverified": c.Neha, "stranger": c.Asha, "administrator": c.Admin,
		"the patient": claimant, "member": member,
	} {
		held := newReplica(client)
		if applied := held.sync(t, 2); applied[0] != "reset" || slices.Contains(applied[1:], "reset") {
			t.Errorf("%s: applied %v", who, applied)
		}
		for id, text := range held.holds {
			answer := client.Do(`query ($id: ID!) { node(id: $id) { __typename id
				... on Patient { name address medicalHistory version viewer { relations } mappings(first: 5, isActive: null) { nodes { id notes isActive } } }
				... on Doctor { name version account { email } } } }`, map[string]any{"id": id})
			want, err := json.Marshal(answer.Data["node"])
			testutil.Must(t, err)
			if text != string(want) {
				t.Errorf("%s holds\n%s\nnode gives\n%s", who, text, want)
			}
		}
		sees[who] = held.holds[c.Patient] != ""
		if len(held.holds) < 4 { // the entries
			t.Errorf("%s holds only %v", who, held.holds)
		}
	}
	testutil.Equal(t, "who sees the patient", sees, map[string]bool{
		"owner": true, "doctor": true, "former doctor": false, "unverified": false, "stranger": false, "administrator": true, "the patient": true, "member": true,
	})
}

// TestChanges_OfOthersAreNotTold compares the whole answers of a stranger, except for the
// sealed cursor.
func TestChanges_OfOthersAreNotTold(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	ask := func(cursor any) map[string]any {
		return c.Asha.Must(changesPage, map[string]any{"after": cursor, "types": "PATIENT"}).At("changes").Value.(map[string]any)
	}
	before := ask(nil)
	c.Exec(fmt.Sprintf("SELECT caregraph_changed('P', %d)", model.ParseID(c.Patient).Num))
	after := ask(before["cursor"])
	for _, set := range []map[string]any{before, after} {
		if len(set["nodes"].([]any))+len(set["gone"].([]any)) > 0 || set["hasMore"] != false {
			t.Errorf("the stranger hears of %v", set)
		}
	}
	testutil.Equal(t, "length of the cursor", len(after["cursor"].(string)), len(before["cursor"].(string)))
	testutil.Equal(t, "reset", fmt.Sprint(before["reset"], after["reset"]), "true false")
}
