package httpd

import "net/http"

// recorder records the status and the size of the response.
// http.ResponseController finds the inner writer by Unwrap; Flush is a method
// because gqlgen's streams look for http.Flusher.
type recorder struct {
	http.ResponseWriter
	status int // 0 until the response begins
	bytes  int64
}

func (w *recorder) WriteHeader(status int) {
	final := status >= http.StatusOK || status == http.StatusSwitchingProtocols
	if w.status == 0 && final {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(body []byte) (int, error) {
	w.begin()
	n, err := w.ResponseWriter.Write(body)
	w.bytes += int64(n)
	return n, err
}

// Flush sends what was written so far, if the inner writer can.
func (w *recorder) Flush() {
	w.begin()
	_ = http.NewResponseController(w.ResponseWriter).Flush() // http.Flusher returns no error
}

func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *recorder) begin() {
	if w.status == 0 {
		w.status = http.StatusOK
	}
}

func (w *recorder) begun() bool { return w.status != 0 }
