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
// with the requests that wait. Otherwise it waits. When a round trip ends, the first
// waiter flushes the next one, with all others that wait. The reads of one round trip
// share a snapshot, taken after the last of them has come. If a round trip fails, each
// request without rows retries alone, so that none gets the error of another.
type coalescer struct {
	maxInFlight int

	mu       sync.Mutex
	inFlight int
	waiting  []*waiter
}

// waiter is a request that waits for a shared round trip or is in it.
type waiter struct {
	ctx        context.Context
	statements []*Statement
	done       chan outcome
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
	// sharedTimeout is for requests without a deadline.
	sharedTimeout = 10 * time.Second
)

var waiterPool = sync.Pool{New: func() any { return &waiter{done: make(chan outcome, 1)} }}

// RunShared is Run in a round trip that concurrent requests share. It needs at least one
// statement, and none may change a setting of its transaction.
func (p *Pool) RunShared(ctx context.Context, statements ...*Statement) error {
	w := waiterPool.Get().(*waiter)
	w.ctx, w.statements = ctx, statements
	got := flush
	if !p.coalescer.join(w) {
		select {
		case got = <-w.done:
		case <-ctx.Done():
			if p.coalescer.cancel(w) {
				return &AcquireError{ctx.Err()}
			}
			got = <-w.done // it is in a round trip, or must flush one
		}
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
	conn, err := p.Acquire(first.ctx)
	if err != nil {
		return ok, &AcquireError{err}
	}
	defer conn.Release()
	waiters := p.coalescer.take(first)
	if len(waiters) == 1 {
		return ok, p.send(first.ctx, conn, first.statements)
	}
	arrived := 0 // in the order of the pipeline
	defer func() {
		for _, w := range waiters[max(arrived, 1):] {
			w.done <- retryAlone
		}
	}()
	var all []*Statement
	for _, w := range waiters {
		all = append(all, w.statements...)
		all[len(all)-1].done = func() {
			if arrived++; w != first {
				w.done <- ok
			}
		}
	}
	ctx, cancel := sharedContext(waiters)
	defer cancel()
	_ = p.send(ctx, conn, all) // a request without rows retries alone, and gets its own error
	if arrived == 0 {
		return retryAlone, nil
	}
	return ok, nil
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
	c.waiting = append(c.waiting, w)
	return false
}

// cancel removes a request that still waits, and reports whether it did.
func (c *coalescer) cancel(w *waiter) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.Index(c.waiting, w)
	if i >= 0 {
		c.waiting = slices.Delete(c.waiting, i, i+1)
	}
	return i >= 0
}

// take returns the first request and the waiting ones in their order.
func (c *coalescer) take(first *waiter) []*waiter {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := min(maxWaiters-1, len(c.waiting))
	waiters := append(append(make([]*waiter, 0, 1+n), first), c.waiting[:n]...)
	c.waiting = slices.Delete(c.waiting, 0, n)
	return waiters
}

// release lets the first waiting request flush the next round trip.
func (c *coalescer) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) == 0 {
		c.inFlight--
		return
	}
	c.waiting[0].done <- flush
	c.waiting = slices.Delete(c.waiting, 0, 1)
}
