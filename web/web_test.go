package web

import (
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/caregraph/caregraph/internal/testutil"
)

const script = "/assets/index-BqK3x9aZ.js"

// app returns a dist as Vite builds it.
func app(t *testing.T) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{".gitkeep": {}, "assets/secret.txt": {Data: []byte("not packed")}}
	for name, content := range map[string]string{
		"index.html": "<title>the app</title>", script[1:]: "let app",
		"assets/a-12345678.css": "a{}", "assets/i-12345678.svg": "<svg/>", "assets/index-BqK3x9aZ.js.map": "{}",
	} {
		files[name+".gz"] = &fstest.MapFile{Data: pack(t, content)}
	}
	return files
}

func pack(t *testing.T, content string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := io.WriteString(w, content)
	testutil.Must(t, w.Close())
	testutil.Must(t, err)
	return out.Bytes()
}

// built returns a site with the app, unbuilt one without it.
func built(t *testing.T) http.Handler {
	t.Helper()
	return siteOf(t, app(t))
}

func unbuilt(t *testing.T) http.Handler {
	t.Helper()
	return siteOf(t, fstest.MapFS{".gitkeep": {}})
}

func siteOf(t *testing.T, dist fs.FS) http.Handler {
	t.Helper()
	page, err := fs.Sub(plain, "plain")
	testutil.Must(t, err)
	s, err := newSite(dist, page)
	testutil.Must(t, err)
	return mounted(s)
}

// mounted returns the handler mounted among others, as in internal/server.
func mounted(h http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", h)
	mux.Handle("GET /assets/", h)
	mux.Handle("GET /account/", h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Vary", "Origin")
		w.Header().Set("Cache-Control", "no-store")
		mux.ServeHTTP(w, r)
	})
}

func ask(t *testing.T, h http.Handler, method, target string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, response *http.Response) string {
	t.Helper()
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	testutil.Must(t, err)
	return string(text)
}

func unpacked(t *testing.T, response *http.Response) string {
	t.Helper()
	r, err := gzip.NewReader(strings.NewReader(body(t, response)))
	testutil.Must(t, err)
	text, err := io.ReadAll(r)
	testutil.Must(t, err)
	return string(text)
}

func wantHeader(t *testing.T, response *http.Response, name, want string) {
	t.Helper()
	if got := strings.Join(response.Header.Values(name), ", "); got != want {
		t.Errorf("%s: %q, want %q", name, got, want)
	}
}

// wantForPages checks the headers that only pages need.
func wantForPages(t *testing.T, response *http.Response) {
	t.Helper()
	wantHeader(t, response, "Cross-Origin-Opener-Policy", "same-origin")
	wantHeader(t, response, "Referrer-Policy", "same-origin")
}

func TestSite_ServesTheAppPacked(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]struct{ cache, contentType, content string }{
		"/":    {"no-cache", "text/html; charset=utf-8", "<title>the app</title>"},
		script: {"public, max-age=31536000, immutable", "text/javascript; charset=utf-8", "let app"},
	} {
		response := ask(t, built(t), "GET", target, "Accept-Encoding", "br, gzip")
		wantHeader(t, response, "Cache-Control", want.cache)
		wantHeader(t, response, "Content-Type", want.contentType)
		wantHeader(t, response, "Content-Encoding", "gzip")
		wantHeader(t, response, "Vary", "Origin, Accept-Encoding")
		wantHeader(t, response, "Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		wantForPages(t, response)
		if got := unpacked(t, response); got != want.content {
			t.Errorf("GET %s: %q, want %q", target, got, want.content)
		}
	}
}

func TestSite_KnowsTheTypesOfItsFiles(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]string{
		"/assets/a-12345678.css": "text/css; charset=utf-8", "/assets/i-12345678.svg": "image/svg+xml",
		script + ".map": "application/json",
	} {
		response := ask(t, built(t), "GET", target)
		wantHeader(t, response, "Content-Type", want)
		_ = response.Body.Close()
	}
}

func TestSite_UnpacksForClientsThatCannot(t *testing.T) {
	t.Parallel()
	for accept, gzipped := range map[string]bool{
		"gzip": true, "GZIP": true, "x-gzip": true, "br;q=1.0, gzip;q=0.5": true, "*": true, "identity, *;q=0.1": true,
		"": false, "identity": false, "br": false, "gzip;q=0": false, "gzip; q=0.000": false, "*, gzip;q=0": false,
		"*;q=0": false, "gzip;q=x": false, "gzip;q=NaN": false, "notgzip": false,
	} {
		response := ask(t, built(t), "GET", script, "Accept-Encoding", accept)
		wantHeader(t, response, "Vary", "Origin, Accept-Encoding")
		want := map[bool]string{true: "gzip"}[gzipped]
		if got := response.Header.Get("Content-Encoding"); got != want {
			t.Errorf("Accept-Encoding %q: Content-Encoding %q", accept, got)
		}
		if got := body(t, response); !gzipped && got != "let app" {
			t.Errorf("Accept-Encoding %q: %q", accept, got)
		}
	}
}

