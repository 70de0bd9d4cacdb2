package streams

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/caregraph/caregraph/graph"
	"github.com/caregraph/caregraph/internal/auth"
	"github.com/caregraph/caregraph/internal/gqlhttp"
	"github.com/caregraph/caregraph/internal/httpd"
)

// socket is a WebSocket.
type socket struct {
	*Streams

	conn   *websocket.Conn
	stream *httpd.Stream
	http   gqlhttp.Transport
	exec   graph.Executor
	began  time.Time
	// timer calls tick: if no token comes, and then for pings and for
	// the expiry of the token.
	timer *time.Timer
	// account and id are those of the session; zero without a token.
	account int64
	id      string
	// isInit says that the client has sent its token. Only the reader uses it.
	isInit bool

	// pushing is held while a subscription makes its answer and sends it.
	pushing sync.Mutex

	mu sync.Mutex
	// caller is nil until the server has accepted the token.
	caller  *auth.Caller
	running []*operation // few
	// performing counts the running operations without subscriptions. leaving says that the
	// socket ends with the last of them.
	performing int
	leaving    bool
	// code is the code with which the socket ends; 0 while it is open.
	code              int
	operations, nexts int
}

func (s Sockets) newSocket(conn *websocket.Conn, stream *httpd.Stream, exec graph.Executor) *socket {
	c := &socket{Streams: s.Streams, conn: conn, stream: stream, http: s.HTTP, exec: exec, began: time.Now()}
	conn.SetReadLimit(s.MaxAnonymousBody)
	c.timer = time.AfterFunc(s.initTimeout, c.tick)
	return c
}

func (*socket) transport() string { return transportSocket }

func (c *socket) owner() (account int64, session string) { return c.account, c.id }

// leave closes the socket in the background. If the server stops, running operations end
// first, and no other ones begin.
func (c *socket) leave(code int, reason string) {
	if code == codeGoingAway {
		c.mu.Lock()
		c.leaving = true
		isBusy := c.performing > 0
		c.mu.Unlock()
		if isBusy {
			return
		}
	}
	go c.close(code, reason)
}

// close sends the code, unless the socket is closed already.
func (c *socket) close(code int, reason string) {
	if c.setCode(code) {
		_ = c.conn.Close(websocket.StatusCode(code), reason) // it is closed in any case
	}
}

// setCode reports whether this is the first code.
func (c *socket) setCode(code int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.code != 0 {
		return false
	}
	c.code = code
	return true
}

// run reads messages until the socket is closed.
func (c *socket) run() {
	defer c.end()
	defer c.recoverPanic()
	if !c.join(c) {
		c.close(codeGoingAway, "")
		return
	}
	if c.conn.Subprotocol() == "" {
		c.close(codeNoSubprotocol, "Subprotocol not acceptable")
		return
	}
	for {
		kind, text, err := c.read()
		if err != nil {
			c.setCode(lostCode(err))
			return
		}
		// A goroutine keeps the stack that it once needed. That of an idle socket stays small
		// if others do what needs a large one.
		isOpen := make(chan bool, 1)
		go c.take(kind, text, isOpen)
		if !<-isOpen {
			return
		}
	}
}

// take does what a message says. It sends false if it has closed the socket.
func (c *socket) take(kind websocket.MessageType, text []byte, isOpen chan<- bool) {
	ok := false
	defer func() { isOpen <- ok }()
	defer c.recoverPanic()
	m, isMessage := readMessage(kind, text)
	if !isMessage {
		c.close(codeBadMessage, "Invalid message")
		return
	}
	ok = c.do(m)
}

// recoverPanic must be deferred: it closes the socket instead of ending the process.
func (c *socket) recoverPanic() {
	if value := recover(); value != nil {
		_ = c.exec.Recovered(context.Background(), value)
		c.close(int(websocket.StatusInternalError), "")
	}
}

// do reports false if it has closed the socket.
func (c *socket) do(m message) bool {
	switch m.Type {
	case typeInit:
		if c.isInit {
			c.close(codeTooManyInits, "Too many initialisation requests")
			return false
		}
		c.isInit = true
		return c.accept(m.Payload)
	case typeSubscribe:
		return c.subscribe(m)
	case typeComplete:
		c.complete(m.ID)
	case typePing:
		c.write([]byte(messagePong))
	}
	return true
}

// lostCode returns the code of a socket that the client has closed, or the network.
func lostCode(err error) int {
	switch code := websocket.CloseStatus(err); {
	case code >= 0:
		return int(code)
	case errors.Is(err, websocket.ErrMessageTooBig):
		return codeMessageTooLong
	default:
		return codeGone
	}
}

