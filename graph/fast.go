package graph

import (
	"context"
	"errors"
	"fmt"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/caregraph/caregraph/graph/plan"
	"github.com/caregraph/caregraph/internal/auth"
	"github.com/caregraph/caregraph/internal/limits"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
)

// Reuse returns the data of a sent response to a pool.
func Reuse(data []byte) { plan.Reuse(data) }

// Kinds of answers, in addition to the reasons of package plan.
const (
	// Compiled is for an answer by a plan.
	Compiled = "compiled"
	// referenceOnly is for Config.ReferenceOnly.
	referenceOnly = "interpreted"
	// anonymous is for callers without a session. The reference engine refuses them.
	anonymous = "unauthenticated"
)

// AnswerKinds returns the values that Config.OnAnswered gets, for labels of metrics. It
// omits the names of fields without a plan, which OnAnswered also gets.
func AnswerKinds() []string {
	return []string{
		Compiled, anonymous,
		plan.ReasonArguments, plan.ReasonIntrospection, plan.ReasonReads, plan.ReasonRefused, plan.ReasonSize,
	}
}

// fast answers an operation by its plan. It leaves every other operation to gqlgen's
// executor, which gives the same answers and writes all refusals.
func (r resolver) fast(ctx context.Context, op *graphql.OperationContext, next graphql.OperationHandler) graphql.ResponseHandler {
	typ := op.Operation.Operation
	if typ == ast.Mutation && r.RunToEnd != nil {
		r.RunToEnd(ctx)
	}
	out, how := r.answer(ctx, op)
	if r.OnAnswered != nil {
		r.OnAnswered(ctx, string(typ), how)
	}
	if out == nil {
		return ringing(typ, next(ctx), r.Store.Ring)
	}
	if typ == ast.Mutation {
		r.Store.Ring()
	}
	r.report(string(typ), out)
	return graphql.OneShot(out)
}

// ringing rings after each response to a mutation.
func ringing(typ ast.Operation, responses graphql.ResponseHandler, ring func()) graphql.ResponseHandler {
	if typ != ast.Mutation {
		return responses
	}
	return func(ctx context.Context) *graphql.Response {
		defer ring()
		return responses(ctx)
	}
}

// answer returns the answer by a plan, or nil and the reason why the executor must
// answer. Without an answer nothing was written.
func (r resolver) answer(ctx context.Context, op *graphql.OperationContext) (out *graphql.Response, how string) {
	if r.ReferenceOnly {
		return nil, referenceOnly
	}
	defer func() {
		if value := recover(); value != nil {
			out, how = r.failedResponse(ctx, op, r.recovered(ctx, value)), Compiled
		}
	}()
	compiled, reason := r.plans.Plan(op)
	switch {
	case compiled == nil:
		return nil, reason
	case op.Operation.Operation == ast.Mutation:
		return r.mutate(ctx, op, compiled)
	default:
		return r.read(ctx, op, compiled)
	}
}

// read is answer for a query.
func (r resolver) read(ctx context.Context, op *graphql.OperationContext, compiled *plan.Plan) (*graphql.Response, string) {
	caller := auth.CallerFrom(ctx)
	v, confirmed, err := caller.CachedViewer(ctx)
	for err == nil && v != nil {
		if !compiled.MayCall(r.Policy, v) {
			return nil, plan.ReasonRefused
		}
		bound, reason := compiled.Bind(ctx, v, op.Variables)
		if reason != "" {
			return nil, reason
		}
		counted := r.Answers.Begin(ctx, caller, v.UserID)
		bound.Request.Confirm, bound.Request.Meter = !confirmed, counted
		fetchErr := r.Store.Fetch(ctx, v, &bound.Request)
		changed, isChanged := errors.AsType[*store.ViewerChangedError](fetchErr)
		switch {
		case isChanged:
			v, err = caller.Confirm(changed.Viewer)
			confirmed = true
		case fetchErr != nil:
			return r.failedResponse(ctx, op, fetchErr), Compiled
		default:
			if !confirmed {
				_, _ = caller.Confirm(v) // the viewer is the caller's
			}
			encoded, err := bound.Encode(r.Now(), counted)
			if err != nil {
				return r.failedResponse(ctx, op, err), Compiled
			}
			return r.respond(ctx, op, encoded), Compiled
		}
	}
	return nil, anonymous
}

