package gqlhttp

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// The decoders would put U+FFFD for half a character.
func TestParams_RefuseHalfACharacter(t *testing.T) {
	t.Parallel()
	whole := []string{
		`{"query":"{find(a:\"\\uD83D\\uDE00\")}"}`, `{"query":"{name}","variables":{"n":"\ud83d\ude00"}}`, `{"query":"{find(a:\"\"\"\\uD83D\"\"\")}"}`,
		`{"query":"{name} # \\uD83D"}`, `{"query":"{find(a:\"\\\\uD83D\")}"}`, `{"query":"{name}","variables":{"n":"\\ud83d"}}`, `{"query":"{find(a:\"\ud83d\ude00\\uD83D\\uDE00\")}"}`,
	}
	half := []string{
		`{"query":"{find(a:\"A \\uD83D\")}"}`, `{"query":"{find(a:\"A \\uDE00\")}"}`, `{"query":"{find(a:\"ü😀\\ud83dx\")}"}`, `{"query":"{find(a:\"\"\"\\uD83D\"\"\", b:\"\\uD83D\")}"}`,
		`{"query":"{name}","variables":{"n":"A \ud83d"}}`, `{"query":"{name}","variables":{"n":["\ude00\ud83d"]}}`, `{"query":"{name}","variables":{"\ud83d":1}}`,
		`{"query":"{name \ud83d}"}`, `{"query":"{name}","operationName":"\ud83d"}`, `{"query":"{name}","extensions":{"a":"\ud83d"}}`,
	}
	var transport Transport
	for i, body := range append(whole, half...) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", strings.NewReader(body))
		r.Header.Set("Content-Type", mediaJSON)
		if _, _, err := transport.request(r); (err != nil) != (i >= len(whole)) || err != nil && err.status != http.StatusBadRequest {
			t.Errorf("%s: %+v", body, err)
		}
	}
	for _, query := range []string{
		"query=" + url.QueryEscape(`{find(a:"\uD83D")}`), "query=%7Bname%7D&variables=" + url.QueryEscape(`{"n":"\ud83d"}`), "query=%7Bname%7D&extensions=" + url.QueryEscape(`{"n":"\ud83d"}`),
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/graphql?"+query, nil)
		if _, _, err := transport.request(r); err == nil || err.status != http.StatusBadRequest {
			t.Errorf("%s: %+v", query, err)
		}
	}
}
