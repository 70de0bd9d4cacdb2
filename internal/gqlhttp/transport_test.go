package gqlhttp

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/testserver"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/caregraph/caregraph/internal/testutil"
)

func TestTransport_AnswersQueriesOverPostAndGet(t *testing.T) {
	t.Parallel()
	base := serve(t)
	for name, a := range map[string]answer{
		"post": post(t, base, `{"query":"{name}"}`, nil),
		"get":  get(t, base, url.Values{"query": {"{name}"}}, nil),
		"get of several operations": get(t, base, url.Values{
			"query": {"query a{name} mutation b{name}"}, "operationName": {"a"}, "variables": {""}, "extensions": {"null"},
		}, nil),
	} {
		if a.status != http.StatusOK || a.text != `{"data":{"name":"test"}}` {
			t.Errorf("%s: %d %s", name, a.status, a.text)
		}
		if got := a.header.Get("Content-Type"); got != mediaResponse+"; charset=utf-8" {
			t.Errorf("%s: Content-Type %s", name, got)
		}
	}
}

func TestTransport_AnswersHeadWithoutBody(t *testing.T) {
	t.Parallel()
	base := serve(t)
	a := send(t, http.MethodHead, base+"?query=%7Bname%7D", "", nil)
	if a.status != http.StatusOK || a.text != "" || a.header.Get("Content-Length") != "24" {
		t.Errorf("%d %q %v", a.status, a.text, a.header)
	}
}

func TestTransport_ExecutesNoMutationOverGet(t *testing.T) {
	t.Parallel()
	executed := false
	base, _ := answering(t, func(context.Context) *graphql.Response {
		executed = true
		return &graphql.Response{Data: []byte(`{}`)}
	})
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		for _, media := range []string{mediaResponse, mediaJSON} {
			a := send(t, method, base+"?query=mutation%7Bname%7D", "", accept(media))
			if a.status != http.StatusMethodNotAllowed || a.header.Get("Allow") != "POST" {
				t.Errorf("%s for %s: %d, Allow %q", method, media, a.status, a.header.Get("Allow"))
			}
		}
	}
	if executed {
		t.Error("a mutation was executed")
	}
}

func TestTransport_RefusesOtherMethods(t *testing.T) {
	t.Parallel()
	base := serve(t)
	for _, method := range []string{"PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"} {
		a := send(t, method, base, `{"query":"{name}"}`, map[string]string{"Content-Type": mediaJSON})
		if a.status != http.StatusMethodNotAllowed || a.header.Get("Allow") != "GET, HEAD, POST" || a.code(t) != codeBadUserInput {
			t.Errorf("%s: %d, Allow %q, %s", method, a.status, a.header.Get("Allow"), a.text)
		}
	}
}

func TestTransport_TakesNothingThatAFormCouldSend(t *testing.T) {
	t.Parallel()
	base := serve(t)
	for _, content := range []string{
		"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
		"application/graphql", "application/json; charset=iso-8859-1", "text/plain; application/json", "application/json, text/plain",
	} {
		a := send(t, http.MethodPost, base, `{"query":"{name}"}`, map[string]string{"Content-Type": content})
		if a.status != http.StatusUnsupportedMediaType || a.body["data"] != nil {
			t.Errorf("%q: %d %s", content, a.status, a.text)
		}
	}
	if a := post(t, base, `{"query":"{name}"}`, map[string]string{"Content-Encoding": "gzip"}); a.status != http.StatusUnsupportedMediaType {
		t.Errorf("a compressed body: %d", a.status)
	}
	if a := post(t, base, `{"query":"{name}"}`, map[string]string{"Content-Type": "Application/JSON; Charset=UTF-8"}); a.status != http.StatusOK {
		t.Errorf("JSON by another spelling: %d", a.status)
	}
}

