// Package processors decides on how many processors this server runs when it
// shares a machine with PostgreSQL. It does nothing else, and it never decides
// against the environment variable GOMAXPROCS.
//
// A request spends about as much time in PostgreSQL as here. On a machine that
// both share, a server that takes every processor mostly wakes threads that
// find nothing to do, and moves requests between them: a read by id costs a
// third more of processor time then, and about as many requests are answered
// (see docs/performance.md).
package host

import (
	"os"
	"runtime"
	"sync"
)

// Share is the number of processors that run Go code at a time, which is
// runtime.GOMAXPROCS. A nil Share leaves that number alone.
type Share struct {
	mutex         sync.Mutex
	usual, beside int
}

// Half takes half of the processors that Go would use, rounded up, and leaves
// the others to PostgreSQL. It returns nil where GOMAXPROCS is set in the
// environment: somebody has decided then.
func Half() *Share {
	if os.Getenv("GOMAXPROCS") != "" {
		return nil
	}
	runtime.SetDefaultGOMAXPROCS()
	return halfOf(runtime.GOMAXPROCS(0))
}

func halfOf(all int) *Share {
	s := &Share{usual: (all + 1) / 2}
	s.add(0)
	return s
}

// Beside does work that computes for long on a processor more than usual, so
// that requests need not wait for it. To change the number stops all
// goroutines for some microseconds: it is meant for milliseconds of work.
func (s *Share) Beside(work func()) {
	if s == nil {
		work()
		return
	}
	s.add(1)
	defer s.add(-1)
	work()
}

func (s *Share) add(n int) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.beside += n
	runtime.GOMAXPROCS(s.usual + s.beside)
}
