package store

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caregraph/caregraph/store/session"
)

// bellEvery is how often this server rings at most.
const bellEvery = 10 * time.Millisecond

// bell says to this server and the others that there are changes to read. It holds no data,
// and no reader depends on it.
type bell struct {
	ringing atomic.Bool
	// rings are those that the others have not heard yet.
	rings sync.WaitGroup
	heard atomic.Pointer[func()]
}

func (b *bell) hear() {
	if heard := b.heard.Load(); heard != nil {
		(*heard)()
	}
}

// OnRing calls a function when there may be changes to read in the feed. The function must
// not wait.
func (s *Store) OnRing(heard func()) { s.bell.heard.Store(&heard) }

// Ring says that changes were committed. It does not wait.
func (s *Store) Ring() {
	s.bell.hear()
	if s.bell.ringing.Swap(true) {
		return
	}
	s.bell.rings.Add(1)
	time.AfterFunc(bellEvery, func() {
		defer s.bell.rings.Done()
		s.bell.ringing.Store(false)
		_ = session.Ring(context.Background(), s.reservedWrites.Pool) // the others look every second, too
	})
}
