package rest_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/internal/rest"
	"github.com/caregraph/caregraph/internal/testutil"
)

const maxBody = 20_000

func schema(t *testing.T) *ast.Schema {
	t.Helper()
	text, err := os.ReadFile("../../schema.graphqls")
	testutil.Must(t, err)
	return gqlparser.MustLoadSchema(&ast.Source{Name: "schema.graphqls", Input: string(text)})
}

type server struct {
	*graphtest.Server

	t *testing.T
}

// serve starts the whole graph with REST in front of GraphQL.
func serve(t *testing.T, o graphtest.Options, origins ...string) server {
	t.Helper()
	s := server{t: t}
	transport, err := rest.New(schema(t), rest.Options{
		VerifyToken: func(ctx context.Context, token string) error { return s.Accounts.VerifyToken(ctx, token) },
		Submit:      graphtest.SubmitREST,
		Origins:     origins,
		Compress:    true,
	})
	testutil.Must(t, err)
	o.Transports = append([]graphql.Transport{limited{transport}}, o.Transports...)
	s.Server = graphtest.New(t, o)
	return s
}

// limited limits the body of every request, as httpd does.
type limited struct{ graphql.Transport }

func (l limited) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	l.Transport.Do(w, r, exec)
}

type reply struct {
	status int
	header http.Header
	text   string
}

// send makes a request and checks what must hold for every answer. Headers are
// pairs of name and value; a body is JSON unless they say otherwise.
func (s server) send(method, path, body string, headers ...string) reply {
	s.t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	request, err := http.NewRequestWithContext(s.t.Context(), method, s.URL+path, reader)
	if err != nil {
		s.t.Fatal(err)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	got := reply{response.StatusCode, response.Header, string(text)}
	s.checkHeaders(method, path, got)
	return got
}

func (s server) checkHeaders(method, path string, got reply) {
	s.t.Helper()
	want := map[string]string{"Vary": "Accept", "Content-Type": "application/json", "Www-Authenticate": ""}
	if got.status == http.StatusUnauthorized {
		want["Www-Authenticate"] = `Bearer realm="api"`
	}
	bodiless := got.status == http.StatusNoContent || got.status == http.StatusNotModified
	if bodiless {
		want["Content-Type"] = ""
	}
	if all := strings.Join(got.header.Values("Vary"), ", "); all != "Accept, Accept-Encoding" {
		s.t.Errorf("%s %s: Vary is %s", method, path, all)
	}
	for name, value := range want {
		if got.header.Get(name) != value {
			s.t.Errorf("%s %s: %s is %q, want %q", method, path, name, got.header.Get(name), value)
		}
	}
	if got.status != http.StatusNotFound && !strings.HasSuffix(got.header.Get("Allow"), "OPTIONS") {
		s.t.Errorf("%s %s: Allow is %q", method, path, got.header.Get("Allow"))
	}
	if (got.status == http.StatusTooManyRequests || got.status == http.StatusConflict) != (got.header.Get("Retry-After") != "") {
		s.t.Errorf("%s %s: %d with Retry-After %q", method, path, got.status, got.header.Get("Retry-After"))
	}
	if hasBody := method != http.MethodHead && !bodiless; json.Valid([]byte(got.text)) != hasBody {
		s.t.Errorf("%s %s: %d with body %q", method, path, got.status, got.text)
	}
	if strings.Contains(got.text, graphtest.Password) {
		s.t.Errorf("%s %s shows the password", method, path)
	}
}

func (s server) post(path, body string, headers ...string) reply {
	s.t.Helper()
	return s.send(http.MethodPost, path, body, headers...)
}

// want compares an answer byte for byte.
func (s server) want(got reply, status int, body string) {
	s.t.Helper()
	if got.status != status || got.text != body {
		s.t.Errorf("got %d %s\nwant %d %s", got.status, got.text, status, body)
	}
}

func (r reply) decode(t *testing.T, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.text), into); err != nil {
		t.Fatalf("%v: %s", err, r.text)
	}
}

type tokens struct{ Access, Refresh string }

// register creates an account over REST.
func (s server) register(name string) tokens {
	s.t.Helper()
	got := s.post("/api/auth/register/", `{"username":"`+name+`","email":"`+name+`@clinic.example","password":"`+graphtest.Password+`","role":"patient"}`)
	if got.status != http.StatusCreated {
		s.t.Fatalf("register %s: %d %s", name, got.status, got.text)
	}
	var body struct{ Tokens tokens }
	got.decode(s.t, &body)
	return body.Tokens
}

// as is send by an account.
func (s server) as(who *graphtest.Client, method, path, body string, headers ...string) reply {
	s.t.Helper()
	return s.send(method, path, body, append(bearer(who.Token), headers...)...)
}

// number returns the id of a record in REST.
func number(id string) string {
	_, digits, _ := strings.Cut(id, "_")
	return digits
}

func bearer(token string) []string { return []string{"Authorization", "Bearer " + token} }
