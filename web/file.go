package web

import (
	"cmp"
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

	"github.com/caregraph/caregraph/internal/content"
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
	types := map[string]string{
		".html": "text/html; charset=utf-8",
		".css":  "text/css; charset=utf-8",
		".js":   "text/javascript; charset=utf-8",
		".mjs":  "text/javascript; charset=utf-8",
		".json": "application/json",
		".map":  "application/json",
		".svg":  "image/svg+xml",
		".png":  "image/png",
		".txt":  "text/plain; charset=utf-8",
	}
	return cmp.Or(types[ext], "application/octet-stream")
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
	if content.Unchanged(r.Header, f.etag) {
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
	h, unpack := w.Header(), f.isPacked() && !content.AcceptsGzip(r.Header)
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
