package streams

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/caregraph/caregraph/graph"
	"github.com/caregraph/caregraph/internal/auth"
	"github.com/caregraph/caregraph/internal/gqlhttp"
	"github.com/caregraph/caregraph/internal/httpd"
	"github.com/caregraph/caregraph/model"
)

// events is a subscription over server-sent events: one subscription to a connection, of
// which the client can only read. It has no goroutine, and finds that its client is gone
// when it writes.
type events struct {
	*Streams

	out     output
	stream  *httpd.Stream
	caller  *auth.Caller
	began   time.Time
	timer   *time.Timer
	account int64
	id      string

	// writing is held while something is written, and guards isClosed: then nothing is
	// written any more.
	writing  sync.Mutex
	isClosed bool

	mu           sync.Mutex
	subscription *subscription
	code, nexts  int
	isOver       bool
}

// output is where events go: a connection, or a part of one that has several requests.
type output interface {
	SetWriteDeadline(t time.Time) error
	Write(p []byte) (int, error)
	Close() error
}

// part is a part of a connection of HTTP/2, whose handler must stay until the end.
type part struct {
	http.ResponseWriter
	*http.ResponseController

	over chan struct{}
}

// Write sends the bytes at once.
func (p part) Write(b []byte) (int, error) {
	n, err := p.ResponseWriter.Write(b)
	if err == nil {
		err = p.Flush()
	}
	return n, err
}

// Close lets the handler return.
func (p part) Close() error {
	close(p.over)
	return nil
}

// comment is what the client ignores.
var comment = []byte(":\n\n")

// Subscribe answers a subscription with events, for gqlhttp.Transport. With HTTP/1.1 it
// returns once it has the connection, with HTTP/2 at the end of the stream.
func (s *Streams) Subscribe(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor, op *graphql.OperationContext) {
	asked := exec.(graph.Executor).Subscription(op)
	if refused := asked.Refused(r.Context()); refused != nil {
		gqlhttp.Respond(w, r, refused)
		return
	}
	if s.refused(w, r) {
		return
	}
	caller := auth.CallerFrom(r.Context())
	e := &events{
		Streams: s, caller: caller, began: time.Now(), account: caller.Account(), id: caller.Claims().SessionID,
		stream: httpd.NewStream(r.Context(), s.RequestTimeout),
	}
	if !s.join(e) {
		w.Header().Set("Retry-After", strconv.Itoa(inSeconds()))
		gqlhttp.WriteError(w, r, http.StatusServiceUnavailable, string(model.CodeRateLimited), "This account has too many open streams: see --max-streams.")
		return
	}
	if !e.take(w, r) {
		e.end(codeGone)
		return
	}
	if e.begin(&subscription{Subscription: asked, streams: s, exec: exec.(graph.Executor), account: e.account, to: e}) {
		s.remember(e.subscription)
	}
	if shared, ok := e.out.(part); ok {
		<-shared.over
	}
}

// begin reports whether the stream is still open.
func (e *events) begin(sub *subscription) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.isOver {
		return false
	}
	e.subscription = sub
	e.timer = time.AfterFunc(e.nextTick(), e.tick)
	return true
}

// take takes the connection from the HTTP server, or its part of one, and sends the head of
// the answer.
func (e *events) take(w http.ResponseWriter, r *http.Request) bool {
	header := w.Header()
	header.Set("Content-Type", "text/event-stream; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no") // a proxy that collects answers would hold them back
	control := http.NewResponseController(w)
	if r.ProtoMajor > 1 {
		w.WriteHeader(http.StatusOK)
		return e.setOut(part{w, control, make(chan struct{})}) && e.write(comment)
	}
	conn, _, err := control.Hijack()
	if err != nil {
		e.Log.ErrorContext(r.Context(), "events", "error", err)
		return false
	}
	header.Set("Connection", "close") // which is the end of the answer
	header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	var head bytes.Buffer
	head.WriteString("HTTP/1.1 200 OK\r\n")
	_ = header.Write(&head) // into memory
	head.WriteString("\r\n")
	return e.setOut(conn) && e.write(head.Bytes())
}

