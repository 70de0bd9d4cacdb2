package pgpipe_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/caregraph/caregraph/internal/pgpipe"
	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/store/storetest"
)

// open returns a pool of one connection, with one shared round trip at a time.
func open(t *testing.T, tracer pgx.QueryTracer, options ...func(*pgpipe.Options)) *pgpipe.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(storetest.Database(t))
	testutil.Must(t, err)
	config.MaxConns = 1
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	testutil.Must(t, err)
	t.Cleanup(pool.Close)
	o := pgpipe.Options{Tracer: tracer, MaxShared: 1, MaxWaiting: 32}
	for _, option := range options {
		option(&o)
	}
	return pgpipe.New(pool, o)
}

// share runs a statement in a shared round trip and returns its first value.
func share(ctx context.Context, p *pgpipe.Pool, text string) (string, error) {
	st := pgpipe.NewStatement(text)
	if err := p.RunShared(ctx, st); err != nil {
		return "", err
	}
	defer st.Rows.Release()
	return string(st.Rows.Bytes(0, 0)), nil
}

func mustShare(t *testing.T, p *pgpipe.Pool, text string) string {
	t.Helper()
	got, err := share(t.Context(), p, text)
	testutil.Must(t, err)
	return got
}

// watch is a tracer that does something before a statement is sent.
type watch struct{ before func(sql string) }

func (w *watch) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	w.before(data.SQL)
	return ctx
}

func (*watch) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// queue makes requests wait for one shared round trip, in the order of add.
type queue struct {
	t       *testing.T
	waiting func() int
	release func()
	running sync.WaitGroup
	queued  int
}

func newQueue(t *testing.T, p *pgpipe.Pool) *queue {
	t.Helper()
	q := &queue{t: t}
	q.waiting, q.release = pgpipe.Hold(p)
	return q
}

// add starts a request and returns when it waits.
func (q *queue) add(request func()) {
	q.t.Helper()
	q.running.Go(request)
	q.queued++
	for until := time.Now().Add(10 * time.Second); q.waiting() < q.queued; <-time.After(time.Millisecond) {
		if time.Now().After(until) {
			q.t.Fatal("the request does not wait")
		}
	}
}

// flush runs the requests and returns when all are done.
func (q *queue) flush() {
	q.release()
	q.running.Wait()
}

func TestPool_ReportsConnectionsOfClients(t *testing.T) {
	t.Parallel()
	var connections atomic.Int64
	p := open(t, nil, func(o *pgpipe.Options) { o.OnClient = func() { connections.Add(1) } })
	for _, c := range []struct {
		what string
		ask  func() error
		want int64
	}{
		{"a shared round trip", func() error { _, err := share(t.Context(), p, "SELECT 'x'::text"); return err }, 0},
		{"a round trip", func() error { return p.Run(t.Context(), pgpipe.NewStatement("SELECT 1")) }, 1},
		{"bun", func() error { return p.DB().PingContext(t.Context()) }, 1},
	} {
		before := connections.Load()
		if err := c.ask(); err != nil {
			t.Fatal(err)
		}
		testutil.Equal(t, c.what, connections.Load()-before, c.want)
	}
}

func TestRunShared_OneRoundTripForAllWhoWait(t *testing.T) {
	t.Parallel()
	p := open(t, nil)
	q := newQueue(t, p)
	before := p.Stat().AcquireCount()
	const requests = 10
	for n := range requests {
		q.add(func() {
			want := fmt.Sprint("request ", n)
			if got, err := share(t.Context(), p, "SELECT '"+want+"'::text"); got != want || err != nil {
				t.Errorf("%q got %q, %v", want, got, err)
			}
		})
	}
	q.flush()
	testutil.Equal(t, "round trips", p.Stat().AcquireCount()-before, 1)
}

// TestRunShared_HasALimitPerRoundTrip: no request is lost.
func TestRunShared_HasALimitPerRoundTrip(t *testing.T) {
	t.Parallel()
	p := open(t, nil)
	q := newQueue(t, p)
	before := p.Stat().AcquireCount()
	for range 40 {
		q.add(func() {
			if _, err := share(t.Context(), p, "SELECT 'x'::text"); err != nil {
				t.Error(err)
			}
		})
	}
	q.flush()
	testutil.Equal(t, "round trips of 16", p.Stat().AcquireCount()-before, 3)
}

// as returns a context of a request of an account.
func as(t *testing.T, account int64) context.Context {
	t.Helper()
	return context.WithValue(t.Context(), pgpipe.RequestKey{}, &pgpipe.Request{Client: pgpipe.Client{Account: account}})
}

// sentBy returns a tracer that notes the texts of all statements in their order.
func sentBy() (*watch, func() string) {
	var sent []string
	return &watch{before: func(sql string) { sent = append(sent, sql) }}, func() string {
		all := strings.NewReplacer("SELECT '", "", "'::text", "").Replace(strings.Join(sent, " "))
		sent = nil
		return all
	}
}

// request waits for a shared round trip with a result of some size.
func (q *queue) request(p *pgpipe.Pool, account int64, name string, bytes int) {
	q.t.Helper()
	q.add(func() {
		st := pgpipe.NewStatement("SELECT '" + name + "'::text")
		st.Bytes = bytes
		if err := p.RunShared(as(q.t, account), st); err != nil {
			q.t.Error(err)
			return
		}
		if got := string(st.Rows.Bytes(0, 0)); got != name {
			q.t.Errorf("%q got %q", name, got)
		}
	})
}

