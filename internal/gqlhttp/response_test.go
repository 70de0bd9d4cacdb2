package gqlhttp

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/testserver"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/caregraph/caregraph/internal/testutil"
)

func failed(codes ...string) gqlerror.List {
	var errs gqlerror.List
	for _, code := range codes {
		err := gqlerror.Errorf("failed")
		if code != "" {
			setCode(err, code)
		}
		errs = append(errs, err)
	}
	return errs
}

func TestEncode_DataIsThereExactlyIfSomethingWasExecuted(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name     string
		response graphql.Response
		want     string
	}{
		{"data", graphql.Response{Data: []byte(`{"a":"<b>"}`)}, `{"data":{"a":"<b>"}}`},
		{"data null", graphql.Response{Data: []byte(`null`), Errors: failed("")}, `{"errors":[{"message":"failed"}],"data":null}`},
		{"request error", graphql.Response{Errors: failed("X")}, `{"errors":[{"message":"failed","extensions":{"code":"X"}}]}`},
		{
			"extensions",
			graphql.Response{Data: []byte(`{}`), Extensions: map[string]any{"redacted": []string{"a"}}},
			`{"data":{},"extensions":{"redacted":["a"]}}`,
		},
		{"nothing", graphql.Response{}, `{}`},
	}
	for _, c := range cases {
		got, err := Encode(&c.response)
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %s, %v, want %s", c.name, got, err, c.want)
		}
	}
}

// pieces is a writer that keeps each piece that it receives.
type pieces struct {
	*httptest.ResponseRecorder
	given [][]byte
}

func (p *pieces) Write(piece []byte) (int, error) {
	p.given = append(p.given, piece)
	return p.ResponseRecorder.Write(piece)
}

func TestWrite_SendsWhatEncodeReturnsWithoutCopyingTheData(t *testing.T) {
	t.Parallel()
	data, extensions := []byte(`{"a":"<b>"}`), map[string]any{"redacted": []string{"a"}}
	roomy := append(make([]byte, 0, 100), data...)
	for _, response := range []graphql.Response{
		{},
		{Data: data},
		{Extensions: extensions},
		{Data: data, Extensions: extensions},
		{Data: roomy},
		{Data: roomy, Extensions: extensions},
		{Errors: failed("X", "Y")},
		{Errors: failed("X"), Data: []byte("null")},
		{Errors: failed("X"), Extensions: extensions},
		{Errors: failed("X"), Data: data, Extensions: extensions},
	} {
		want, err := Encode(&response)
		if err != nil || !json.Valid(want) {
			t.Fatalf("%s, %v", want, err)
		}
		w := &pieces{ResponseRecorder: httptest.NewRecorder()}
		respond(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil), mediaResponse, &response)
		if got := w.Body.String(); got != string(want) || w.Header().Get("Content-Length") != strconv.Itoa(len(got)) {
			t.Errorf("Content-Length %s for %s, want %s", w.Header().Get("Content-Length"), got, want)
		}
		same := func(piece []byte) bool { return len(piece) > 0 && &piece[0] == &response.Data[0] }
		if response.Data != nil && !slices.ContainsFunc(w.given, same) {
			t.Errorf("the data of %s was copied", want)
		}
	}
}

// The values of the headers share one array.
func TestWrite_HeadersMayBeAddedTo(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	respond(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil), mediaResponse, &graphql.Response{Data: []byte(`{}`)})
	want := w.Header().Clone()
	for name := range w.Header() {
		w.Header().Add(name, "more")
		want.Add(name, "more")
	}
	testutil.Equal(t, "headers", w.Header(), want)
}

func TestEncode_RefusesWhatIsNoJSON(t *testing.T) {
	t.Parallel()
	bad := map[string]any{"f": func() {}}
	err := gqlerror.Errorf("x")
	err.Extensions = bad
	for _, response := range []*graphql.Response{{Extensions: bad}, {Errors: gqlerror.List{err}}} {
		if got, err := Encode(response); err == nil {
			t.Errorf("encoded as %s", got)
		}
		w := httptest.NewRecorder()
		respond(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil), mediaResponse, response)
		if w.Code != http.StatusInternalServerError {
			t.Errorf("status %d", w.Code)
		}
	}
}

