package graph_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/caregraph/caregraph/graph"
	"github.com/caregraph/caregraph/graph/graphtest"
)

// totals counts what a run has covered, so that an empty run fails.
type totals struct {
	mu sync.Mutex

	// refused are the codes of operations that are refused, and need no plan.
	refused []string

	operations int
	// uses counts operations by what they use.
	uses map[string]int

	answers, size int
	// good are the answers to arguments and tokens that were not refused, and that a
	// plan could give; compiled are those of them that plans gave.
	good, compiled int
	// how counts answers by graphtest.Answer.Answered, and codes their errors.
	how, codes map[string]int
	// planned counts the operations that plans answered by what they use.
	planned map[string]int
	// redacted counts hidden values in extensions.redacted, nulls all values
	// that are null, and neighbors pages that have one before or after them.
	redacted, nulls, neighbors int
}

func newTotals(refused ...string) *totals {
	return &totals{refused: refused, uses: map[string]int{}, planned: map[string]int{}, how: map[string]int{}, codes: map[string]int{}}
}

func (n *totals) operation(op operation) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.operations++
	for use := range op.uses {
		n.uses[use]++
	}
}

// refusals are the codes of queries that are refused, and need no plan.
func refusals() []string {
	return []string{"BAD_USER_INPUT", "FORBIDDEN", "INVALID_CURSOR", "UNAUTHENTICATED"}
}

func code(err map[string]any) string {
	extensions, _ := err["extensions"].(map[string]any)
	code, _ := extensions["code"].(string)
	return code
}

// answer counts an answer to an operation that came about as how says. planned says that
// a plan could have given it. It returns the code of an error that no valid operation within the
// limits gets, or "".
func (n *totals) answer(op operation, answer graphtest.Answer, how string, planned bool) (wrong string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	good := planned
	for _, err := range answer.Errors {
		is := code(err)
		n.codes[is]++
		refused := slices.Contains(n.refused, is)
		good = good && !refused
		if !refused && is != "FORBIDDEN_FIELD" {
			wrong = is
		}
	}
	n.answers++
	n.size += len(answer.Body)
	n.how[how]++
	if good {
		n.good++
	}
	if good && how == graph.Compiled {
		n.compiled++
		for use := range op.uses {
			n.planned[use]++
		}
	}
	redacted, _ := answer.Extensions["redacted"].([]any)
	n.redacted += len(redacted)
	n.nulls += strings.Count(answer.Body, ":null")
	n.neighbors += strings.Count(answer.Body, `Page":true`)
	return wrong
}

// minCompiled is the minimum share of the good answers, in percent, that come from plans.
const minCompiled = 90

// check fails if the run has not covered the schema and the language.
func (n *totals) check(t *testing.T) {
	t.Helper()
	for _, code := range append(n.refused, "FORBIDDEN_FIELD") {
		if n.codes[code] == 0 {
			t.Errorf("no error %s was seen", code)
		}
	}
	for _, use := range append(features(), fieldsAndArguments()...) {
		if n.uses[use] == 0 {
			t.Errorf("no operation has used %s", use)
		}
	}
	if n.compiled*100 < n.good*minCompiled {
		t.Errorf("of %d good answers %d came from plans, which is less than %d %%", n.good, n.compiled, minCompiled)
	}
}

// features are the features of the language for queries.
func features() []string {
	return []string{
		"@include", "@redact", "@skip", "__typename", "alias", "cursor", "inline fragment", "merged fields", "named fragment",
		"refused value", "several operations", "variable", "variable with a default",
	}
}

// fieldsAndArguments returns all fields and arguments of the schema for queries.
func fieldsAndArguments() []string {
	all := []string{}
	schema := graph.Schema()
	for _, def := range answerTypes(schema, schema.Query) {
		for _, field := range def.Fields {
			if strings.HasPrefix(field.Name, "__") {
				continue
			}
			all = append(all, def.Name+"."+field.Name)
			for _, arg := range field.Arguments {
				all = append(all, fmt.Sprintf("%s.%s(%s:)", def.Name, field.Name, arg.Name))
			}
		}
	}
	return all
}

func (n *totals) String() string {
	used := []string{}
	for _, feature := range slices.Sorted(slices.Values(features())) {
		used = append(used, fmt.Sprintf("%s %d", feature, n.uses[feature]))
	}
	return fmt.Sprintf(`%d operations, %d answers compared, %d KB
answered: %s; of %d good ones %d by plans
errors: %s; %d values redacted, %d nulls, %d pages with neighbors
operations with: %s
%d of %d fields and arguments of the schema`,
		n.operations, n.answers, n.size>>10, tally(n.how), n.good, n.compiled, tally(n.codes), n.redacted, n.nulls, n.neighbors,
		strings.Join(used, ", "), len(n.uses)-len(used), len(fieldsAndArguments()))
}

func tally(counted map[string]int) string {
	texts := []string{}
	for _, name := range slices.Sorted(maps.Keys(counted)) {
		texts = append(texts, fmt.Sprintf("%s %d", name, counted[name]))
	}
	return strings.Join(texts, ", ")
}
