package pgpipe

import (
	"context"
	"slices"
	"sync"
	"time"
)

// coalescer lets concurrent requests that look up a few records share round trips. A
// lookup costs less than waking PostgreSQL's process for it, and ours for its answer.
//
// A request that finds fewer than maxInFlight round trips in flight flushes at once,
// with the requests that wait. Otherwise it waits. When a round trip ends, the next
// waiter flushes the next one, with others that wait. The reads of one round trip
// share a snapshot, taken after the last of them has come. If a round trip fails, each
// request without rows retries alone, so that none gets the error of another.
//
// The clients take turns. If several wait, each has one place in a round trip; if one
// waits, it gets all places. A round trip has a limit in bytes, and returns small
// results before large ones.
type coalescer struct {
	maxInFlight int

	mu       sync.Mutex
	inFlight int
	waiting  turns[*waiter]
}

// waiter is a request that waits for a shared round trip or is in it.
type waiter struct {
	ctx        context.Context
	client     Client
	statements []*Statement
	// bytes is the size of the results, as the statements predict it.
	bytes int
	// taken is when it was taken into a round trip of another request.
	taken time.Time
	done  chan outcome
}

// outcome is the result that a waiter gets once.
type outcome int

const (
	flush outcome = iota
	ok
	retryAlone
)

const (
	// maxWaiters is how many requests share one round trip.
	maxWaiters = 16
	// maxBytes is how many bytes they may read together.
	maxBytes = 320 << 10
	// sharedTimeout is for requests without a deadline.
	sharedTimeout = 10 * time.Second
)

var waiterPool = sync.Pool{New: func() any { return &waiter{done: make(chan outcome, 1)} }}

// RunShared is Run in a round trip that concurrent requests share. It needs at least one
// statement, and none may change a setting of its transaction.
func (p *Pool) RunShared(ctx context.Context, statements ...*Statement) error {
	r := requestOf(ctx)
	r.sends(len(statements))
	measure := r.measure()
	measure.begin()
	defer measure.end()
	w := waiterPool.Get().(*waiter)
	w.ctx, w.client, w.statements, w.bytes, w.taken = ctx, r.client(), statements, 0, time.Time{}
	for _, st := range statements {
		w.bytes += st.Bytes
	}
	p.queue.noteActive(w.client)
	got := flush
	if !p.coalescer.join(w) {
		joined := time.Now()
		select {
		case got = <-w.done:
		case <-ctx.Done():
			if p.coalescer.cancel(w) {
				return &AcquireError{ctx.Err()}
			}
			got = <-w.done // it is in a round trip, or must flush one
		}
		if got == flush {
			w.taken = time.Now()
		}
		r.hasWaited(max(w.taken.Sub(joined), 0))
	}
	var err error
	if got == flush {
		got, err = p.flush(w)
	}
	w.ctx, w.statements = nil, nil
	waiterPool.Put(w) // no other reference remains
	if got == retryAlone {
		statements[len(statements)-1].done = nil
		return p.Run(ctx, statements...)
	}
	return err
}

// flush makes a round trip and returns the outcome for its first request.
func (p *Pool) flush(first *waiter) (own outcome, err error) {
	defer p.coalescer.release()
	conn, err := p.acquire(first.ctx, roundTrips, nil)
	if err != nil {
		return ok, err
	}
	defer conn.Release()
	waiters := p.coalescer.take(first)
	if len(waiters) == 1 {
		return ok, p.send(first.ctx, conn.Conn, first.statements)
	}
	own = retryAlone
	arrived := 0 // in the order of the pipeline
	defer func() {
		for _, w := range waiters[arrived:] {
			if w != first {
				w.done <- retryAlone
			}
		}
	}()
	var all []*Statement
	for _, w := range waiters {
		all = append(all, w.statements...)
		all[len(all)-1].done = func() {
			if arrived++; w == first {
				own = ok
			} else {
				w.done <- ok
			}
		}
	}
	ctx, cancel := sharedContext(waiters)
	defer cancel()
	_ = p.send(ctx, conn.Conn, all) // a request without rows retries alone, and gets its own error
	return own, nil
}

// sharedContext returns the context of a round trip. It has the latest deadline of the
// requests, so that one canceled client does not fail the others.
func sharedContext(waiters []*waiter) (context.Context, context.CancelFunc) {
	var latest time.Time
	for _, w := range waiters {
		deadline, ok := w.ctx.Deadline()
		if !ok {
			deadline = time.Now().Add(sharedTimeout)
		}
		if deadline.After(latest) {
			latest = deadline
		}
	}
	return context.WithDeadline(context.WithoutCancel(waiters[0].ctx), latest)
}

// join reports whether the request may flush at once. Otherwise it waits for its
// outcome.
func (c *coalescer) join(w *waiter) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inFlight < c.maxInFlight {
		c.inFlight++
		return true
	}
	c.waiting.add(w.client, w)
	return false
}

// cancel removes a request that still waits, and reports whether it did.
func (c *coalescer) cancel(w *waiter) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.waiting.remove(w.client, w)
}

// take returns the first request and waiting ones, the smallest results first.
func (c *coalescer) take(first *waiter) []*waiter {
	c.mu.Lock()
	defer c.mu.Unlock()
	waiters, bytes, alone := make([]*waiter, 1, 1+min(maxWaiters-1, c.waiting.count)), first.bytes, c.waiting.onlyOf(first.client)
	waiters[0] = first
	for len(waiters) < maxWaiters {
		w, ok := c.waiting.take(func(client Client, w *waiter) bool {
			return bytes+w.bytes <= maxBytes &&
				(alone || !slices.ContainsFunc(waiters, func(has *waiter) bool { return has.client == client }))
		})
		if !ok {
			break
		}
		waiters, bytes = append(waiters, w), bytes+w.bytes
	}
	if len(waiters) > 1 {
		now := time.Now()
		for _, w := range waiters[1:] {
			w.taken = now
		}
	}
	slices.SortStableFunc(waiters, func(a, b *waiter) int { return a.bytes - b.bytes })
	return waiters
}

// release lets the next waiting request flush the next round trip.
func (c *coalescer) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	next, ok := c.waiting.take(func(Client, *waiter) bool { return true })
	if !ok {
		c.inFlight--
		return
	}
	next.done <- flush
}
