package rest_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/jackc/pgx/v5"

	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/internal/rest"
	"github.com/caregraph/caregraph/internal/testutil"
)

const notFound = `{"detail":"Not found."}`

func TestRequests_AreCheckedInTheKnownOrder(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	in := s.register("rahul")
	const (
		notAcceptable = `{"detail":"Could not satisfy the request Accept header."}`
		noHTML        = `{"detail":"Unsupported media type \"text/plain\" in request."}`
		required      = `{"refresh":["This field is required."]}`
	)
	steps := []struct {
		method, path, body, accept, content, auth string
		status                                    int
		want                                      string
	}{
		{"PUT", "/api/nothing/", "{", "text/plain", "text/plain", "Bearer x", 404, notFound},
		{"PUT", me, "{", "application/xml", "text/plain", "Bearer x", 406, notAcceptable},
		{"PUT", me, "{", "", "text/plain", "", 401, noCredentials},
		{"OPTIONS", me, "", "", "", "", 401, noCredentials},
		{"PUT", me, "{", "", "text/plain", "Bearer " + in.Access, 405, `{"detail":"Method \"PUT\" not allowed."}`},
		{"POST", change, "{", "", "text/plain", "", 401, noCredentials},
		{"POST", change, "{", "", "text/plain", "Bearer x", 401, tokenNotValid("Token is invalid")},
		{"POST", change, "{", "", "text/plain", "Bearer " + in.Access, 415, noHTML},
		{"PUT", refresh, "{", "", "text/plain", "Bearer x", 405, `{"detail":"Method \"PUT\" not allowed."}`},
		{"POST", refresh, "{", "", "text/plain", "", 415, noHTML},
		{"POST", refresh, "{", "", "application/json", "", 400, `{"detail":"JSON parse error - Unexpected text: line 1 column 1 (char 0)"}`},
		{"POST", refresh, "{}", "", "application/json", "", 400, required},
		{"GET", register, "", "", "", "", 405, `{"detail":"Method \"GET\" not allowed."}`},
		{"HEAD", login, "", "", "", "", 405, ""},
		{"GET", register, "", "", "", "Bearer x", 401, tokenNotValid("Token is invalid")},
		{"TRACE", refresh, "", "", "", "", 405, `{"detail":"Method \"TRACE\" not allowed."}`},
	}
	for _, c := range steps {
		var headers []string
		for name, value := range map[string]string{"Accept": c.accept, "Content-Type": c.content, "Authorization": c.auth} {
			if value != "" {
				headers = append(headers, name, value)
			}
		}
		s.want(s.send(c.method, c.path, c.body, headers...), c.status, c.want)
	}
}

func TestRequests_AuthorizationHeader(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	const bad = `{"detail":"Authorization header must contain two space-delimited values","code":"bad_authorization_header"}`
	for header, want := range map[string]string{
		"Bearer":         bad,
		"Bearer a b":     bad,
		"Bearer garbage": tokenNotValid("Token is invalid"),
		"Token abc":      noCredentials,
		"Basic YTpi":     noCredentials,
		"abc":            noCredentials,
	} {
		s.want(s.send(http.MethodGet, me, "", "Authorization", header), http.StatusUnauthorized, want)
	}
}

// REST answers as it always did.
func TestRequests_AreNotExplained(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	in := s.register("rahul")
	for _, path := range []string{me, "/api/patients/"} {
		plain := s.send(http.MethodGet, path, "", "Authorization", "Bearer "+in.Access)
		asked := s.send(http.MethodGet, path, "", "Authorization", "Bearer "+in.Access, "X-CareGraph-Explain", "1")
		if asked.text != plain.text || asked.status != http.StatusOK || asked.header.Get("Server-Timing") != "" {
			t.Errorf("%s: %d %s, %q", path, asked.status, asked.text, asked.header.Get("Server-Timing"))
		}
	}
}

