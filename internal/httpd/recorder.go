package httpd

import (
	"net/http"
	"strconv"
)

// recorder records the status and the size of the response.
// http.ResponseController finds the inner writer by Unwrap; Flush is a method
// because gqlgen's streams look for http.Flusher.
type recorder struct {
	http.ResponseWriter
	conn   *conn // nil outside of Serve, for HEAD and in HTTP/2
	status int   // 0 until the response begins
	bytes  int64
	length int64 // what the connection holds the response for; 0 if it does not
}

func (w *recorder) WriteHeader(status int) {
	if status >= http.StatusOK || status == http.StatusSwitchingProtocols {
		w.beginWith(status)
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(body []byte) (int, error) {
	w.begin()
	n, err := w.ResponseWriter.Write(body)
	w.bytes += int64(n)
	return n, err
}

// hold makes the connection wait for an answer that says how long it is.
func (w *recorder) hold() {
	if w.conn == nil || w.status == http.StatusNoContent || w.status == http.StatusNotModified {
		return // there is no body
	}
	if length, err := strconv.ParseInt(w.Header().Get("Content-Length"), 10, 64); err == nil {
		w.length = length
		w.conn.hold(length)
	}
}

// end sends what is held of a response that is shorter than it says. The rest of a
// complete one is still in the buffers of package http.
func (w *recorder) end() {
	if w.bytes < w.length {
		_, _ = w.conn.send(nil) // the connection closes anyway
	}
}

// Flush sends what was written so far, if the inner writer can.
func (w *recorder) Flush() {
	w.begin()
	if w.conn != nil {
		_, _ = w.conn.send(nil) // the inner writer gets the same error
	}
	_ = http.NewResponseController(w.ResponseWriter).Flush() // http.Flusher returns no error
}

func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *recorder) begin() { w.beginWith(http.StatusOK) }

func (w *recorder) beginWith(status int) {
	if w.status == 0 {
		w.status = status
		w.hold()
	}
}

func (w *recorder) begun() bool { return w.status != 0 }
