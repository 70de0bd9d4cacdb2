package limits

import (
	"encoding/json"
	"testing"

	"github.com/99designs/gqlgen/graphql"
)

// costs shows the rule of Limits.Cost by example.
var costs = []struct {
	name, query string
	variables   map[string]any
	want        int
}{
	{"each field is 1", "{me{id username}}", nil, 3},
	{"a page without size is 20", "{patients{nodes{id}}}", nil, 1 + 20*2},
	{"null is no size", "{patients(first:null){nodes{id}}}", nil, 1 + 20*2},
	{"first", "{patients(first:5){nodes{id}}}", nil, 1 + 5*2},
	{"last", "{patients(last:5){nodes{id}}}", nil, 1 + 5*2},
	{"the larger of two", "{patients(first:5,last:7){nodes{id}}}", nil, 1 + 7*2},
	{"size by variable", "query($n:Int){patients(first:$n){nodes{id}}}", map[string]any{"n": json.Number("5")}, 1 + 5*2},
	{"size by a variable's default", "query($n:Int=5){patients(first:$n){nodes{id}}}", nil, 1 + 5*2},
	{"size by a variable not given", "query($n:Int){patients(first:$n){nodes{id}}}", nil, 1 + 20*2},
	{"a size too large counts as 100", "{patients(first:1000000){nodes{id}}}", nil, 1 + 100*2},
	{"a size beyond 32 bits counts as 100", "query($n:Int){patients(first:$n){nodes{id}}}", map[string]any{"n": json.Number("5000000000")}, 1 + 100*2},
	{"a negative size counts as 1", "{patients(first:-5){nodes{id}}}", nil, 1 + 1*2},
	{"pages multiply", "{patients(first:10){nodes{mappings(first:3){nodes{id}}}}}", nil, 1 + 10*(1+1+3*2)},
	{"ids", `{nodes(ids:["pat_1","pat_2","pat_3"]){id}}`, nil, 1 + 3},
	{"ids by variable", "query($i:[ID!]!){nodes(ids:$i){id}}", map[string]any{"i": []any{"a", "b"}}, 1 + 2},
	{"one id without brackets", "query($i:[ID!]!){nodes(ids:$i){id}}", map[string]any{"i": "a"}, 1 + 1},
	{"no ids", "{nodes(ids:[]){id}}", nil, 1 + 1},
	{"an id is no list", "{node(id:1){id}}", nil, 2},
	{"skipped fields are free", "query($no:Boolean!){me{id @include(if:$no) role @skip(if:true) username}}", map[string]any{"no": false}, 2},
	{"included fields are not", "query($yes:Boolean!){me{id @include(if:$yes) role @skip(if:false)}}", map[string]any{"yes": true}, 3},
	{"skipped fragments are free", "{me{id ...@skip(if:true){role} ...a @include(if:false)}} fragment a on User{role}", nil, 2},
	{"inline fragments", "{node(id:1){...on Patient{name} ...on Doctor{name}}}", nil, 3},
	{"a fragment counts where it is spread", "{a:me{...u} b:me{...u}} fragment u on User{id role}", nil, 6},
	{"a fragment in a page", "{patients(first:3){nodes{...p}}} fragment p on Patient{id name}", nil, 1 + 3*3},
	{"mutations", `mutation{deletePatient(id:"1"){patient{id}userErrors{code}}}`, nil, 5},
}

func TestCost_FollowsTheRule(t *testing.T) {
	t.Parallel()
	exec := newExecutor(t, Default())
	for _, c := range costs {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			op, errs := submit(t, exec, c.query, c.variables)
			if errs != nil {
				t.Fatal(errs)
			}
			if got := Cost(op); got != c.want {
				t.Errorf("cost %d, want %d", got, c.want)
			}
		})
	}
}

func TestCost_CountsOnlyTheOperationThatRuns(t *testing.T) {
	t.Parallel()
	ctx := graphql.StartOperationTrace(t.Context())
	op, errs := newExecutor(t, Default()).CreateOperationContext(ctx, &graphql.RawParams{
		Query:         "query small{me{id}} query large{patients(first:100){nodes{id}}}",
		OperationName: "small",
	})
	if errs != nil || Cost(op) != 2 {
		t.Errorf("cost %d, errors %v", Cost(op), errs)
	}
}

func TestCost_IsZeroWithoutTheExtension(t *testing.T) {
	t.Parallel()
	if got := Cost(&graphql.OperationContext{}); got != 0 {
		t.Errorf("cost %d", got)
	}
}

func TestCost_StopsGrowing(t *testing.T) {
	t.Parallel()
	limits := Default()
	limits.Depth = 100
	_, errs := submit(t, newExecutor(t, limits),
		"{patients(first:100){nodes{mappings(first:100){nodes{doctor{patients(first:100){nodes{mappings(first:100){nodes{doctor{patients(first:100){nodes{mappings(first:100){nodes{id}}}}}}}}}}}}}}}", nil)
	want := "The operation costs more than 2147483647, and at most 50000 is allowed. Ask for fewer fields or smaller pages."
	if len(errs) != 1 || errs[0].Message != want {
		t.Errorf("got %v", errs)
	}
}
