package store_test

import (
	"context"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/store/storetest"
)

// TestRead_OneSnapshot: during concurrent writes, all loads of a request see the same
// snapshot.
func TestRead_OneSnapshot(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := ownerWithMapping(c)
	n := newNameNodes(t, c.Store)
	writing, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; writing.Err() == nil; i++ {
			_, err := c.DB.ExecContext(writing, `WITH named AS (UPDATE patients SET name = 'No. ' || ?)
				UPDATE mappings SET notes = 'No. ' || ?`, i, i)
			if err != nil && writing.Err() == nil {
				t.Error(err)
				return
			}
		}
	}()
	defer func() { stop(); <-done }()
	moments := map[string]bool{}
	for load := 0; !t.Failed() && (load < 500 || len(moments) < 10); load++ {
		loads := n.loads(t, asha.Viewer)
		if err := fetch(t.Context(), c.Store, asha.Viewer, loads); err != nil {
			t.Fatal(err)
		}
		name, _ := loads[0].Rows.Value(0, n.name)
		notes, _ := loads[1].Rows.Value(0, n.notes)
		moments[string(name)] = true
		if string(name) != string(notes) && strings.HasPrefix(string(name), "No.") {
			t.Fatalf("the patient is %s while its mapping is %s", name, notes)
		}
	}
}