func TestSite_HeadHasTheHeadersAlone(t *testing.T) {
	t.Parallel()
	for _, accept := range []string{"gzip", "identity"} {
		get, head := ask(t, built(t), "GET", "/", "Accept-Encoding", accept), ask(t, built(t), "HEAD", "/", "Accept-Encoding", accept)
		for name := range get.Header {
			wantHeader(t, head, name, strings.Join(get.Header.Values(name), ", "))
		}
		if text := body(t, head); text != "" || head.StatusCode != 200 {
			t.Errorf("HEAD: %d %q", head.StatusCode, text)
		}
		_ = get.Body.Close()
	}
}

func TestSite_UnchangedIsNotSentAgain(t *testing.T) {
	t.Parallel()
	for _, h := range []http.Handler{built(t), unbuilt(t)} {
		for _, target := range []string{"/", "/assets/plain/main.js"} {
			first := ask(t, h, "GET", target)
			_ = first.Body.Close()
			tag := first.Header.Get("ETag")
			for match, status := range map[string]int{
				tag: 304, strings.TrimPrefix(tag, "W/"): 304, `"other", ` + tag: 304, "*": 304, `"other"`: 200, "": 200,
			} {
				response := ask(t, h, "GET", target, "If-None-Match", match)
				text := body(t, response)
				if response.StatusCode != status || (text == "") != (status == 304) {
					t.Errorf("%s If-None-Match %s: %d with %d bytes, want %d", target, match, response.StatusCode, len(text), status)
				}
				wantHeader(t, response, "ETag", tag)
				wantHeader(t, response, "Cache-Control", "no-cache")
				wantHeader(t, response, "Vary", strings.Join(first.Header.Values("Vary"), ", "))
			}
		}
	}
}

func TestSite_ETagFollowsTheContent(t *testing.T) {
	t.Parallel()
	newer := app(t)
	newer["index.html.gz"] = &fstest.MapFile{Data: pack(t, "<title>newer</title>")}
	older, changed := ask(t, built(t), "HEAD", "/"), ask(t, siteOf(t, newer), "HEAD", "/")
	_, _ = older.Body.Close(), changed.Body.Close()
	if older.Header.Get("ETag") == changed.Header.Get("ETag") {
		t.Error("two pages, one ETag")
	}
}

func TestSite_NothingElseIsThere(t *testing.T) {
	t.Parallel()
	for _, target := range []string{
		"/assets/", "/assets/unknown.js", script + ".gz", "/assets/../web.go", "/assets/..%2fweb.go", "/assets/secret.txt",
		"/assets/..%5cweb.go", "/assets//etc/passwd", "/assets/plain/../../secret.txt", "/assets/plain", "/assets/plain/index.html",
		"/assets/%2e%2e/.gitkeep", "/.gitkeep", "/assets/\x00", "/index.html", "/plain/main.js",
	} {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
		r.URL.Path, r.RequestURI = target, target
		if path, err := r.URL.Parse(target); err == nil {
			r.URL = path
		}
		for _, h := range []http.Handler{built(t), unbuilt(t), mustHandler(t, false)} {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			text := w.Body.String()
			// The mux redirects to the clean path, which does not exist either.
			redirected := w.Code == http.StatusTemporaryRedirect || w.Code == http.StatusMovedPermanently
			if !redirected && (w.Code != 404 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain")) {
				t.Errorf("GET %q: %d %q", target, w.Code, text)
			}
			if strings.Contains(text, "package web") || strings.Contains(text, "not packed") || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("GET %q: %v %q", target, w.Header(), text)
			}
		}
	}
}

// mustHandler returns the handler with the embedded files.
func mustHandler(t *testing.T, playground bool) http.Handler {
	t.Helper()
	h, err := Handler(playground)
	testutil.Must(t, err)
	return mounted(h)
}

