package limits

import (
	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// maxHashing is the limit of root fields that hash a password: one takes as long as
// hundreds of other fields.
const maxHashing = 1

// hashes reports whether a field of Mutation hashes a password.
func hashes(name string) bool {
	switch name {
	case "register", "login", "changePassword", "eraseMe", "startTotp", "stopTotp":
		return true
	default:
		return false
	}
}

// hashingFields returns the number of root fields of a validated operation that hash
// a password. Fields that @skip or @include exclude do not count.
func hashingFields(op *graphql.OperationContext) int {
	if op.Operation.Operation != ast.Mutation {
		return 0
	}
	w := hashingWalk{costCounter{variables: op.Variables}, names{}, map[*ast.FragmentDefinition]bool{}}
	w.set(op.Operation.SelectionSet)
	return len(w.found)
}

// hashingWalk visits each fragment once. Fields with one name in the result are
// executed once.
type hashingWalk struct {
	costCounter

	found   names
	visited map[*ast.FragmentDefinition]bool
}

func (w *hashingWalk) set(selections ast.SelectionSet) {
	for _, selection := range selections {
		switch it := selection.(type) {
		case *ast.Field:
			if hashes(it.Name) && w.included(it.Directives) {
				w.found[it.Alias]++
			}
		case *ast.InlineFragment:
			if w.included(it.Directives) {
				w.set(it.SelectionSet)
			}
		case *ast.FragmentSpread:
			if w.included(it.Directives) && !w.visited[it.Definition] {
				w.visited[it.Definition] = true
				w.set(it.Definition.SelectionSet)
			}
		}
	}
}
