// Package rest serves the REST addresses of the system that this one replaces.
// Each is a row of a table (see row) with a fixed GraphQL document, which runs
// through the same executor as every GraphQL request: permissions, limits,
// validation and errors are the schema's and cannot drift apart. What is here
// is translation only: bodies to variables, data to JSON, codes to statuses.
//
// It knows the schema and nothing else of ours. Who is calling, too, it learns
// from the executor (see authenticate), so it knows neither accounts nor tokens.
package rest

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// prefix is where the addresses are.
const prefix = "/api/"

// Options is what the addresses need that no GraphQL document gives.
type Options struct {
	// VerifyToken returns nil for an access or refresh token that is good now.
	// Its error goes through the executor's error presenter like that of a
	// resolver: one with the code INVALID_TOKEN tells why the token is not, and
	// any other one is a failure to find out.
	VerifyToken func(ctx context.Context, token string) error
	// AddLogAttrs puts the route of a request into its line of the access log.
	// Nil: it is not put anywhere.
	AddLogAttrs func(context.Context, ...slog.Attr)
}

// New returns a transport for all addresses under /api/. It must come before
// transports that take every request. A row that does not fit the schema is an
// error that names the row.
func New(schema *ast.Schema, o Options) (graphql.Transport, error) {
	if o.VerifyToken == nil {
		return nil, errors.New("rest: the option VerifyToken is missing")
	}
	resources, err := compile(schema, rows(o))
	if err != nil {
		return nil, err
	}
	if o.AddLogAttrs == nil {
		o.AddLogAttrs = func(context.Context, ...slog.Attr) {}
	}
	return &api{resources: resources, addLogAttrs: o.AddLogAttrs}, nil
}

type api struct {
	resources   resources
	addLogAttrs func(context.Context, ...slog.Attr)
	// gzipWriters are writers of gzip for the next answers: each takes most of a megabyte.
	gzipWriters sync.Pool
}

// Supports reports whether the address is one of ours, routed or not.
func (*api) Supports(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, prefix) }

// Do answers a request.
func (a *api) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	address, id := split(r.URL.Path)
	found, ok := a.resources[address]
	if !ok {
		a.send(w, r, notFound())
		return
	}
	a.addLogAttrs(r.Context(), slog.String("route", found.path))
	w.Header().Set("Allow", found.allow)
	a.send(w, r, found.answer(r, id, exec))
}

// idSegment stands in a path for the number of a record.
const idSegment = "{id}"

// split finds the number in a path, and how the table writes the path: with a
// slash at the end, whether or not there is one.
func split(path string) (address, id string) {
	segments := strings.Split(strings.TrimSuffix(path, "/"), "/")
	for i, segment := range segments {
		if segment != "" && strings.Trim(segment, "0123456789") == "" {
			segments[i], id = idSegment, segment
		}
	}
	return strings.Join(segments, "/") + "/", id
}

// resources are found by their paths.
type resources map[string]*resource

// resource is one path with its methods.
type resource struct {
	path       string
	operations map[string]*operation
	allow      string
	// guarded says that no row of the path is open to callers without a token.
	guarded         bool
	refusesBadToken bool
}

// answer checks in the order that clients know: what they accept, who they
// are, the method, the body.
func (res *resource) answer(r *http.Request, id string, exec graphql.GraphExecutor) *answer {
	if !acceptable(r.Header) {
		return detail(http.StatusNotAcceptable, "Could not satisfy the request Accept header.")
	}
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet // net/http drops the body
	}
	op, ok := res.operations[method]
	if ok && op.reads() {
		return op.answer(r, id, exec)
	}
	if refused := res.authenticate(r, exec); refused != nil {
		return refused
	}
	if r.Method == http.MethodOptions {
		return res.options()
	}
	if !ok {
		return detail(http.StatusMethodNotAllowed, `Method "`+r.Method+`" not allowed.`)
	}
	return op.answer(r, id, exec)
}

// reads reports whether the operation is nothing but a query, which refuses a
// caller by itself.
func (op *operation) reads() bool { return op.method == http.MethodGet && op.check == nil }

// callerDocument asks for nothing that only a signed-in caller may ask for. It
// reads nothing from the database.
const callerDocument = `query Caller { nodes(ids: []) { id } }`

// authenticate refuses a caller whom the resource is closed to, before the
// method and the body are looked at. The executor is asked, as it decides
// about every other field: so no rule about callers is written down twice.
func (res *resource) authenticate(r *http.Request, exec graphql.GraphExecutor) *answer {
	presented := r.Header.Get("Authorization") != ""
	if !res.guarded && (!res.refusesBadToken || !presented) {
		return nil
	}
	response := execute(r.Context(), exec, callerDocument, nil)
	if len(response.Errors) == 0 {
		return nil
	}
	if !res.guarded && lacksCredentials(response.Errors[0]) {
		return nil // a scheme that we do not know
	}
	return errorAnswer(r.Context(), exec, response)
}

// options describes the resource with the keys that clients know.
func (res *resource) options() *answer {
	name := strings.Trim(strings.TrimPrefix(res.path, prefix), "/")
	return &answer{status: http.StatusOK, body: object{
		{"name", name},
		{"description", ""},
		{"renders", []string{mediaJSON}},
		{"parses", []string{mediaJSON, mediaForm, mediaMultipart}},
	}}
}
