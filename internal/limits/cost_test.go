package limits

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"

	"github.com/caregraph/caregraph/model"
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
	{"a count below a record", "{patients(first:10){nodes{mappings(first:3){totalCount}}}}", nil, 1 + 10*(1+1+10+3*1)},
	{"a search below a record", `{patients(first:10){nodes{doctors(first:3,search:"a"){nodes{id}}}}}`, nil, 1 + 10*(1+1+10+3*2)},
	{"an order and a count below a record", `{doctors(first:10){nodes{patients(first:3,orderBy:{field:NAME}){totalCount}}}}`, nil, 1 + 10*(1+1+10+10+3*1)},
	{"null orders nothing", `{doctors(first:10){nodes{patients(first:3,orderBy:null,search:null){nodes{id}}}}}`, nil, 1 + 10*(1+1+3*2)},
	{"a long text", "{patients(first:10){nodes{name medicalHistory}}}", nil, 1 + 10*(1+1+6)},
	{"mutations", `mutation{deletePatient(id:"1"){patient{id}userErrors{code}}}`, nil, 5},
	{"the query of a payload", `mutation{deletePatient(id:"1"){query{patients(first:5){nodes{id}}}}}`, nil, 1 + 1 + 1 + 5*2},
	{"one in a fragment", `mutation{...m} fragment m on Mutation{deletePatient(id:"1"){...p ...on PatientPayload{...p}}} fragment p on MutationPayload{query{me{id}}}`, nil, 1 + 2*3},
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
			if got := costOfAccepted(op); got != c.want {
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
	if errs != nil || costOfAccepted(op) != 2 {
		t.Errorf("cost %d, errors %v", costOfAccepted(op), errs)
	}
}

func TestCost_StopsGrowing(t *testing.T) {
	t.Parallel()
	limits := Default()
	limits.Depth = 100
	_, errs := submit(t, newExecutor(t, limits),
		"{patients(first:100){nodes{mappings(first:100){nodes{doctor{patients(first:100){nodes{mappings(first:100){nodes{doctor{patients(first:100){nodes{mappings(first:100){nodes{id}}}}}}}}}}}}}}}", nil)
	want := "The operation costs more than 2147483647, and --max-cost allows 50000. Ask for fewer fields, smaller pages, or fewer searches and counts."
	if len(errs) != 1 || errs[0].Message != want {
		t.Errorf("got %v", errs)
	}
}

// prices shows what lists of Query cost for an account with 20,000 patients, and for one
// with a million: both may ask for a page with its search and its count, and neither for
// dozens of them.
var prices = []struct {
	name, query  string
	large, giant int // 0: too much
}{
	{"a page", "{patients{nodes{id}}}", 41 + 200, 41 + 1_000},
	{"a searched page", `{patients(search:"a"){nodes{id}}}`, 41 + 2_000, 41 + 10_000},
	{"a filtered page", "{patients(filter:{gender:MALE}){nodes{id}}}", 41 + 2_000, 41 + 10_000},
	{"a sorted page", "{patients(orderBy:{field:NAME}){nodes{id}}}", 41 + 2_000, 41 + 10_000},
	{"null is no search", "{patients(search:null){nodes{id}}}", 41 + 200, 41 + 1_000},
	{"a count", "{patients(first:0){totalCount}}", 2 + 200 + 2_000, 2 + 1_000 + 10_000},
	{"a count in a fragment", "{patients(first:0){...on PatientConnection{...c}}} fragment c on PatientConnection{totalCount}", 2 + 200 + 2_000, 2 + 1_000 + 10_000},
	{"no count", "{patients(first:0){totalCount@skip(if:true) __typename}}", 2 + 200, 2 + 1_000},
	{"a searched count", `{patients(first:0,search:"a"){totalCount}}`, 2 + 2_000, 2 + 10_000},
	{"a searched page with its count", `{patients(search:"a"){totalCount nodes{id}}}`, 61 + 4_000, 61 + 20_000},
	{"a search for nothing", `{patients(search:"a"){__typename}}`, 21 + 2_000, 21 + 10_000},
	{"a list of values", "{specializations{name}}", 2 + 2_000, 2 + 10_000},
	{"a record", "{patient(id:1){id}}", 2, 2},
	{
		"a full page of patients with doctors, searched and counted", `{patients(first:100,search:"a"){totalCount nodes{id name email phone address dateOfBirth
		gender bloodGroup emergencyContact medicalHistory createdAt updatedAt version doctors(first:5){nodes{id name specialization phone}}}}}`,
		1 + 4_000 + 100*(1+1+13+10+1+5*5), 1 + 20_000 + 100*(1+1+13+10+1+5*5),
	},
	{"39 lists, searches and counts", aliased(39, `patients(search:"a"){totalCount nodes{id}}`), 0, 0},
	{"50 searched counts", aliased(50, `patients(first:0,search:"a"){totalCount}`), 0, 0},
	{"50 counts", aliased(50, "doctors(first:0){totalCount}"), 0, 0},
	{"50 searches for nothing", aliased(50, `mappings(filter:{isActive:true}){__typename}`), 0, 0},
	{"50 lists of values", aliased(50, "specializations{name}"), 0, 0},

	{"the query of a payload", "mutation{deletePatient(id:1){query{patients{nodes{id}}}}}", 43 + 200, 43 + 1_000},
	{"one in a fragment that two payloads spread", `mutation{a:deletePatient(id:1){...p} b:deletePatient(id:2){...p}} fragment p on PatientPayload{query{...q}}
		fragment q on Query{patients(search:"a"){nodes{id}}}`, 2 * (43 + 2_000), 2 * (43 + 10_000)},
	{"two in one payload", `mutation{deletePatient(id:1){a:query{...q} b:query{...q}}} fragment q on Query{patients(search:"a"){nodes{id}}}`, 1 + 2*(42+2_000), 1 + 2*(42+10_000)},
	{"a fragment in 30 payloads", "mutation{" + repeat(30, func(i int) string { return fmt.Sprintf("a%d:deletePatient(id:1){...p}", i) }) +
		`} fragment p on PatientPayload{query{patients(search:"a",first:0){totalCount}}}`, 0, 0},
	{"after a sign-in: it may be any account", `mutation{refreshToken(refresh:"x"){query{patients{nodes{id}}}}}`, 43 + 1_000, 43 + 1_000},
	{"after a sign-in in the same operation", `mutation{refreshToken(refresh:"x"){user{id}} deletePatient(id:1){query{patients{nodes{id}}}}}`, 3 + 43 + 1_000, 3 + 43 + 1_000},
}

