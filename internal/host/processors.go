// Package host connects the server to its machine: the number of processors,
// the password prompt and CPU profiles. It imports no other package of this
// module.
package host

import (
	"os"
	"runtime"
	"sync"
)

// Processors sets runtime.GOMAXPROCS, the number of processors that run Go
// code at a time. A nil *Processors leaves that number alone.
type Processors struct {
	mutex        sync.Mutex
	usual, extra int
}

// HalfProcessors sets GOMAXPROCS to half of the processors that Go would use,
// rounded up. PostgreSQL on the same machine uses the others. It changes
// nothing and returns nil if the environment variable GOMAXPROCS is set.
//
// A request spends about as much time in PostgreSQL as in this process. With
// all processors, Go mostly wakes threads that find no work, and moves requests
// between them: a read by id then costs a third more processor time, and the
// server answers about as many requests (docs/performance.md).
func HalfProcessors() *Processors {
	if os.Getenv("GOMAXPROCS") != "" {
		return nil
	}
	runtime.SetDefaultGOMAXPROCS()
	return halfOf(runtime.GOMAXPROCS(0))
}

func halfOf(all int) *Processors {
	p := &Processors{usual: (all + 1) / 2}
	p.add(0)
	return p
}

// ExtraCPU runs work with one more processor, so that requests do not wait for
// a long computation. Each change of GOMAXPROCS stops all goroutines for some
// microseconds: use it for work that takes milliseconds.
func (p *Processors) ExtraCPU(work func()) {
	if p == nil {
		work()
		return
	}
	p.add(1)
	defer p.add(-1)
	work()
}

func (p *Processors) add(n int) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.extra += n
	runtime.GOMAXPROCS(p.usual + p.extra)
}
