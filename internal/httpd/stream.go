package httpd

import (
	"context"
	"net/http"
	"net/netip"
	"time"
)

// Stream is what goes on after the handler of the request that began it: a WebSocket, or
// a stream of events. It holds nothing of the request but its id and the address of its
// client.
type Stream struct {
	context.Context

	// End ends the context, and that of operations that do not run to their end. The cause
	// ErrShutdown ends all of them.
	End context.CancelCauseFunc

	id    string
	addr  netip.Addr
	limit time.Duration
}

// NewStream returns the stream of a request. Each of its operations may take so long; zero
// is no limit.
func NewStream(request context.Context, limit time.Duration) *Stream {
	s := &Stream{id: RequestID(request), addr: ClientAddr(request), limit: limit}
	s.Context, s.End = context.WithCancelCause(context.Background())
	return s
}

// ID returns the id of the request that began the stream.
func (s *Stream) ID() string { return s.id }

// Operation returns the context of one operation, with more values. RequestID, ClientAddr
// and RunToEnd work on it, and it ends with the cause ErrTimeout. The caller must call end.
func (s *Stream) Operation(more interface{ Value(key any) any }) (ctx context.Context, end func()) {
	state := &requestState{
		Context: s.Context, id: s.id, attached: more,
		request: &http.Request{RemoteAddr: s.addr.String()},
	}
	state.begin(s.limit)
	return state, state.end
}

// Leave ends the context of an operation whose client does not want the answer any more,
// unless it runs to its end.
func Leave(ctx context.Context) {
	if s := stateOf(ctx); s != nil && !s.runsToEnd.Load() {
		s.cancel(context.Canceled)
	}
}
