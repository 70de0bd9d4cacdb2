package gqlhttp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"

	"github.com/caregraph/caregraph/model"
)

// requestError is the response to a request that reaches no operation.
type requestError struct {
	status  int
	code    string
	message string
	allow   string
}

// badRequest returns the error for a malformed GraphQL-over-HTTP request: 400.
func badRequest(format string, args ...any) *requestError {
	return &requestError{status: http.StatusBadRequest, message: fmt.Sprintf(format, args...)}
}

func (e *requestError) write(w http.ResponseWriter, r *http.Request) {
	if e.allow != "" {
		w.Header().Set("Allow", e.allow)
	}
	code := e.code
	if code == "" {
		code = codeBadUserInput
	}
	WriteError(w, r, e.status, code, e.message)
}

// readBody reads the parameters of a POST request.
func readBody(r *http.Request) (*graphql.RawParams, *requestError) {
	if err := checkContentType(r.Header); err != nil {
		return nil, err
	}
	body := bodyPool.Get().(*bytes.Buffer)
	defer pool(body)
	if _, err := body.ReadFrom(r.Body); err != nil {
		return nil, readError(err)
	}
	return decodeBody(body.Bytes())
}

// bodyPool holds the buffers of request bodies for reuse: nothing that
// decodeBody returns refers to the body.
var bodyPool = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// pool returns a buffer to the pool unless it has grown far beyond a usual
// body.
func pool(body *bytes.Buffer) {
	const maxPooled = 16 << 10
	if body.Cap() <= maxPooled {
		body.Reset()
		bodyPool.Put(body)
	}
}

// checkContentType refuses a body unless it is uncompressed JSON in UTF-8.
func checkContentType(header http.Header) *requestError {
	media, parameters, err := mediaType(header.Get("Content-Type"))
	charset, encoding := parameters["charset"], header.Get("Content-Encoding")
	if err != nil || media != mediaJSON || (charset != "" && !strings.EqualFold(charset, "utf-8")) {
		return &requestError{
			status:  http.StatusUnsupportedMediaType,
			message: "Send the request as " + mediaJSON + " in UTF-8.",
		}
	}
	if encoding != "" && !strings.EqualFold(encoding, "identity") {
		return &requestError{status: http.StatusUnsupportedMediaType, message: "Send the request without compression."}
	}
	return nil
}

func readError(err error) *requestError {
	if large, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &requestError{
			status: http.StatusRequestEntityTooLarge, code: codeLimitExceeded,
			message: fmt.Sprintf("The request body is longer than the %d bytes that --max-body allows, or without a valid token --max-anonymous-body.", large.Limit),
		}
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return &requestError{status: http.StatusRequestTimeout, message: "The request body did not arrive in time."}
	}
	return badRequest("The request body did not arrive in full.")
}

// decodeBody reads the parameters from JSON. It ignores unknown names, as the
// specification requires.
func decodeBody(body []byte) (*graphql.RawParams, *requestError) {
	if !utf8.Valid(body) {
		return nil, badRequest("The request body is not UTF-8.")
	}
	if params, ok := decodeFast(body); ok {
		return params, nil
	}
	if model.IsDeepJSON(body) {
		return nil, badRequest("The request body nests too deep.")
	}
	return decode(body)
}

// decode decodes any body in UTF-8 and reports what is wrong with it. No
// message quotes the body, which could contain anything.
func decode(body []byte) (*graphql.RawParams, *requestError) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil || fields == nil {
		return nil, decodeError(body, err)
	}
	params := &graphql.RawParams{}
	var err *requestError
	if params.Extensions, err = object("extensions", fields["extensions"]); err != nil {
		return nil, err
	}
	if params.Variables, err = object("variables", fields["variables"]); err != nil {
		return nil, err
	}
	if params.OperationName, err = text("operationName", "string or null", fields["operationName"]); err != nil {
		return nil, err
	}
	query := fields["query"]
	if isNull(query) && isPersistedQuery(params) {
		return params, nil
	}
	if query == nil {
		return nil, badRequest("`query` is missing.")
	}
	if jsonType(query) == "null" {
		return nil, badRequest("`query` must be a string, not null.")
	}
	params.Query, err = text("query", "string", query)
	return params, err
}

func decodeError(body []byte, err error) *requestError {
	syntax, isSyntaxError := errors.AsType[*json.SyntaxError](err)
	switch {
	case isSyntaxError:
		return badRequest("The request body is not valid JSON: it breaks off or goes wrong at byte %d.", syntax.Offset)
	case jsonType(bytes.TrimLeft(body, " \t\r\n")) == "an array":
		return badRequest("Batches are not supported: send one operation for each request.")
	default:
		return badRequest("The request body must be a JSON object.")
	}
}

// readURL reads the parameters of a GET request. An empty parameter counts as
// absent; of several parameters with one name the first counts.
func readURL(r *http.Request) (*graphql.RawParams, *requestError) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, badRequest("The query of the URL is not encoded as a form.")
	}
	params := &graphql.RawParams{
		Query:         strings.Clone(values.Get("query")), // caches keep it longer than the URL
		OperationName: values.Get("operationName"),
	}
	var bad *requestError
	if params.Extensions, bad = jsonParameter("extensions", values); bad != nil {
		return nil, bad
	}
	if params.Variables, bad = jsonParameter("variables", values); bad != nil {
		return nil, bad
	}
	if params.Query == "" && !isPersistedQuery(params) {
		return nil, badRequest("`query` is missing.")
	}
	return params, nil
}

func jsonParameter(name string, values url.Values) (map[string]any, *requestError) {
	raw := []byte(values.Get(name))
	if len(raw) == 0 {
		return nil, nil
	}
	if model.IsDeepJSON(raw) {
		return nil, badRequest("`%s` nests too deep.", name)
	}
	if !json.Valid(raw) {
		return nil, badRequest("`%s` is not valid JSON.", name)
	}
	return object(name, bytes.TrimSpace(raw))
}

// isPersistedQuery reports whether the query may be absent because the client
// asks for it by its hash (automatic persisted queries).
func isPersistedQuery(params *graphql.RawParams) bool {
	return params.Extensions["persistedQuery"] != nil
}

// object decodes valid JSON that must be an object or null; a nil raw means
// absent. Numbers keep their text, so that scalars can read them exactly.
func object(name string, raw json.RawMessage) (map[string]any, *requestError) {
	if isNull(raw) {
		return nil, nil
	}
	var value map[string]any
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if jsonType(raw) != "an object" || decoder.Decode(&value) != nil {
		return nil, badRequest("`%s` must be an object or null, not %s.", name, jsonType(raw))
	}
	return value, nil
}

func text(name, want string, raw json.RawMessage) (string, *requestError) {
	var value string
	if isNull(raw) {
		return "", nil
	}
	if err := json.Unmarshal(raw, &value); err != nil {
		return "", badRequest("`%s` must be a %s, not %s.", name, want, jsonType(raw))
	}
	return value, nil
}

func isNull(raw json.RawMessage) bool { return raw == nil || jsonType(raw) == "null" }

// jsonType returns the name of the type of a JSON value, by its first byte.
func jsonType(raw []byte) string {
	if len(raw) == 0 {
		return "nothing"
	}
	switch raw[0] {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	default:
		return "a number"
	}
}
