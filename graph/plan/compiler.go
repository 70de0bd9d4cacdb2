package plan

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/graph/gen"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store/query"
)

// Config configures a Compiler.
type Config struct {
	Schema *ast.Schema
	Policy *model.Policy
	// Records are the descriptors of all record types.
	Records *query.Records
	// Access returns what a viewer may do with a record of a type.
	Access  func(typ string, r model.Relations) *gen.ViewerAccess
	Changes Changes
}

// Compiler compiles plans and caches them. It is safe for concurrent use.
type Compiler struct {
	Config

	ctx     context.Context
	shaping *lru.Cache[*ast.OperationDefinition, []string]
	plans   *lru.Cache[planKey, cached]
}

// planKey is an operation with the values of the variables that its plan depends on: those
// of @skip and @include, and of arguments of fields without a selection.
type planKey struct {
	operation *ast.OperationDefinition
	values    string
}

// cached is a plan, or the reason why there is none.
type cached struct {
	plan   *Plan
	reason string
}

// capacity is the number of cached plans. It is above the number of documents that gqlgen
// caches, because some documents have several plans.
const capacity = 400

// New returns a compiler. It refuses a type, a list, an order or a field of a record
// that neither the model nor a descriptor explains, so that a forgotten line stops
// the start.
func New(c Config) (*Compiler, error) {
	for _, name := range slices.Sorted(maps.Keys(c.Policy.Types)) { // rows of own lists have rules, but are no Node
		if c.Records.Type(name) == nil && slices.Contains(c.Schema.Types[name].Interfaces, "Node") {
			return nil, fmt.Errorf("%s is a Node, but there is no descriptor of this name", name)
		}
	}
	for _, t := range c.Records.Types() {
		for name, binding := range gen.Bindings[t.Name] {
			if binding.Resolver && !isComputed(name) && t.Edge(name) == nil && t.List(name) == nil && t.OwnList(name) == nil {
				return nil, fmt.Errorf("%s.%s has a resolver, but the descriptor of %s has no edge and no list of this name", t.Name, name, t.Name)
			}
		}
	}
	for _, f := range c.Schema.Query.Fields {
		if err := c.checkList(f); err != nil {
			return nil, err
		}
	}
	shaping, _ := lru.New[*ast.OperationDefinition, []string](capacity) // fails for a size below 1 only
	plans, _ := lru.New[planKey, cached](capacity)
	return &Compiler{Config: c, ctx: context.Background(), shaping: shaping, plans: plans}, nil
}

// checkList returns an error for a connection of Query without a descriptor, and for a
// value of its orderBy without an order.
func (c Config) checkList(f *ast.FieldDefinition) error {
	if c.Schema.Types[f.Type.Name()].Fields.ForName("pageInfo") == nil {
		return nil
	}
	t, orderBy := c.Records.Root(f.Name), f.Arguments.ForName("orderBy")
	if t == nil {
		return fmt.Errorf("no descriptor has the root %s, which Query has as a list", f.Name)
	}
	if orderBy == nil {
		return nil
	}
	by := c.Schema.Types[orderBy.Type.Name()].Fields.ForName("field").Type.Name()
	for _, value := range c.Schema.Types[by].EnumValues {
		if !slices.ContainsFunc(t.Sorts, func(s query.Sort) bool { return s.Enum == value.Name }) {
			return fmt.Errorf("%s.%s is no order of %s", by, value.Name, t.Name)
		}
	}
	return nil
}

// Plan returns the plan of an operation, compiled or cached, or the reason why gqlgen's executor
// must answer. It compares documents by their address: gqlgen's cache returns the same
// one for the same text.
func (c *Compiler) Plan(op *graphql.OperationContext) (plan *Plan, reason string) {
	names, ok := c.shaping.Get(op.Operation)
	if !ok {
		names = shapingVariables(op.Operation)
		c.shaping.Add(op.Operation, names)
	}
	key := planKey{operation: op.Operation}
	for _, name := range names {
		value, given := op.Variables[name] // null is not the same as absent
		key.values += fmt.Sprint(given, value, ";")
	}
	result, ok := c.plans.Get(key)
	if !ok {
		result = c.compile(op)
		c.plans.Add(key, result)
	}
	return result.plan, result.reason
}

// Prepare compiles the plans of a document, unless they depend on variables.
func (c *Compiler) Prepare(doc *ast.QueryDocument) {
	for _, operation := range doc.Operations {
		if len(shapingVariables(operation)) == 0 {
			c.Plan(&graphql.OperationContext{Doc: doc, Operation: operation})
		}
	}
}

func (c *Compiler) compile(op *graphql.OperationContext) cached {
	plan := &Plan{roots: object{relations: -1}}
	comp := &compilation{Compiler: c, op: op, plan: plan}
	typ, root := c.Schema.Query.Name, comp.root
	if op.Operation.Operation == ast.Mutation {
		typ, root = c.Schema.Mutation.Name, comp.mutation
	}
	for _, f := range comp.fields(op.Operation.SelectionSet, typ) {
		v, err := root(f)
		if reason, ok := errors.AsType[errUnsupported](err); ok {
			return cached{reason: reason.reason}
		}
		if err != nil {
			return cached{reason: err.Error()}
		}
		selected := newField(f)
		selected.value = v
		plan.roots.fields = append(plan.roots.fields, selected)
	}
	return cached{plan: plan}
}

// shapingVariables returns the names of the variables that a plan depends on.
func shapingVariables(operation *ast.OperationDefinition) []string {
	s := variableFinder{visited: map[*ast.FragmentDefinition]bool{}}
	s.walk(operation.SelectionSet)
	slices.Sort(s.names)
	return slices.Compact(s.names)
}

// variableFinder collects the variables of conditions, and those of arguments of fields
// without a selection.
type variableFinder struct {
	names   []string
	visited map[*ast.FragmentDefinition]bool
}

func (s *variableFinder) walk(selections ast.SelectionSet) {
	for _, selection := range selections {
		switch it := selection.(type) {
		case *ast.Field:
			s.directives(it.Directives)
			if len(it.SelectionSet) == 0 {
				s.names = append(s.names, variablesOf(it.Arguments)...)
			}
			s.walk(it.SelectionSet)
		case *ast.InlineFragment:
			s.directives(it.Directives)
			s.walk(it.SelectionSet)
		case *ast.FragmentSpread:
			s.directives(it.Directives)
			if !s.visited[it.Definition] {
				s.visited[it.Definition] = true
				s.walk(it.Definition.SelectionSet)
			}
		}
	}
}

func (s *variableFinder) directives(list ast.DirectiveList) {
	for _, directive := range list {
		s.names = append(s.names, variablesOf(directive.Arguments)...)
	}
}

// access is what a viewer may do with a record. It caches the few possible texts.
type access struct {
	relations int
	describe  func(model.Relations) []byte
	texts     atomic.Pointer[map[model.Relations][]byte] // never changed
}

func (a *access) write(e *encoding, at row) {
	relations := model.Relations(at.rows.Int(at.n, a.relations)) //nolint:gosec // thirteen bits
	known := a.texts.Load()
	if known == nil {
		known = &map[model.Relations][]byte{}
	}
	text, ok := (*known)[relations]
	if !ok {
		text = a.describe(relations)
		more := maps.Clone(*known)
		more[relations] = text
		a.texts.Store(&more) // what another request adds at the same time, a later one adds again
	}
	e.out = append(e.out, text...)
}
