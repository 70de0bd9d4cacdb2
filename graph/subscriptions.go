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
	// ChangedEvery and liveEvery are the shortest times between two answers of a
	// subscription, and broadEvery of one that everything changes: that of an administrator,
	// or a list of doctor entries.
	ChangedEvery = time.Second
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
	doc       *ast.QueryDocument
	operation *ast.OperationDefinition
	variables map[string]any
	field     *ast.Field
	query     *ast.OperationDefinition // nil for changed
}

// Subscription is that of Executor. It keeps what all subscriptions with the same document
// share, and the variables: it may stay for days.
func (e executor) Subscription(op *graphql.OperationContext) *Subscription {
	s := &Subscription{
		executor: e, doc: op.Doc, operation: op.Operation, variables: op.Variables,
		field: rootFieldsOf(op.Operation.SelectionSet).fields[0],
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
		return ChangedEvery
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
	if s.query != nil {
		return s.ask(ctx)
	}
	return s.ring()
}

// Bell returns the answer of a bell to a viewer whose session is open. Without one, Answer says
// why.
func (s *Subscription) Bell(v *model.Viewer) *graphql.Response {
	if !s.IsBell || s.isClosedTo(v) != nil {
		return nil
	}
	return s.ring()
}

func (s *Subscription) ring() *graphql.Response {
	out := &graphql.Response{Data: s.wrapped([]byte("true"))}
	s.executor.operations.report(string(ast.Subscription), out)
	return out
}

// context returns the context of an operation of the document.
func (s *Subscription) context(of *ast.OperationDefinition) *graphql.OperationContext {
	o := s.executor.operations
	return &graphql.OperationContext{
		RawQuery: of.Position.Src.Input, Variables: s.variables, OperationName: of.Name, Doc: s.doc, Operation: of,
		RecoverFunc: o.onPanic, ResolverMiddleware: o.onField, RootResolverMiddleware: onRoot,
	}
}

// Refused returns the answer to a caller who may not subscribe now, else nil.
func (s *Subscription) Refused(ctx context.Context) *graphql.Response {
	err := s.mayCall(ctx)
	if err == nil {
		return nil
	}
	r := s.executor.operations
	ctx = graphql.WithOperationContext(ctx, s.context(s.operation))
	out := &graphql.Response{Errors: gqlerror.List{r.presentError(ctx, errorAt(s.path(), s.field.Position, err))}}
	r.report(string(ast.Subscription), out)
	return out
}

// mayCall returns why the caller may not subscribe. The session is confirmed with the query,
// or here if there is none.
func (s *Subscription) mayCall(ctx context.Context) error {
	caller := auth.CallerFrom(ctx)
	v, _, err := caller.CachedViewer(ctx)
	if s.query == nil && err == nil {
		v, err = caller.Viewer(ctx)
	}
	if err != nil || v == nil {
		return unauthenticated(err)
	}
	return s.isClosedTo(v)
}

// isClosedTo returns why a viewer may not subscribe.
func (s *Subscription) isClosedTo(v *model.Viewer) error {
	switch {
	case v.NeedsTotp:
		return needsTotp()
	case !s.executor.operations.Policy.CanCall(subscriptionType+"."+s.field.Name, v.Relations()):
		return model.NewError(model.CodeForbidden, "You may not call "+s.field.Name+".")
	default:
		return nil
	}
}

// ask executes the query.
func (s *Subscription) ask(ctx context.Context) *graphql.Response {
	responses, ctx := s.executor.DispatchOperation(ctx, s.context(s.query))
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
