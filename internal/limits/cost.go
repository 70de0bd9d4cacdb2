package limits

import (
	"cmp"
	"math"
	"slices"
	"strconv"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

const (
	defaultPage = 20
	maxPage     = 100
	// rowsPerCost is how many rows that a statement may search cost 1. A page in an
	// order that an index has is ten times as cheap.
	rowsPerCost      = 10
	rowsPerCostPaged = 100
	// nestedSearch is the cost of a totalCount, a search or an order below a record.
	nestedSearch = 10
	// charactersPerCost is how many characters of a text cost 1 more.
	charactersPerCost = 4_000
	// asksEachRow is the field of Query that asks for each row whether it has changed.
	asksEachRow = "changes"
	// costCeiling is where costs stop growing: far above any limit and far
	// below overflow.
	costCeiling = math.MaxInt32
)

// MaxRows is the number of rows from which on a list does not cost more: an account
// of any size can ask for a few searches and counts at a time.
const MaxRows = 100_000

// costOf returns the cost of a validated operation with its variables, without the
// rows that its statements search; reads lists those. If another account may be signed in
// when they are read, they cost the most. Fields that @skip or @include
// exclude cost nothing. The cost of a fragment is computed once: it does not depend on
// where the fragment is spread.
func costOf(op *graphql.OperationContext) (cost int, reads []read) {
	c := costCounter{variables: op.Variables}
	cost = c.set(op.Operation.SelectionSet)
	if c.signsIn {
		return min(cost+mostOf(c.reads), costCeiling), nil
	}
	return cost, c.reads
}

// Cost returns the cost of a validated operation with its variables, without the rows that
// its lists search. It depends on no record.
func Cost(op *graphql.OperationContext) int {
	cost, _ := costOf(op)
	return cost
}

// writesOf returns how many fields of Mutation an operation calls.
func writesOf(op *graphql.OperationContext) int {
	if op.Operation.Operation != ast.Mutation {
		return 0
	}
	w := writesWalk{costCounter{variables: op.Variables}, map[*ast.FragmentDefinition]int{}}
	return w.set(op.Operation.SelectionSet)
}

// writesWalk counts the fields of a selection set itself. It visits each fragment once.
type writesWalk struct {
	costCounter

	visited map[*ast.FragmentDefinition]int
}

func (w *writesWalk) set(selections ast.SelectionSet) (n int) {
	for _, selection := range selections {
		switch it := selection.(type) {
		case *ast.Field:
			if w.included(it.Directives) {
				n++
			}
		case *ast.InlineFragment:
			if w.included(it.Directives) {
				n += w.set(it.SelectionSet)
			}
		case *ast.FragmentSpread:
			if w.included(it.Directives) {
				n += w.fragment(it.Definition)
			}
		}
		n = min(n, costCeiling)
	}
	return n
}

func (w *writesWalk) fragment(def *ast.FragmentDefinition) int {
	n, ok := w.visited[def]
	if !ok {
		n = w.set(def.SelectionSet)
		w.visited[def] = n
	}
	return n
}

// read is a list of Query whose rows an operation searches.
type read struct {
	field string
	// perCost is how many of the rows cost 1.
	perCost int
}

func (r read) cost(rows int) int { return min(rows, MaxRows) / r.perCost }

type costCounter struct {
	variables map[string]any
	fragments map[*ast.FragmentDefinition]int
	reads     []read
	// signsIn is set if a mutation signs an account in.
	signsIn bool
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
		return 1 + longest(field.Definition)/charactersPerCost
	}
	return min(1+c.search(field)+c.records(field)*c.below(field), costCeiling)
}

// below returns the cost of a selection set. What is below a mutation, or below a field
// query of its payload, is read on its own: the reads of a fragment count each time.
func (c *costCounter) below(field *ast.Field) int {
	if field.ObjectDefinition.Name != "Mutation" && field.Definition.Type.Name() != "Query" {
		return c.set(field.SelectionSet)
	}
	own := costCounter{variables: c.variables}
	cost := own.set(field.SelectionSet)
	c.reads = append(c.reads, own.reads...)
	c.signsIn = c.signsIn || signsIn(field)
	return cost
}

// longest returns the limit of a text in characters, or 0.
func longest(field *ast.FieldDefinition) int {
	text := field.Directives.ForName("text")
	if text == nil {
		return 0
	}
	maximum, _ := strconv.Atoi(text.Arguments.ForName("max").Value.Raw)
	return maximum
}

// signsIn reports whether a field of Mutation signs an account in.
func signsIn(field *ast.Field) bool {
	payload := field.Definition.Type.Name()
	return payload == "AuthPayload" || payload == "TotpPayload"
}

// search adds the rows that a list of Query searches to the reads, and returns the cost
// of a count below a record.
func (c *costCounter) search(field *ast.Field) int {
	isRoot := field.ObjectDefinition.Name == "Query"
	isPaged := field.Definition.Arguments.ForName("first") != nil
	counts := isPaged && c.selects(field.SelectionSet, "totalCount")
	switch {
	case !isRoot && isPaged:
		return c.searchBelow(field, counts)
	case !isRoot || !isPaged && (field.Definition.Type.Elem == nil || len(field.Arguments) > 0):
		return 0
	}
	searches := !isPaged || field.Name == asksEachRow || c.given(field, "search", "filter", "orderBy")
	if counts {
		c.reads = append(c.reads, read{field.Name, rowsPerCost})
	}
	switch {
	case !searches:
		c.reads = append(c.reads, read{field.Name, rowsPerCostPaged})
	case !counts || c.selects(field.SelectionSet, "nodes", "edges", "pageInfo"):
		c.reads = append(c.reads, read{field.Name, rowsPerCost})
	}
	return 0
}

// searchBelow returns the cost of the rows of a list below a record that are counted, and
// of those that are searched or ordered.
func (c *costCounter) searchBelow(field *ast.Field, counts bool) (cost int) {
	if counts {
		cost += nestedSearch
	}
	if c.given(field, "search", "orderBy") {
		cost += nestedSearch
	}
	return cost
}

// selects reports whether one of the fields is selected.
func (c *costCounter) selects(selections ast.SelectionSet, names ...string) bool {
	return slices.ContainsFunc(selections, func(selection ast.Selection) bool {
		switch it := selection.(type) {
		case *ast.Field:
			return slices.Contains(names, it.Name) && c.included(it.Directives)
		case *ast.InlineFragment:
			return c.included(it.Directives) && c.selects(it.SelectionSet, names...)
		case *ast.FragmentSpread:
			return c.included(it.Directives) && c.selects(it.Definition.SelectionSet, names...)
		}
		return false
	})
}

// given reports whether one of the arguments has a value other than null.
func (c *costCounter) given(field *ast.Field, names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		arg := field.Arguments.ForName(name)
		if arg == nil {
			return false
		}
		value, err := arg.Value.Value(c.variables)
		return err != nil || value != nil
	})
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
	if size > 0 {
		return size
	}
	if first := field.Definition.Arguments.ForName("first"); first != nil && first.DefaultValue != nil {
		size, _ = strconv.Atoi(first.DefaultValue.Raw)
	}
	return cmp.Or(size, defaultPage)
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
