package gqlhttp

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/caregraph/caregraph/internal/testutil"
)

// answered sends a document to a transport whose answer is fixed.
func answered(t *testing.T, transport Transport, response *graphql.Response, method, document string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	srv := mocked(func(context.Context) *graphql.Response { return response })
	srv.AddTransport(transport)
	r := httptest.NewRequestWithContext(t.Context(), method, "/graphql?query="+url.QueryEscape(document), nil)
	if method == http.MethodPost {
		r = httptest.NewRequestWithContext(t.Context(), method, "/graphql", strings.NewReader(`{"query":"`+document+`"}`))
		r.Header.Set("Content-Type", mediaJSON)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	srv.ServeHTTP(w, r)
	if got := w.Header().Get("Vary"); got != vary {
		t.Errorf("%s %s: Vary %s", method, document, got)
	}
	if got := w.Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("%s %s: Cache-Control %s", method, document, got)
	}
	return w
}

// sized returns a response whose body has a length.
func sized(length int) *graphql.Response {
	return &graphql.Response{Data: []byte(`{"a":"` + strings.Repeat("x", length-len(`{"data":{"a":""}}`)) + `"}`)}
}

func TestCompression_OfLongAnswersToQueries(t *testing.T) {
	t.Parallel()
	failing := sized(5_000)
	failing.Errors, failing.Extensions = failed("FORBIDDEN_FIELD"), map[string]any{"redacted": "a"}
	for name, c := range map[string]struct {
		transport        Transport
		response         *graphql.Response
		method, document string
		accept           string
		zipped           bool
	}{
		"long":              {Transport{Compress: true}, sized(1024), "POST", "{name}", "gzip, br", true},
		"short":             {Transport{Compress: true}, sized(1023), "POST", "{name}", "gzip, br", false},
		"GET":               {Transport{Compress: true}, sized(5_000), "GET", "{name}", "gzip", true},
		"HEAD":              {Transport{Compress: true}, sized(5_000), "HEAD", "{name}", "gzip", true},
		"errors":            {Transport{Compress: true}, failing, "POST", "{name}", "gzip", true},
		"not accepted":      {Transport{Compress: true}, sized(5_000), "POST", "{name}", "gzip;q=0", false},
		"no Accept":         {Transport{Compress: true}, sized(5_000), "POST", "{name}", "", false},
		"off":               {Transport{}, sized(5_000), "POST", "{name}", "gzip", false},
		"a mutation":        {Transport{Compress: true}, sized(5_000), "POST", "mutation{name}", "gzip", false},
		"a short mutation":  {Transport{Compress: true}, sized(30), "POST", "mutation{name}", "gzip", false},
		"several documents": {Transport{Compress: true}, sized(5_000), "POST", "mutation{name} #query", "gzip", false},
	} {
		w := answered(t, c.transport, c.response, c.method, c.document, "Accept-Encoding", c.accept)
		want, err := Encode(c.response)
		testutil.Must(t, err)
		body := w.Body.Bytes()
		if got := w.Header().Get("Content-Length"); got != strconv.Itoa(len(body)) {
			t.Errorf("%s: Content-Length %s for %d bytes", name, got, len(body))
		}
		if is := w.Header().Get("Content-Encoding") == "gzip"; is != c.zipped {
			t.Errorf("%s: zipped is %t", name, is)
		} else if is {
			zip, err := gzip.NewReader(bytes.NewReader(body))
			testutil.Must(t, err)
			if len(body) > len(want)/4 {
				t.Errorf("%s: %d bytes of %d", name, len(body), len(want))
			}
			body, err = io.ReadAll(zip)
			testutil.Must(t, err)
		}
		if !bytes.Equal(body, want) {
			t.Errorf("%s: %.100s, want %.100s", name, body, want)
		}
	}
}

// TestTags_SaveTheAnswerThatTheClientHas: its own answer, in the same form.
func TestTags_SaveTheAnswerThatTheClientHas(t *testing.T) {
	t.Parallel()
	as := func(account int64) Transport {
		return Transport{Compress: true, Account: func(context.Context) int64 { return account }}
	}
	first := answered(t, as(1), sized(3_000), "GET", "{name}", "Accept-Encoding", "gzip")
	tag := first.Header().Get("ETag")
	if !strings.HasPrefix(tag, `W/"`) || first.Code != http.StatusOK {
		t.Errorf("%d, ETag %s", first.Code, tag)
	}
	for name, c := range map[string]struct {
		account  int64
		length   int
		method   string
		media    string
		has      string
		saved    bool
		tagsDiff bool
	}{
		"the same":           {1, 3_000, "GET", "*/*", tag, true, false},
		"of several":         {1, 3_000, "GET", "*/*", `"x", ` + tag, true, false},
		"any":                {1, 3_000, "GET", "*/*", "*", true, false},
		"HEAD":               {1, 3_000, "HEAD", "*/*", tag, true, false},
		"compared weakly":    {1, 3_000, "GET", "*/*", strings.TrimPrefix(tag, "W/"), true, false},
		"no tag":             {1, 3_000, "GET", "*/*", "", false, false},
		"another tag":        {1, 3_000, "GET", "*/*", `W/"x"`, false, false},
		"another answer":     {1, 3_001, "GET", "*/*", tag, false, true},
		"another account":    {2, 3_000, "GET", "*/*", tag, false, true},
		"no account":         {0, 3_000, "GET", "*/*", tag, false, true},
		"another media type": {1, 3_000, "GET", mediaJSON, tag, false, true},
	} {
		w := answered(t, as(c.account), sized(c.length), c.method, "{name}", "If-None-Match", c.has, "Accept", c.media)
		if (w.Code == http.StatusNotModified) != c.saved || (w.Header().Get("ETag") != tag) != c.tagsDiff {
			t.Errorf("%s: %d, ETag %s", name, w.Code, w.Header().Get("ETag"))
		}
		if c.saved && (w.Body.Len() > 0 || w.Header().Get("Content-Type") != "" || w.Header().Get("Content-Encoding") != "") {
			t.Errorf("%s: %d bytes with %v", name, w.Body.Len(), w.Header())
		}
	}
}

// TestTags_BelongToAnswersWithoutErrors of queries over GET.
func TestTags_BelongToAnswersWithoutErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		response *graphql.Response
		method   string
		document string
	}{
		"POST":       {sized(3_000), "POST", "{name}"},
		"errors":     {&graphql.Response{Data: []byte(`{}`), Errors: failed("FORBIDDEN_FIELD")}, "GET", "{name}"},
		"no data":    {&graphql.Response{Errors: gqlerror.List{gqlerror.Errorf("x")}}, "GET", "{name}"},
		"a mutation": {sized(3_000), "POST", "mutation{name}"},
		"broken":     {sized(3_000), "GET", "{"},
	} {
		w := answered(t, Transport{Compress: true}, c.response, c.method, c.document, "If-None-Match", "*")
		if w.Header().Get("ETag") != "" || w.Code == http.StatusNotModified {
			t.Errorf("%s: %d, ETag %s", name, w.Code, w.Header().Get("ETag"))
		}
	}
}
