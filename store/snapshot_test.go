package store_test

import (
	"context"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/store/storetest"
)

// TestRead_OneSnapshot: however fast somebody writes, all levels of a read show
// the same moment.
func TestRead_OneSnapshot(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := treated(c)
	n := newNames(t, c.Store)
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
	for read := 0; !t.Failed() && (read < 500 || len(moments) < 10); read++ {
		reads := n.reads(t, asha.Viewer)
		if err := fetch(t.Context(), c.Store, asha.Viewer, reads); err != nil {
			t.Fatal(err)
		}
		name, _ := reads[0].Rows.Value(0, n.name)
		notes, _ := reads[1].Rows.Value(0, n.notes)
		moments[string(name)] = true
		if string(name) != string(notes) && strings.HasPrefix(string(name), "No.") {
			t.Fatalf("the patient is %s while its mapping is %s", name, notes)
		}
	}
}
