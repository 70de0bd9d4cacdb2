package gqlhttp

import (
	"context"
	"slices"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Operation makes an operation ready, from the JSON that the body of a POST request has. It
// is for connections that carry many operations. The errors have codes. Without an operation
// the message was not one.
func (t Transport) Operation(ctx context.Context, exec graphql.GraphExecutor, message []byte) (*graphql.OperationContext, gqlerror.List) {
	start := graphql.Now()
	req, err := t.withDocument(decodeBody(message))
	if err != nil {
		return nil, gqlerror.List{err.entry()}
	}
	req.ReadTime = graphql.TraceTiming{Start: start, End: graphql.Now()}
	return t.prepare(ctx, exec, req)
}

// prepare makes an operation ready. The refusal of one beyond a limit takes a while.
func (t Transport) prepare(ctx context.Context, exec graphql.GraphExecutor, r *request) (*graphql.OperationContext, gqlerror.List) {
	op, errs := t.operation(ctx, exec, r)
	if slices.ContainsFunc(errs, func(err *gqlerror.Error) bool { return code(err) == codeLimitExceeded }) {
		select {
		case <-ctx.Done():
		case <-time.After(refusalDelay):
		}
	}
	return op, withCodes(errs)
}

// AppendResponse appends the JSON of a response, as Encode returns it, and leaves room for
// the end of a message.
func AppendResponse(b []byte, response *graphql.Response) ([]byte, error) {
	before, after, err := envelope(response)
	if err != nil {
		return nil, err
	}
	b = slices.Grow(b, len(before)+len(response.Data)+len(after)+len(eventEnd))
	return append(append(append(b, before...), response.Data...), after...), nil
}
