package graph_test

import (
	"fmt"
	"testing"

	"github.com/caregraph/caregraph/graph"
	"github.com/caregraph/caregraph/graph/graphtest"
)

// TestCompiled_LeavesWhatIsTooLarge to the executor: with fragments a short document within
// the limits selects hundreds of lists, or hundreds of joined records, which PostgreSQL
// would plan for minutes.
func TestCompiled_LeavesWhatIsTooLarge(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	interpreted := c.With(func(config *graph.Config) { config.ReferenceOnly = true })
	for _, large := range []struct{ query, how string }{
		{listsOfLists(2), graph.Compiled},
		{listsOfLists(8), "size"},
		{recordsOfRecords(3), graph.Compiled},
		{recordsOfRecords(7), "size"},
		{manyRoots(8), graph.Compiled},
		{manyRoots(48), "size"},
	} {
		for range 2 {
			got, want := c.Admin.Do(large.query, nil), c.Admin.At(interpreted).Do(large.query, nil)
			equalJSON(t, large.query, got.Answered, large.how)
			if difference := difference(t, got, want); difference != "" || len(got.Errors) > 0 {
				t.Errorf("%s: %s", large.query, difference)
			}
		}
	}
}

// listsOfLists selects so many lists in each record of so many lists.
func listsOfLists(n int) string {
	one := func(below string) string {
		lists := ""
		for i := range n {
			lists += fmt.Sprintf("l%d: mappings(first: 1) { %s } ", i, below)
		}
		return lists
	}
	return "{ patients(first: 1) { nodes { ...a } } } fragment a on Patient { " + one("nodes { patient { ...b } }") +
		"} fragment b on Patient { " + one("totalCount") + "}"
}

// recordsOfRecords selects both records that a doctor entry names, and the records that
// they name, so many times.
func recordsOfRecords(depth int) string {
	query := "{ doctors { nodes { ...f1 } } } "
	for i := 1; i < depth; i++ {
		query += fmt.Sprintf("fragment f%d on Doctor { account { doctorProfile { ...f%d } } createdBy { doctorProfile { ...f%d } } } ", i, i+1, i+1)
	}
	return query + fmt.Sprintf("fragment f%d on Doctor { id }", depth)
}

func manyRoots(n int) string {
	roots := ""
	for i := range n {
		roots += fmt.Sprintf("r%d: patients(first: %d) { totalCount } ", i, i)
	}
	return "{ " + roots + "}"
}
