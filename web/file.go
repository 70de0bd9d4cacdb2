package web

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
)

// packed is the suffix of a gzip copy.
const packed = ".gz"

// file is one file of a site. Its content stays in the binary.
type file struct {
	in          fs.FS
	name        string
	size        int64 // of the stored content
	contentType string
	etag        string
	cache       string
	policy      string
}

// newFile reads a file once, for its ETag.
func newFile(in fs.FS, name string) (*file, error) {
	body, err := in.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = body.Close() }()
	hash := sha256.New()
	size, err := io.Copy(hash, body)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return &file{
		in: in, name: name, size: size,
		contentType: contentType(path.Ext(strings.TrimSuffix(name, packed))),
		// Weak, because it is the same for the plain and the gzip content (RFC 9110, 8.8.1).
		etag: `W/"` + base64.RawURLEncoding.EncodeToString(hash.Sum(nil)[:12]) + `"`,
	}, nil
}

// contentType does not use the tables of the operating system, which differ.
func contentType(ext string) string {
	switch ext {
	case ".html":
		return "text/html; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".json", ".map":
		return "application/json"
	case ".svg":
		return "image/svg+xml"
	case ".png":
		return "image/png"
	case ".ttf":
		return "font/ttf"
	case ".woff2":
		return "font/woff2"
	case ".wasm":
		return "application/wasm"
	case ".txt":
		return "text/plain; charset=utf-8"
	default:
		return "application/octet-stream"
	}
}

func (f *file) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := f.in.Open(f.name)
	if err != nil {
		http.Error(w, "The page cannot be read.", http.StatusInternalServerError)
		return
	}
	defer func() { _ = body.Close() }()
	h := w.Header()
	h.Set("Cache-Control", f.cache)
	h.Set("Content-Security-Policy", f.policy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("ETag", f.etag)
	if f.isPacked() {
		h.Add("Vary", "Accept-Encoding")
	}
	if unchanged(r.Header, f.etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", f.contentType)
	f.send(w, r, body)
}

func (f *file) isPacked() bool { return path.Ext(f.name) == packed }

// send writes the content in an encoding that the client accepts. It ignores
// errors of the connection.
func (f *file) send(w http.ResponseWriter, r *http.Request, body io.Reader) {
	h, unpack := w.Header(), f.isPacked() && !acceptsGzip(r.Header)
	if f.isPacked() && !unpack {
		h.Set("Content-Encoding", "gzip")
	}
	if !unpack {
		h.Set("Content-Length", strconv.FormatInt(f.size, 10))
	}
	if r.Method == http.MethodHead {
		return
	}
	if unpack {
		unpacked, err := gzip.NewReader(body)
		if err != nil {
			http.Error(w, "The page cannot be read.", http.StatusInternalServerError)
			return
		}
		body = unpacked
	}
	_, _ = io.Copy(w, body)
}

// unchanged compares weakly, as If-None-Match requires (RFC 9110, 13.1.2).
func unchanged(header http.Header, etag string) bool {
	for tag := range strings.SplitSeq(strings.Join(header.Values("If-None-Match"), ","), ",") {
		tag = strings.TrimSpace(tag)
		if tag == "*" || strings.TrimPrefix(tag, "W/") == strings.TrimPrefix(etag, "W/") {
			return true
		}
	}
	return false
}

// acceptsGzip reports whether Accept-Encoding allows gzip, by name or by "*",
// with a weight above zero (RFC 9110, 12.5.3). Without the header any encoding is
// allowed, but clients that do not send it usually cannot unpack.
func acceptsGzip(header http.Header) bool {
	everything := false
	for coding := range strings.SplitSeq(strings.Join(header.Values("Accept-Encoding"), ","), ",") {
		name, parameter, _ := strings.Cut(coding, ";")
		accepted := weight(parameter) > 0
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "gzip", "x-gzip":
			return accepted
		case "*":
			everything = accepted
		}
	}
	return everything
}

// weight returns the quality value in a parameter such as q=0.5; 1 if there is
// none, 0 if it is invalid.
func weight(parameter string) float64 {
	name, value, found := strings.Cut(strings.TrimSpace(parameter), "=")
	if !found || !strings.EqualFold(strings.TrimSpace(name), "q") {
		return 1
	}
	q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil {
		return 0
	}
	return q
}