func TestStatus_FollowsWhoIsTheReason(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name        string
		response    graphql.Response
		modern, old int
	}{
		{"success", graphql.Response{Data: []byte(`{}`)}, 200, 200},
		{"field errors", graphql.Response{Data: []byte(`{}`), Errors: failed("FORBIDDEN_FIELD")}, 200, 200},
		{"field errors of the service", graphql.Response{Data: []byte(`{}`), Errors: failed("UNAVAILABLE")}, 200, 200},
		{"data null", graphql.Response{Data: []byte(`null`), Errors: failed("INTERNAL")}, 200, 200},
		{"syntax", graphql.Response{Errors: failed("GRAPHQL_PARSE_FAILED")}, 400, 200},
		{"validation", graphql.Response{Errors: failed("GRAPHQL_VALIDATION_FAILED")}, 400, 200},
		{"variables", graphql.Response{Errors: failed("BAD_USER_INPUT")}, 400, 200},
		{"limits", graphql.Response{Errors: failed("LIMIT_EXCEEDED")}, 400, 200},
		{"persisted", graphql.Response{Errors: failed("PERSISTED_QUERY_NOT_FOUND")}, 400, 200},
		{"unknown caller", graphql.Response{Errors: failed("UNAUTHENTICATED")}, 401, 200},
		{"wrong caller", graphql.Response{Errors: failed("FORBIDDEN")}, 403, 200},
		{"too fast", graphql.Response{Errors: failed("RATE_LIMITED")}, 429, 429},
		{"down", graphql.Response{Errors: failed("UNAVAILABLE")}, 503, 503},
		{"broken", graphql.Response{Errors: failed("INTERNAL")}, 500, 500},
		{"broken without a code", graphql.Response{Errors: failed("")}, 500, 500},
		{"the service before the request", graphql.Response{Errors: failed("FORBIDDEN", "UNAVAILABLE")}, 503, 503},
	}
	for _, c := range cases {
		if got := Status(mediaResponse, &c.response); got != c.modern {
			t.Errorf("%s: %d in %s, want %d", c.name, got, mediaResponse, c.modern)
		}
		if got := Status(mediaJSON, &c.response); got != c.old {
			t.Errorf("%s: %d in %s, want %d", c.name, got, mediaJSON, c.old)
		}
	}
}

func TestTransport_PartialDataIsASuccess(t *testing.T) {
	t.Parallel()
	base, _ := answering(t, func(context.Context) *graphql.Response {
		return &graphql.Response{Data: []byte(`{"name":null}`), Errors: failed("FORBIDDEN_FIELD")}
	})
	a := post(t, base, `{"query":"{name}"}`, nil)
	if a.status != http.StatusOK || string(a.body["data"]) != `{"name":null}` || a.code(t) != "FORBIDDEN_FIELD" {
		t.Errorf("%d %s", a.status, a.text)
	}
}

func TestTransport_AFailedResolverLeavesDataNull(t *testing.T) {
	t.Parallel()
	srv := testserver.NewError()
	srv.AddTransport(Transport{})
	a := post(t, listen(t, srv), `{"query":"{name}"}`, nil)
	if a.status != http.StatusOK || string(a.body["data"]) != "null" || a.body["errors"] == nil {
		t.Errorf("%d %s", a.status, a.text)
	}
}

func TestTransport_RefusalBeforeExecutionHasNoData(t *testing.T) {
	t.Parallel()
	base, srv := answering(t, nil)
	srv.AroundOperations(func(context.Context, graphql.OperationHandler) graphql.ResponseHandler {
		return graphql.OneShot(&graphql.Response{Errors: failed("UNAUTHENTICATED")})
	})
	a := post(t, base, `{"query":"{name}"}`, nil)
	if _, has := a.body["data"]; has || a.status != http.StatusUnauthorized || a.header.Get("WWW-Authenticate") != "Bearer" {
		t.Errorf("%d %s", a.status, a.text)
	}
}

// TestTransport_RetryAfterIsAHeader: clients that see only headers know how long to
// wait, too.
func TestTransport_RetryAfterIsAHeader(t *testing.T) {
	t.Parallel()
	slow := func(seconds int) *gqlerror.Error {
		return &gqlerror.Error{Extensions: map[string]any{"code": "RATE_LIMITED", "retryAfter": seconds}}
	}
	for _, c := range []struct {
		name     string
		response graphql.Response
		want     string
	}{
		{"no errors", graphql.Response{Data: []byte(`{}`)}, ""},
		{"an error without it", graphql.Response{Errors: failed("UNAVAILABLE")}, ""},
		{"the longest of two errors", graphql.Response{Errors: gqlerror.List{slow(2), slow(7)}}, "7"},
		{"of the response", graphql.Response{Data: []byte(`{}`), Extensions: map[string]any{"retryAfter": 30}}, "30"},
	} {
		w := httptest.NewRecorder()
		respond(w, httptest.NewRequestWithContext(t.Context(), "POST", "/graphql", nil), mediaResponse, &c.response)
		if got := w.Header().Get("Retry-After"); got != c.want {
			t.Errorf("%s: Retry-After is %q, want %q", c.name, got, c.want)
		}
	}
}
