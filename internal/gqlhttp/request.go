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
)

// refusal is the answer to a request that gets as far as no operation.
type refusal struct {
	status  int
	code    string
	message string
	allow   string
}

// malformed is a request that is no well-formed GraphQL-over-HTTP request.
func malformed(format string, args ...any) *refusal {
	return &refusal{status: http.StatusBadRequest, message: fmt.Sprintf(format, args...)}
}

func (e *refusal) write(w http.ResponseWriter, r *http.Request) {
	if e.allow != "" {
		w.Header().Set("Allow", e.allow)
	}
	code := e.code
	if code == "" {
		code = codeBadUserInput
	}
	Refuse(w, r, e.status, code, e.message)
}

// readBody reads the parameters of a POST request.
func (t Transport) readBody(w http.ResponseWriter, r *http.Request) (*graphql.RawParams, *refusal) {
	if err := acceptable(r.Header); err != nil {
		return nil, err
	}
	if t.MaxBody > 0 {
		r.Body = http.MaxBytesReader(w, r.Body, t.MaxBody)
	}
	body := spareBodies.Get().(*bytes.Buffer)
	defer spare(body)
	if _, err := body.ReadFrom(r.Body); err != nil {
		return nil, unread(err)
	}
	return decode(body.Bytes())
}

// spareBodies are buffers for the bodies of the next requests: nothing that
// decode returns lies in the body.
var spareBodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// spare keeps the buffer, unless it has grown far beyond the usual body.
func spare(body *bytes.Buffer) {
	const most = 16 << 10
	if body.Cap() <= most {
		body.Reset()
		spareBodies.Put(body)
	}
}

// acceptable refuses a body that is not JSON in UTF-8, uncompressed.
func acceptable(header http.Header) *refusal {
	media, parameters, err := mediaType(header.Get("Content-Type"))
	charset, encoding := parameters["charset"], header.Get("Content-Encoding")
	if err != nil || media != mediaJSON || (charset != "" && !strings.EqualFold(charset, "utf-8")) {
		return &refusal{
			status:  http.StatusUnsupportedMediaType,
			message: "Send the request as " + mediaJSON + " in UTF-8.",
		}
	}
	if encoding != "" && !strings.EqualFold(encoding, "identity") {
		return &refusal{status: http.StatusUnsupportedMediaType, message: "Send the request without compression."}
	}
	return nil
}

func unread(err error) *refusal {
	if large, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &refusal{
			status: http.StatusRequestEntityTooLarge, code: codeLimitExceeded,
			message: fmt.Sprintf("The request body is longer than %d bytes.", large.Limit),
		}
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return &refusal{status: http.StatusRequestTimeout, message: "The request body did not arrive in time."}
	}
	return malformed("The request body did not arrive in full.")
}

// decode reads the parameters from JSON. Names that are not known are ignored,
// as the specification demands.
func decode(body []byte) (*graphql.RawParams, *refusal) {
	if !utf8.Valid(body) {
		return nil, malformed("The request body is not UTF-8.")
	}
	if params, ok := scan(body); ok {
		return params, nil
	}
	return examine(body)
}

// examine decodes any body in UTF-8, and says what is wrong with it. No message
// repeats what was sent: it may be anything.
func examine(body []byte) (*graphql.RawParams, *refusal) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil || fields == nil {
		return nil, undecoded(body, err)
	}
	params := &graphql.RawParams{}
	var err *refusal
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
	if absent(query) && persisted(params) {
		return params, nil
	}
	if query == nil {
		return nil, malformed("`query` is missing.")
	}
	if kind(query) == "null" {
		return nil, malformed("`query` must be a string, not null.")
	}
	params.Query, err = text("query", "string", query)
	return params, err
}

func undecoded(body []byte, err error) *refusal {
	syntax, broken := errors.AsType[*json.SyntaxError](err)
	switch {
	case broken:
		return malformed("The request body is not valid JSON: it breaks off or goes wrong at byte %d.", syntax.Offset)
	case kind(bytes.TrimLeft(body, " \t\r\n")) == "an array":
		return malformed("Batches are not supported: send one operation for each request.")
	default:
		return malformed("The request body must be a JSON object.")
	}
}

// readURL reads the parameters of a GET request. An empty parameter counts as
// absent, and of several with one name the first counts.
func readURL(_ http.ResponseWriter, r *http.Request) (*graphql.RawParams, *refusal) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, malformed("The query of the URL is not encoded as a form.")
	}
	params := &graphql.RawParams{
		Query:         strings.Clone(values.Get("query")), // it is kept longer than the URL should be
		OperationName: values.Get("operationName"),
	}
	var bad *refusal
	if params.Extensions, bad = jsonParameter("extensions", values); bad != nil {
		return nil, bad
	}
	if params.Variables, bad = jsonParameter("variables", values); bad != nil {
		return nil, bad
	}
	if params.Query == "" && !persisted(params) {
		return nil, malformed("`query` is missing.")
	}
	return params, nil
}

func jsonParameter(name string, values url.Values) (map[string]any, *refusal) {
	raw := []byte(values.Get(name))
	if len(raw) == 0 {
		return nil, nil
	}
	if !json.Valid(raw) {
		return nil, malformed("`%s` is not valid JSON.", name)
	}
	return object(name, bytes.TrimSpace(raw))
}

// persisted reports whether the query may be left out, since the server is
// asked to find it by its hash (automatic persisted queries).
func persisted(params *graphql.RawParams) bool { return params.Extensions["persistedQuery"] != nil }

// object decodes valid JSON that must be an object or null; a nil raw was not
// sent. Numbers stay as they were written, for scalars to read them exactly.
func object(name string, raw json.RawMessage) (map[string]any, *refusal) {
	if absent(raw) {
		return nil, nil
	}
	var value map[string]any
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if kind(raw) != "an object" || decoder.Decode(&value) != nil {
		return nil, malformed("`%s` must be an object or null, not %s.", name, kind(raw))
	}
	return value, nil
}

func text(name, want string, raw json.RawMessage) (string, *refusal) {
	var value string
	if absent(raw) {
		return "", nil
	}
	if err := json.Unmarshal(raw, &value); err != nil {
		return "", malformed("`%s` must be a %s, not %s.", name, want, kind(raw))
	}
	return value, nil
}

func absent(raw json.RawMessage) bool { return raw == nil || kind(raw) == "null" }

// kind names the type of a JSON value by its first byte.
func kind(raw []byte) string {
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
