package graph_test

import (
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/graph"
)

// request is what a client sends.
type request struct {
	Document  string         `json:"query"`
	Name      string         `json:"operationName,omitempty"`
	Variables map[string]any `json:"variables"`
}

func (r request) body(tb testing.TB) string {
	tb.Helper()
	body, err := json.Marshal(r)
	if err != nil {
		tb.Fatal(err)
	}
	return string(body)
}

// operation is one that the schema allows. It is asked for several times, by
// others and with other variables, as a plan for the document must serve all.
type operation struct {
	document string
	asked    [turns]struct {
		request

		by viewer
	}
	// uses are the features of the language and, as Patient.phone and
	// Patient.phone(format:), the fields and arguments of the schema that it
	// uses, so that a test can say what it has seen.
	uses map[string]bool
}

// turns is how often an operation is asked for.
const turns = 2

// choices decide what an operation looks like. The same bytes make the same
// operation, whether a random source gave them or a fuzzer. When they run out,
// every choice is the first, which is also the shortest.
type choices struct{ left []byte }

// randomChoices are enough for the longest operation.
func randomChoices(seed uint64) []byte {
	bytes := make([]byte, 2048)
	source := rand.New(rand.NewPCG(seed, 5))
	for i := range bytes {
		bytes[i] = byte(source.Uint32())
	}
	return bytes
}

// below returns a number from 0 to n-1.
func (c *choices) below(n int) int {
	if len(c.left) < 2 {
		return 0
	}
	choice := int(c.left[0])
	c.left = c.left[1:]
	if n > 256 {
		choice += int(c.left[0]) << 8
		c.left = c.left[1:]
	}
	return choice % n
}

func (c *choices) oneIn(n int) bool { return c.below(n) == n-1 }

func pick[T any](c *choices, from ...T) T { return from[c.below(len(from))] }

// operationWriter writes operations over the records of a world. They use all
// that the schema and the language have to offer, and stay within the limits.
//
// It writes fragments first, so that an operation can spread what is there, and
// the heads of operations last, since they declare the variables that were
// used.
type operationWriter struct {
	choices
	*part

	tb     testing.TB
	schema *ast.Schema
	data   *dataset
	// types are those that a fragment can be on.
	types []*ast.Definition

	fragments []*fragment
	variables []*variable
	// meanings says what each name in the answer stands for; see name.
	meanings map[string]string
	used     map[string]bool // becomes operation.uses
	// askers are those who shall ask.
	askers [turns]viewer
	// maxTokens is how long the document may become, and the others are what it
	// has used up of the limits.
	maxTokens, tokens, selections, aliases, repeats int
	// faulty says that the field being written has a value that is refused.
	faulty bool
}

// writeOperation makes the operation that the choices decide on.
func writeOperation(tb testing.TB, data *dataset, decisions []byte) operation {
	tb.Helper()
	w := &operationWriter{
		choices: choices{decisions}, tb: tb, schema: graph.Schema(), data: data,
		meanings: map[string]string{}, used: map[string]bool{},
	}
	w.types = answerTypes(w.schema)
	for turn := range w.askers {
		w.askers[turn] = w.asker()
	}
	w.maxTokens = pick(&w.choices, 60, 100, 150, 300, 40, 80, 200, 1_000)
	for range w.below(6) / 2 {
		w.fragment()
	}
	count := 1
	if w.oneIn(8) {
		count += 1 + w.below(2)
		w.used["several operations"] = true
	}
	operations := make([]*part, count)
	for i := range operations {
		operations[i] = w.operation()
	}
	return w.finished(operations)
}

func (w *operationWriter) asker() viewer {
	if w.oneIn(20) {
		return pick(&w.choices, w.data.outsiders...)
	}
	return pick(&w.choices, w.data.viewers...)
}
