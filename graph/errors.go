package graph

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/caregraph/caregraph/graph/gen"
	"github.com/caregraph/caregraph/internal/auth"
	"github.com/caregraph/caregraph/model"
)

const internalMessage = "Something went wrong on our side. Quote the request id when you report it."

// presentError turns every error into an entry of `errors`. A *model.Error keeps its
// message. All others are logged here and answered with a fixed sentence and the
// request id.
func (r resolver) presentError(ctx context.Context, err error) *gqlerror.Error {
	out := graphql.DefaultErrorPresenter(ctx, err)
	if code, ok := out.Extensions["code"].(string); ok && out.Err == nil {
		r.logCode(ctx, model.Code(code))
		return out // from gqlgen's parser and validator, and from package limits
	}
	apiErr, ok := errors.AsType[*model.Error](err)
	argument, coercing := coercionError(ctx, out)
	switch {
	case ok:
	case coercing:
		apiErr = model.NewError(model.CodeBadUserInput, "A value has the wrong type.")
	case errors.Is(err, context.DeadlineExceeded):
		r.AddLogAttrs(ctx, slog.String("stopped", "deadline"))
		apiErr = model.NewError(model.CodeUnavailable, "The operation took too long and was stopped.")
	case errors.Is(err, context.Canceled): // the client has gone
		r.AddLogAttrs(ctx, slog.String("stopped", "client"))
		apiErr = model.NewError(model.CodeUnavailable, "The operation was stopped.")
	default:
		return r.internal(ctx, out, err)
	}
	r.logCode(ctx, apiErr.Code)
	extensions := map[string]any{"code": apiErr.Code}
	if len(apiErr.Fields) > 0 {
		argument = apiErr.Fields[0].Field
	}
	if argument != "" {
		extensions["argument"] = argument
	}
	if apiErr.RetryAfter > 0 {
		extensions["retryAfter"] = apiErr.RetryAfter
	}
	if reason, ok := errors.AsType[*auth.TokenError](err); ok {
		extensions["reason"] = reason.Error()
	}
	out.Message, out.Extensions = apiErr.Message, extensions
	return out
}

// coercionError reports whether a value does not fit the type of an argument, and
// returns the argument, such as input.phone. In this case no resolver was called: the
// field takes arguments and has none. The path of gqlgen's error continues with the
// argument; coercionError cuts it off, because a path of an answer ends with the field.
func coercionError(ctx context.Context, out *gqlerror.Error) (argument string, coercing bool) {
	field := graphql.GetFieldContext(ctx)
	if field == nil || field.Args != nil || field.Field.Field == nil || len(field.Field.Definition.Arguments) == 0 {
		return "", false
	}
	at := field.Path()
	if len(out.Path) > len(at) {
		argument = strings.TrimPrefix(out.Path[len(at):].String(), ".")
	}
	out.Path = at
	return argument, true
}

func (r resolver) internal(ctx context.Context, out *gqlerror.Error, err error) *gqlerror.Error {
	id := r.RequestID(ctx)
	r.logCode(ctx, model.CodeInternal)
	r.Log.ErrorContext(ctx, "internal error", slog.String("request_id", id), slog.String("error", err.Error()))
	out.Message = internalMessage
	out.Extensions = map[string]any{"code": model.CodeInternal, "requestId": id}
	return out
}

func (r resolver) logCode(ctx context.Context, code model.Code) {
	r.AddLogAttrs(ctx, slog.String("error_code", string(code)))
}

// recovered turns a panic into an internal error. It logs the type and the stack, but
// not the value, which may contain a record.
func (r resolver) recovered(ctx context.Context, value any) error {
	r.Log.ErrorContext(ctx, "panic", slog.String("request_id", r.RequestID(ctx)),
		slog.String("type", fmt.Sprintf("%T", value)), slog.String("stack", string(debug.Stack())))
	return errors.New("panic")
}

// userErrors turns an error with a UserErrorCode into the userErrors of a payload, and
// returns every other error.
func userErrors(ctx context.Context, err error) ([]*gen.UserError, error) {
	userErrs := []*gen.UserError{}
	apiErr, ok := errors.AsType[*model.Error](err)
	if !ok || Schema().Types["UserErrorCode"].EnumValues.ForName(string(apiErr.Code)) == nil {
		return userErrs, err
	}
	current(ctx).setRetryAfter(apiErr.RetryAfter)
	for _, f := range apiErr.Fields {
		userErrs = append(userErrs, &gen.UserError{Field: inputPath(ctx, f.Field), Code: f.Code, Message: f.Message})
	}
	if len(userErrs) == 0 {
		userErrs = append(userErrs, &gen.UserError{Code: apiErr.Code, Message: apiErr.Message})
	}
	return userErrs, nil
}

// inputPath returns the path of a field in the arguments: an argument of the mutation, or
// a field of its argument `input`. It is nil for a mutation with neither.
func inputPath(ctx context.Context, field string) []string {
	arguments := graphql.GetFieldContext(ctx).Field.Definition.Arguments
	switch {
	case arguments.ForName(field) != nil:
		return []string{field}
	case arguments.ForName("input") != nil:
		return []string{"input", field}
	default:
		return nil
	}
}