func TestRequests_Accept(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	auth := bearer(s.register("rahul").Access)
	for accept, want := range map[string]int{
		"*/*":                                   200,
		"application/json":                      200,
		"application/json; indent=4":            200,
		"application/*;q=0.5":                   200,
		"text/html,application/xml;q=0.9":       200,
		"application/xml, application/json;q=1": 200,
		"application/xml":                       406,
		"application/json;q=0":                  406,
		"image/*":                               406,
		";;":                                    406,
	} {
		if got := s.send(http.MethodGet, me, "", append(auth, "Accept", accept)...); got.status != want {
			t.Errorf("%s: %d, want %d", accept, got.status, want)
		}
	}
}

func TestBodies_ThatAreNoObject(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	invalid := func(kind string) string {
		return `{"non_field_errors":["Invalid data. Expected a dictionary, but got ` + kind + `."]}`
	}
	parse := func(place string) string { return `{"detail":"JSON parse error - Unexpected text: ` + place + `"}` }
	const tooDeep = `{"detail":"JSON parse error - The text nests too deep."}`
	for body, want := range map[string]string{
		`[]`:                            invalid("list"),
		`"refresh"`:                     invalid("str"),
		`5`:                             invalid("int"),
		`5.0`:                           invalid("float"),
		`true`:                          invalid("bool"),
		`null`:                          `{"non_field_errors":["No data provided"]}`,
		`{"token": }`:                   parse("line 1 column 11 (char 10)"),
		"{\n \"ü\": NaN}":               parse("line 2 column 7 (char 8)"),
		`{"token":Infinity}`:            parse("line 1 column 10 (char 9)"),
		`{"token":"x"}{}`:               parse("line 1 column 14 (char 13)"),
		`{'token':"x"}`:                 parse("line 1 column 2 (char 1)"),
		` `:                             parse("line 1 column 1 (char 0)"),
		"{\"token\":\"\xff\"}":          `{"detail":"JSON parse error - The text is not UTF-8."}`,
		"\xef\xbb\xbf{\"token\":\"x\"}": parse("line 1 column 1 (char 0)"),
		strings.Repeat(`[`, 15_000):     tooDeep,
		`{"token":` + strings.Repeat(`[`, 9_000) + strings.Repeat(`]`, 9_000) + `}`:           tooDeep,
		`{"token":` + strings.Repeat(`{"a":`, 3_000) + `1` + strings.Repeat(`}`, 3_000) + `}`: tooDeep,
		`{"token":` + strings.Repeat(`[`, 60) + strings.Repeat(`]`, 60) + `}`:                 `{"token":["Not a valid string."]}`,
	} {
		s.want(s.post(verify, body), http.StatusBadRequest, want)
	}
}

func TestBodies_ByContentType(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	const required = `{"token":["This field is required."]}`
	for _, c := range []struct {
		content, body string
		status        int
		want          string
	}{
		{"application/json; charset=utf-8", `{}`, 400, required},
		{"APPLICATION/JSON", `{}`, 400, required},
		{"text/plain", ``, 400, required}, // a missing body counts as an empty one
		{"application/json", ``, 400, required},
		{"", `{}`, 415, `{"detail":"Unsupported media type \"\" in request."}`},
		{"text/plain; charset=utf-8", `{}`, 415, `{"detail":"Unsupported media type \"text/plain; charset=utf-8\" in request."}`},
		{"application/xml", `<a/>`, 415, `{"detail":"Unsupported media type \"application/xml\" in request."}`},
		{"application/x-www-form-urlencoded", `token=`, 400, `{"token":["This field may not be blank."]}`},
		{"application/x-www-form-urlencoded", `token=%zz;`, 401, `{"detail":"Token is invalid","code":"token_not_valid"}`},
		{"multipart/form-data", `x`, 400, `{"detail":"Multipart form parse error - The body is not encoded as its header says."}`},
		{"multipart/form-data; boundary=X", "--X\r\nbroken", 400, `{"detail":"Multipart form parse error - The body is not encoded as its header says."}`},
		{"multipart/form-data; boundary=X", `x`, 400, required},
	} {
		s.want(s.post(verify, c.body, "Content-Type", c.content), c.status, c.want)
	}
}

