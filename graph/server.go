package graph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/99designs/gqlgen/graphql"
	gqlgen "github.com/99designs/gqlgen/graphql/executor"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/caregraph/caregraph/graph/gen"
	"github.com/caregraph/caregraph/graph/plan"
	"github.com/caregraph/caregraph/internal/auth"
	"github.com/caregraph/caregraph/internal/limits"
)

// New returns a handler that executes operations over the transports, which are tried in
// their order; the last one must support every request. Directives, limits and errors are
// the same for all of them. New returns an error if the descriptors of the records do not
// explain the schema.
func New(c Config, transports ...graphql.Transport) (http.Handler, error) {
	schema := describedSchema()
	plans, err := plan.New(plan.Config{Schema: schema, Policy: c.Policy, Records: c.Store.Records(), Access: c.allowed, Changes: c.Store.Changes})
	if err != nil {
		return nil, fmt.Errorf("compile queries: %w", err)
	}
	r := resolver{Config: c, Resolvers: gen.Resolvers{Reads: reads{c}}, plans: plans, introspection: newIntrospection()}
	exec := gqlgen.New(gen.NewExecutableSchema(gen.Config{
		Schema:     schema,
		Resolvers:  r,
		Directives: gen.DirectiveRoot{Owner: r.owner},
	}))
	exec.SetErrorPresenter(r.presentError)
	exec.SetRecoverFunc(r.recovered)
	exec.AroundOperations(r.execute)
	exec.AroundResponses(r.withResponse)
	operations, err := r.newOperations(schema)
	if err != nil {
		return nil, err
	}
	return server{executor{exec, operations}, transports}, nil
}

// server passes each request to a transport. It replaces that of gqlgen, which copies each
// request to put the time into its context.
type server struct {
	executor   executor
	transports []graphql.Transport
}

// ServeHTTP answers a request. A panic outside of an operation is an internal error.
func (s server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer func() {
		if value := recover(); value != nil {
			o := s.executor.operations
			err := o.presentError(r.Context(), o.recovered(r.Context(), value))
			w.WriteHeader(http.StatusInternalServerError)
			_ = json.NewEncoder(w).Encode(&graphql.Response{Errors: gqlerror.List{err}}) // the client may be gone
		}
	}()
	i := slices.IndexFunc(s.transports, func(t graphql.Transport) bool { return t.Supports(r) })
	if asksToExplain(r) && r.Header["Upgrade"] == nil { // a socket has many answers and no header for them
		s.transports[i].Do(w, r, explaining{s.executor, w.Header(), time.Now()})
		return
	}
	s.transports[i].Do(w, r, s.executor)
}

// execute answers an operation.
func (r resolver) execute(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	op := graphql.GetOperationContext(ctx)
	switch {
	case op.Operation.Operation == ast.Mutation:
		return r.submit(ctx, op, next)
	case r.Introspection && isIntrospection(op):
		return r.introspect(ctx, op, next)
	default:
		return r.fast(ctx, op, next)
	}
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
