package web

import (
	"io/fs"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/caregraph/caregraph/internal/testutil"
)

const described = `{"openapi":"3.1.0"}`

// docsOf returns the page of a dist, mounted as in internal/server.
func docsOf(t *testing.T, dist fs.FS) http.Handler {
	t.Helper()
	docs, err := newDocs(dist, []byte(described))
	testutil.Must(t, err)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		docs.ServeHTTP(w, r)
	})
}

func builtDocs(t *testing.T) http.Handler {
	t.Helper()
	return docsOf(t, fstest.MapFS{
		"index.html.gz":            {Data: pack(t, "the playground")},
		"docs/index.html.gz":       {Data: pack(t, "<title>docs</title>")},
		"docs/assets/i-1234.js.gz": {Data: pack(t, "let docs")},
		"docs/secret.txt":          {Data: []byte("not packed")},
		"rights/index.html.gz":     {Data: pack(t, "<title>rights</title>")},
		"rights/assets/r-1.js.gz":  {Data: pack(t, "let rights")},
	})
}

func unbuiltDocs(t *testing.T) http.Handler {
	t.Helper()
	return docsOf(t, fstest.MapFS{".gitkeep": {}})
}

func TestDocs_ServesTheAppWithItsPolicy(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]struct{ cache, contentType, content string }{
		"/docs/":                 {"no-cache", "text/html; charset=utf-8", "<title>docs</title>"},
		"/docs/assets/i-1234.js": {"public, max-age=31536000, immutable", "text/javascript; charset=utf-8", "let docs"},
	} {
		response := ask(t, builtDocs(t), "GET", target, "Accept-Encoding", "gzip")
		wantHeader(t, response, "Cache-Control", want.cache)
		wantHeader(t, response, "Content-Type", want.contentType)
		wantHeader(t, response, "Content-Security-Policy", docsPolicy)
		wantForPages(t, response)
		if got := unpacked(t, response); got != want.content {
			t.Errorf("GET %s: %q, want %q", target, got, want.content)
		}
	}
}

// TestDocs_ServesTheRights as strictly as the plain page: it needs no inline styles.
func TestDocs_ServesTheRights(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]struct{ cache, content string }{
		"/rights/":              {"no-cache", "<title>rights</title>"},
		"/rights/assets/r-1.js": {"public, max-age=31536000, immutable", "let rights"},
	} {
		response := ask(t, builtDocs(t), "GET", target, "Accept-Encoding", "gzip")
		wantHeader(t, response, "Cache-Control", want.cache)
		wantHeader(t, response, "Content-Security-Policy", pagePolicy)
		wantForPages(t, response)
		if got := unpacked(t, response); got != want.content {
			t.Errorf("GET %s: %q, want %q", target, got, want.content)
		}
	}
}

func TestDocs_WithoutTheRightsTheSchemaHasTheRules(t *testing.T) {
	t.Parallel()
	response := ask(t, unbuiltDocs(t), "GET", "/rights/")
	wantHeader(t, response, "Location", "/schema.graphqls")
	if response.StatusCode != http.StatusTemporaryRedirect {
		t.Errorf("GET /rights/: %d", response.StatusCode)
	}
}

func TestDocs_ServesAPageOfOurOwnWhereTheAppWasNotBuilt(t *testing.T) {
	t.Parallel()
	page := ask(t, unbuiltDocs(t), "GET", "/docs/")
	wantHeader(t, page, "Content-Security-Policy", pagePolicy)
	wantForPages(t, page)
	text := body(t, page)
	if !strings.Contains(text, `href="../openapi.json"`) {
		t.Errorf("no link to the description: %s", text)
	}
	for _, forbidden := range []string{"<script>", "onload=", "<style", "style=", "//"} {
		if strings.Contains(strings.ReplaceAll(text, "<!doctype", ""), forbidden) {
			t.Errorf("the page holds %q", forbidden)
		}
	}
	for _, name := range []string{"docs.js", "docs.css", "icon.svg"} {
		if response := ask(t, unbuiltDocs(t), "GET", "/docs/"+name); response.StatusCode != http.StatusOK || body(t, response) == "" {
			t.Errorf("/docs/%s: %d", name, response.StatusCode)
		}
	}
}

func TestDocs_OnlyWhatThereIs(t *testing.T) {
	t.Parallel()
	for _, h := range []http.Handler{builtDocs(t), unbuiltDocs(t)} {
		for _, target := range []string{"/", "/docs/secret.txt", "/docs/index.html", "/docs/.gitkeep", "/docs/assets/", "/docs/x", "/rights/x", "/rights/index.html", "/openapi.json/"} {
			if response := ask(t, h, "GET", target); response.StatusCode != http.StatusNotFound {
				t.Errorf("GET %s: %d", target, response.StatusCode)
			}
		}
	}
}

func TestDocs_ServesTheDescription(t *testing.T) {
	t.Parallel()
	h := builtDocs(t)
	for accept, read := range map[string]func(*testing.T, *http.Response) string{"gzip": unpacked, "identity": body} {
		response := ask(t, h, "GET", "/openapi.json", "Accept-Encoding", accept)
		wantHeader(t, response, "Content-Type", "application/json")
		wantHeader(t, response, "Cache-Control", "no-cache")
		wantHeader(t, response, "Vary", "Accept-Encoding")
		if got := read(t, response); got != described {
			t.Errorf("%s: %q", accept, got)
		}
		again := ask(t, h, "GET", "/openapi.json", "If-None-Match", response.Header.Get("ETag"))
		if text := body(t, again); again.StatusCode != http.StatusNotModified || text != "" {
			t.Errorf("asked again: %d %q", again.StatusCode, text)
		}
	}
}

func TestDocs_OlderAddressesLeadToIt(t *testing.T) {
	t.Parallel()
	for _, target := range []string{"/swagger/", "/redoc/", "/swagger/?format=openapi"} {
		response := ask(t, builtDocs(t), "GET", target)
		wantHeader(t, response, "Location", "/docs/")
		if response.StatusCode != http.StatusPermanentRedirect {
			t.Errorf("GET %s: %d", target, response.StatusCode)
		}
	}
}

func TestDocs_IsMadeOfWhatIsEmbedded(t *testing.T) {
	t.Parallel()
	docs, err := Docs([]byte(described))
	testutil.Must(t, err)
	if response := ask(t, docs, "GET", "/docs/"); response.StatusCode != http.StatusOK || body(t, response) == "" {
		t.Errorf("GET /docs/: %d", response.StatusCode)
	}
}
