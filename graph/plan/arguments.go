package plan

import (
	"context"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/graph/gen"
)

// arguments are the arguments of one field, as its resolver would get them. Clients
// mostly use pages of one size, so it caches the latest ones.
type arguments struct {
	typ       string
	field     *ast.Field
	variables []string
	latest    atomic.Pointer[argumentValues]
}

// argumentValues are arguments and the values of the variables in them.
type argumentValues struct {
	variables []any
	values    map[string]any
}

// absent is the value of a variable without a value, which is not null.
type absent struct{}

// arguments adds the arguments of a field to the plan and returns their index.
func (c *compilation) arguments(typ string, f graphql.CollectedField) int {
	c.plan.args = append(c.plan.args, &arguments{typ: typ, field: f.Field, variables: variablesOf(f.Arguments)})
	return len(c.plan.args) - 1
}

// of returns the arguments for the values of all variables. They are shared; do not
// change them.
func (a *arguments) of(ctx context.Context, variables map[string]any) (map[string]any, error) {
	if latest := a.latest.Load(); latest != nil && a.sameVariables(latest.variables, variables) {
		return latest.values, nil
	}
	values, err := gen.Arguments(ctx, a.typ, a.field.Name, a.field.ArgumentMap(variables))
	if err == nil {
		a.cache(values, variables)
	}
	return values, err
}

func (a *arguments) sameVariables(cachedValues []any, variables map[string]any) bool {
	for i, name := range a.variables {
		if cachedValues[i] != valueOf(variables, name) { // cached values are comparable
			return false
		}
	}
	return true
}

// cache caches the arguments for the next request, except for those of node and nodes, which
// have one argument that changes, and for lists and long texts. Those of a mutation become
// parts of its record.
func (a *arguments) cache(values, variables map[string]any) {
	if a.typ == mutationType || len(a.field.Definition.Arguments) == 1 && len(a.variables) > 0 {
		return
	}
	cachedValues := make([]any, len(a.variables))
	for i, name := range a.variables {
		if cachedValues[i] = valueOf(variables, name); !cacheable(cachedValues[i]) {
			return
		}
	}
	a.latest.Store(&argumentValues{cachedValues, values})
}

func valueOf(variables map[string]any, name string) any {
	value, given := variables[name]
	if !given {
		return absent{}
	}
	return value
}

func cacheable(value any) bool {
	const longest = 64 // bytes of a text
	switch value := value.(type) {
	case nil, absent, bool, int64, float64:
		return true
	case string:
		return len(value) <= longest
	default:
		return false
	}
}

// variablesOf returns the names of the variables in arguments.
func variablesOf(args ast.ArgumentList) []string {
	var names []string
	for _, arg := range args {
		names = appendVariables(names, arg.Value)
	}
	return names
}

func appendVariables(names []string, value *ast.Value) []string {
	if value.Kind == ast.Variable {
		return append(names, value.Raw)
	}
	for _, child := range value.Children {
		names = appendVariables(names, child.Value)
	}
	return names
}
