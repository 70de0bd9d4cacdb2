package httpd

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

var (
	// ErrTimeout is the cause (context.Cause) of a request's context that ended
	// at its deadline.
	ErrTimeout = errors.New("the request took longer than the server allows")
	// ErrShutdown is the cause of a context that ended because the server shut
	// down.
	ErrShutdown = errors.New("the server is shutting down")
)

// limitBody makes reading beyond the limit of the caller fail. It passes the server's
// own writer: only there http.MaxBytesReader finds the method that closes the
// connection instead of reading the rest.
func limitBody(o Options, next http.Handler) http.Handler {
	if o.MaxBody <= 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		limit := o.MaxBody
		isShort := r.ContentLength >= 0 && r.ContentLength <= o.MaxAnonymousBody
		if o.Known != nil && !isShort && !o.Known(r) {
			limit = min(limit, o.MaxAnonymousBody)
		}
		server := stateOf(r.Context()).answer.ResponseWriter
		r.Body = http.MaxBytesReader(server, r.Body, limit) // r is the copy that withState made
		next.ServeHTTP(w, r)
	})
}

// awaitBody reads the body, and then starts the time limit of the request: a slow sender
// does not use up the time of its operation. The handler reads the body from memory, or
// gets the error that ended it, such as os.ErrDeadlineExceeded. The body is gone once the
// handler has returned.
func awaitBody(limit time.Duration, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := stateOf(r.Context())
		if r.Body != nil && r.Body != http.NoBody {
			start := time.Now()
			arrived := readAhead(r)
			defer arrived.reuse()
			if _, tooLong := errors.AsType[*http.MaxBytesError](arrived.err); tooLong {
				arrived.buffer.Reset()
				wait(s, refusalDelay)
			}
			if limit > 0 && time.Since(start) > transferGrace/2 {
				// The limits of the connection began with the header. It may have none.
				connection, until := http.NewResponseController(s.answer.ResponseWriter), time.Now().Add(limit+transferGrace)
				_ = connection.SetWriteDeadline(until)
				if arrived.err == nil {
					_ = connection.SetReadDeadline(until)
				}
			}
		}
		s.begin(limit)
		defer s.end()
		next.ServeHTTP(w, r)
	})
}

// refusalDelay is how long the refusal of a long body takes. A client that repeats it at
// once would cost the server more than one that waits.
const refusalDelay = 250 * time.Millisecond

// wait returns after d, or when the context ends.
func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// readAhead replaces the body by what arrived of it.
func readAhead(r *http.Request) *body {
	arrived := &body{buffer: bodyPool.Get().(*bytes.Buffer)}
	if _, arrived.err = arrived.buffer.ReadFrom(r.Body); arrived.err == nil {
		_ = r.Body.Close() // otherwise the server looks again whether there is more
	}
	r.Body = arrived
	return arrived
}

// body is a body in memory. Reading it ends with err, if that is not nil.
type body struct {
	buffer *bytes.Buffer
	err    error
}

// maxPooledBody is the size of the largest buffer that is used again.
const maxPooledBody = 16 << 10

var bodyPool = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// Read returns what arrived, and then the reason why no more did.
func (b *body) Read(p []byte) (int, error) {
	if b.buffer == nil {
		return 0, io.EOF
	}
	n, err := b.buffer.Read(p)
	if err != nil && b.err != nil {
		err = b.err
	}
	return n, err
}

// Close does nothing: the server closes the connection's own body.
func (*body) Close() error { return nil }

// reuse returns the buffer to the pool. Afterwards the body is empty.
func (b *body) reuse() {
	if b.buffer.Cap() <= maxPooledBody {
		b.buffer.Reset()
		bodyPool.Put(b.buffer)
	}
	b.buffer = nil
}