// mutate is answer for a mutation. After Mutate the executor must not run.
func (r resolver) mutate(ctx context.Context, op *graphql.OperationContext, compiled *plan.Plan) (*graphql.Response, string) {
	v, err := auth.CallerFrom(ctx).Viewer(ctx)
	if err != nil || v == nil {
		return nil, anonymous
	}
	if !compiled.MayCall(r.Policy, v) {
		return nil, plan.ReasonRefused
	}
	bound, reason := compiled.Bind(ctx, v, op.Variables)
	if reason != "" {
		return nil, reason
	}
	return r.response(ctx, func(ctx context.Context) *graphql.Response {
		bound.Mutate(ctx, plan.Mutator{Resolver: mutation{r}, Read: r.readAfter(ctx, op), Recovered: r.recovered})
		encoded, _ := bound.Encode(r.Now(), &limits.Answer{}) // response counts the bytes
		return r.respond(ctx, op, encoded)
	}), Compiled
}

// readAfter returns the function that fetches what a payload reads after its mutation, in a
// snapshot of its own, which also confirms the session. The rows of all payloads of the
// operation count together.
func (r resolver) readAfter(ctx context.Context, op *graphql.OperationContext) func(context.Context, *plan.Plan, model.Node) (*plan.Execution, error) {
	caller := auth.CallerFrom(ctx)
	counted := r.Answers.Begin(ctx, caller, caller.Account())
	return func(ctx context.Context, reads *plan.Plan, record model.Node) (*plan.Execution, error) {
		for v := viewer(ctx); v != nil; v = viewer(ctx) {
			if !reads.MayCall(r.Policy, v) {
				return nil, model.NewError(model.CodeForbidden, "You may not read this any more.")
			}
			bound, reason := reads.BindAfter(ctx, v, op.Variables, record)
			if reason != "" {
				return nil, fmt.Errorf("what was bound before the mutation: %s", reason)
			}
			bound.Request.Confirm, bound.Request.Meter = true, counted
			err := r.Store.Fetch(ctx, v, &bound.Request)
			changed, isChanged := errors.AsType[*store.ViewerChangedError](err)
			if err == nil {
				return bound, nil
			}
			if !isChanged {
				return nil, err
			}
			current(ctx).setViewer(changed.Viewer)
		}
		return nil, nil // no one is signed in any more
	}
}

func (r resolver) respond(ctx context.Context, op *graphql.OperationContext, answer *plan.Answer) *graphql.Response {
	out := &graphql.Response{Data: answer.Data}
	var redacted []ast.Path
	for _, null := range answer.Nulls {
		err := null.Err
		if err == nil && isRedacting(op) {
			redacted = append(redacted, null.Path)
			continue
		}
		if err == nil {
			err = hiddenField()
		}
		out.Errors = append(out.Errors, r.presentError(ctx, errorAt(null.Path, null.Position, err)))
	}
	if len(redacted) > 0 {
		addExtension(out, "redacted", redacted)
	}
	return out
}

// failedResponse answers an operation that no engine can answer. Each root field has the
// error and is null; data is null if one of them cannot be null. A query that is refused
// for its size or for the load has the error alone.
func (r resolver) failedResponse(ctx context.Context, op *graphql.OperationContext, err error) *graphql.Response {
	out := &graphql.Response{}
	if isRefused(err) {
		out.Errors = gqlerror.List{r.presentError(ctx, err)}
		return out
	}
	data, typ := []byte{'{'}, "Query"
	if op.Operation.Operation == ast.Mutation {
		typ = "Mutation"
	}
	for i, f := range graphql.CollectFields(op, op.Operation.SelectionSet, []string{typ}) {
		if i > 0 {
			data = append(data, ',')
		}
		data = append(model.AppendText(data, f.Alias), ':')
		if f.Name == "__typename" {
			data = model.AppendText(data, typ)
			continue
		}
		data = append(data, "null"...)
		out.Errors = append(out.Errors, r.presentError(ctx, errorAt(ast.Path{ast.PathName(f.Alias)}, f.Position, err)))
		if f.Definition.Type.NonNull {
			out.Data = []byte("null")
		}
	}
	if out.Data == nil {
		data = append(data, '}')
		out.Data = data
	}
	return out
}

func isRefused(err error) bool {
	code := model.CodeOf(err)
	return code == model.CodeLimitExceeded || code == model.CodeRateLimited
}

// errorAt adds the path in the answer and the position in the document to an error.
func errorAt(path ast.Path, position *ast.Position, err error) error {
	out := gqlerror.WrapPath(path, err)
	out.Locations = []gqlerror.Location{{Line: position.Line, Column: position.Column}}
	return out
}
