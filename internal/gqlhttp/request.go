package gqlhttp

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/caregraph/caregraph/internal/form"
	"github.com/caregraph/caregraph/internal/surrogates"
	"github.com/caregraph/caregraph/model"
)

// request is what a client sent.
type request struct {
	graphql.RawParams

	// hash is extensions.persistedQuery.sha256Hash, the name of the document in Apollo's
	// protocol. The extension is not in Extensions.
	hash string
	// documentID and docID are names of the document in GraphQL over HTTP and for Relay.
	documentID, docID string
}

// name returns the name of the document, or "".
func (r *request) name() string { return cmp.Or(r.documentID, r.docID, r.hash) }

// requestError is the response to a request that reaches no operation.
type requestError struct {
	status  int // 0: that of an operation with the code
	code    string
	message string
	allow   string
	// batch is the number of operations of a batch; each gets the error. 0: there is none.
	batch int
}

// badRequest returns the error for a malformed GraphQL-over-HTTP request: 400.
func badRequest(format string, args ...any) *requestError {
	return &requestError{status: http.StatusBadRequest, message: fmt.Sprintf(format, args...)}
}

// entry returns the error as an entry of `errors`.
func (e *requestError) entry() *gqlerror.Error {
	err := gqlerror.Errorf("%s", e.message)
	setCode(err, cmp.Or(e.code, codeBadUserInput))
	return err
}

func (e *requestError) write(w http.ResponseWriter, r *http.Request) {
	if e.allow != "" {
		w.Header().Set("Allow", e.allow)
	}
	media, body := errorBody(r, e.entry())
	if e.batch > 0 {
		all := slices.Repeat([][]byte{body}, e.batch)
		body = slices.Concat([]byte("["), bytes.Join(all, []byte(",")), []byte("]"))
	}
	write(w, media, e.status, body)
}

// readBody reads the parameters of a POST request.
func readBody(r *http.Request) (*request, *requestError) {
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
	encoding := header.Get("Content-Encoding")
	if err != nil || media != mediaJSON || !utf8Charset(parameters) {
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
func decodeBody(body []byte) (*request, *requestError) {
	if !utf8.Valid(body) {
		return nil, badRequest("The request body is not UTF-8.")
	}
	if r, ok := decodeFast(body); ok {
		return r, nil
	}
	if model.IsDeepJSON(body) {
		return nil, badRequest("The request body nests too deep.")
	}
	return decode(body)
}

// decode decodes any body in UTF-8 and reports what is wrong with it. No
// message quotes the body, which could contain anything.
func decode(body []byte) (*request, *requestError) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil || fields == nil {
		return nil, decodeError(body, err)
	}
	r := &request{}
	var err *requestError
	if r.Extensions, err = object("extensions", fields["extensions"]); err != nil {
		return nil, err
	}
	if r.Variables, err = object("variables", fields["variables"]); err != nil {
		return nil, err
	}
	for _, name := range []struct {
		in string
		to *string
	}{{"operationName", &r.OperationName}, {"documentId", &r.documentID}, {"doc_id", &r.docID}} {
		if *name.to, err = text(name.in, "string or null", fields[name.in]); err != nil {
			return nil, err
		}
	}
	query := fields["query"]
	if err := r.takeHash(); err != nil && isNull(query) {
		return nil, err
	}
	if isNull(query) && r.name() != "" {
		return r, nil
	}
	if query == nil {
		return nil, badRequest("`query` is missing.")
	}
	if jsonType(query) == "null" {
		return nil, badRequest("`query` must be a string, not null.")
	}
	r.Query, err = text("query", "string", query)
	return r, err
}

func decodeError(body []byte, err error) *requestError {
	syntax, isSyntaxError := errors.AsType[*json.SyntaxError](err)
	switch {
	case isSyntaxError:
		return badRequest("The request body is not valid JSON: it breaks off or goes wrong at byte %d.", syntax.Offset)
	case jsonType(bytes.TrimLeft(body, " \t\r\n")) == "an array":
		return batchError(body)
	default:
		return badRequest("The request body must be a JSON object.")
	}
}

// batchError refuses a list of operations in the form that clients of batches read: a list
// with an answer for each.
func batchError(body []byte) *requestError {
	const maxAnswers = 100
	var operations []json.RawMessage
	_ = json.Unmarshal(body, &operations) // it is valid
	err := badRequest("Batches are not supported: send one operation for each request.")
	err.batch = min(max(len(operations), 1), maxAnswers)
	return err
}

// readURL reads the parameters of a GET request. An empty parameter counts as
// absent; of several parameters with one name the first counts.
func readURL(from *http.Request) (*request, *requestError) {
	values := form.Parse(from.URL.RawQuery)
	for _, name := range []string{"query", "operationName", "variables", "extensions", "documentId", "doc_id"} {
		if !utf8.ValidString(values.Get(name)) {
			return nil, badRequest("`%s` is not valid UTF-8.", name)
		}
	}
	r := &request{documentID: values.Get("documentId"), docID: values.Get("doc_id")}
	r.Query = strings.Clone(values.Get("query")) // caches keep it longer than the URL
	r.OperationName = values.Get("operationName")
	var err *requestError
	if r.Extensions, err = jsonParameter("extensions", values); err != nil {
		return nil, err
	}
	if r.Variables, err = jsonParameter("variables", values); err != nil {
		return nil, err
	}
	if err := r.takeHash(); err != nil && r.Query == "" {
		return nil, err
	}
	if r.Query == "" && r.name() == "" {
		return nil, badRequest("`query` is missing.")
	}
	return r, nil
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
	if surrogates.HasHalf(raw) {
		return nil, halfCharacter("`" + name + "`")
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
	if surrogates.HasHalf(raw) {
		return "", halfCharacter("`" + name + "`")
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