func TestTransport_RefusesABodyOverTheLimit(t *testing.T) {
	t.Parallel()
	base := serve(t)
	fits := `{"query":"{name}"}`
	if a := post(t, base, fits+strings.Repeat(" ", maxBody-len(fits)), nil); a.status != http.StatusOK {
		t.Errorf("a body at the limit: %d", a.status)
	}
	a := post(t, base, fits+strings.Repeat(" ", maxBody), nil)
	if a.status != http.StatusRequestEntityTooLarge || a.code(t) != codeLimitExceeded || !strings.Contains(a.text, "4000 bytes") {
		t.Errorf("%d %s", a.status, a.text)
	}
}

func TestTransport_NeverRepeatsAMalformedBody(t *testing.T) {
	t.Parallel()
	base := serve(t)
	for _, body := range []string{
		`{"query":"{name}","password":"s3cret"`, `s3cret`, `["s3cret"]`, `"s3cret"`, `{"query":["s3cret"]}`,
		`{"query":"{name}","variables":"s3cret"}`, "{\"query\":\"s3cret\xff\"}", `{"query":"{name}"}s3cret`,
	} {
		a := post(t, base, body, nil)
		if a.status != http.StatusBadRequest || a.code(t) != codeBadUserInput || strings.Contains(a.text, "s3cret") {
			t.Errorf("%s: %d %s", body, a.status, a.text)
		}
	}
}

func TestTransport_RefusesWhatOneAnswerCannotHold(t *testing.T) {
	t.Parallel()
	executed := false
	base, _ := answering(t, func(context.Context) *graphql.Response {
		executed = true
		return &graphql.Response{Data: []byte(`{}`)}
	})
	if a := post(t, base, `{"query":"subscription{name}"}`, nil); a.status != http.StatusBadRequest || a.code(t) != codeBadUserInput {
		t.Errorf("%d %s", a.status, a.text)
	}
	if executed {
		t.Error("it was executed")
	}
}

func TestTransport_KeepsNumbersExact(t *testing.T) {
	t.Parallel()
	var got *graphql.RawParams
	base, srv := answering(t, func(context.Context) *graphql.Response { return &graphql.Response{Data: []byte(`{}`)} })
	srv.Use(recorder{func(params *graphql.RawParams) { got = params }})

	post(t, base, `{"query":"{name}","variables":{"fee":1500.10},"extensions":{"n":9007199254740993},"query2":1}`,
		map[string]string{"X-Trace": "abc"})
	if got.Variables["fee"] != json.Number("1500.10") || got.Extensions["n"] != json.Number("9007199254740993") {
		t.Errorf("%v %v", got.Variables, got.Extensions)
	}
	if got.Headers.Get("X-Trace") != "abc" || got.ReadTime.End.IsZero() {
		t.Error("headers or times are missing")
	}
}

// recorder is an extension that receives the parameters of each operation.
type recorder struct{ see func(*graphql.RawParams) }

func (recorder) ExtensionName() string { return "recorder" }

func (recorder) Validate(graphql.ExecutableSchema) error { return nil }

func (e recorder) MutateOperationParameters(_ context.Context, params *graphql.RawParams) *gqlerror.Error {
	e.see(params)
	return nil
}

func TestTransport_SaysWhenTheTimeIsUp(t *testing.T) {
	t.Parallel()
	for want, cause := range map[string]func(context.Context) (context.Context, context.CancelFunc){
		"took too long": func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 0)
		},
		"was stopped": func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			return ctx, cancel
		},
	} {
		srv := testserver.New()
		srv.AddTransport(Transport{})
		base := listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx, cancel := cause(r.Context())
			defer cancel()
			srv.ServeHTTP(w, r.WithContext(ctx))
		}))
		a := post(t, base, `{"query":"{name}"}`, nil)
		if a.status != http.StatusServiceUnavailable || a.code(t) != codeUnavailable || !strings.Contains(a.text, want) {
			t.Errorf("%d %s", a.status, a.text)
		}
	}
}

