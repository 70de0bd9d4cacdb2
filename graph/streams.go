package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Executor is the executor of transports whose connections stay open.
type Executor interface {
	graphql.GraphExecutor
	// NeedsHTTP reports whether an operation must be answered over HTTP: its answer has
	// tokens, or it ends the session of the connection.
	NeedsHTTP(op *graphql.OperationContext) bool
	// Subscription returns the subscription of an operation that is one.
	Subscription(op *graphql.OperationContext) *Subscription
	// Recovered logs a panic and returns the error for the client.
	Recovered(ctx context.Context, value any) *gqlerror.Error
}

var _ Executor = executor{}

// NeedsHTTP is that of Executor.
func (e executor) NeedsHTTP(op *graphql.OperationContext) bool {
	if op.Operation.Operation != ast.Mutation {
		return false
	}
	for _, field := range graphql.CollectFields(op, op.Operation.SelectionSet, []string{"Mutation"}) {
		payload := e.operations.schema.Types[field.Definition.Type.Name()]
		if field.Name == "logout" || field.Name == "logoutEverywhere" || payload.Fields.ForName("tokens") != nil {
			return true
		}
	}
	return false
}

// Recovered is that of Executor.
func (e executor) Recovered(ctx context.Context, value any) *gqlerror.Error {
	return e.operations.presentError(ctx, e.operations.recovered(ctx, value))
}