func aliased(n int, field string) string {
	return "{" + repeat(n, func(i int) string { return fmt.Sprintf("a%d:%s", i, field) }) + "}"
}

func TestCost_PricesListsByTheRowsOfTheCaller(t *testing.T) {
	t.Parallel()
	for name, account := range map[string]struct {
		rows int
		want func(i int) int
	}{
		"large": {20_000, func(i int) int { return prices[i].large }},
		"giant": {1_000_000, func(i int) int { return prices[i].giant }},
	} {
		limits := Default()
		limits.Rows = func(context.Context, string) (int, error) { return account.rows, nil }
		for i, c := range prices {
			t.Run(name+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				want, exact := account.want(i), limits
				// A limit just below the price makes the price matter: it says what it is.
				exact.Cost = max(want-1, 1)
				_, errs := submit(t, newExecutor(t, exact), c.query, nil)
				if message := fmt.Sprintf("The operation costs %d, and --max-cost allows %d.", want, want-1); want > 0 &&
					(len(errs) != 1 || !strings.HasPrefix(errs[0].Message, message)) {
					t.Errorf("got %v, want %s", errs, message)
				}
				_, errs = submit(t, newExecutor(t, limits), c.query, nil)
				if refused := len(errs) == 1 && errs[0].Extensions["code"] == "LIMIT_EXCEEDED"; refused != (want == 0) || !refused && errs != nil {
					t.Errorf("with the default limit: %v", errs)
				}
			})
		}
	}
}

// The number of rows costs a statement, so it is asked for only if it decides.
func TestCost_AsksForRowsOnlyIfTheyDecide(t *testing.T) {
	t.Parallel()
	limits, asked := Default(), 0
	limits.Rows = func(context.Context, string) (int, error) { asked++; return 0, nil }
	exec := newExecutor(t, limits)
	for query, want := range map[string]int{
		`{patients(first:100,search:"a"){totalCount nodes{id name}} doctors(search:"a"){totalCount nodes{id}}}`: 0,
		"{a:patients(first:100){nodes{id}} b:mappings{nodes{id}} me{id}}":                                       0,
		aliased(5, `patients(search:"a"){nodes{id}}`):                                                           5,
	} {
		asked = 0
		if _, errs := submit(t, exec, query, nil); errs != nil || asked != want {
			t.Errorf("%s: asked %d times, want %d, %v", query, asked, want, errs)
		}
	}
}

func TestCost_FailsWithTheErrorOfRows(t *testing.T) {
	t.Parallel()
	limits := Default()
	limits.Rows = func(context.Context, string) (int, error) { return 0, model.NewError(model.CodeUnavailable, "busy") }
	_, errs := submit(t, newExecutor(t, limits), aliased(5, `patients(search:"a"){nodes{id}}`), nil)
	if len(errs) != 1 || model.CodeOf(errs[0]) != model.CodeUnavailable {
		t.Errorf("got %v", errs)
	}
}
