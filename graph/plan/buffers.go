package plan

import (
	"sync"
	"sync/atomic"
)

// sizeHint remembers how large an answer was, so that the next one need not grow.
type sizeHint struct{ atomic.Int64 }

// The sizes in bytes that buffers of answers begin with, and that are kept.
const (
	leastAnswer = 512
	mostKept    = 1 << 18
)

// spareAnswers are the buffers, as *[]byte, of answers that were sent.
var spareAnswers sync.Pool

func (h *sizeHint) buffer() []byte {
	latest := int(h.Load())
	if spare, ok := spareAnswers.Get().(*[]byte); ok && cap(*spare) >= latest {
		return (*spare)[:0]
	}
	// One that is too small is given up: put back it would be found each time,
	// while ever more were made.
	return make([]byte, 0, max(latest+latest/8, leastAnswer))
}

func (h *sizeHint) note(size int) { h.Store(int64(size)) }

// Reuse takes the data of an answer that nobody holds any more, for others.
func Reuse(data []byte) {
	if cap(data) >= leastAnswer && cap(data) <= mostKept {
		spareAnswers.Put(&data)
	}
}
