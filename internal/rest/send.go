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

// minGzipBytes is the length from which on an answer is compressed: one that
// fits into a packet gains nothing.
const minGzipBytes = 1024

// send writes the answer: in one piece with its length if it is short, else as
// it comes.
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
	// A strong tag is of one representation: the same bytes, never compressed.
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
		zip, _ = gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is a good one
	}
	defer a.gzipWriters.Put(zip)
	zip.Reset(w)
	if a.write(w, zip, r, body, rest) {
		_ = zip.Close() // the client may be gone
	}
}

// write reports whether the client may have got the body whole. Not more than
// one page of a list is held at any time; a client that is gone ends it.
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
// not look like a whole one. It cannot panic with http.ErrAbortHandler, which
// gqlgen's server would answer as a fault; a deadline that has passed keeps the
// rest of the answer, its end above all, from being sent.
func abort(w http.ResponseWriter) {
	// An error means that there is no connection, as in tests.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Unix(1, 0))
}

// acceptsGzip reads Accept-Encoding (RFC 9110, 12.5.3): what is said about gzip
// itself counts more than what is said about all codings.
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
