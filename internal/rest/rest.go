// Package rest serves the REST addresses of the system that this one replaces.
// Each address is a row of a table (see row) with a fixed GraphQL document. The
// document runs through the same executor as every GraphQL request, so
// permissions, limits, validation and errors are those of the schema and cannot
// differ. This package only translates: bodies to variables, data to JSON,
// codes to statuses.
//
// It depends on the schema and on nothing else of this project. It never
// decides about access. It asks the executor who the caller is (see
// authenticate), so it never sees accounts or tokens.
package rest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// prefix is the start of all addresses.
const prefix = "/api/"

// Options are what the addresses need in addition to the GraphQL documents.
type Options struct {
	// VerifyToken returns nil for an access or refresh token that is valid now.
	// Its error passes through the executor's error presenter like that of a
	// resolver: the code INVALID_TOKEN says why the token is not valid, and any
	// other error means that the check failed.
	VerifyToken func(ctx context.Context, token string) error
	// AddLogAttrs adds the route of a request to its line in the access log.
	// Nil: the route is not logged.
	AddLogAttrs func(context.Context, ...slog.Attr)
	// Submit returns the context of a request that changes something, with its
	// Idempotency-Key, "" without one, and the content that a repetition of it has. Every
	// change over REST counts, also one to the values that the record has already. Nil: the
	// context stays as it is.
	Submit func(ctx context.Context, key string, content []byte) context.Context
	// Origins are other origins whose pages may send forms, or "*" alone for all.
	// Pages of our own origin always may.
	Origins []string
	// Compress compresses long answers for clients that accept it.
	Compress bool
}

// New returns a transport for all addresses under /api/. It must come before
// transports that accept every request. It fails if VerifyToken is nil or a row
// does not fit the schema; the error names the row.
func New(schema *ast.Schema, o Options) (graphql.Transport, error) {
	if o.VerifyToken == nil {
		return nil, errors.New("rest: the option VerifyToken is missing")
	}
	resources, err := compile(schema, rows(o))
	if err != nil {
		return nil, err
	}
	if o.Submit == nil {
		o.Submit = func(ctx context.Context, _ string, _ []byte) context.Context { return ctx }
	}
	if o.AddLogAttrs == nil {
		o.AddLogAttrs = func(context.Context, ...slog.Attr) {}
	}
	origins, err := trusted(o.Origins)
	if err != nil {
		return nil, err
	}
	for _, res := range resources {
		for _, op := range res.operations {
			op.submit = o.Submit
		}
	}
	return &api{resources: resources, addLogAttrs: o.AddLogAttrs, origins: origins, compress: o.Compress}, nil
}

// trusted returns nil if all origins are trusted.
func trusted(origins []string) (*http.CrossOriginProtection, error) {
	if slices.Contains(origins, "*") {
		return nil, nil //nolint:nilnil // there is nothing to check
	}
	check := http.NewCrossOriginProtection()
	for _, origin := range origins {
		if err := check.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("rest: the option Origins: %w", err)
		}
	}
	return check, nil
}

type api struct {
	resources   resources
	addLogAttrs func(context.Context, ...slog.Attr)
	origins     *http.CrossOriginProtection // nil: all may send forms
	compress    bool
}

// Supports reports whether the address is under /api/, even if no row has it.
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
	if a.isForeignForm(r) {
		a.send(w, r, detail(http.StatusForbidden, "Forms from pages of this origin are not accepted."))
		return
	}
	a.send(w, r, found.answer(r, id, exec))
}

// isForeignForm reports whether a page of another origin sends something that browsers
// send for every page without a preflight. JSON is not among it.
func (a *api) isForeignForm(r *http.Request) bool {
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return a.origins != nil && media != mediaJSON && a.origins.Check(r) != nil
}

// idSegment stands for the number of a record in a path.
const idSegment = "{id}"

// split returns the path as the table writes it, and the number in it. The
// trailing slash is optional in the request.
func split(path string) (address, id string) {
	segments := strings.Split(strings.TrimSuffix(path, "/"), "/")
	for i, segment := range segments {
		if segment != "" && strings.Trim(segment, "0123456789") == "" {
			segments[i], id = idSegment, segment
		}
	}
	return strings.Join(segments, "/") + "/", id
}

// resources maps paths to resources.
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

// answer checks in the order that clients know: the Accept header, the caller,
// the method, the body.
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

// reads reports whether the operation is only a query, which refuses a caller
// by itself.
func (op *operation) reads() bool { return op.method == http.MethodGet && op.check == nil }

// callerDocument is a query that requires a signed-in caller. It reads nothing
// from the database.
const callerDocument = `query Caller { nodes(ids: []) { id } }`

// authenticate refuses callers that the resource is closed to, before it looks
// at the method and the body. It asks the executor, which also decides about
// every other field, so no rule about callers exists twice.
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
		return nil // an unknown scheme
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
