package coerce_test

import (
	"testing"

	"github.com/caregraph/caregraph/internal/testutil"
)

// TestVariables_LeavesTheGivenMap: a client sends one set of variables with several documents.
func TestVariables_LeavesTheGivenMap(t *testing.T) {
	t.Parallel()
	const page = `query ($n: Int = 20, $after: String) { patients(first: $n, after: $after) { nodes { name } } }`
	for _, try := range []struct {
		name, document string
		given, want    map[string]any
	}{
		{"as given", page, map[string]any{"n": nil, "after": "a"}, map[string]any{"n": nil, "after": "a"}},
		{"a default", page, map[string]any{"after": "a"}, map[string]any{"n": int64(20), "after": "a"}},
		{"one of another document", page, map[string]any{"n": nil, "id": "1"}, map[string]any{"n": nil}},
		{"both", page, map[string]any{"id": "1"}, map[string]any{"n": int64(20)}},
		{"none", page, nil, map[string]any{"n": int64(20)}},
		{"none without a default", `query ($after: String) { patients(after: $after) { nodes { name } } }`, nil, map[string]any{}},
	} {
		before := len(try.given)
		values, errs := operation(t, try.document).Variables(try.given)
		if errs != nil {
			t.Fatal(try.name, errs)
		}
		testutil.Equal(t, try.name, values, try.want)
		testutil.Equal(t, try.name+": given", len(try.given), before)
	}
}
