package graph

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/caregraph/caregraph/graph/plan"
	"github.com/caregraph/caregraph/model"
)

// introspection caches the answers to introspection, which are the same for all callers
// and costly. Callers without a token may ask, so it computes one answer at a time.
type introspection struct {
	answers *lru.Cache[[sha256.Size]byte, []byte]
	// turns admits the requests that wait, and turn the one that computes.
	turns, turn chan struct{}
}

const (
	// maxIntrospections is the number of cached answers. A full one has some 200 KB.
	maxIntrospections = 32
	// maxIntrospectionTurns is how many requests wait for their turn.
	maxIntrospectionTurns = 16
)

func newIntrospection() *introspection {
	answers, _ := lru.New[[sha256.Size]byte, []byte](maxIntrospections) // fails for a size below 1 only
	return &introspection{answers, make(chan struct{}, maxIntrospectionTurns), make(chan struct{}, 1)}
}

// cached returns a copy of the cached answer, because its buffer is used again, or nil.
func (i *introspection) cached(key [sha256.Size]byte) *graphql.Response {
	data, ok := i.answers.Get(key)
	if !ok {
		return nil
	}
	return &graphql.Response{Data: slices.Clone(data)}
}

// answer computes an answer when its turn comes, unless it is cached by then. It returns
// RATE_LIMITED if too many requests wait.
func (i *introspection) answer(ctx context.Context, key [sha256.Size]byte, compute func() *graphql.Response) (*graphql.Response, error) {
	select {
	case i.turns <- struct{}{}:
		defer func() { <-i.turns }()
	default:
		return nil, model.RateLimited("Too many requests ask for the schema. It is also at /schema.graphqls.", 1)
	}
	select {
	case i.turn <- struct{}{}:
		defer func() { <-i.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if out := i.cached(key); out != nil {
		return out, nil
	}
	out := compute()
	if out != nil && len(out.Errors) == 0 && len(out.Extensions) == 0 {
		i.answers.Add(key, slices.Clone(out.Data))
	}
	return out, nil
}

// introspect answers an operation that asks for the schema alone.
func (r resolver) introspect(ctx context.Context, op *graphql.OperationContext, next graphql.OperationHandler) graphql.ResponseHandler {
	variables, err := json.Marshal(op.Variables)
	if err != nil {
		return r.fast(ctx, op, next)
	}
	key := sha256.Sum256([]byte(strings.Join([]string{op.RawQuery, op.OperationName, string(variables)}, "\x00")))
	if out := r.introspection.cached(key); out != nil {
		if r.OnAnswered != nil {
			r.OnAnswered(ctx, string(ast.Query), plan.ReasonIntrospection)
		}
		return graphql.OneShot(out)
	}
	responses := r.fast(ctx, op, next)
	return func(ctx context.Context) *graphql.Response {
		out, err := r.introspection.answer(ctx, key, func() *graphql.Response { return responses(ctx) })
		if err != nil {
			return &graphql.Response{Errors: gqlerror.List{r.presentError(ctx, err)}}
		}
		return out
	}
}

// isIntrospection reports whether an operation selects __schema and __type only.
func isIntrospection(op *graphql.OperationContext) bool {
	if op.Operation.Operation != ast.Query || !strings.Contains(op.RawQuery, "__") {
		return false
	}
	fields := graphql.CollectFields(op, op.Operation.SelectionSet, []string{"Query"})
	return len(fields) > 0 && !slices.ContainsFunc(fields, func(f graphql.CollectedField) bool {
		return f.Name != "__schema" && f.Name != "__type" && f.Name != "__typename"
	})
}