// read returns the next message. Once it has begun, it must arrive in time.
func (c *socket) read() (websocket.MessageType, []byte, error) {
	kind, message, err := c.conn.Reader(context.Background())
	if err != nil {
		return 0, nil, err
	}
	late := time.AfterFunc(c.writeTimeout, func() { _ = c.conn.CloseNow() })
	defer late.Stop()
	text, err := io.ReadAll(message)
	return kind, text, err
}

// accept accepts the token of a client. It reports false if it has closed the socket.
func (c *socket) accept(payload json.RawMessage) bool {
	var sent struct{ Authorization string }
	if len(payload) > 0 && json.Unmarshal(payload, &sent) != nil {
		c.close(codeBadMessage, "Invalid payload")
		return false
	}
	caller := auth.NewCaller(c.Store, c.Tokens, sent.Authorization)
	if claims := caller.Claims(); claims != nil {
		// The stream joins before the session is confirmed: of an end after that it hears.
		c.part(c, 0, "")
		c.account, c.id = claims.UserID, claims.SessionID
		if !c.join(c) {
			c.close(codeTryAgain, "Too many streams")
			return false
		}
	}
	ctx, end := c.stream.Operation(caller)
	v, err := caller.Viewer(ctx)
	end()
	if v == nil {
		c.close(refusalOf(err))
		return false
	}
	c.mu.Lock()
	c.caller = caller
	c.mu.Unlock()
	c.conn.SetReadLimit(c.MaxBody)
	c.write([]byte(messageAck))
	c.timer.Reset(c.nextTick())
	return true
}

// refusalOf returns the code and the reason for a caller without a viewer.
func refusalOf(err error) (code int, reason string) {
	if _, refused := errors.AsType[*auth.TokenError](err); err != nil && !refused {
		return codeTryAgain, "Try again"
	}
	reason = auth.Refusal(err)
	return codeOf(reason), reason
}

// codeOf returns the code for a reason of UNAUTHENTICATED.
func codeOf(reason string) int {
	if reason == auth.TokenExpired {
		return codeForbidden
	}
	return codeUnauthorized
}

// nextTick returns the time to the next ping or to the expiry of the token.
func (c *socket) nextTick() time.Duration {
	return min(c.together(c.pingEvery, c.pingEvery/pingGroups), max(c.caller.Claims().ExpiresAt.Sub(c.Now()), 0))
}

// tick ends a socket whose token has expired, and pings its client.
func (c *socket) tick() {
	c.mu.Lock()
	caller := c.caller
	c.mu.Unlock()
	switch {
	case caller == nil:
		c.close(codeNoInit, "Connection initialisation timeout")
	case c.isExpired(caller):
		c.close(codeForbidden, auth.TokenExpired)
	default:
		late := time.AfterFunc(c.writeTimeout, c.slow) // a context costs more
		defer late.Stop()
		if c.conn.Ping(context.Background()) != nil {
			c.slow()
			return
		}
		c.timer.Reset(c.nextTick())
	}
}

func (c *socket) isExpired(caller *auth.Caller) bool {
	return !c.Now().Before(caller.Claims().ExpiresAt)
}

// slow ends a socket whose client does not answer. It cannot get the code, since what it
// has not received comes first.
func (c *socket) slow() {
	c.setCode(codeTryAgain)
	_ = c.conn.CloseNow()
}

// write sends a message. A client that does not take it in time is slow.
func (c *socket) write(text []byte) {
	late := time.AfterFunc(c.writeTimeout, c.slow)
	defer late.Stop()
	_ = c.conn.Write(context.Background(), websocket.MessageText, text) // the reader notices a lost connection
}

// end is called once the socket is closed.
func (c *socket) end() {
	c.timer.Stop()
	_ = c.conn.CloseNow()
	c.stream.End()
	c.part(c, c.account, c.id)
	c.mu.Lock()
	code, operations, nexts, running := c.code, c.operations, c.nexts, c.running
	c.running = nil
	c.mu.Unlock()
	for _, op := range running {
		op.leave()
	}
	c.closed(code)
	c.Log.LogAttrs(context.Background(), slog.LevelInfo, "socket",
		slog.String("request_id", c.stream.ID()), slog.Int("code", code),
		slog.Int("operations", operations), slog.Int("answers", nexts),
		httpd.Milliseconds("duration_ms", time.Since(c.began)))
}
