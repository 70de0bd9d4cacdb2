package graph

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/caregraph/caregraph/internal/auth"
	"github.com/caregraph/caregraph/model"
)

const (
	// changedEvery and liveEvery are the shortest times between two answers of a
	// subscription, and broadEvery of one that everything changes: that of an administrator,
	// or a list of doctor entries.
	changedEvery = time.Second
	liveEvery    = time.Second / 4
	broadEvery   = time.Second
)

// Subscription is a subscription of one client: `changed`, or `live` with a query.
type Subscription struct {
	// Topics are those of the records whose changes can change the answer.
	Topics model.Topics
	// Named are the topics of which only the records matter whose ids the answer has.
	Named model.Topics
	// IsBell says that each answer is sent. Otherwise one that equals the one before is not.
	IsBell bool

	executor  executor
	operation *graphql.OperationContext
	field     graphql.CollectedField
	query     *ast.OperationDefinition // nil for changed
}

// Subscription is that of Executor.
func (e executor) Subscription(op *graphql.OperationContext) *Subscription {
	s := &Subscription{
		executor: e, operation: op,
		field: graphql.CollectFields(op, op.Operation.SelectionSet, []string{subscriptionType})[0],
	}
	if live, ok := op.Stats.GetExtension(liveExtension).(*liveQuery); ok {
		s.query, s.Topics, s.Named = live.operation, live.topics, live.named
	} else {
		s.IsBell, s.Topics = true, topicsOf(s.field.ArgumentMap(op.Variables)["types"])
	}
	return s
}

// topicsOf returns the topics of a value of `types`: a list of ChangeType, one, or null.
func topicsOf(types any) (topics model.Topics) {
	names, isList := types.([]any)
	switch {
	case types == nil:
		return model.TopicPatients | model.TopicDoctors
	case !isList:
		names = []any{types}
	}
	for _, name := range names {
		if name == "PATIENT" {
			topics |= model.TopicPatients
		} else {
			topics |= model.TopicDoctors
		}
	}
	return topics
}

// Every returns the shortest time between two answers for a viewer.
func (s *Subscription) Every(v *model.Viewer) time.Duration {
	switch {
	case s.IsBell:
		return changedEvery
	case v.Role == model.RoleAdmin || s.Topics&^s.Named&(model.TopicDoctors|model.TopicAccounts) != 0:
		return broadEvery
	default:
		return liveEvery
	}
}

// Answer returns the answer now, with the rights of the context's caller now. Without data
// the subscription is refused.
func (s *Subscription) Answer(ctx context.Context) *graphql.Response {
	if out := s.Refused(ctx); out != nil {
		return out
	}
	ctx = graphql.WithOperationContext(ctx, s.operation)
	if s.query != nil {
		return s.ask(ctx)
	}
	out := &graphql.Response{Data: s.wrapped([]byte("true"))}
	s.executor.operations.report(string(ast.Subscription), out)
	return out
}

// Refused returns the answer to a caller who may not subscribe now, else nil.
func (s *Subscription) Refused(ctx context.Context) *graphql.Response {
	r := s.executor.operations.resolver
	ctx = graphql.WithOperationContext(ctx, s.operation)
	err := s.mayCall(ctx, r)
	if err == nil {
		return nil
	}
	out := &graphql.Response{Errors: gqlerror.List{r.presentError(ctx, errorAt(s.path(), s.field.Position, err))}}
	r.report(string(ast.Subscription), out)
	return out
}

// mayCall returns why the caller may not subscribe. The session is confirmed with the query,
// or here if there is none.
func (s *Subscription) mayCall(ctx context.Context, r resolver) error {
	caller := auth.CallerFrom(ctx)
	v, _, err := caller.CachedViewer(ctx)
	if s.query == nil && err == nil {
		v, err = caller.Viewer(ctx)
	}
	switch {
	case err != nil || v == nil:
		return unauthenticated(err)
	case v.NeedsTotp:
		return needsTotp()
	case !r.Policy.CanCall(subscriptionType+"."+s.field.Name, v.Relations()):
		return model.NewError(model.CodeForbidden, "You may not call "+s.field.Name+".")
	default:
		return nil
	}
}

// ask executes the query.
func (s *Subscription) ask(ctx context.Context) *graphql.Response {
	from := s.operation
	responses, ctx := s.executor.DispatchOperation(ctx, &graphql.OperationContext{
		RawQuery: from.RawQuery, Variables: from.Variables, OperationName: from.OperationName, Doc: from.Doc, Operation: s.query,
		RecoverFunc: from.RecoverFunc, ResolverMiddleware: from.ResolverMiddleware, RootResolverMiddleware: from.RootResolverMiddleware,
	})
	out := responses(ctx)
	if out == nil {
		return &graphql.Response{Errors: gqlerror.List{s.executor.operations.presentError(ctx, cmp.Or(ctx.Err(), context.Canceled))}}
	}
	if len(out.Data) == 0 {
		return out
	}
	data := out.Data
	out.Data = s.wrapped(data)
	Reuse(data)
	for _, err := range out.Errors {
		err.Path = slices.Concat(s.path(), err.Path)
	}
	if redacted, ok := out.Extensions["redacted"].([]ast.Path); ok {
		for i, path := range redacted {
			redacted[i] = slices.Concat(s.path(), path)
		}
	}
	return out
}

func (s *Subscription) path() ast.Path { return ast.Path{ast.PathName(s.field.Alias)} }

// wrapped returns an object with the value of the field.
func (s *Subscription) wrapped(value []byte) []byte {
	head := append(model.AppendText([]byte{'{'}, s.field.Alias), ':')
	return slices.Concat(head, value, []byte{'}'})
}
