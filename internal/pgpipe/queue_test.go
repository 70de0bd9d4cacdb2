package pgpipe_test

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caregraph/caregraph/internal/pgpipe"
	"github.com/caregraph/caregraph/internal/testutil"
)

var (
	greedy = pgpipe.Client{Account: 1}
	canary = pgpipe.Client{Account: 2}
	third  = pgpipe.Client{Account: 3}
	office = pgpipe.Client{Addr: netip.MustParseAddr("192.0.2.1")}
)

// line is a queue whose clients enter from goroutines of a synctest bubble.
type line struct {
	*pgpipe.Queue

	t      *testing.T
	mu     sync.Mutex
	served []pgpipe.Client // in their order
}

func newLine(t *testing.T, size, limit int) *line {
	t.Helper()
	return &line{Queue: pgpipe.NewQueue(size, limit), t: t}
}

// enter starts a request of the client. It returns when the request has a connection or
// waits.
func (l *line) enter(c pgpipe.Client) {
	go func() {
		if err := l.Enter(l.t.Context(), &pgpipe.Request{Client: c}); err == nil {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.served = append(l.served, c)
		} else if !errors.Is(err, context.Canceled) {
			l.t.Error(err)
		}
	}()
	synctest.Wait()
}

// leave returns the connection of a client.
func (l *line) leave(c pgpipe.Client) {
	l.Leave(c)
	synctest.Wait()
}

func (l *line) want(what string, clients ...pgpipe.Client) {
	l.t.Helper()
	if !slices.Equal(l.served, clients) {
		l.t.Errorf("%s: served %v, want %v", what, l.served, clients)
	}
	l.served = nil
}

func TestQueue_ClientsTakeTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, 1, 100)
		for range 20 {
			l.enter(greedy)
		}
		l.enter(canary)
		l.enter(third)
		l.enter(canary)
		l.want("a free connection", greedy)
		l.leave(greedy)
		l.leave(greedy)
		l.leave(canary)
		l.leave(third)
		l.leave(greedy)
		l.leave(canary)
		l.want("in turn", greedy, canary, third, greedy, canary, greedy)
	})
}

func TestQueue_ClientThatIsAloneGetsAllConnections(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, 4, 100)
		for range 6 {
			l.enter(greedy)
		}
		l.want("all of them", greedy, greedy, greedy, greedy)
	})
}

// TestQueue_KeepsConnectionsFreeWhileOthersAreActive, and only then.
func TestQueue_KeepsConnectionsFreeWhileOthersAreActive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, 4, 100)
		l.enter(canary)
		l.leave(canary)
		l.served = nil
		for range 6 {
			l.enter(greedy)
		}
		l.want("a share", greedy, greedy)
		l.enter(canary)
		l.want("the other client does not wait", canary)
		l.leave(canary)
		l.want("its connection stays free")

		<-time.After(2 * time.Second) // of the bubble's clock
		l.leave(greedy)
		l.want("the first one after another client", greedy)
		<-time.After(2 * time.Second)
		l.leave(greedy)
		l.want("alone again", greedy, greedy, greedy)
	})
}

func TestQueue_IsBoundedForEachClient(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, 1, 2)
		for range 3 {
			l.enter(greedy)
		}
		began := time.Now()
		if err := l.Enter(t.Context(), &pgpipe.Request{Client: greedy}); !errors.Is(err, pgpipe.ErrQueueFull) {
			t.Errorf("the third that waits gets %v", err)
		}
		testutil.Equal(t, "time of a refusal", time.Since(began), time.Second)
		for range 16 { // an address can be that of many people
			l.enter(office)
		}
		if err := l.Enter(t.Context(), &pgpipe.Request{Client: office}); !errors.Is(err, pgpipe.ErrQueueFull) {
			t.Errorf("the 17th of an address gets %v", err)
		}
		l.enter(canary)
		l.leave(greedy)
		l.enter(greedy) // there is room again
	})
}

// TestQueue_RequestCountsOnce: an operation may run many statements at the same time.
func TestQueue_RequestCountsOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, 1, 1)
		l.enter(greedy) // it has the connection, so that the others wait
		request := &pgpipe.Request{Client: greedy}
		for range 50 {
			go func() {
				if err := l.Enter(t.Context(), request); err != nil {
					t.Error(err)
				}
				l.Leave(greedy)
			}()
		}
		synctest.Wait()
		l.leave(greedy)
		l.enter(greedy)
		l.leave(greedy)
	})
}

func TestQueue_WaitEndsWithTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, 1, 1)
		l.enter(greedy)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := l.Enter(ctx, &pgpipe.Request{Client: greedy})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error is %v", err)
		}
		l.leave(greedy)
		l.served = nil
		l.enter(greedy)
		l.want("no connection is lost", greedy)
		l.enter(greedy) // nor a place
	})
}

func TestQueue_ProbeHasTheNextTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, 1, 10)
		l.enter(greedy)
		l.enter(greedy)
		l.enter(canary)
		probed := false
		go func() { probed = l.EnterFirst(t.Context()) == nil }()
		synctest.Wait()
		l.served = nil
		l.leave(greedy)
		testutil.Equal(t, "the probe was served", probed, true)
		l.want("no one else")
		l.LeaveFirst()
		synctest.Wait()
		l.want("then the others", greedy)
	})
}

// BenchmarkQueue_FreeConnection is the cost of the queue for a request that does not
// wait.
func BenchmarkQueue_FreeConnection(b *testing.B) {
	q, ctx := pgpipe.NewQueue(10, 32), b.Context()
	request := &pgpipe.Request{Client: greedy}
	b.ReportAllocs()
	for b.Loop() {
		if err := q.Enter(ctx, request); err != nil {
			b.Fatal(err)
		}
		q.Leave(greedy)
	}
}
