package rest

import (
	"bytes"
	"compress/gzip"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// minGzipBytes is the length above which an answer is compressed: one that fits
// into a packet gains nothing.
const minGzipBytes = 1024

// send sends a short answer in one piece with its length, and a long one in
// parts as they are ready.
func (a *api) send(w http.ResponseWriter, r *http.Request, answer *answer) {
	answer.setHeaders(w.Header())
	if !answer.hasBody() {
		w.WriteHeader(answer.status)
		return
	}
	body := answer.json
	if answer.body != nil {
		var b bytes.Buffer
		encode(&b, answer.body)
		body = b.Bytes()
	}
	long := answer.more != nil || len(body) > minGzipBytes
	// A strong tag identifies one representation: the same bytes, never
	// compressed.
	compress := long && !answer.tagged() && acceptsGzip(r.Header)
	switch {
	case compress:
		w.Header().Set("Content-Encoding", "gzip")
	case answer.more == nil:
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(answer.status)
	switch {
	case r.Method == http.MethodHead:
	case compress:
		a.writeZipped(w, r, body, answer.more)
	default:
		a.write(w, w, r, body, answer.more)
	}
}

func (a *api) writeZipped(w http.ResponseWriter, r *http.Request, body []byte, rest *pages) {
	zip, ok := a.gzipWriters.Get().(*gzip.Writer)
	if !ok {
		zip, _ = gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is valid
	}
	defer a.gzipWriters.Put(zip)
	zip.Reset(w)
	if a.write(w, zip, r, body, rest) {
		_ = zip.Close() // the client may have gone
	}
}

// write reports whether the client may have received the whole body. It holds
// at most one page of a list at any time. It stops if the client has gone.
func (a *api) write(w http.ResponseWriter, to io.Writer, r *http.Request, body []byte, rest *pages) bool {
	if rest == nil {
		_, err := to.Write(body)
		return err == nil
	}
	items := bytes.TrimSuffix(body, []byte("]"))
	for {
		if _, err := to.Write(items); err != nil {
			return false
		}
		if !rest.more {
			_, err := to.Write([]byte("]"))
			return err == nil
		}
		next, ok := rest.nextItems()
		if !ok {
			a.addLogAttrs(r.Context(), slog.Bool("aborted", true))
			abort(w)
			return false
		}
		items = next
	}
}

// abort breaks the connection (HTTP/2: the stream), so that half a list does
// not look like a complete one. It cannot panic with http.ErrAbortHandler,
// which gqlgen's server would answer as an internal error. A write deadline in
// the past keeps the rest of the answer, above all its end, from being sent.
func abort(w http.ResponseWriter) {
	// An error means that there is no connection, as in tests.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Unix(1, 0))
}

// acceptsGzip reads Accept-Encoding (RFC 9110, 12.5.3): an entry for gzip has
// precedence over one for all codings.
func acceptsGzip(header http.Header) bool {
	accepted := false
	for coding := range strings.SplitSeq(strings.Join(header.Values("Accept-Encoding"), ","), ",") {
		name, parameters, err := mime.ParseMediaType(strings.TrimSpace(coding))
		if err != nil {
			continue
		}
		q, err := strconv.ParseFloat(parameters["q"], 64)
		switch name {
		case "gzip", "x-gzip":
			return err != nil || q > 0
		case "*":
			accepted = err != nil || q > 0
		}
	}
	return accepted
}
