// Package content has what all handlers do alike with the content of an answer: gzip, and
// entity tags. It never decides whether an answer may be compressed: one that holds a
// secret must not be, since its length would depend on the secret (BREACH).
package content

import (
	"bytes"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
)

// MinBytes is the length from which on content is compressed: shorter content fits into a
// packet and gains nothing.
const MinBytes = 1024

// writers has gzip writers for reuse: each takes most of a megabyte. BestSpeed takes half
// the time of level 5, for 5 % more bytes (BenchmarkZip).
var writers = sync.Pool{New: func() any {
	w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is valid
	return w
}}

// ZipTo compresses what write writes. If write reports false, the content is not complete,
// and its end is left out.
func ZipTo(w io.Writer, write func(io.Writer) (complete bool)) {
	zip := writers.Get().(*gzip.Writer)
	defer writers.Put(zip)
	zip.Reset(w)
	if write(zip) {
		_ = zip.Close() // the client may have gone
	}
}

// Zip returns the pieces compressed as one.
func Zip(pieces ...[]byte) []byte {
	var zipped bytes.Buffer
	ZipTo(&zipped, func(w io.Writer) bool {
		for _, piece := range pieces {
			_, _ = w.Write(piece) // a buffer takes everything
		}
		return true
	})
	return zipped.Bytes()
}

// AcceptsGzip reports whether Accept-Encoding allows gzip, by name or by "*",
// with a weight above zero (RFC 9110, 12.5.3). Without the header any encoding is
// allowed, but clients that do not send it usually cannot unpack.
func AcceptsGzip(header http.Header) bool {
	everything := false
	for coding := range strings.SplitSeq(strings.Join(header.Values("Accept-Encoding"), ","), ",") {
		name, parameters, _ := mime.ParseMediaType(coding)
		weight, weighted := parameters["q"]
		q, _ := strconv.ParseFloat(weight, 64) // 0 if it is invalid
		accepted := q > 0 || !weighted
		switch name {
		case "gzip", "x-gzip":
			return accepted
		case "*":
			everything = accepted
		}
	}
	return everything
}

// Unchanged reports whether If-None-Match names the tag. It compares weakly, as the header
// requires (RFC 9110, 13.1.2).
func Unchanged(header http.Header, etag string) bool {
	for tag := range strings.SplitSeq(strings.Join(header.Values("If-None-Match"), ","), ",") {
		tag = strings.TrimSpace(tag)
		if tag == "*" || strings.TrimPrefix(tag, "W/") == strings.TrimPrefix(etag, "W/") {
			return true
		}
	}
	return false
}
