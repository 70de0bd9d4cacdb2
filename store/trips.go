package store

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// trips are round trips to PostgreSQL that requests share which look up a few
// records at the same time. The work of a lookup is small beside what it costs to
// wake PostgreSQL's process for it, and ours for its answer.
//
// Whoever finds a trip free leads one, alone if nobody waits. Else they wait, and
// when a trip ends the first of those who wait leads the next one, with all the
// others. What is read belongs to one snapshot, taken after the last of them has
// come. If a trip fails, each whose rows have not arrived goes alone, so that
// nobody gets the error of another.
type trips struct {
	// most is how many may be under way.
	most int

	mu      sync.Mutex
	under   int
	waiting []*passenger
}

// passenger is a request on a trip, or one that waits for it.
type passenger struct {
	ctx        context.Context
	statements []*statement
	told       chan word
}

// word is what a passenger who waits is told, once.
type word int

const (
	lead word = iota
	arrived
	failed
)

const (
	// mostPassengers travel together.
	mostPassengers = 16
	// tripTimeout is for passengers without a deadline.
	tripTimeout = 10 * time.Second
)

var sparePassengers = sync.Pool{New: func() any { return &passenger{told: make(chan word, 1)} }}

// share is batch on a trip that is shared with other requests. There is a
// statement. None of what is shared may be byValues.
func (s *Store) share(ctx context.Context, statements ...*statement) error {
	p := sparePassengers.Get().(*passenger)
	p.ctx, p.statements = ctx, statements
	told := lead
	if !s.trips.board(p) {
		select {
		case told = <-p.told:
		case <-ctx.Done():
			if s.trips.leave(p) {
				return fmt.Errorf("wait for a connection: %w", ctx.Err())
			}
			told = <-p.told // it is on a trip, or is to lead one
		}
	}
	var err error
	if told == lead {
		told, err = s.lead(p)
	}
	p.ctx, p.statements = nil, nil
	sparePassengers.Put(p) // nobody else knows it any more
	if told == failed {
		statements[len(statements)-1].then = nil
		return s.batch(ctx, statements...)
	}
	return err
}

// lead makes a trip and reports what became of the leader's own statements.
func (s *Store) lead(leader *passenger) (own word, err error) {
	defer s.trips.end()
	conn, err := s.reads.Acquire(leader.ctx)
	if err != nil {
		return arrived, fmt.Errorf("acquire a connection: %w", err)
	}
	defer conn.Release()
	passengers := s.trips.depart(leader)
	if len(passengers) == 1 {
		return arrived, s.send(leader.ctx, conn, leader.statements)
	}
	there := 0 // in the order in which they travel
	defer func() {
		for _, p := range passengers[max(there, 1):] {
			p.told <- failed
		}
	}()
	var all []*statement
	for _, p := range passengers {
		all = append(all, p.statements...)
		all[len(all)-1].then = func() {
			if there++; p != leader {
				p.told <- arrived
			}
		}
	}
	ctx, cancel := together(passengers)
	defer cancel()
	_ = s.send(ctx, conn, all) // who has no rows goes alone, and gets an error of their own
	if there == 0 {
		return failed, nil
	}
	return arrived, nil
}

// together returns the context of a trip. It ends when all of the passengers'
// would have ended, for nobody is to suffer when the client of another goes away.
func together(passengers []*passenger) (context.Context, context.CancelFunc) {
	var latest time.Time
	for _, p := range passengers {
		deadline, ok := p.ctx.Deadline()
		if !ok {
			deadline = time.Now().Add(tripTimeout)
		}
		if deadline.After(latest) {
			latest = deadline
		}
	}
	return context.WithDeadline(context.WithoutCancel(passengers[0].ctx), latest)
}

// board reports whether a trip is free, which the passenger then leads. Else it
// is told when to lead one, or what became of one.
func (t *trips) board(p *passenger) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.under < t.most {
		t.under++
		return true
	}
	t.waiting = append(t.waiting, p)
	return false
}

// leave reports whether the passenger still waited, and then waits no more.
func (t *trips) leave(p *passenger) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.Index(t.waiting, p)
	if i >= 0 {
		t.waiting = slices.Delete(t.waiting, i, i+1)
	}
	return i >= 0
}

// depart returns the leader and who waits, in the order in which they came.
func (t *trips) depart(leader *passenger) []*passenger {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := min(mostPassengers-1, len(t.waiting))
	passengers := append(append(make([]*passenger, 0, 1+n), leader), t.waiting[:n]...)
	t.waiting = slices.Delete(t.waiting, 0, n)
	return passengers
}

// end has the first of those who wait lead the next trip.
func (t *trips) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.waiting) == 0 {
		t.under--
		return
	}
	t.waiting[0].told <- lead
	t.waiting = slices.Delete(t.waiting, 0, 1)
}
