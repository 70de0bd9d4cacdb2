package limits

import (
	"math"
	"strconv"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

const (
	defaultPage = 20
	maxPage     = 100
	// costCeiling is where costs stop growing: far above any limit and far
	// below overflow.
	costCeiling = math.MaxInt32
)

// costOf returns the cost of a validated operation with its variables. Fields
// that @skip or @include exclude cost nothing. The cost of a fragment is
// computed once: it does not depend on where the fragment is spread.
func costOf(op *graphql.OperationContext) int {
	c := costCounter{variables: op.Variables}
	return c.set(op.Operation.SelectionSet)
}

type costCounter struct {
	variables map[string]any
	fragments map[*ast.FragmentDefinition]int
}

func (c *costCounter) set(selections ast.SelectionSet) int {
	sum := 0
	for _, selection := range selections {
		switch it := selection.(type) {
		case *ast.Field:
			if c.included(it.Directives) {
				sum += c.field(it)
			}
		case *ast.InlineFragment:
			if c.included(it.Directives) {
				sum += c.set(it.SelectionSet)
			}
		case *ast.FragmentSpread:
			if c.included(it.Directives) {
				sum += c.fragment(it.Definition)
			}
		}
		sum = min(sum, costCeiling)
	}
	return sum
}

func (c *costCounter) field(field *ast.Field) int {
	if len(field.SelectionSet) == 0 {
		return 1
	}
	return min(1+c.records(field)*c.set(field.SelectionSet), costCeiling)
}

func (c *costCounter) fragment(def *ast.FragmentDefinition) int {
	if cost, ok := c.fragments[def]; ok {
		return cost
	}
	cost := c.set(def.SelectionSet)
	if c.fragments == nil {
		c.fragments = map[*ast.FragmentDefinition]int{}
	}
	c.fragments[def] = cost
	return cost
}

// records returns the maximal number of records in the result of a field: the
// page size of a connection, the number of ids of nodes(ids:), and 1 for all
// others.
func (c *costCounter) records(field *ast.Field) int {
	arguments := field.Definition.Arguments
	switch {
	case arguments.ForName("first") != nil || arguments.ForName("last") != nil:
		return c.page(field)
	case arguments.ForName("ids") != nil:
		return c.list(field.Arguments.ForName("ids"))
	default:
		return 1
	}
}

// page returns the page size. A size that the resolver will refuse counts as
// the nearest valid one.
func (c *costCounter) page(field *ast.Field) int {
	size := 0
	for _, name := range []string{"first", "last"} {
		if n, ok := c.number(field.Arguments.ForName(name)); ok {
			size = max(size, min(max(n, 1), maxPage))
		}
	}
	if size == 0 {
		return defaultPage
	}
	return size
}

// number returns the number that an argument has, if it has one.
func (c *costCounter) number(arg *ast.Argument) (int, bool) {
	if arg == nil {
		return 0, false
	}
	value, err := arg.Value.Value(c.variables)
	if err == nil && value == nil {
		return 0, false
	}
	n, conversion := graphql.UnmarshalInt(value)
	if err != nil || conversion != nil {
		return maxPage, true
	}
	return n, true
}

// list returns the length of the list that an argument has, at least 1.
func (c *costCounter) list(arg *ast.Argument) int {
	if arg == nil {
		return 1
	}
	value, _ := arg.Value.Value(c.variables)
	items, _ := value.([]any)
	return max(len(items), 1)
}

func (c *costCounter) included(directives ast.DirectiveList) bool {
	for _, directive := range directives {
		if directive.Name != "skip" && directive.Name != "include" {
			continue
		}
		arg := directive.Arguments.ForName("if")
		condition, err := arg.Value.Value(c.variables)
		if err == nil && condition == (directive.Name == "skip") {
			return false
		}
	}
	return true
}

// number formats a cost for a message.
func number(cost int) string {
	if cost >= costCeiling {
		return "more than " + strconv.Itoa(costCeiling)
	}
	return strconv.Itoa(cost)
}
