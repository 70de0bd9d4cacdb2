package graph_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/lexer"
)

// part is an operation or a fragment of the document.
type part struct {
	text    strings.Builder
	holds   []string // names of variables
	spreads []*fragment
	// The limits of the part, and how much it uses.
	maxDepth, maxCost int
	depth, cost       int
}

// fragment is a part with a name.
type fragment struct {
	part

	name string
	on   *ast.Definition
}

func (w *operationWriter) operation() *part {
	w.part = &part{maxDepth: 3 + w.below(5), maxCost: 2_000}
	if w.oneIn(16) {
		w.maxDepth, w.maxCost = 15, 25_000
	}
	if w.root == w.schema.Mutation {
		w.maxDepth = 3 + w.below(6)/2 // a plan answers what is within the record, or below query
	}
	w.maxTokens = min(w.maxTokens+w.tokens, 1_000)
	w.selectionSet(w.root, 1, 1)
	return w.part
}

// fragment writes a fragment small enough to be spread in many places.
func (w *operationWriter) fragment() {
	f := &fragment{
		part: part{maxDepth: 2 + w.below(2), maxCost: 150},
		name: fmt.Sprintf("F%d", len(w.fragments)+1), on: pick(&w.choices, w.types...),
	}
	w.part = &f.part
	w.selectionSet(f.on, 1, 1)
	w.fragments = append(w.fragments, f)
}

// answerTypes returns the types with fields in the answers to a root type.
func answerTypes(schema *ast.Schema, root *ast.Definition) []*ast.Definition {
	types := []*ast.Definition{root}
	add := func(def *ast.Definition) {
		if def.IsCompositeType() && !strings.HasPrefix(def.Name, "__") && !slices.Contains(types, def) {
			types = append(types, def)
		}
	}
	for i := 0; i < len(types); i++ {
		for _, field := range types[i].Fields {
			add(schema.Types[field.Type.Name()])
		}
		for _, def := range schema.GetPossibleTypes(types[i]) {
			add(def)
		}
		for _, name := range types[i].Interfaces {
			add(schema.Types[name])
		}
	}
	slices.SortFunc(types, func(a, b *ast.Definition) int { return strings.Compare(a.Name, b.Name) })
	return types
}

// finished returns the document of the parts and the requests for one of the operations.
func (w *operationWriter) finished(operations []*part) operation {
	one, wanted := w.below(len(operations)), ""
	var document strings.Builder
	for i, op := range operations {
		name := ""
		if len(operations) > 1 || w.oneIn(3) {
			name = fmt.Sprintf("Operation%d", i+1)
		}
		if i == one && (len(operations) > 1 || w.below(2) == 0) {
			wanted = name
		}
		document.WriteString(w.head(op, name) + op.text.String() + "\n")
	}
	for _, f := range w.reached(operations) {
		fmt.Fprintf(&document, "fragment %s on %s %s\n", f.name, f.on.Name, f.text.String())
	}
	op := operation{document: document.String(), uses: w.used}
	for turn := range op.asked {
		ask := &op.asked[turn]
		ask.by, ask.request = w.askers[turn], request{op.document, wanted, map[string]any{}}
		for _, v := range w.variables {
			if v.given[turn] {
				ask.Variables[v.name] = v.values[turn]
			}
		}
	}
	return op
}

// head returns the text before the selection set of an operation.
func (w *operationWriter) head(op *part, name string) string {
	held := slices.Clone(op.holds)
	for _, f := range w.reached([]*part{op}) {
		held = append(held, f.holds...)
	}
	var declared []string
	for _, v := range w.variables {
		if slices.Contains(held, v.name) {
			declared = append(declared, v.declaration())
		}
	}
	head := name
	if len(declared) > 0 {
		head += "(" + strings.Join(declared, ", ") + ")"
	}
	if w.below(4) == 1 {
		head += " @redact"
		w.used["@redact"] = true
	}
	if head == "" && w.root == w.schema.Query && w.below(2) == 0 && w.below(2) == 0 {
		return "" // the short form, which stands alone
	}
	return strings.ToLower(w.root.Name) + " " + head + " "
}

// reached returns the fragments that the parts spread, directly or not. A document must
// not have others.
func (w *operationWriter) reached(parts []*part) []*fragment {
	reached := []*fragment{}
	for i := 0; i < len(parts); i++ {
		for _, f := range parts[i].spreads {
			if !slices.Contains(reached, f) {
				reached = append(reached, f)
				parts = append(parts[:len(parts):len(parts)], &f.part)
			}
		}
	}
	return reached
}

// write adds to the part and counts tokens and used variables.
func (w *operationWriter) write(text string) {
	w.text.WriteString(text + " ")
	l := lexer.New(&ast.Source{Input: text})
	for afterDollar := false; ; {
		token, err := l.ReadToken()
		if err != nil {
			w.tb.Fatalf("%s: %v", text, err)
		}
		if token.Kind == lexer.EOF {
			return
		}
		if afterDollar && !slices.Contains(w.holds, token.Value) {
			w.holds = append(w.holds, token.Value)
		}
		afterDollar = token.Kind == lexer.Dollar
		w.tokens++
	}
}

// full reports whether the part has its maximum length, or the document is near a limit.
func (w *operationWriter) full(at location) bool {
	return w.tokens > w.maxTokens || w.cost+at.weight > w.maxCost || w.selections > 220 || w.repeats > 60
}
