package rest

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/caregraph/caregraph/internal/content"
)

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
	long := answer.more != nil || len(body) >= content.MinBytes
	// Answers to changes may hold tokens, so their length must not depend on what is in
	// them (BREACH). A strong tag identifies one representation: the same bytes.
	isRead := r.Method == http.MethodGet || r.Method == http.MethodHead
	compress := a.compress && isRead && long && !answer.tagged() && content.AcceptsGzip(r.Header)
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
		content.ZipTo(w, func(zip io.Writer) bool { return a.write(w, zip, r, body, answer.more) })
	default:
		a.write(w, w, r, body, answer.more)
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
