package gqlhttp

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/testserver"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/caregraph/caregraph/internal/testutil"
)

const maxBody = 4_000

// serve starts gqlgen's test server, whose query `name` returns "test", behind
// the transport.
func serve(t *testing.T) string {
	t.Helper()
	srv := testserver.New()
	srv.AddTransport(Transport{})
	return listen(t, http.MaxBytesHandler(srv, maxBody))
}

// answering starts a server that executes nothing: it answers every valid
// operation on its small schema with the result of next.
func answering(t *testing.T, next func(ctx context.Context) *graphql.Response) (string, *handler.Server) {
	t.Helper()
	srv := mocked(next)
	srv.AddTransport(Transport{})
	return listen(t, srv), srv
}

// mocked is the server of answering without a transport.
func mocked(next func(ctx context.Context) *graphql.Response) *handler.Server {
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: `
		enum Color { RED }
		type Query { name: String find(n: Int!, color: Color): String }
		type Mutation { name: String }
		type Subscription { name: String }
	`})
	return handler.New(&graphql.ExecutableSchemaMock{
		SchemaFunc: func() *ast.Schema { return schema },
		ExecFunc:   func(context.Context) graphql.ResponseHandler { return next },
	})
}

func listen(t *testing.T, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

type answer struct {
	status int
	header http.Header
	text   string
	body   map[string]json.RawMessage
	batch  []json.RawMessage
}

// send makes a request and checks what must hold for every response with a
// body.
func send(t *testing.T, method, url, body string, header map[string]string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	testutil.Must(t, err)
	for name, value := range header {
		r.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(r)
	testutil.Must(t, err)
	defer func() { _ = response.Body.Close() }()
	read, err := io.ReadAll(response.Body)
	testutil.Must(t, err)
	a := answer{status: response.StatusCode, header: response.Header, text: string(read)}
	if method != http.MethodHead {
		one := read
		if bytes.HasPrefix(read, []byte("[")) { // the answer to a batch: body is its first entry
			testutil.Must(t, json.Unmarshal(read, &a.batch))
			one = a.batch[0]
		}
		if err := json.Unmarshal(one, &a.body); err != nil {
			t.Fatalf("the answer is no JSON: %v: %s", err, read)
		}
		if int64(len(read)) != response.ContentLength {
			t.Errorf("Content-Length %d for %d bytes", response.ContentLength, len(read))
		}
	}
	if got := response.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q", got)
	}
	return a
}

func post(t *testing.T, url, body string, header map[string]string) answer {
	t.Helper()
	all := map[string]string{"Content-Type": mediaJSON}
	maps.Copy(all, header)
	return send(t, http.MethodPost, url, body, all)
}

func get(t *testing.T, base string, parameters url.Values, header map[string]string) answer {
	t.Helper()
	return send(t, http.MethodGet, base+"?"+parameters.Encode(), "", header)
}

// code returns the code of the first error of an answer, or "".
func (a answer) code(t *testing.T) string {
	t.Helper()
	var errs gqlerror.List
	if a.body["errors"] == nil {
		return ""
	}
	if err := json.Unmarshal(a.body["errors"], &errs); err != nil || len(errs) == 0 {
		t.Fatalf("errors are no errors: %v: %s", err, a.text)
	}
	return code(errs[0])
}

func accept(media string) map[string]string { return map[string]string{"Accept": media} }
