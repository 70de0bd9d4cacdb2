package plan

import (
	"context"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/graph/gen"
)

// arguments are those of one field, as its resolver would get them. Clients
// mostly ask for pages of one size, so the latest ones are kept.
type arguments struct {
	typ       string
	field     *ast.Field
	variables []string
	latest    atomic.Pointer[argumentValues]
}

// argumentValues are arguments, and the values of the variables that they are of.
type argumentValues struct {
	variables []any
	values    map[string]any
}

// absent is the value of a variable that has none, which is not the same as null.
type absent struct{}

// arguments reserves a place for the arguments of a field.
func (c *compilation) arguments(typ string, f graphql.CollectedField) int {
	c.plan.args = append(c.plan.args, &arguments{typ: typ, field: f.Field, variables: variablesOf(f.Arguments)})
	return len(c.plan.args) - 1
}

// of returns the arguments for the values of all variables. They are shared and
// must not be changed.
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
		if cachedValues[i] != valueOf(variables, name) { // no panic: what is kept can be compared
			return false
		}
	}
	return true
}

// cache keeps the arguments for the next request. Those of a lookup, which has
// one argument, hardly come again, and lists or long texts are not compared.
func (a *arguments) cache(values, variables map[string]any) {
	if len(a.field.Definition.Arguments) == 1 && len(a.variables) > 0 {
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
	const longest = 64 // bytes, of a text that is kept
	switch value := value.(type) {
	case nil, absent, bool, int64, float64:
		return true
	case string:
		return len(value) <= longest
	default:
		return false
	}
}

// variablesOf names the variables in the values of arguments.
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