func TestSite_PlainPageStandsInForTheApp(t *testing.T) {
	t.Parallel()
	const title = "<title>CareGraph</title>"
	for target, h := range map[string]http.Handler{"/": unbuilt(t), "/assets/plain/": built(t)} {
		response := ask(t, h, "GET", target, "Accept-Encoding", "gzip")
		wantHeader(t, response, "Content-Type", "text/html; charset=utf-8")
		wantHeader(t, response, "Content-Encoding", "")
		wantHeader(t, response, "Cache-Control", "no-cache")
		wantHeader(t, response, "Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		wantForPages(t, response)
		if text := body(t, response); !strings.Contains(text, title) {
			t.Errorf("GET %s: %.100q", target, text)
		}
	}
}

func TestSite_EverythingThatThePlainPageRefersToIsThere(t *testing.T) {
	t.Parallel()
	h, seen := unbuilt(t), map[string]bool{}
	reference := regexp.MustCompile(`(?:src|href|from)\s*=?\s*"(/assets/[^"]+|\./[^"]+)"`)
	var visit func(address string)
	visit = func(address string) {
		if seen[address] {
			return
		}
		seen[address] = true
		response := ask(t, h, "GET", address)
		text := body(t, response)
		if response.StatusCode != 200 {
			t.Errorf("GET %s: %d", address, response.StatusCode)
		}
		for _, match := range reference.FindAllStringSubmatch(text, -1) {
			visit(strings.Replace(match[1], "./", "/assets/plain/", 1))
		}
	}
	visit("/")
	files := 0
	if err := walk(plain, func(string) error { files++; return nil }); err != nil {
		t.Fatal(err)
	}
	if len(seen) != files {
		t.Errorf("%d files are referred to, %d are there: %v", len(seen), files, seen)
	}
}

func TestSite_PlainPageNeedsNoOtherHostAndNoInlineCode(t *testing.T) {
	t.Parallel()
	forbidden := regexp.MustCompile(`https?://[^w]|\sstyle=|\son[a-z]+="|<style|<script>|innerHTML|localStorage|eval\(`)
	err := walk(plain, func(name string) error {
		text, err := fs.ReadFile(plain, name)
		if match := forbidden.Find(text); match != nil {
			t.Errorf("%s: %s", name, match)
		}
		return err
	})
	testutil.Must(t, err)
}

func TestHandler_WithoutPlaygroundThereAreOnlyAddresses(t *testing.T) {
	t.Parallel()
	h := mustHandler(t, false)
	response := ask(t, h, "GET", "/")
	wantHeader(t, response, "Content-Type", "text/plain; charset=utf-8")
	if text := body(t, response); !strings.Contains(text, "POST /graphql") {
		t.Errorf("GET /: %s", text)
	}
	for _, target := range []string{"/assets/plain/", "/assets/plain/main.js", script} {
		response := ask(t, h, "GET", target)
		_ = body(t, response)
		if response.StatusCode != 404 {
			t.Errorf("GET %s: %d", target, response.StatusCode)
		}
	}
}

// TestAccount_PageIsThereWithAndWithoutThePlayground, loads nothing else, and keeps its
// token out of what it sends.
func TestAccount_PageIsThereWithAndWithoutThePlayground(t *testing.T) {
	t.Parallel()
	for _, playground := range []bool{true, false} {
		h := mustHandler(t, playground)
		for target, kind := range map[string]string{"/account/": "text/html", "/account/account.js": "text/javascript", "/account/account.css": "text/css"} {
			response := ask(t, h, "GET", target)
			wantHeader(t, response, "Content-Type", kind+"; charset=utf-8")
			wantHeader(t, response, "Content-Security-Policy", pagePolicy)
			text := body(t, response)
			if outside := regexp.MustCompile(`https?://|style=|\son\w+="|<script>`).FindString(text); outside != "" {
				t.Errorf("%s has %q", target, outside)
			}
			if strings.Contains(text, "location.search") {
				t.Errorf("%s reads the query, which servers log", target)
			}
		}
		if response := ask(t, h, "GET", "/account/x"); response.StatusCode != 404 {
			t.Errorf("GET /account/x: %d", response.StatusCode)
		}
	}
}

func TestHandler_HasAPageWhateverWasBuilt(t *testing.T) {
	t.Parallel()
	response := ask(t, mustHandler(t, true), "GET", "/")
	if text := body(t, response); response.StatusCode != 200 || !strings.Contains(text, "<title>") {
		t.Errorf("GET /: %d %.100q", response.StatusCode, text)
	}
}

// broken is a file system that cannot be read.
type broken struct{}

func (broken) Open(string) (fs.File, error) { return nil, fs.ErrPermission }

func TestSite_UnreadableFilesStopItAtTheStart(t *testing.T) {
	t.Parallel()
	if _, err := newSite(broken{}, fstest.MapFS{}); err == nil {
		t.Error("an app that cannot be read was taken")
	}
	if _, err := newSite(fstest.MapFS{}, broken{}); err == nil {
		t.Error("a page that cannot be read was taken")
	}
}
