package graphtest

import (
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/graph"
)

// checkCodes fails the test if an answer of a mutation has a code that its @userErrors
// does not list. It knows mutations without an alias.
func checkCodes(tb testing.TB, answer Answer) {
	tb.Helper()
	mutations := graph.Schema().Mutation.Fields
	for root := range answer.Data {
		mutation := mutations.ForName(root)
		if mutation == nil {
			continue
		}
		for _, e := range answer.UserErrors(root) {
			if e.Code != "" && !listsCode(mutation, e.Code) {
				tb.Errorf("%s answers %s, which its @userErrors does not list", root, e.Code)
			}
		}
	}
}

func listsCode(mutation *ast.FieldDefinition, code string) bool {
	directive := mutation.Directives.ForName("userErrors")
	if directive == nil {
		return false
	}
	for _, listed := range directive.Arguments.ForName("codes").Value.Children {
		if listed.Value.Raw == code {
			return true
		}
	}
	return false
}
