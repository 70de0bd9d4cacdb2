// Package gqlhttp serves GraphQL over HTTP according to the GraphQL-over-HTTP
// specification: POST and GET, content negotiation, status codes, and responses
// that contain `data` exactly if something was executed. It is a transport of
// gqlgen's server. It never depends on the schema that it serves.
//
// Cross-site requests: a browser sends application/json to another site only
// after a CORS preflight, and no other content type is accepted, so a foreign
// page can post nothing. GET needs no such protection: it executes only
// queries, which change nothing, and callers are identified by a bearer token,
// which a browser never adds by itself. A foreign page gets the answer for
// anonymous callers, and the browser does not let it read even that.
package gqlhttp

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/caregraph/caregraph/internal/documents"
)

// Transport answers every request. It must come after all other transports: it
// answers methods other than POST and GET with 405, and ignores an offer to
// upgrade the connection (RFC 9110, 7.8), as HTTP clients make it for HTTP/2.
//
// The handler around it limits the body with http.MaxBytesReader; a longer body gets
// 413. It does not support batches, forms, uploads or incremental delivery: a schema
// that it serves must not declare @defer.
type Transport struct {
	// OnSent receives the data of each response after it was written; then no
	// one else refers to it. May be nil.
	OnSent func(data []byte)
	// Documents finds the documents that requests name. Nil: none.
	Documents *documents.Registry
	// Account returns the account of the caller, or 0 for an anonymous one. Nil: all are
	// anonymous.
	Account func(context.Context) int64
	// Compress compresses long answers to queries for clients that accept it.
	Compress bool
	// Subscribe answers a subscription by server-sent events. Nil: it is refused.
	Subscribe func(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor, op *graphql.OperationContext)
}

var _ graphql.Transport = Transport{}

// Supports reports true for every request.
func (Transport) Supports(*http.Request) bool { return true }

// refusalDelay is how long the refusal of an operation beyond a limit takes. A client that
// repeats it at once would cost the server more than one that waits.
const refusalDelay = 250 * time.Millisecond

// Do answers one request. It answers errors of the request itself in the form
// of operation errors, with the code BAD_USER_INPUT, or LIMIT_EXCEEDED for a
// body that is too long.
func (t Transport) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	ctx := r.Context()
	req, media, err := t.request(r)
	switch {
	case err != nil && err.status == 0:
		respond(w, r, media, exec.DispatchError(ctx, gqlerror.List{err.entry()}))
		return
	case err != nil:
		err.write(w, r)
		return
	}
	op, errs := t.prepare(ctx, exec, req)
	if errs != nil {
		respond(w, r, media, exec.DispatchError(graphql.WithOperationContext(ctx, op), errs))
		return
	}
	if t.Subscribe != nil && op.Operation.Operation == ast.Subscription && acceptsEvents(r.Header) {
		t.Subscribe(w, r, exec, op)
		return
	}
	if err := checkOperation(r.Method, op); err != nil {
		err.write(w, r)
		return
	}
	responses, ctx := exec.DispatchOperation(ctx, op)
	if response := responses(ctx); response != nil {
		t.respondTo(op, w, r, media, response)
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

func (t Transport) account(ctx context.Context) int64 {
	if t.Account == nil {
		return 0
	}
	return t.Account(ctx)
}

// request checks what it can before the query is parsed. It returns the
// parameters and the media type of the response.
func (t Transport) request(r *http.Request) (*request, string, *requestError) {
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
			message: "The server answers with " + mediaResponse + " or " + mediaJSON + ", and the header Accept allows neither.",
		}
	}
	start := graphql.Now()
	read := readURL
	if post {
		read = readBody
	}
	req, err := t.withDocument(read(r))
	if err != nil {
		return nil, media, err
	}
	req.Headers = r.Header
	req.ReadTime = graphql.TraceTiming{Start: start, End: graphql.Now()}
	return req, media, nil
}

// checkOperation refuses operations that one response to this request cannot
// answer.
func checkOperation(method string, op *graphql.OperationContext) *requestError {
	switch {
	case op.Operation.Operation == ast.Subscription:
		return badRequest("Subscriptions cannot be answered over plain HTTP: use a WebSocket, or accept text/event-stream.")
	case op.Operation.Operation == ast.Mutation && method != http.MethodPost:
		return &requestError{
			status: http.StatusMethodNotAllowed, allow: http.MethodPost,
			message: "Mutations are executed over POST only.",
		}
	}
	return nil
}

// withCodes sets the codes of errors that occur before execution, and shortens
// a list that no client reads to its end.
func withCodes(errs gqlerror.List) gqlerror.List {
	const maxErrors = 100
	for _, err := range errs {
		if code(err) == "" {
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
