// Package gqlhttp serves GraphQL over HTTP as the GraphQL-over-HTTP
// specification says: POST and GET, content negotiation, status codes, and
// answers that carry `data` exactly when something was executed. It is a
// transport of gqlgen's server and knows nothing of what is served.
//
// Cross-site requests: a browser sends application/json to another site only
// after asking it (CORS preflight), and no other content type is taken, so a
// foreign page can post nothing. GET needs no such protection: it executes
// queries only, which change nothing, and callers are known by a bearer token,
// which a browser never adds by itself; a foreign page gets what everybody
// gets, and may not read even that.
package gqlhttp

import (
	"context"
	"errors"
	"net/http"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Transport answers every request that is no protocol upgrade, so it comes
// after all other transports: what is neither POST nor GET gets 405.
//
// Not offered: batches, forms and uploads, and incremental delivery (@defer).
type Transport struct {
	// MaxBody is the most bytes of a request body that are read; a longer one
	// gets 413. With 0 the limit is the caller's, set by http.MaxBytesReader.
	MaxBody int64
	// OnSent is given the data of each response that was written, which nobody
	// holds any more. May be nil.
	OnSent func(data []byte)
}

var _ graphql.Transport = Transport{}

// Supports reports whether the request is not for a WebSocket.
func (Transport) Supports(r *http.Request) bool { return r.Header.Get("Upgrade") == "" }

// Do answers one request. Whatever is wrong with the request itself is
// answered in the same form as errors of the operation, under the code
// BAD_USER_INPUT, or LIMIT_EXCEEDED for a body that is too long.
func (t Transport) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	params, media, err := t.params(w, r)
	if err != nil {
		err.write(w, r)
		return
	}
	ctx := r.Context()
	op, errs := exec.CreateOperationContext(ctx, params)
	if errs != nil {
		respond(w, r, media, exec.DispatchError(graphql.WithOperationContext(ctx, op), withCodes(errs)))
		return
	}
	if err := checkOperation(r.Method, op); err != nil {
		err.write(w, r)
		return
	}
	responses, ctx := exec.DispatchOperation(ctx, op)
	if response := responses(ctx); response != nil {
		respond(w, r, media, response)
		if t.OnSent != nil {
			t.OnSent(response.Data)
		}
		return
	}
	// The executor ends a stream of responses, even of one, when the context
	// has ended.
	WriteError(w, r, http.StatusServiceUnavailable, codeUnavailable, stoppedMessage(ctx))
}

func stoppedMessage(ctx context.Context) string {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return "The operation took too long and was stopped."
	}
	return "The operation was stopped."
}

// params checks what can be checked before the query is looked at, and returns
// the media type of the answer beside the parameters.
func (t Transport) params(w http.ResponseWriter, r *http.Request) (*graphql.RawParams, string, *requestError) {
	post := r.Method == http.MethodPost
	if !post && r.Method != http.MethodGet && r.Method != http.MethodHead {
		return nil, "", &requestError{
			status: http.StatusMethodNotAllowed, allow: "GET, HEAD, POST",
			message: "GraphQL is served over POST and GET only.",
		}
	}
	media, ok := negotiate(r.Header)
	if !ok {
		return nil, "", &requestError{
			status:  http.StatusNotAcceptable,
			message: "Answers come as " + mediaResponse + " or " + mediaJSON + ", and the header Accept admits neither.",
		}
	}
	start := graphql.Now()
	read := readURL
	if post {
		read = t.readBody
	}
	params, err := read(w, r)
	if err != nil {
		return nil, "", err
	}
	params.Headers = r.Header
	params.ReadTime = graphql.TraceTiming{Start: start, End: graphql.Now()}
	return params, media, nil
}

// checkOperation refuses operations that cannot be answered by one response to this
// request.
func checkOperation(method string, op *graphql.OperationContext) *requestError {
	switch {
	case op.Operation.Operation == ast.Subscription:
		return badRequest("Subscriptions cannot be answered over plain HTTP: use a WebSocket.")
	case op.Operation.Operation == ast.Mutation && method != http.MethodPost:
		return &requestError{
			status: http.StatusMethodNotAllowed, allow: http.MethodPost,
			message: "Mutations are executed over POST only.",
		}
	case usesDefer(op):
		return badRequest("@defer is not supported: the answer comes in one piece.")
	}
	return nil
}

// withCodes gives the errors that come before execution their codes, and
// stops counting where no client reads on.
func withCodes(errs gqlerror.List) gqlerror.List {
	const maxErrors = 100
	for _, err := range errs {
		// gqlgen calls a variable of the wrong type a failed validation.
		if code(err) == "" || (len(err.Path) > 0 && err.Path[0] == ast.PathName("variable")) {
			setCode(err, codeBadUserInput)
		}
	}
	if len(errs) <= maxErrors {
		return errs
	}
	rest := gqlerror.Errorf("There are %d more errors.", len(errs)-maxErrors)
	setCode(rest, code(errs[0]))
	return append(errs[:maxErrors:maxErrors], rest)
}
