package graph

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/99designs/gqlgen/graphql"

	"github.com/caregraph/caregraph/internal/auth"
	"github.com/caregraph/caregraph/model"
)

// owner is the directive @owner of the reference engine. It hides the value of a field
// unless FieldPolicy.CanRead admits the viewer.
func (r resolver) owner(ctx context.Context, obj any, next graphql.Resolver, _, _ model.Audience) (any, error) {
	record, ok := obj.(model.Record)
	if !ok {
		return nil, fmt.Errorf("@owner on %T, which is no record", obj)
	}
	if r.Policy.Field(record.TypeName(), graphql.GetFieldContext(ctx).Field.Name).CanRead(record.ViewerRelations()) {
		return next(ctx)
	}
	return nil, hidden(ctx)
}

// hidden reports a hidden value: as an error or, with @redact, in extensions.redacted.
func hidden(ctx context.Context) error {
	if isRedacting(graphql.GetOperationContext(ctx)) {
		current(ctx).redact(graphql.GetPath(ctx))
		return nil
	}
	return hiddenField()
}

func isRedacting(op *graphql.OperationContext) bool {
	return op.Operation.Directives.ForName("redact") != nil
}

func hiddenField() error {
	return model.NewError(model.CodeForbiddenField, "You may not see this field of this record.")
}

// guard closes every root field to callers that its @access does not admit. A root
// field without @access is closed to everyone.
func (r resolver) guard(ctx context.Context, next graphql.Resolver) (any, error) {
	field := graphql.GetFieldContext(ctx)
	if field.Object != "Query" && field.Object != "Mutation" && field.Object != "Subscription" {
		return next(ctx)
	}
	if field.Object == "Mutation" {
		current(ctx).forget()
	}
	v := viewer(ctx)
	name := field.Field.Name
	isIntrospection := strings.HasPrefix(name, "__")
	if isIntrospection && !r.Introspection {
		return nil, model.NewError(model.CodeForbidden, "Introspection is switched off on this server. The schema is at /schema.graphqls.")
	}
	switch root := field.Object + "." + name; {
	case isIntrospection, r.Policy.CanCall(root, model.Anyone):
		return next(ctx)
	case !setsUpTotp(root) && setUpFirst(ctx) != nil:
		return nil, setUpFirst(ctx)
	case r.Policy.CanCall(root, v.Relations()):
		return next(ctx)
	}
	if v == nil {
		return nil, unauthenticated(caller(ctx).tokenErr)
	}
	return nil, model.NewError(model.CodeForbidden, "You may not call "+name+".")
}

// unauthenticated returns the reason why there is no viewer: UNAUTHENTICATED for a
// missing or bad token, and any other error unchanged.
func unauthenticated(tokenErr error) error {
	if tokenErr == nil {
		return model.NewError(model.CodeUnauthenticated, "Authentication credentials were not provided.")
	}
	token, ok := errors.AsType[*auth.TokenError](tokenErr)
	if !ok {
		return tokenErr
	}
	return errors.Join(model.NewError(model.CodeUnauthenticated, token.Error()+"."), token)
}
