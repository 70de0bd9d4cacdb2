package pgpipe

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// queue shares the connections of a pool between clients. A free connection goes to
// the first who asks. Otherwise each client has a line, and the lines take turns.
//
// A client that is alone may have all connections. While another client is active, it
// gets no more than its share, so that the others find a free connection and do not
// wait for its statements.
type queue struct {
	// size is the number of connections. share is how many of them one client gets
	// while others are active. limit is how many requests of an account may wait.
	size, share, limit int

	mu      sync.Mutex
	free    int
	inUse   map[Client]int
	waiting turns[*place]
	// requests counts the waiting statements of each request.
	requests map[*Request]int
	// lines counts the waiting requests of each client.
	lines map[Client]int
	// last is the client that was active last. changed is when it was another one.
	last    Client
	changed time.Time

	waits  int64
	waited time.Duration
	// onClient is called when a client asks for a connection; may be nil.
	onClient func()
}

// place is a statement that waits for a connection.
type place struct {
	client  Client
	request *Request // nil without one
	ready   chan struct{}
}

// ErrQueueFull reports that too many requests of the client wait for a connection.
var ErrQueueFull = errors.New("too many requests of the client wait for a connection")

const (
	// activeFor is how long a client counts as active.
	activeFor = time.Second
	// refusalDelay is how long a refusal takes. A client that repeats refused requests at
	// once would cost the server more than one that waits.
	refusalDelay = time.Second
	// addressLines is how many requests of an address may wait, as a multiple of those
	// of an account. Many people can share an address.
	addressLines = 8
)

func newQueue(size int, o Options) queue {
	return queue{
		size: size, share: max(o.Share, 1), limit: o.MaxWaiting, free: size, onClient: o.OnClient,
		inUse: map[Client]int{}, requests: map[*Request]int{}, lines: map[Client]int{},
	}
}

// enter returns when the client may acquire a connection. It returns ErrQueueFull, or
// the error of the context.
func (q *queue) enter(ctx context.Context, c Client, r *Request) error {
	if q.onClient != nil && c != roundTrips && c != probes {
		q.onClient()
	}
	q.mu.Lock()
	q.note(c)
	if q.free > 0 && q.mayTake(c) {
		q.take(c)
		q.mu.Unlock()
		return nil
	}
	p := &place{client: c, request: r, ready: make(chan struct{})}
	ok := q.add(p)
	q.mu.Unlock()
	if !ok {
		select {
		case <-ctx.Done():
		case <-time.After(refusalDelay):
		}
		return ErrQueueFull
	}
	began := time.Now()
	var err error
	select {
	case <-p.ready:
	case <-ctx.Done():
		err = fmt.Errorf("wait for a connection: %w", ctx.Err())
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	waited := time.Since(began)
	q.waited += waited
	r.hasWaited(waited)
	if err != nil && q.waiting.remove(c, p) {
		q.left(p)
		return err
	}
	return nil // the connection is the client's, even if its context has ended
}

// leave returns a connection of the client.
func (q *queue) leave(c Client) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.note(c)
	if q.inUse[c]--; q.inUse[c] == 0 {
		delete(q.inUse, c)
	}
	q.free++
	for q.free > 0 && q.waiting.count > 0 {
		p, ok := q.waiting.take(func(c Client, _ *place) bool { return q.mayTake(c) })
		if !ok {
			return
		}
		q.left(p)
		q.take(p.client)
		close(p.ready)
	}
}

func (q *queue) take(c Client) {
	q.free--
	q.inUse[c]++
}

// mayTake reports whether the client may have one more connection.
func (q *queue) mayTake(c Client) bool {
	return q.inUse[c] < q.share || c == roundTrips || time.Since(q.changed) >= activeFor
}

// noteActive is note for a client that asks for no connection of its own.
func (q *queue) noteActive(c Client) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.note(c)
}

// note notes that a client is active. The server itself does not count.
func (q *queue) note(c Client) {
	if c == q.last || c.Account < 0 || c == (Client{}) {
		return
	}
	if q.last != (Client{}) {
		q.changed = time.Now()
	}
	q.last = c
}

// add lets a statement wait, and reports whether it may. All statements of one request
// count once: an operation may run many at the same time.
func (q *queue) add(p *place) bool {
	limit := q.limit
	if p.client.Account == 0 {
		limit *= addressLines
	}
	if p.request != nil {
		if q.requests[p.request] == 0 {
			if q.lines[p.client] >= limit {
				return false
			}
			q.lines[p.client]++
		}
		q.requests[p.request]++
	}
	q.waits++
	q.waiting.add(p.client, p)
	return true
}

// left counts a statement that waits no longer.
func (q *queue) left(p *place) {
	if p.request == nil {
		return
	}
	if q.requests[p.request]--; q.requests[p.request] > 0 {
		return
	}
	delete(q.requests, p.request)
	if q.lines[p.client]--; q.lines[p.client] == 0 {
		delete(q.lines, p.client)
	}
}

// wait returns how often and how long statements have waited.
func (q *queue) wait() (times int64, total time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.waits, q.waited
}
