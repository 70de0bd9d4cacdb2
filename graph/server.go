package graph

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/graph/gen"
	"github.com/caregraph/caregraph/graph/plan"
	"github.com/caregraph/caregraph/internal/limits"
)

// maxCachedQueries is how many parsed documents are kept. One of the longest
// that the token limit lets through takes some 200 KB.
const maxCachedQueries = 200

// New returns the executor of the schema, over the transports, which are asked
// in their order. Directives, limits and errors are the same whichever of them
// a request comes through. It refuses a schema that the descriptors of the records
// do not explain.
func New(c Config, transports ...graphql.Transport) (*handler.Server, error) {
	schema := describedSchema()
	plans, err := plan.New(plan.Config{Schema: schema, Policy: c.Policy, Records: c.Store.Records(), Access: c.allowed})
	if err != nil {
		return nil, fmt.Errorf("compile queries: %w", err)
	}
	r := resolver{Config: c, Resolvers: gen.Resolvers{Reads: reads{c}}, plans: plans}
	server := handler.New(gen.NewExecutableSchema(gen.Config{
		Schema:     schema,
		Resolvers:  r,
		Directives: gen.DirectiveRoot{Owner: r.owner},
	}))
	server.SetErrorPresenter(r.presentError)
	server.SetRecoverFunc(r.recovered)
	server.SetDisableSuggestion(true) // a guess at a name tells what was not asked
	server.SetParserTokenLimit(c.Limits.Tokens)
	server.SetQueryCache(lru.New[*ast.QueryDocument](maxCachedQueries))
	server.Use(c.Limits.Extension())
	server.Use(conditions{})
	server.Use(extension.Introspection{}) // whether it is answered is the guard's to say
	server.AroundOperations(r.logOperation)
	server.AroundOperations(r.fast)
	server.AroundResponses(r.withResponse)
	server.AroundFields(r.guard)
	for _, t := range transports {
		server.AddTransport(t)
	}
	return server, nil
}

// maxLoggedName bounds what a client can put into our log.
const maxLoggedName = 64

// logOperation puts the operation into the log line of the request.
func (r resolver) logOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	op := graphql.GetOperationContext(ctx)
	name := op.OperationName
	if name == "" {
		name = op.Operation.Name
	}
	r.AddLogAttrs(ctx,
		slog.String("operation", name[:min(len(name), maxLoggedName)]),
		slog.String("operation_type", string(op.Operation.Operation)),
		slog.Int("cost", limits.Cost(op)))
	return next(ctx)
}