func TestBodies_OverTheLimit(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	long := `{"token":"` + strings.Repeat("a", maxBody) + `"}`
	for _, content := range []string{"application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=X"} {
		s.want(s.post(verify, long, "Content-Type", content), http.StatusRequestEntityTooLarge,
			`{"detail":"The request body is longer than 20000 bytes."}`)
	}
}

func TestPaths(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	auth := bearer(s.register("rahul").Access)
	for _, path := range []string{"/api/", "/api/auth/", "/api/auth/nothing/", "/api/auth/me/1/", "/api/auth/me//", "/api//auth/me/", "/api/AUTH/me/"} {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodOptions} {
			got := s.send(method, path, "", auth...)
			s.want(got, http.StatusNotFound, notFound)
			if got.header.Get("Allow") != "" {
				t.Errorf("%s has Allow", path)
			}
		}
	}
	// Without the slash at the end the answer is the same, and no redirect.
	s.want(s.post("/api/auth/login", `{}`), http.StatusBadRequest, `{"email":["This field is required."],"password":["This field is required."]}`)
	const self = `{"id":1,"username":"rahul","email":"rahul@clinic.example","phone":null,"role":"patient"}`
	s.want(s.send(http.MethodGet, "/api/auth/me", "", auth...), http.StatusOK, self)
	s.want(s.send(http.MethodGet, me+"?format=json&page=2", "", auth...), http.StatusOK, self)
	// Other addresses belong to GraphQL.
	if out := s.Nobody().Do(`{ __typename }`, nil); out.Status != http.StatusOK {
		t.Errorf("GraphQL answers %d", out.Status)
	}
}

func TestMethods_HeadAndOptions(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	auth := bearer(s.register("rahul").Access)
	get, head := s.send(http.MethodGet, me, "", auth...), s.send(http.MethodHead, me, "", auth...)
	s.want(head, http.StatusOK, "")
	if head.header.Get("Content-Length") != get.header.Get("Content-Length") {
		t.Error("HEAD and GET differ in length")
	}
	s.want(s.send(http.MethodOptions, register, ""), http.StatusOK,
		`{"name":"auth/register","description":"","renders":["application/json"],`+
			`"parses":["application/json","application/x-www-form-urlencoded","multipart/form-data"]}`)
	for path, allow := range map[string]string{me: "GET, HEAD, OPTIONS", register: "POST, OPTIONS", change: "POST, OPTIONS"} {
		if got := s.send(http.MethodOptions, path, "", auth...).header.Get("Allow"); got != allow {
			t.Errorf("%s: Allow is %q, want %q", path, got, allow)
		}
	}
}

// broken returns a transport whose token check fails.
func broken(t *testing.T, check func(context.Context, string) error) (server, *bytes.Buffer) {
	t.Helper()
	transport, err := rest.New(schema(t), rest.Options{VerifyToken: check})
	testutil.Must(t, err)
	var log bytes.Buffer
	s := server{t: t, Server: graphtest.New(t, graphtest.Options{
		Transports: []graphql.Transport{transport}, Log: slog.New(slog.NewTextHandler(&log, nil)),
	})}
	return s, &log
}

func TestFaults_StayInside(t *testing.T) {
	t.Parallel()
	s, log := broken(t, func(context.Context, string) error { return secret{} })
	s.want(s.post(verify, `{"token":"x"}`), http.StatusInternalServerError,
		`{"detail":"Something went wrong on our side. Quote the request id when you report it.","request_id":"test-request"}`)
	if !strings.Contains(log.String(), "s3cret") || !strings.Contains(log.String(), "test-request") {
		t.Errorf("the log does not have the error: %s", log)
	}
}

func TestFaults_PanicsStayInside(t *testing.T) {
	t.Parallel()
	s, log := broken(t, func(context.Context, string) error { panic("s3cret") })
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+verify, strings.NewReader(`{"token":"x"}`))
	testutil.Must(t, err)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	testutil.Must(t, err)
	defer func() { _ = response.Body.Close() }()
	var body bytes.Buffer
	_, _ = body.ReadFrom(response.Body)
	if response.StatusCode != http.StatusInternalServerError || strings.Contains(body.String()+log.String(), "s3cret") {
		t.Errorf("%d %s\nlog: %s", response.StatusCode, &body, log)
	}
}

