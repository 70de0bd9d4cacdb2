package rest_test

import (
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/caregraph/caregraph/internal/rest"
)

// The settings let an operator lower limits to these; see internal/settings.
const (
	leastAliases = 20
	leastTokens  = 500
)

func TestDocuments_StayBelowTheLowestLimits(t *testing.T) {
	t.Parallel()
	for address, text := range rest.Documents() {
		document, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: text}, leastTokens)
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		aliases := 0
		for _, operation := range document.Operations {
			aliases += aliasesIn(operation.SelectionSet)
		}
		for _, fragment := range document.Fragments {
			aliases += aliasesIn(fragment.SelectionSet)
		}
		if aliases > leastAliases {
			t.Errorf("%s has %d aliases", address, aliases)
		}
	}
}

func aliasesIn(selections ast.SelectionSet) int {
	n := 0
	for _, selection := range selections {
		field, ok := selection.(*ast.Field)
		if !ok {
			continue
		}
		if field.Alias != field.Name {
			n++
		}
		n += aliasesIn(field.SelectionSet)
	}
	return n
}
