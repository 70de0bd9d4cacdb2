package graph

import (
	"context"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/caregraph/caregraph/graph/plan"
	"github.com/caregraph/caregraph/model"
)

// conditions returns BAD_USER_INPUT if a variable in @skip or @include is null.
// Validation allows a nullable variable with a default there (GraphQL, 5.8.5), and
// gqlgen's executor panics on null.
type conditions struct{}

var _ interface {
	graphql.HandlerExtension
	graphql.OperationContextMutator
} = conditions{}

func (conditions) ExtensionName() string { return "Conditions" }

func (conditions) Validate(graphql.ExecutableSchema) error { return nil }

func (conditions) MutateOperationContext(_ context.Context, op *graphql.OperationContext) *gqlerror.Error {
	for name, value := range op.Variables {
		if value == nil && slices.Contains(plan.Conditions(op.Operation), name) {
			err := gqlerror.Errorf("The variable $%s decides in @skip or @include and must not be null.", name)
			err.Extensions = map[string]any{"code": string(model.CodeBadUserInput)}
			return err
		}
	}
	return nil
}
