package web

import (
	"net/http"
	"strings"
	"testing"
)

// TestSchema_IsCachedForMinutes, also by caches that several clients share. A strong tag
// belongs to one encoding.
func TestSchema_IsCachedForMinutes(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("type Patient { name: String }\n", 100)
	h, tags := Schema(text), map[string]string{}
	for _, encoding := range []string{"gzip", "identity"} {
		response := ask(t, h, "GET", "/schema.graphqls", "Accept-Encoding", encoding)
		wantHeader(t, response, "Cache-Control", "public, max-age=300")
		wantHeader(t, response, "Content-Type", "text/plain; charset=utf-8")
		wantHeader(t, response, "Vary", "Accept-Encoding")
		wantHeader(t, response, "Content-Encoding", map[string]string{"gzip": "gzip"}[encoding])
		got := ""
		if encoding == "gzip" {
			got = unpacked(t, response)
		} else {
			got = body(t, response)
		}
		if got != text {
			t.Errorf("%s: %q", encoding, got)
		}
		tags[encoding] = response.Header.Get("ETag")
	}
	if tags["gzip"] == tags["identity"] || !strings.HasPrefix(tags["gzip"], `"`) || !strings.HasPrefix(tags["identity"], `"`) {
		t.Errorf("tags %v", tags)
	}
	for asked, encoding := range tags {
		for has, tag := range tags {
			response := ask(t, h, "GET", "/schema.graphqls", "Accept-Encoding", asked, "If-None-Match", tag)
			want := map[bool]int{true: http.StatusNotModified, false: http.StatusOK}[asked == has]
			if response.StatusCode != want || response.Header.Get("ETag") != encoding {
				t.Errorf("%s for a client that has %s: %d, ETag %s", asked, has, response.StatusCode, response.Header.Get("ETag"))
			}
			_ = body(t, response)
		}
	}
	if other := ask(t, Schema("type Query"), "GET", "/"); other.Header.Get("ETag") == tags["identity"] {
		t.Error("another text has the same tag")
	}
}