func TestTransport_StopsCountingErrors(t *testing.T) {
	t.Parallel()
	base, _ := answering(t, nil)
	a := post(t, base, `{"query":"{`+strings.Repeat("x ", 300)+`}"}`, nil)
	var errs gqlerror.List
	testutil.Must(t, json.Unmarshal(a.body["errors"], &errs))
	if len(errs) != 101 || errs[100].Message != "There are 200 more errors." || code(errs[100]) != "GRAPHQL_VALIDATION_FAILED" {
		t.Errorf("%d errors, the last %v", len(errs), errs[len(errs)-1])
	}
}

// TestTransport_IgnoresUpgrades: curl --http2 and Java's client offer HTTP/2 with every
// request.
func TestTransport_IgnoresUpgrades(t *testing.T) {
	t.Parallel()
	base := serve(t)
	for _, upgrade := range []map[string]string{
		{"Upgrade": "h2c", "Connection": "Upgrade, HTTP2-Settings", "HTTP2-Settings": "AAMAAABkAAQCAAAAAAIAAAAA"},
		{"Upgrade": "h2c", "Connection": "Upgrade"},
		{"Upgrade": "websocket", "Connection": "Upgrade"},
		{"Upgrade": "TLS/1.0"},
	} {
		for method, a := range map[string]answer{
			"POST": post(t, base, `{"query":"{name}"}`, upgrade), "GET": get(t, base, url.Values{"query": {"{name}"}}, upgrade),
		} {
			if a.status != http.StatusOK || a.text != `{"data":{"name":"test"}}` {
				t.Errorf("%s %v: %d %s", method, upgrade, a.status, a.text)
			}
		}
	}
}

func TestTransport_TakesEveryNameOfUTF8(t *testing.T) {
	t.Parallel()
	base := serve(t)
	for _, charset := range []string{"utf8", "UTF8", "utf-8", `"utf8"`, "UTF-8"} {
		media := "application/json; charset=" + charset
		if a := post(t, base, `{"query":"{name}"}`, map[string]string{"Content-Type": media}); a.status != http.StatusOK {
			t.Errorf("Content-Type %s: %d", media, a.status)
		}
		if a := post(t, base, `{"query":"{name}"}`, accept(media)); a.status != http.StatusOK || a.header.Get("Content-Type") != "application/json; charset=utf-8" {
			t.Errorf("Accept %s: %d", media, a.status)
		}
	}
	if a := post(t, base, `{"query":"{name}"}`, accept("application/json; charset=latin1")); a.status != http.StatusNotAcceptable {
		t.Errorf("latin1: %d", a.status)
	}
}

// TestTransport_AnswersEachOperationOfABatch with an error: Apollo's link for batches hides
// the message of any other answer.
func TestTransport_AnswersEachOperationOfABatch(t *testing.T) {
	t.Parallel()
	base := serve(t)
	for batch, want := range map[string]int{
		`[{"query":"{name}"},{"query":"{name}"}]`: 2, "\n[{}]": 1, `[]`: 1, `[1,null,"x"]`: 3,
		"[" + strings.Repeat("1,", 500) + "1]": 100,
	} {
		a := post(t, base, batch, nil)
		if a.status != http.StatusBadRequest || len(a.batch) != want {
			t.Errorf("%.50s: %d, %d answers", batch, a.status, len(a.batch))
		}
		for _, one := range a.batch {
			if string(one) != string(a.batch[0]) || a.code(t) != codeBadUserInput || a.body["data"] != nil {
				t.Errorf("%.50s: %s", batch, one)
			}
		}
	}
	if a := post(t, base, `[{"query":`, nil); a.status != http.StatusBadRequest || a.batch != nil {
		t.Errorf("no JSON: %d %s", a.status, a.text)
	}
}