type secret struct{}

func (secret) Error() string { return "s3cret" }

func TestFaults_TheDatabaseIsGone(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	auth := bearer(s.register("rahul").Access)
	s.Store.Close()
	const away = `{"detail":"The server is busy or its database cannot be reached. Please try again."}`
	s.want(s.post(login, `{"email":"rahul@clinic.example","password":"Secure@123"}`), http.StatusServiceUnavailable, away)
	// No one must sign in again because the lookup failed.
	s.want(s.send(http.MethodGet, me, "", auth...), http.StatusServiceUnavailable, away)
}

func TestFaults_TheTimeIsUp(t *testing.T) {
	t.Parallel()
	transport, err := rest.New(schema(t), rest.Options{VerifyToken: func(context.Context, string) error { return nil }})
	testutil.Must(t, err)
	ended := server{t: t, Server: graphtest.New(t, graphtest.Options{Transports: []graphql.Transport{late{transport}}})}
	ended.want(ended.post(refresh, `{"refresh":"x"}`), http.StatusServiceUnavailable,
		`{"detail":"The operation took too long and was stopped."}`)
}

// late answers requests whose deadline has passed.
type late struct{ graphql.Transport }

func (l late) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	ctx, cancel := context.WithTimeout(r.Context(), 0)
	defer cancel()
	l.Transport.Do(w, r.WithContext(ctx), exec)
}

func TestRequests_TellTheLogTheirRoute(t *testing.T) {
	t.Parallel()
	var notes []string
	transport, err := rest.New(schema(t), rest.Options{
		VerifyToken: func(context.Context, string) error { return nil },
		AddLogAttrs: func(_ context.Context, attrs ...slog.Attr) {
			for _, a := range attrs {
				notes = append(notes, a.String())
			}
		},
	})
	testutil.Must(t, err)
	s := server{t: t, Server: graphtest.New(t, graphtest.Options{Transports: []graphql.Transport{transport}})}
	s.post("/api/auth/token/verify", `{"token":"x"}`)
	s.post("/api/patients/arjun/", `{}`)
	if len(notes) != 1 || notes[0] != "route=/api/auth/token/verify/" {
		t.Errorf("the log has %q", notes)
	}
}

func TestRequests_AskingWhoIsCallingReadsNothing(t *testing.T) {
	t.Parallel()
	var c counter
	s := serve(t, graphtest.Options{Tracer: &c, Listen: true})
	auth := bearer(s.register("rahul").Access)
	for method, want := range map[string]int64{
		http.MethodPut: 0,
		http.MethodGet: 1, // the account
	} {
		var got int64
		for end := time.Now().Add(30 * time.Second); time.Now().Before(end); {
			before := c.Load()
			s.send(method, me, "", auth...)
			if got = c.Load() - before; got == want {
				break // the session is in the cache now
			}
		}
		if got != want {
			t.Errorf("%s: %d statements, want %d", method, got, want)
		}
	}
}

// counter counts the statements of requests.
type counter struct{ atomic.Int64 }

func (c *counter) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	if !strings.Contains(data.SQL, "pg_notify") { // the store's own
		c.Add(1)
	}
	return ctx
}

func (*counter) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func TestNew_WantsATokenCheck(t *testing.T) {
	t.Parallel()
	if _, err := rest.New(schema(t), rest.Options{}); err == nil {
		t.Error("New does without")
	}
}

// TestBody_RefusesDeepJSON before it is decoded.
func TestBody_RefusesDeepJSON(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	deep := strings.Repeat("[", 5_000) + strings.Repeat("]", 5_000)
	s.want(s.post("/api/auth/login/", `{"email":`+deep+`}`), http.StatusBadRequest, `{"detail":"JSON parse error - The text nests too deep."}`)
}
