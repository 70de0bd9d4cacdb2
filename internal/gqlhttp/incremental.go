package gqlhttp

import (
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// usesDefer reports whether a document uses @defer. gqlgen would omit the
// deferred fields from its first response, and a client would take them for
// absent.
func usesDefer(op *graphql.OperationContext) bool {
	if !strings.Contains(op.RawQuery, "defer") {
		return false
	}
	for _, operation := range op.Doc.Operations {
		if containsDefer(operation.SelectionSet) {
			return true
		}
	}
	for _, fragment := range op.Doc.Fragments {
		if containsDefer(fragment.SelectionSet) {
			return true
		}
	}
	return false
}

func containsDefer(selections ast.SelectionSet) bool {
	for _, selection := range selections {
		switch it := selection.(type) {
		case *ast.Field:
			if containsDefer(it.SelectionSet) {
				return true
			}
		case *ast.InlineFragment:
			if it.Directives.ForName("defer") != nil || containsDefer(it.SelectionSet) {
				return true
			}
		case *ast.FragmentSpread:
			if it.Directives.ForName("defer") != nil {
				return true
			}
		}
	}
	return false
}