func TestTransport_AsksForTheDocumentOfAHash(t *testing.T) {
	t.Parallel()
	base := serve(t)
	persisted := func(hash string) string { return `{"persistedQuery":{"version":1,"sha256Hash":"` + hash + `"}}` }
	sum := sha256.Sum256([]byte("{name}"))
	right, wrong := persisted(hex.EncodeToString(sum[:])), persisted(strings.Repeat("0", 64))
	for media, status := range map[string]int{mediaResponse: 400, mediaJSON: 200} {
		for _, a := range []answer{
			post(t, base, `{"extensions":`+right+`}`, accept(media)), post(t, base, `{"query":null,"extensions":`+right+`}`, accept(media)),
			post(t, base, `{"query":"","extensions":`+right+`}`, accept(media)), get(t, base, url.Values{"extensions": {right}}, accept(media)),
		} {
			if a.status != status || a.code(t) != "PERSISTED_QUERY_NOT_FOUND" || !strings.Contains(a.text, `"message":"PersistedQueryNotFound"`) || a.body["data"] != nil {
				t.Errorf("the hash alone: %d %s", a.status, a.text)
			}
		}
		for _, a := range []answer{
			post(t, base, `{"query":"{name}","extensions":`+right+`}`, accept(media)),
			get(t, base, url.Values{"query": {"{name}"}, "extensions": {right}}, accept(media)),
		} {
			if a.status != http.StatusOK || a.text != `{"data":{"name":"test"}}` {
				t.Errorf("with the document: %d %s", a.status, a.text)
			}
		}
		for _, a := range []answer{
			post(t, base, `{"query":"{name}","extensions":`+wrong+`}`, accept(media)),
			get(t, base, url.Values{"query": {"{name}"}, "extensions": {wrong}}, accept(media)),
		} {
			if a.status != http.StatusBadRequest || a.code(t) != codeBadUserInput || a.body["data"] != nil {
				t.Errorf("with another document: %d %s", a.status, a.text)
			}
		}
	}
}

// TestTransport_ReadsURLsAsBrowsersDo: a semicolon and a percent sign need no escape.
func TestTransport_ReadsURLsAsBrowsersDo(t *testing.T) {
	t.Parallel()
	base, srv := answering(t, func(context.Context) *graphql.Response { return &graphql.Response{Data: []byte(`{}`)} })
	var got *graphql.RawParams
	srv.Use(recorder{func(params *graphql.RawParams) { got = params }})
	a := send(t, http.MethodGet, base+`?query={name}&variables={%22s%22:%2294%;%20a%22}`, "", nil)
	if a.status != http.StatusOK || got.Variables["s"] != "94%; a" {
		t.Errorf("%d %v", a.status, got)
	}
}

func TestReadError_SaysWhyABodyDidNotArrive(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]int{
		&http.MaxBytesError{Limit: 1}: http.StatusRequestEntityTooLarge,
		os.ErrDeadlineExceeded:        http.StatusRequestTimeout,
		io.ErrUnexpectedEOF:           http.StatusBadRequest,
	} {
		if got := readError(err).status; got != want {
			t.Errorf("%v: %d, want %d", err, got, want)
		}
	}
}

// refusing is an executor that refuses every operation for a limit.
type refusing struct{ graphql.GraphExecutor }

func (refusing) CreateOperationContext(context.Context, *graphql.RawParams) (*graphql.OperationContext, gqlerror.List) {
	err := gqlerror.Errorf("too much")
	setCode(err, codeLimitExceeded)
	return &graphql.OperationContext{}, gqlerror.List{err}
}

func (refusing) DispatchError(_ context.Context, errs gqlerror.List) *graphql.Response {
	return &graphql.Response{Errors: errs}
}

// TestTransport_ARefusalForALimitTakesTime unless the client has gone.
func TestTransport_ARefusalForALimitTakesTime(t *testing.T) {
	t.Parallel()
	for gone, want := range map[bool]time.Duration{false: refusalDelay, true: 0} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			if gone {
				cancel()
			}
			defer cancel()
			r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/", strings.NewReader(`{"query":"{ a }"}`))
			r.Header.Set("Content-Type", "application/json")
			w, start := httptest.NewRecorder(), time.Now()
			Transport{}.Do(w, r, refusing{})
			if took := time.Since(start); took != want || !strings.Contains(w.Body.String(), codeLimitExceeded) {
				t.Errorf("gone %v: %s after %s", gone, w.Body, took)
			}
		})
	}
}
