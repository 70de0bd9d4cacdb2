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
	switch {
	case ok:
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
	extensions := map[string]any{"code": string(apiErr.Code)} // transports look for a string
	if len(apiErr.Fields) > 0 {
		extensions["argument"] = apiErr.Fields[0].Field
	}
	if apiErr.RetryAfter > 0 {
		extensions["retryAfter"] = apiErr.RetryAfter
	}
	if apiErr.Code == model.CodeUnauthenticated {
		extensions["reason"] = gen.UnauthenticatedReason(auth.Refusal(err))
	}
	out.Message, out.Extensions = apiErr.Message, extensions
	return out
}

func (r resolver) internal(ctx context.Context, out *gqlerror.Error, err error) *gqlerror.Error {
	id := r.RequestID(ctx)
	r.logCode(ctx, model.CodeInternal)
	r.Log.ErrorContext(ctx, "internal error", slog.String("request_id", id), slog.String("error", err.Error()))
	out.Message = internalMessage
	out.Extensions = map[string]any{"code": string(model.CodeInternal), "requestId": id}
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
		userErrs = append(userErrs, &gen.UserError{Field: inputPath(ctx, f.Field), Code: f.Code, Message: f.Message, Params: params(f.Params, apiErr)})
	}
	if len(userErrs) == 0 {
		userErrs = append(userErrs, &gen.UserError{Code: apiErr.Code, Message: apiErr.Message, Params: params(nil, apiErr)})
	}
	return userErrs, nil
}

// params returns the params of an error, and its wait if it has one.
func params(of []model.ErrorParam, err *model.Error) []*model.ErrorParam {
	if err.RetryAfter > 0 {
		of = append(of, model.IntParam("retryAfter", err.RetryAfter))
	}
	all := make([]*model.ErrorParam, len(of))
	for i := range of {
		all[i] = &of[i]
	}
	return all
}

// inputPath returns the path of a field in the arguments: an argument of the mutation,
// perhaps with the id of a record, or a field of its argument `input`. It is nil for a mutation with neither.
func inputPath(ctx context.Context, field string) []string {
	arguments := graphql.GetFieldContext(ctx).Field.Definition.Arguments
	argument, record, found := strings.Cut(field, ".")
	switch {
	case found && arguments.ForName(argument) != nil:
		return []string{argument, record}
	case arguments.ForName(field) != nil:
		return []string{field}
	case arguments.ForName("input") != nil:
		return []string{"input", field}
	default:
		return nil
	}
}
