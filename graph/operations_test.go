package graph_test

import (
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/graph"
)

// request is a request of a client.
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

// operation is a valid operation. Several viewers send it, with different variables,
// because one plan must serve all of them.
type operation struct {
	document string
	asked    [turns]struct {
		request

		by viewer
	}
	// uses has the features of the language and, as Patient.phone and
	// Patient.phone(format:), the fields and arguments in the operation.
	uses map[string]bool
}

// turns is the number of requests of an operation.
const turns = 2

// choices decide the text of an operation. The same bytes give the same operation, from a
// random source or a fuzzer. Without more bytes every choice is the first one, which is
// also the shortest.
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

// operationWriter writes operations over the records of a dataset. They use the whole
// schema and language and stay within the limits. It writes fragments first, so that
// operations can spread them, and the heads of operations last, because they declare the
// used variables.
type operationWriter struct {
	choices
	*part

	tb     testing.TB
	schema *ast.Schema
	root   *ast.Definition
	data   *dataset
	// types are the types that a fragment can have.
	types []*ast.Definition

	fragments []*fragment
	variables []*variable
	// meanings has the field of each name in the answer; see name.
	meanings map[string]string
	used     map[string]bool // becomes operation.uses
	// askers are the viewers that send the operation.
	askers [turns]viewer
	// maxTokens limits the length of the document; the others count the use of limits.
	maxTokens, tokens, selections, aliases, repeats int
	// faulty is set if the current field has a refused value.
	faulty bool
}

// writeOperation returns the operation of the choices on a root type.
func writeOperation(tb testing.TB, data *dataset, root *ast.Definition, decisions []byte) operation {
	tb.Helper()
	w := &operationWriter{
		choices: choices{decisions}, tb: tb, schema: graph.Schema(), root: root, data: data,
		meanings: map[string]string{}, used: map[string]bool{},
	}
	w.types = answerTypes(w.schema, root)
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
