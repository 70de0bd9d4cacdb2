package plan

import (
	"reflect"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/graph/gen"
	"github.com/caregraph/caregraph/store/storetest"
)

// TestArguments_AreThoseOfTheVariables: each request follows one with other arguments.
func TestArguments_AreThoseOfTheVariables(t *testing.T) {
	t.Parallel()
	c := newCompiler(t, storetest.Policy(t))
	op := parsed(t, c, `query ($n: Int, $after: String, $f: PatientFilter) {
		patients(first: $n, after: $after, filter: $f) { totalCount } }`)
	args := planOf(t, c, op, nil).args[0]
	long := strings.Repeat("x", 1000)
	all := []map[string]any{
		{},
		{"n": nil},
		{"n": int64(5)},
		{"n": int64(5), "after": "x"},
		{"n": int64(5), "after": nil},
		{"n": int64(6), "after": "x"},
		{"after": "x"},
		{"n": int64(5), "after": long},
		{"n": int64(5), "f": map[string]any{"gender": "MALE"}},
		{"n": int64(5), "f": map[string]any{"gender": "FEMALE"}},
		{"n": int64(5), "f": nil},
	}
	for _, before := range all {
		for _, variables := range all {
			want, err := gen.Arguments(t.Context(), "Query", "patients", args.field.ArgumentMap(variables))
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range []map[string]any{before, variables, variables} {
				got, err := args.of(t.Context(), v)
				if err != nil {
					t.Fatal(err)
				}
				if reflect.DeepEqual(v, variables) && !reflect.DeepEqual(got, want) {
					t.Errorf("%v after %v: %v, want %v", variables, before, got, want)
				}
			}
		}
	}
}

// TestArguments_NullIsNotAbsent: only an absent value gets the default.
func TestArguments_NullIsNotAbsent(t *testing.T) {
	t.Parallel()
	c := newCompiler(t, storetest.Policy(t))
	op := parsed(t, c, `query ($active: Boolean) { patients { nodes { mappings(isActive: $active) { totalCount } } } }`)
	args := planOf(t, c, op, nil).args[1]
	for range 2 {
		absent, _ := args.of(t.Context(), map[string]any{})
		null, _ := args.of(t.Context(), map[string]any{"active": nil})
		if active := absent["isActive"].(*bool); active == nil || !*active {
			t.Errorf("absent: %v, want the default", absent)
		}
		if null["isActive"].(*bool) != nil {
			t.Errorf("null: %v", null)
		}
	}
}

func TestArguments_KeepsWhatComesAgain(t *testing.T) {
	t.Parallel()
	c := newCompiler(t, storetest.Policy(t))
	same := func(document string, variables map[string]any) bool {
		args := planOf(t, c, parsed(t, c, document), variables).args[0]
		one, _ := args.of(t.Context(), variables)
		two, err := args.of(t.Context(), variables)
		if err != nil {
			t.Fatal(err)
		}
		return reflect.ValueOf(one).Pointer() == reflect.ValueOf(two).Pointer()
	}
	if !same(`query ($n: Int) { patients(first: $n) { totalCount } }`, map[string]any{"n": int64(5)}) {
		t.Error("a page of the same size is read again")
	}
	if !same(`{ patients(first: 5) { totalCount } }`, nil) {
		t.Error("what is always the same is read again")
	}
	if same(`query ($after: String) { patients(after: $after) { totalCount } }`, map[string]any{"after": strings.Repeat("x", 65)}) {
		t.Error("a long text is kept")
	}
	if same(`query ($id: ID!) { node(id: $id) { id } }`, map[string]any{"id": "pat_1"}) {
		t.Error("the arguments of a lookup are kept")
	}
	if same(`mutation { updateMapping(id: 1, input: {notes: "the same"}) { userErrors { code } } }`, nil) {
		t.Error("the arguments of a mutation are kept, and its record has pointers to them")
	}
}
