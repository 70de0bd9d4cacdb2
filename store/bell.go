package store

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caregraph/caregraph/store/session"
)

// bellEvery is how often this server rings at most. Each ring is a transaction.
const bellEvery = 100 * time.Millisecond

// bell says to this server and the others that there are changes to read. It holds no data,
// and no reader depends on it.
type bell struct {
	ringing atomic.Bool
	heard   atomic.Pointer[func()]

	// mu is held while the others are notified. Once the store is closed they are not.
	mu       sync.Mutex
	isClosed bool
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
	time.AfterFunc(bellEvery, func() {
		s.bell.mu.Lock()
		defer s.bell.mu.Unlock()
		s.bell.ringing.Store(false)
		if !s.bell.isClosed {
			_ = session.Ring(context.Background(), s.reservedWrites.Pool) // the others look every second, too
		}
	})
}

// close waits until the others have heard.
func (b *bell) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.isClosed = true
}