// TestRunShared_ClientsTakeTurns: of several that wait, each has one place in a round
// trip. The last one that waits gets all places.
func TestRunShared_ClientsTakeTurns(t *testing.T) {
	t.Parallel()
	seen, sent := sentBy()
	p := open(t, seen)
	q := newQueue(t, p)
	before := p.Stat().AcquireCount()
	for _, name := range []string{"a1", "a2", "a3", "a4", "a5"} {
		q.request(p, 1, name, 10)
	}
	q.request(p, 2, "b1", 10)
	q.request(p, 2, "b2", 10)
	q.request(p, 3, "c1", 10)
	q.flush()
	testutil.Equal(t, "order", sent(), "a1 b1 c1 a2 b2 a3 a4 a5")
	testutil.Equal(t, "round trips", p.Stat().AcquireCount()-before, 3)
}

// TestRunShared_SmallResultsFirst: a large one does not hold up the others of its round
// trip.
func TestRunShared_SmallResultsFirst(t *testing.T) {
	t.Parallel()
	seen, sent := sentBy()
	p := open(t, seen)
	q := newQueue(t, p)
	q.request(p, 1, "large", 90_000)
	q.request(p, 2, "small", 100)
	q.request(p, 3, "medium", 5_000)
	q.flush()
	testutil.Equal(t, "order", sent(), "small medium large")
}

// TestRunShared_HasALimitInBytes: three results of 100 KB share a round trip, four do
// not, and a small one still gets a place.
func TestRunShared_HasALimitInBytes(t *testing.T) {
	t.Parallel()
	p := open(t, nil)
	q := newQueue(t, p)
	before := p.Stat().AcquireCount()
	for _, name := range []string{"a", "b", "c", "d"} {
		q.request(p, 1, name, 100_000)
	}
	q.request(p, 1, "e", 100)
	q.flush()
	testutil.Equal(t, "round trips", p.Stat().AcquireCount()-before, 2)

	q = newQueue(t, p)
	before = p.Stat().AcquireCount()
	for account, name := range []string{"a", "b", "c", "d"} {
		q.request(p, int64(account+1), name, 100_000)
	}
	q.request(p, 9, "e", 100)
	q.flush()
	testutil.Equal(t, "round trips of several", p.Stat().AcquireCount()-before, 2)
}

func TestRunShared_FailureReachesItsOwnRequestOnly(t *testing.T) {
	t.Parallel()
	p := open(t, nil)
	const requests = 5
	for bad := range requests {
		q := newQueue(t, p)
		for n := range requests {
			q.add(func() {
				text := fmt.Sprintf("SELECT 'request %d'::text", n)
				if n == bad {
					text = fmt.Sprintf("SELECT (1 / %d)::text", 0)
				}
				got, err := share(t.Context(), p, text)
				if n == bad && err == nil || n != bad && (err != nil || got != fmt.Sprint("request ", n)) {
					t.Errorf("%d of those with %d bad: %q, %v", n, bad, got, err)
				}
			})
		}
		q.flush()
	}
}

// TestRunShared_FirstRequestIsCancelled while its round trip is sent: the others still
// run in it.
func TestRunShared_FirstRequestIsCancelled(t *testing.T) {
	t.Parallel()
	first, leave := context.WithCancel(t.Context())
	defer leave()
	p := open(t, &watch{before: func(string) { leave() }})
	q := newQueue(t, p)
	before := p.Stat().AcquireCount()
	q.add(func() { _, _ = share(first, p, "SELECT 'the first'::text") })
	for range 3 {
		q.add(func() {
			if got, err := share(t.Context(), p, "SELECT 'x'::text"); got != "x" || err != nil {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
	q.flush()
	testutil.Equal(t, "round trips", p.Stat().AcquireCount()-before, 1)
}

// TestRunShared_FirstRequestPanics: the others retry, and later requests run.
func TestRunShared_FirstRequestPanics(t *testing.T) {
	t.Parallel()
	once := sync.OnceFunc(func() { panic("the first request panics") })
	watch := &watch{before: func(sql string) {
		if strings.Contains(sql, "the first") {
			once()
		}
	}}
	p := open(t, watch)
	q := newQueue(t, p)
	q.add(func() {
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		_, _ = share(t.Context(), p, "SELECT 'the first'::text")
	})
	for range 3 {
		q.add(func() {
			if got, err := share(t.Context(), p, "SELECT 'x'::text"); got != "x" || err != nil {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
	q.flush()
	testutil.Equal(t, "the next one", mustShare(t, p, "SELECT 'y'::text"), "y")
}

// TestRunShared_WaitingRequestIsCancelled: the others still run.
func TestRunShared_WaitingRequestIsCancelled(t *testing.T) {
	t.Parallel()
	p := open(t, nil)
	q := newQueue(t, p)
	impatient, leave := context.WithCancel(t.Context())
	left := make(chan struct{})
	for n := range 3 {
		q.add(func() {
			if n != 1 {
				if got, err := share(t.Context(), p, "SELECT 'x'::text"); got != "x" || err != nil {
					t.Errorf("%q, %v", got, err)
				}
				return
			}
			defer close(left)
			if _, err := share(impatient, p, "SELECT 'y'::text"); !errors.Is(err, context.Canceled) {
				t.Errorf("error is %v", err)
			}
		})
	}
	leave()
	<-left
	testutil.Equal(t, "requests that wait", q.waiting(), 2)
	q.flush()
}
