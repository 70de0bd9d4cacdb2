package web

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"

	"github.com/caregraph/caregraph/internal/content"
)

// Schema serves the text of the schema, which changes with the binary alone. Its tags are
// strong, so each encoding has its own (RFC 9110, 8.8.3).
func Schema(text string) http.Handler {
	b := newBlob("text/plain; charset=utf-8", "public, max-age=300", []byte(text))
	b.plain.etag, b.gzipped.etag = tag(b.plain.text), tag(b.gzipped.text)
	return b
}

// blob is a text that does not change while the server runs.
type blob struct {
	contentType, cache string
	plain, gzipped     variant
}

// variant is a text in one encoding.
type variant struct {
	text []byte
	etag string
}

// newBlob returns a blob with a weak tag, which is the same for both encodings.
func newBlob(contentType, cache string, text []byte) *blob {
	weak := "W/" + tag(text)
	return &blob{contentType, cache, variant{text, weak}, variant{content.Zip(text), weak}}
}

func tag(text []byte) string {
	sum := sha256.Sum256(text)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
}

func (b *blob) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h, chosen, isZipped := w.Header(), b.plain, content.AcceptsGzip(r.Header)
	if isZipped {
		chosen = b.gzipped
	}
	h.Set("Cache-Control", b.cache)
	h.Set("ETag", chosen.etag)
	h.Add("Vary", "Accept-Encoding")
	if content.Unchanged(r.Header, chosen.etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if isZipped {
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Type", b.contentType)
	h.Set("Content-Length", strconv.Itoa(len(chosen.text)))
	_, _ = w.Write(chosen.text) // the client may be gone; net/http drops the body for HEAD
}
