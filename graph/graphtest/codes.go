package graphtest

import (
	"context"
	"reflect"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/graph/gen"
)

// checkCodes fails the test if an answer of a mutation has a code that its @userErrors
// does not list.
func checkCodes(tb testing.TB) graphql.FieldMiddleware {
	return func(ctx context.Context, next graphql.Resolver) (any, error) {
		payload, err := next(ctx)
		field := graphql.GetFieldContext(ctx)
		if field.Object != "Mutation" || payload == nil || err != nil {
			return payload, err
		}
		answered, _ := reflect.Indirect(reflect.ValueOf(payload)).FieldByName("UserErrors").Interface().([]*gen.UserError)
		for _, e := range answered {
			if !listsCode(field.Field.Definition, string(e.Code)) {
				tb.Errorf("%s answers %s, which its @userErrors does not list", field.Field.Name, e.Code)
			}
		}
		return payload, nil
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
