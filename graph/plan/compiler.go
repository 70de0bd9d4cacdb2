package plan

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/graph/gen"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
)

// Config is what plans are made from.
type Config struct {
	Schema *ast.Schema
	Policy *model.Policy
	Store  *store.Store
	// Lists make the reads of the root fields that are lists.
	Lists map[string]List
	// Access says what a viewer may do with a record of a type.
	Access func(typ string, r model.Relations) *gen.ViewerAccess
}

// Compiler makes plans and remembers them. It is safe for concurrent use.
type Compiler struct {
	Config

	ctx     context.Context
	shaping *lru.Cache[*ast.OperationDefinition, []string]
	plans   *lru.Cache[planKey, made]
}

// planKey is an operation with the values of the variables that shape its plan:
// those of @skip and @include, and of arguments of fields without a selection.
type planKey struct {
	operation *ast.OperationDefinition
	values    string
}

// made is a plan, or why there is none.
type made struct {
	plan   *Plan
	reason string
}

// remembered is how many plans are kept: as many as gqlgen's executor keeps
// documents, and some more for those whose shape varies.
const remembered = 400

// New returns a compiler.
func New(c Config) *Compiler {
	shaping, _ := lru.New[*ast.OperationDefinition, []string](remembered) // fails for a size below 1 only
	plans, _ := lru.New[planKey, made](remembered)
	return &Compiler{Config: c, ctx: context.Background(), shaping: shaping, plans: plans}
}

// Plan returns the plan of a query, made now or remembered, or the reason why
// it is for gqlgen's executor. A document is known by its address: gqlgen's
// cache keeps that of a text that comes again.
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
	kept, ok := c.plans.Get(key)
	if !ok {
		kept = c.make(op)
		c.plans.Add(key, kept)
	}
	return kept.plan, kept.reason
}

func (c *Compiler) make(op *graphql.OperationContext) made {
	plan := &Plan{}
	compiling := &compilation{Compiler: c, op: op, plan: plan}
	for _, f := range compiling.fields(op.Operation.SelectionSet, c.Schema.Query.Name) {
		v, err := compiling.root(f)
		if reason, ok := errors.AsType[uncovered](err); ok {
			return made{reason: reason.reason}
		}
		if err != nil {
			return made{reason: err.Error()}
		}
		plan.roots = append(plan.roots, rootField{f.Alias, quoted(f.Alias) + ":", v})
	}
	return made{plan: plan}
}

// shapingVariables names the variables that decide what a plan looks like.
func shapingVariables(operation *ast.OperationDefinition) []string {
	s := shape{seen: map[*ast.FragmentDefinition]bool{}}
	s.walk(operation.SelectionSet)
	names := slices.Concat(s.conditions, s.arguments)
	slices.Sort(names)
	return slices.Compact(names)
}

// Conditions names the variables that decide in @skip and @include.
func Conditions(operation *ast.OperationDefinition) []string {
	s := shape{seen: map[*ast.FragmentDefinition]bool{}}
	s.walk(operation.SelectionSet)
	return s.conditions
}

// shape gathers the variables of conditions, and those of arguments of fields
// without a selection.
type shape struct {
	conditions, arguments []string
	seen                  map[*ast.FragmentDefinition]bool
}

func (s *shape) walk(selections ast.SelectionSet) {
	for _, selection := range selections {
		switch it := selection.(type) {
		case *ast.Field:
			s.directives(it.Directives)
			if len(it.SelectionSet) == 0 {
				s.arguments = append(s.arguments, variablesOf(it.Arguments)...)
			}
			s.walk(it.SelectionSet)
		case *ast.InlineFragment:
			s.directives(it.Directives)
			s.walk(it.SelectionSet)
		case *ast.FragmentSpread:
			s.directives(it.Directives)
			if !s.seen[it.Definition] {
				s.seen[it.Definition] = true
				s.walk(it.Definition.SelectionSet)
			}
		}
	}
}

func (s *shape) directives(list ast.DirectiveList) {
	for _, directive := range list {
		s.conditions = append(s.conditions, variablesOf(directive.Arguments)...)
	}
}

// access is what a viewer may do with a record. There are few answers, so each
// is made once.
type access struct {
	standing int
	describe func(model.Relations) []byte
	known    [1 << 6]atomic.Pointer[[]byte]
}

func (a *access) write(e *encoding, at row) {
	relations := at.rows.Relations(at.n, a.standing)
	known := a.known[relations].Load()
	if known == nil {
		text := a.describe(relations)
		known = &text
		a.known[relations].Store(known)
	}
	e.out = append(e.out, *known...)
}
