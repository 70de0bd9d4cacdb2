// Package host connects the server to its machine: the number of processors,
// the password prompt and CPU profiles. It imports no other package of this
// module.
package host

import (
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Processors sets runtime.GOMAXPROCS, the number of processors that run Go code at a
// time. The zero Processors leaves that number alone. Each change of GOMAXPROCS stops
// all goroutines for some microseconds.
type Processors struct {
	mutex             sync.Mutex
	all, usual, extra int
	wide              bool
	// used reports a call of UseAll since the last look at it.
	used atomic.Bool
}

// allFor is how long UseAll lasts: at least this, and less than twice as long.
const allFor = time.Second

// Halve sets GOMAXPROCS to half of the processors that Go would use, rounded up.
// PostgreSQL on the same machine uses the others. It changes nothing if the environment
// variable GOMAXPROCS is set.
//
// A lookup spends about as much time in PostgreSQL as in this process. With all
// processors, Go mostly wakes threads that find no work, and moves requests between
// them: a read by id then costs a third more processor time, and the server answers
// about as many requests (docs/performance.md).
func (p *Processors) Halve() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.SetDefaultGOMAXPROCS()
		p.halve(runtime.GOMAXPROCS(0))
	}
}

func (p *Processors) halve(all int) {
	p.change(func() {
		p.all, p.usual = all, (all+1)/2
		p.used.Store(false)
	})
}

// UseAll gives Go all processors for a second or two. Call it for each request that
// waits for a connection of its own: a list or a write. Go has more to do for these, and
// half of the processors would answer fewer of them, later.
func (p *Processors) UseAll() {
	if p.used.Load() {
		return
	}
	p.change(func() {
		p.used.Store(true)
		if p.all > 0 && !p.wide {
			p.wide = true
			time.AfterFunc(allFor, p.look)
		}
	})
}

// look ends UseAll if there was no other call.
func (p *Processors) look() {
	p.change(func() {
		if p.wide = p.used.Swap(false); p.wide {
			time.AfterFunc(allFor, p.look)
		}
	})
}

// ExtraCPU runs work with one more processor, so that requests do not wait for a long
// computation. Use it for work that takes milliseconds.
func (p *Processors) ExtraCPU(work func()) {
	p.change(func() { p.extra++ })
	defer p.change(func() { p.extra-- })
	work()
}

// change changes the numbers, and GOMAXPROCS if it follows.
func (p *Processors) change(f func()) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	f()
	if p.all == 0 {
		return
	}
	n := p.usual + p.extra
	if p.wide {
		n = max(n, p.all)
	}
	if n != runtime.GOMAXPROCS(0) {
		runtime.GOMAXPROCS(n)
	}
}