// setOut reports false, and closes the output, if the stream has ended meanwhile.
func (e *events) setOut(out output) bool {
	e.writing.Lock()
	defer e.writing.Unlock()
	if e.isClosed {
		_ = out.Close()
		return false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.out = out
	return true
}

// close closes the output, and stops what is being written.
func (e *events) close() {
	e.mu.Lock()
	out := e.out
	e.mu.Unlock()
	if !e.writing.TryLock() {
		if out != nil {
			_ = out.SetWriteDeadline(time.Unix(1, 0)) // only close lets the handler return
		}
		e.writing.Lock()
	}
	defer e.writing.Unlock()
	e.isClosed = true
	if e.out != nil {
		_ = e.out.Close()
	}
}

func (*events) transport() string { return transportEvents }

func (e *events) owner() (account int64, session string) { return e.account, e.id }

func (e *events) nextTick() time.Duration {
	return min(e.together(e.pingEvery, e.pingEvery/pingGroups), max(e.caller.Claims().ExpiresAt.Sub(e.Now()), 0))
}

func (e *events) isExpired() bool { return !e.Now().Before(e.caller.Claims().ExpiresAt) }

// tick ends a stream whose token has expired, and writes a comment.
func (e *events) tick() {
	if e.isExpired() {
		e.leave(codeForbidden, auth.TokenExpired)
	} else if e.write(comment) {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.timer.Reset(e.nextTick())
	}
}

// write reports whether the client has received the bytes, as far as one can know. It ends
// the stream otherwise.
func (e *events) write(text []byte) bool {
	err := e.writeNow(text)
	if err != nil {
		e.end(codeGone)
	}
	return err == nil
}

func (e *events) writeNow(text []byte) error {
	e.writing.Lock()
	defer e.writing.Unlock()
	if e.out == nil || e.isClosed {
		return net.ErrClosed
	}
	_ = e.out.SetWriteDeadline(time.Now().Add(e.writeTimeout)) // Write returns the error
	if _, err := e.out.Write(text); err != nil {
		return err
	}
	return e.out.SetWriteDeadline(time.Time{}) // HTTP/2 ends a stream whose deadline passes
}

func (e *events) viewer() *model.Viewer {
	if e.isExpired() {
		return nil
	}
	return e.caller.ViewerNow()
}

func (e *events) context() (ctx context.Context, end func(), ok bool) {
	if e.isExpired() {
		e.leave(codeForbidden, auth.TokenExpired)
		return nil, nil, false
	}
	ctx, end = e.stream.Operation(e.caller.Again())
	return ctx, end, true
}

// turn does not wait: a stream has one subscription.
func (e *events) turn() (done func()) { return func() {} }

func (e *events) message(response *graphql.Response) ([]byte, error) {
	return gqlhttp.AppendEvent(nil, response)
}

func (e *events) push(message []byte) {
	if e.write(message) {
		e.mu.Lock()
		e.nexts++
		e.mu.Unlock()
	}
}

func (e *events) refuse(errs gqlerror.List) {
	if text, err := e.message(&graphql.Response{Errors: errs}); err == nil {
		e.push(text)
	}
	e.write(gqlhttp.AppendComplete(nil))
	e.end(codeDone)
}

// leave ends the stream in the background. A client without a session gets the error; every
// other one comes back by itself, since it has not got the event complete.
func (e *events) leave(code int, reason string) {
	go func() {
		if code == codeUnauthorized || code == codeForbidden {
			err := gqlerror.Errorf("Sign in again, or renew the token.")
			err.Extensions = map[string]any{"code": string(model.CodeUnauthenticated), "reason": reason}
			e.setCode(code)
			e.refuse(gqlerror.List{err})
			return
		}
		e.end(code)
	}()
}

// setCode sets the code of the end, unless there is one.
func (e *events) setCode(code int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.code == 0 {
		e.code = code
	}
}

// end closes the connection, once.
func (e *events) end(code int) {
	e.setCode(code)
	e.mu.Lock()
	code, nexts, sub, timer := e.code, e.nexts, e.subscription, e.timer
	isOver := e.isOver
	e.isOver = true
	e.mu.Unlock()
	if isOver {
		return
	}
	if timer != nil {
		timer.Stop()
	}
	if sub != nil {
		sub.end()
	}
	e.close()
	e.stream.End()
	e.part(e, e.account, e.id)
	e.closed(code)
	e.Log.LogAttrs(context.Background(), slog.LevelInfo, "events",
		slog.String("request_id", e.stream.ID()), slog.Int("code", code), slog.Int("answers", nexts),
		httpd.Milliseconds("duration_ms", time.Since(e.began)))
}
