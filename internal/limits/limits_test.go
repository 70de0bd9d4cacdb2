package limits

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/caregraph/caregraph/internal/testutil"
)

// newExecutor returns an executor over the product's schema, configured like
// the server but without a cache of documents.
func newExecutor(t testing.TB, limits Limits) *executor.Executor {
	t.Helper()
	text, err := os.ReadFile("../../schema.graphqls")
	testutil.Must(t, err)
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: "schema.graphqls", Input: string(text)})
	testutil.Must(t, err)
	exec := executor.New(&graphql.ExecutableSchemaMock{SchemaFunc: func() *ast.Schema { return schema }})
	exec.SetDisableSuggestion(true)
	exec.SetParserTokenLimit(limits.Tokens)
	exec.Use(extension{limits})
	return exec
}

// extension checks the limits where gqlgen's executor lets an extension do so.
type extension struct{ limits Limits }

func (extension) ExtensionName() string                   { return "limits" }
func (extension) Validate(graphql.ExecutableSchema) error { return nil }

func (e extension) MutateOperationParameters(_ context.Context, params *graphql.RawParams) *gqlerror.Error {
	return e.limits.CheckDocument(params.Query)
}

func (e extension) MutateOperationContext(ctx context.Context, op *graphql.OperationContext) *gqlerror.Error {
	cost, err := e.limits.CheckOperation(ctx, op)
	op.Stats.SetExtension(e.ExtensionName(), cost)
	return err
}

// costOfAccepted returns the cost of an operation that passed.
func costOfAccepted(op *graphql.OperationContext) int {
	return op.Stats.GetExtension(extension{}.ExtensionName()).(int)
}

func submit(t testing.TB, exec *executor.Executor, query string, variables map[string]any) (*graphql.OperationContext, gqlerror.List) {
	t.Helper()
	return exec.CreateOperationContext(graphql.StartOperationTrace(t.Context()), &graphql.RawParams{Query: query, Variables: variables})
}

func repeat(n int, f func(i int) string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(f(i))
		b.WriteByte(' ')
	}
	return b.String()
}

func literally(s string) func(int) string { return func(int) string { return s } }

func TestLimits_SayWhichLimitIsExceeded(t *testing.T) {
	t.Parallel()
	small := Limits{Depth: 3, Cost: 50, Aliases: 2, Tokens: 60, Selections: 12, Repeats: 3, Writes: 2, Document: 300}
	cases := []struct{ name, query, want string }{
		{"tokens", "{me{" + repeat(60, literally("id")) + "}}", "The document has more tokens than the 60 that --max-tokens allows."},
		{"bytes that the parser ignores", "{me{id" + strings.Repeat(",", 300) + "}}", "The document has 308 bytes, and --max-document allows 300."},
		{"depth", "{me{doctorProfile{account{id}}}}", "The document is 4 fields deep, and --max-depth allows 3."},
		{
			"depth through fragments", "{...a} fragment b on User{doctorProfile{account{id}}} fragment a on Query{me{...b}}",
			"The document is 4 fields deep, and --max-depth allows 3.",
		},
		{
			"selections, unused fragments too", "{me{id}} fragment a on User{" + repeat(13, func(i int) string { return fmt.Sprintf("f%d", i) }) + "}",
			"The document selects 15 fields and fragments, and --max-selections allows 12.",
		},
		{"aliases", "{a:me{id} b:me{id} c:me{id}}", "The document has 3 aliases, and --max-aliases allows 2."},
		{"repeats", "{me{id id ...{id id}}}", "The document selects the same names again and again: 6 pairs, and --max-repeats allows 3."},
		{"directives", "{me@a@b@c@d@e@f{id}}", "One place in the document has 6 directives, and at most 5 are allowed."},
		{
			"writes, also through fragments", "mutation{logout{__typename} ...a} fragment a on Mutation{logoutEverywhere{__typename} a:logout{__typename}}",
			"The operation changes 3 things, and --max-writes allows 2. Send several operations.",
		},
		{"cost", "{patients{nodes{id name}}}", "The operation costs 61, and --max-cost allows 50. Ask for fewer fields, smaller pages, or fewer searches and counts."},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, errs := submit(t, newExecutor(t, small), c.query, nil)
			if len(errs) != 1 || errs[0].Message != c.want || errs[0].Extensions["code"] != "LIMIT_EXCEEDED" {
				t.Errorf("got  %v\nwant %s", errs, c.want)
			}
		})
	}
}

func TestLimits_RefuseHostileDocuments(t *testing.T) {
	t.Parallel()
	for name, query := range hostile() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, errs := submit(t, newExecutor(t, Default()), query, nil)
			if len(errs) != 1 || errs[0].Extensions["code"] != "LIMIT_EXCEEDED" {
				t.Errorf("%d errors, the first %v", len(errs), errs[:min(len(errs), 1)])
			}
		})
	}
}

func TestLimits_LeaveOtherMistakesToTheParserAndTheValidator(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, query, code string }{
		{"syntax", "{me{id}", "GRAPHQL_PARSE_FAILED"},
		{"100 KB of brackets", "{a(b:" + strings.Repeat("[", 100<<10), "GRAPHQL_PARSE_FAILED"},
		{"nothing", "", "GRAPHQL_VALIDATION_FAILED"},
		{"cycle", "{me{...a}} fragment a on User{...b} fragment b on User{...a}", "GRAPHQL_VALIDATION_FAILED"},
		{"cycle that gains depth", "{me{...a}} fragment a on User{doctorProfile{account{...a}}}", "GRAPHQL_VALIDATION_FAILED"},
		{"unknown fragment", "{...a}", "GRAPHQL_VALIDATION_FAILED"},
		{
			"introspection that nests lists",
			"{__schema{types{fields{type{fields{type{fields{name}}}}}}}}", "GRAPHQL_VALIDATION_FAILED",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, errs := submit(t, newExecutor(t, Default()), c.query, nil)
			if len(errs) == 0 || errs[0].Extensions["code"] != c.code {
				t.Errorf("got %v, want the code %s", errs, c.code)
			}
		})
	}
}

func TestLimits_StandardIntrospectionPasses(t *testing.T) {
	t.Parallel()
	op, errs := submit(t, newExecutor(t, Default()), introspection, nil)
	if errs != nil {
		t.Fatal(errs)
	}
	if costOfAccepted(op) == 0 {
		t.Error("introspection is free")
	}
}

func TestLimits_RefuseSenselessLimits(t *testing.T) {
	t.Parallel()
	for _, l := range []Limits{{}, {Depth: 1, Cost: 1, Tokens: 1, Document: 1, Selections: 1, Writes: 1, Aliases: -1}} {
		if err := l.Validate(); err == nil {
			t.Errorf("%+v was accepted", l)
		}
	}
	if err := Default().Validate(); err != nil {
		t.Error(err)
	}
}

func FuzzLimits(f *testing.F) {
	exec := newExecutor(f, Default())
	f.Add(introspection)
	for _, query := range hostile() {
		f.Add(query[:min(len(query), 5_000)])
	}
	for _, c := range costs {
		f.Add(c.query)
	}
	ctx := graphql.StartOperationTrace(context.Background())
	f.Fuzz(func(t *testing.T, query string) {
		op, errs := exec.CreateOperationContext(ctx, &graphql.RawParams{Query: query})
		if errs == nil && (costOfAccepted(op) < 1 || costOfAccepted(op) > Default().Cost) {
			t.Errorf("accepted at the cost of %d: %s", costOfAccepted(op), query)
		}
	})
}
