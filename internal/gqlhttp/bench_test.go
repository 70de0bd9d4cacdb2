package gqlhttp

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/caregraph/caregraph/internal/documents"
	"github.com/caregraph/caregraph/internal/testutil"
)

// bodies are requests as front ends send them.
var bodies = map[string]string{
	"no variables": `{"query":"{patients(first:20){nodes{id name age mappings{nodes{id isActive doctor{name specialization}}}}}}"}`,
	"variables": `{"operationName":"Patient","variables":{"id":"pat_4711"},` +
		`"query":"query Patient($id: ID!) {\n  patient(id: $id) {\n    id\n    name\n    age\n    gender\n    phone\n  }\n}"}`,
	"mutation": `{"query":"mutation($input:CreatePatientInput!){createPatient(input:$input){patient{id name}userErrors{code field}}}",` +
		`"variables":{"input":{"name":"Jos\u00e9","age":41,"gender":"MALE","address":{"city":"Pune","lines":["1","2"]},"allergies":null,"active":true}}}`,
}

// BenchmarkPost measures a POST request from its header to its response,
// without the cost of net/http's server and of the execution.
func BenchmarkPost(b *testing.B) {
	for name, body := range bodies {
		b.Run(name, func(b *testing.B) { benchmarkPost(b, body, 1_000) })
	}
	b.Run("100 KB answered", func(b *testing.B) { benchmarkPost(b, bodies["variables"], 100_000) })
}

func benchmarkPost(b *testing.B, body string, answer int) {
	exec := ready{
		op:       &graphql.OperationContext{Operation: &ast.OperationDefinition{Operation: ast.Query}},
		response: &graphql.Response{Data: append(append([]byte(`{"a":"`), bytes.Repeat([]byte("x"), answer)...), `"}`...)},
	}
	r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/graphql", nil)
	r.Header = http.Header{"Content-Type": {"application/json"}, "Accept": {"*/*"}, "Accept-Encoding": {"gzip"}}
	r.ContentLength = int64(len(body))
	w := &blank{}
	sent := bytes.NewReader(nil)
	b.ReportAllocs()
	for b.Loop() {
		sent.Reset([]byte(body))
		r.Body = io.NopCloser(sent)
		w.header = http.Header{}
		Transport{}.Do(w, r, exec)
	}
	if w.status != http.StatusOK {
		b.Fatalf("status %d", w.status)
	}
}

// BenchmarkPersisted measures a POST request with the text of a document and one with its
// hash, up to the execution.
func BenchmarkPersisted(b *testing.B) {
	const text = "query Patient($id: ID!) { patient(id: $id) { id name dateOfBirth gender phone } }"
	registry, err := documents.New(nil, false)
	testutil.Must(b, err)
	registry.Add(documents.Hash(text), text, true)
	transport := Transport{Documents: registry}
	for name, body := range map[string]string{
		"text": `{"operationName":"Patient","variables":{"id":"pat_4711"},"query":"` + text + `"}`,
		"hash": `{"operationName":"Patient","variables":{"id":"pat_4711"},` +
			`"extensions":{"persistedQuery":{"version":1,"sha256Hash":"` + documents.Hash(text) + `"}}}`,
		"id": `{"operationName":"Patient","variables":{"id":"pat_4711"},"documentId":"` + documents.Hash(text) + `"}`,
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r, err := transport.withDocument(decodeBody([]byte(body)))
				if err != nil || r.Query != text {
					b.Fatal(r, err)
				}
			}
		})
	}
}

// BenchmarkDecode measures the decoding of the body.
func BenchmarkDecode(b *testing.B) {
	for name, body := range bodies {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := decodeBody([]byte(body)); err != nil {
					b.Fatal(err.message)
				}
			}
		})
	}
}

// ready is an executor that returns a prepared response.
type ready struct {
	op       *graphql.OperationContext
	response *graphql.Response
}

func (e ready) CreateOperationContext(context.Context, *graphql.RawParams) (*graphql.OperationContext, gqlerror.List) {
	return e.op, nil
}

func (e ready) DispatchOperation(ctx context.Context, _ *graphql.OperationContext) (graphql.ResponseHandler, context.Context) {
	return func(context.Context) *graphql.Response { return e.response }, ctx
}

func (e ready) DispatchError(context.Context, gqlerror.List) *graphql.Response { return e.response }

// blank is a writer that starts without headers, like the server's.
type blank struct {
	header http.Header
	status int
}

func (w *blank) Header() http.Header             { return w.header }
func (w *blank) WriteHeader(status int)          { w.status = status }
func (*blank) Write(content []byte) (int, error) { return len(content), nil }
