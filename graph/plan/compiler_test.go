package plan

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"weak"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/caregraph/caregraph/graph/gen"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/storetest"
)

func newCompiler(t *testing.T, policy *model.Policy) *Compiler {
	t.Helper()
	records := storetest.New(t, func(o *store.Options) { o.Policy = policy }).Store.Records()
	c, err := New(Config{
		Schema: gen.NewExecutableSchema(gen.Config{}).Schema(), Policy: policy, Records: records,
		Access: func(string, model.Relations) *gen.ViewerAccess { return &gen.ViewerAccess{} },
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// parsed returns a parsed and validated operation.
func parsed(t *testing.T, c *Compiler, document string) *graphql.OperationContext {
	t.Helper()
	doc, err := gqlparser.LoadQueryWithRules(c.Schema, document, rules.NewDefaultRules())
	if err != nil {
		t.Fatal(err)
	}
	return &graphql.OperationContext{Doc: doc, Operation: doc.Operations[0]}
}

func planOf(t *testing.T, c *Compiler, op *graphql.OperationContext, variables map[string]any) *Plan {
	t.Helper()
	made, reason := c.Plan(&graphql.OperationContext{Doc: op.Doc, Operation: op.Operation, Variables: variables})
	if made == nil {
		t.Fatalf("no plan: %s", reason)
	}
	return made
}

// TestNew_RefusesWhatNoDescriptorExplains by its name.
func TestNew_RefusesWhatNoDescriptorExplains(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*Config){
		"Visit is a Node": func(c *Config) { withVisits(c, "Node") },
		"no descriptor has the root visits": func(c *Config) {
			c.Schema.Query.Fields.ForName("patients").Name = "visits"
		},
		"PatientOrderField.AGE is no order of Patient": func(c *Config) {
			c.Schema.Types["PatientOrderField"].EnumValues.ForName("NAME").Name = "AGE"
		},
	} {
		config := newCompiler(t, storetest.Policy(t)).Config
		source := config.Schema.Query.Position.Src
		config.Schema = gqlparser.MustLoadSchema(&ast.Source{Name: source.Name, Input: source.Input})
		if _, err := New(config); err != nil {
			t.Fatal(err)
		}
		change(&config)
		if _, err := New(config); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want %s", err, want)
		}
	}
}

// withVisits adds a type with rules and without a descriptor.
func withVisits(c *Config, interfaces ...string) {
	c.Schema.Types["Visit"] = &ast.Definition{Kind: ast.Object, Name: "Visit", Interfaces: interfaces}
	c.Policy = &model.Policy{Types: map[string]model.TypePolicy{"Visit": {}}}
}

// TestNew_TakesRowsOfOwnLists, which have rules, are no Node and have no descriptor.
func TestNew_TakesRowsOfOwnLists(t *testing.T) {
	t.Parallel()
	config := newCompiler(t, storetest.Policy(t)).Config
	source := config.Schema.Query.Position.Src
	config.Schema = gqlparser.MustLoadSchema(&ast.Source{Name: source.Name, Input: source.Input})
	withVisits(&config)
	if _, err := New(config); err != nil {
		t.Error(err)
	}
}

// TestPlan_IsMadeOnceForEachShape: only variables that change the fields or their format
// lead to another plan.
func TestPlan_IsMadeOnceForEachShape(t *testing.T) {
	t.Parallel()
	c := newCompiler(t, storetest.Policy(t))
	op := parsed(t, c, `query ($yes: Boolean = true, $no: Boolean = false, $f: PhoneFormat, $n: Int) { patients(first: $n) { nodes {
		id @include(if: $yes) ...more @skip(if: $no) phone(format: $f) } } } fragment more on Patient { name @include(if: $no) }`)
	shapes := []map[string]any{
		{"yes": true, "no": false},
		{"yes": false, "no": true},
		{"yes": true, "no": true},
		{"yes": false, "no": false},
		{"yes": true, "no": false, "f": "E164"},
		{"yes": true, "no": false, "f": "NATIONAL"},
	}
	known := map[*Plan]bool{}
	for _, variables := range shapes {
		made := planOf(t, c, op, variables)
		if known[made] {
			t.Errorf("%v has the plan of another shape", variables)
		}
		known[made] = true
		for _, n := range []any{nil, 1, int64(2), "3"} {
			variables["n"] = n
			if planOf(t, c, op, variables) != made {
				t.Errorf("%v has another plan", variables)
			}
		}
	}
	again := parsed(t, c, `query ($n: Int) { patients(first: $n) { nodes { id } } }`)
	if first := planOf(t, c, again, nil); known[first] {
		t.Error("another document has the plan of this one")
	}
}

// TestPlan_RemembersSoMany: the cache has a limit, with and without plans.
func TestPlan_RemembersSoMany(t *testing.T) {
	t.Parallel()
	c := newCompiler(t, storetest.Policy(t))
	op := parsed(t, c, `{ me { id } }`)
	first := planOf(t, c, op, nil)
	for i := range capacity + 50 {
		other := parsed(t, c, fmt.Sprintf(`{ a%d: me { id } __typename }`, i))
		if i%2 == 0 {
			other = parsed(t, c, fmt.Sprintf(`{ a%d: __type(name: "User") { name } }`, i))
		}
		c.Plan(other)
	}
	if plans, shapes := c.plans.Len(), c.shaping.Len(); plans != capacity || shapes != capacity {
		t.Errorf("%d plans and %d shapes are kept", plans, shapes)
	}
	// The document is still in use; its plan is compiled again.
	if second := planOf(t, c, op, nil); second == first {
		t.Error("the plan was kept")
	}
}

// TestPlan_GuardsWhatNotEverybodySees: a field is guarded unless everyone with the record
// may read it. No one may read a field that the policy lacks.
func TestPlan_GuardsWhatNotEverybodySees(t *testing.T) {
	t.Parallel()
	policy := storetest.Policy(t)
	delete(policy.Types["Patient"].Fields, "address")
	c := newCompiler(t, policy)
	op := parsed(t, c, `{ patients { nodes { id name address bloodGroup viewer { relations } } } }`)
	list, ok := planOf(t, c, op, nil).roots.fields[0].value.(*connection)
	if !ok {
		t.Fatal("patients is no list")
	}
	records, ok := list.fields[0].value.(nodes)
	if !ok {
		t.Fatal("nodes are no records")
	}
	for _, f := range records.object.fields {
		for r := range 2 * model.Related {
			exists := policy.Types["Patient"].Exists.Any(r)
			hidden := f.guarded && !f.rule.CanRead(r)
			if exists && hidden == policy.Field("Patient", f.key).CanRead(r) {
				t.Errorf("%s is hidden from %v: %t", f.key, r.Names(), hidden)
			}
			if f.guarded && records.object.relations < 0 {
				t.Errorf("%s is guarded by relations that nobody asks for", f.key)
			}
		}
	}
}

// TestPlan_SaysWhyThereIsNone with few words, because they are labels of a metric.
func TestPlan_SaysWhyThereIsNone(t *testing.T) {
	t.Parallel()
	c := newCompiler(t, storetest.Policy(t))
	for document, want := range map[string]string{
		`{ __schema { types { name } } }`:                                                         ReasonIntrospection,
		`{ me { id } t: __typename __type(name: "Patient' OR TRUE") { name } }`:                   ReasonIntrospection,
		`query ($f: PhoneFormat! = E164) { node(id: 1) { ... on Doctor { phone(format: $f) } } }`: "",
	} {
		for range 2 {
			if made, reason := c.Plan(parsed(t, c, document)); reason != want || (made == nil) != (want != "") {
				t.Errorf("%s: %q", document, reason)
			}
		}
	}
}

// TestShapingVariables_NamesVariablesOfAllFragments once, also if a fragment is spread twice.
func TestShapingVariables_NamesVariablesOfAllFragments(t *testing.T) {
	t.Parallel()
	c := newCompiler(t, storetest.Policy(t))
	op := parsed(t, c, `query ($a: Boolean!, $b: Boolean!, $c: Boolean!, $d: Int, $e: PhoneFormat) { me @skip(if: $a) { ...f ...f
		... @include(if: $b) { id } phone(format: $e) } patients(first: $d) { totalCount } } fragment f on User { role @skip(if: $c) }`)
	if got := shapingVariables(op.Operation); fmt.Sprint(got) != "[a b c e]" {
		t.Errorf("%v shape the plan", got)
	}
	if shapingVariables(&ast.OperationDefinition{}) != nil {
		t.Error("nothing shapes the plan of nothing")
	}
}

// TestPlan_KeepsNothingOfTheRequest that caused it: its variables contain search terms and
// may be large.
func TestPlan_KeepsNothingOfTheRequest(t *testing.T) {
	t.Parallel()
	c := newCompiler(t, storetest.Policy(t))
	const everything = `query ($s: String, $n: Int) { me { id doctorProfile { viewer { canUpdate } } } specializations { name }
		node(id: 1) { id ... on Patient { age phone viewer { relations } doctors(first: $n) { totalCount nodes { name } } } }
		patients(search: $s, first: $n) { totalCount nodes { name viewer { canUpdate } createdBy { role }
		mappings(first: $n) { edges { cursor node { doctor { name } } } pageInfo { endCursor } } } } }`
	op := parsed(t, c, everything)
	op.Variables = map[string]any{"s": "Arjun"}
	made, reason := c.Plan(op)
	if made == nil {
		t.Fatal(reason)
	}
	request := weak.Make(op)
	op = nil
	runtime.GC()
	if request.Value() != nil {
		t.Error("the request is kept with the plan")
	}
	runtime.KeepAlive(made)
}
