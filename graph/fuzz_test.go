package graph_test

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/graph"
	"github.com/caregraph/caregraph/graph/graphtest"
)

// documentWriter writes random documents of the schema. One value of ten is wrong.
type documentWriter struct {
	*rand.Rand

	schema *ast.Schema
	text   strings.Builder
}

func randomDocument(seed uint64) string {
	b := &documentWriter{Rand: rand.New(rand.NewPCG(seed, seed)), schema: graph.Schema()}
	root := b.schema.Query
	if b.IntN(3) == 0 {
		root = b.schema.Mutation
	}
	b.text.WriteString(strings.ToLower(root.Name) + b.pick("", " A", " A @redact", " ($v: ID)") + " ")
	b.selection(root, 4)
	b.text.WriteString(b.pick("", "", " fragment f on Patient { id name ...f }", " fragment g on Node { id }"))
	return b.text.String()
}

func (b *documentWriter) pick(from ...string) string { return from[b.IntN(len(from))] }

func (b *documentWriter) selection(def *ast.Definition, depth int) {
	b.text.WriteString("{ ")
	for range 1 + b.IntN(4) {
		switch b.IntN(12) {
		case 0:
			b.text.WriteString(b.pick("__typename ", "...f ", "... @include(if: true) { __typename } ", "nonsense ", "... on Patient { id } ", "__schema { types { name } } "))
		default:
			b.field(def, depth)
		}
	}
	b.text.WriteString("} ")
}

func (b *documentWriter) field(def *ast.Definition, depth int) {
	if len(def.Fields) == 0 {
		b.text.WriteString("__typename ")
		return
	}
	field := def.Fields[b.IntN(len(def.Fields))]
	below := b.schema.Types[field.Type.Name()]
	object := below.Kind == ast.Object || below.Kind == ast.Interface
	if object && depth == 0 {
		b.text.WriteString("__typename ")
		return
	}
	b.text.WriteString(b.pick("", "", "a: ", "b: ") + field.Name)
	var args []string
	for _, arg := range field.Arguments {
		if arg.Type.NonNull || b.IntN(3) == 0 {
			args = append(args, arg.Name+": "+b.value(arg.Type, 3))
		}
	}
	if len(args) > 0 {
		b.text.WriteString("(" + strings.Join(args, ", ") + ")")
	}
	b.text.WriteString(b.pick(" ", " ", " @skip(if: false) "))
	if object {
		b.selection(below, depth-1)
	}
}

func (b *documentWriter) value(typ *ast.Type, depth int) string {
	if b.IntN(10) == 0 || depth == 0 {
		return b.pick("null", "{}", "[]", `""`, "-1", "1e9", "true", "$v", "MALE", `"\u0000"`, "99999999999999999999")
	}
	if typ.Elem != nil {
		return "[" + b.value(typ.Elem, depth-1) + "]"
	}
	def := b.schema.Types[typ.Name()]
	switch def.Kind {
	case ast.Enum:
		return def.EnumValues[b.IntN(len(def.EnumValues))].Name
	case ast.InputObject:
		fields := []string{}
		for _, field := range def.Fields {
			if field.Type.NonNull || b.IntN(3) == 0 {
				fields = append(fields, field.Name+": "+b.value(field.Type, depth-1))
			}
		}
		return "{" + strings.Join(fields, ", ") + "}"
	}
	switch typ.Name() {
	case "Int":
		return b.pick("0", "1", "5", "100")
	case "Boolean":
		return b.pick("true", "false")
	case "ID":
		return b.pick(`"pat_1"`, `"doc_1"`, `"map_1"`, `"usr_1"`, "1", `"pat_2"`)
	default:
		return b.pick(`"x"`, `"1990-01-01"`, `"9876543210"`, `"a@b.example"`, `"12.50"`, `"Arjun"`)
	}
}

// FuzzDocuments sends documents and variables to the whole server. None causes an internal
// error or an empty answer.
func FuzzDocuments(f *testing.F) {
	log := &logBuffer{}
	c := graphtest.New(f, graphtest.Options{Log: log.logger()}).NewClinic()
	for seed := range uint64(150) {
		f.Add(randomDocument(seed), `{"v":"pat_1"}`)
	}
	for _, operation := range attempts() {
		f.Add(operation, `{"patient":"pat_1","doctor":"doc_1","mapping":"map_1"}`)
	}
	f.Add("{ me { id } } query B { me { id } }", "null")
	f.Add("subscription { x }", "[]")
	f.Add("", "{}")
	f.Add("query ($v: [ID!]!) { nodes(ids: $v) { id } }", `{"v":[null,1,{},"pat_1"]}`)
	f.Add(`{ ...f } fragment f on Query { ...f }`, "{}")
	f.Fuzz(func(t *testing.T, document, variables string) {
		body, err := json.Marshal(map[string]any{"query": document, "variables": json.RawMessage(valid(variables))})
		if err != nil {
			t.Fatal(err)
		}
		for _, client := range []*graphtest.Client{c.Rahul.In(t).NewSession(), c.Admin.In(t).NewSession(), c.Nemo.In(t)} {
			answer := client.Send(string(body))
			if answer.Data == nil && len(answer.Errors) == 0 || strings.Contains(answer.Body, "INTERNAL") {
				t.Fatalf("%s\n%s\n%s\n%s", document, variables, answer.Body, log)
			}
		}
	})
}

// valid returns valid JSON unchanged. The tests of gqlhttp send everything else.
func valid(text string) string {
	if json.Valid([]byte(text)) {
		return text
	}
	return "null"
}
