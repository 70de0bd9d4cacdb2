package pgpipe

import "context"

// Hold makes every request of RunShared wait until release is called. waiting returns
// how many wait.
func Hold(p *Pool) (waiting func() int, release func()) {
	c, held := &p.coalescer, 0
	for c.inFlight < c.maxInFlight {
		c.join(&waiter{})
		held++
	}
	waiting = func() int {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.waiting.count
	}
	return waiting, func() {
		for range held {
			c.release()
		}
	}
}

// Queue is for the test of the order of service.
type Queue struct{ queue }

// NewQueue returns a queue for a number of connections, half of which are the share of a
// client, with a limit of waiting requests of an account.
func NewQueue(size, limit int) *Queue {
	return &Queue{newQueue(size, Options{Share: size / 2, MaxWaiting: limit})}
}

// Enter waits for a connection.
func (q *Queue) Enter(ctx context.Context, r *Request) error { return q.enter(ctx, r.Client, r) }

// EnterFirst waits for a connection as AcquireFirst does.
func (q *Queue) EnterFirst(ctx context.Context) error { return q.enter(ctx, probes, nil) }

// Leave returns a connection.
func (q *Queue) Leave(c Client) { q.leave(c) }

// LeaveFirst returns the connection of EnterFirst.
func (q *Queue) LeaveFirst() { q.leave(probes) }
