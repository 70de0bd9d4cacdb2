package graph

import (
	"context"
	"errors"
	"fmt"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"

	"github.com/caregraph/caregraph/graph/gen"
	"github.com/caregraph/caregraph/graph/plan"
	"github.com/caregraph/caregraph/internal/auth"
	"github.com/caregraph/caregraph/internal/limits"
)

// New returns the executor of the schema over the transports, which are tried in their
// order. Directives, limits and errors are the same for all of them. New returns an
// error if the descriptors of the records do not explain the schema.
func New(c Config, transports ...graphql.Transport) (*handler.Server, error) {
	schema := describedSchema()
	plans, err := plan.New(plan.Config{Schema: schema, Policy: c.Policy, Records: c.Store.Records(), Access: c.allowed, Changes: c.Store.Changes})
	if err != nil {
		return nil, fmt.Errorf("compile queries: %w", err)
	}
	r := resolver{Config: c, Resolvers: gen.Resolvers{Reads: reads{c}}, plans: plans, introspection: newIntrospection()}
	server := handler.New(gen.NewExecutableSchema(gen.Config{
		Schema:     schema,
		Resolvers:  r,
		Directives: gen.DirectiveRoot{Owner: r.owner},
	}))
	server.SetErrorPresenter(r.presentError)
	server.SetRecoverFunc(r.recovered)
	server.AroundOperations(r.submit)
	server.AroundOperations(r.introspect)
	server.AroundOperations(r.fast)
	server.AroundResponses(r.withResponse)
	operations, err := r.newOperations(schema)
	if err != nil {
		return nil, err
	}
	for _, t := range transports {
		server.AddTransport(transport{t, operations})
	}
	return server, nil
}

// limits returns the limits with the rows that lists have for the caller. The lists of a
// caller without a session are refused and cost nothing.
func (r resolver) limits() limits.Limits {
	l := r.Limits
	l.Rows = func(ctx context.Context, list string) (int, error) {
		v, _, err := auth.CallerFrom(ctx).CachedViewer(ctx)
		if _, anonymous := errors.AsType[*auth.TokenError](err); err != nil && !anonymous {
			return 0, err
		}
		return r.Store.Rows(ctx, v, list, limits.MaxRows)
	}
	return l
}
