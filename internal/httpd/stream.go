package httpd

import (
	"context"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// Stream is what goes on after the handler of the request that began it: a WebSocket, or
// a stream of events. It holds nothing of the request but its id and the address of its
// client, and has a context only while an operation runs: most streams are idle.
type Stream struct {
	id    string
	addr  netip.Addr
	limit time.Duration

	mu      sync.Mutex
	running int
	isOver  bool
	// shared is the context of all running operations, and cancel ends it.
	shared context.Context
	cancel context.CancelFunc
}

// NewStream returns the stream of a request. Each of its operations may take so long; zero
// is no limit.
func NewStream(request context.Context, limit time.Duration) *Stream {
	return &Stream{id: RequestID(request), addr: ClientAddr(request), limit: limit}
}

// End ends the contexts of the operations, except of those that run to their end.
func (s *Stream) End() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.isOver = true
	if s.running > 0 {
		s.cancel()
	}
}

// ID returns the id of the request that began the stream.
func (s *Stream) ID() string { return s.id }

// Operation returns the context of one operation, with more values. RequestID, ClientAddr
// and RunToEnd work on it, and it ends with the cause ErrTimeout. The caller must call end.
func (s *Stream) Operation(more interface{ Value(key any) any }) (ctx context.Context, end func()) {
	state := &requestState{
		Context: s.enter(), id: s.id, attached: more,
		request: &http.Request{RemoteAddr: s.addr.String()},
	}
	state.begin(s.limit)
	return state, func() { state.end(); s.leave() }
}

// enter returns the context of all running operations, until leave is called.
func (s *Stream) enter() context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running++; s.running == 1 {
		s.shared, s.cancel = context.WithCancel(context.Background())
	}
	if s.isOver {
		s.cancel()
	}
	return s.shared
}

func (s *Stream) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running--; s.running == 0 {
		s.cancel()
		s.shared, s.cancel = nil, nil
	}
}

// Leave ends the context of an operation whose client does not want the answer any more,
// unless it runs to its end.
func Leave(ctx context.Context) {
	if s := stateOf(ctx); s != nil && !s.runsToEnd.Load() {
		s.cancel(context.Canceled)
	}
}
