package graph_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/graph"
)

// A new reason of the plans must be in AnswerKinds, or the metrics count it as "other".
func TestAnswerKinds_HaveEveryReasonOfThePlans(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("plan/*.go")
	if err != nil {
		t.Fatal(err)
	}
	reasons := 0
	for _, name := range names {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			constant, ok := n.(*ast.ValueSpec)
			if !ok || !strings.HasPrefix(constant.Names[0].Name, "Reason") {
				return true
			}
			reasons++
			if text, _ := strconv.Unquote(constant.Values[0].(*ast.BasicLit).Value); !slices.Contains(graph.AnswerKinds(), text) {
				t.Errorf("plan.%s is no kind of answer", constant.Names[0])
			}
			return true
		})
	}
	if want := len(graph.AnswerKinds()) - 2; reasons != want { // compiled, unauthenticated
		t.Errorf("the plans have %d reasons, and there are %d kinds for them", reasons, want)
	}
}
