package plan

import (
	"sync"
	"sync/atomic"
)

// sizeHint remembers how large an answer was, so that the next one need not grow.
type sizeHint struct{ atomic.Int64 }

// The sizes in bytes that buffers of answers begin with, and that are kept.
const (
	minBuffer = 512
	maxPooled = 1 << 18
)

// bufferPool are the buffers, as *[]byte, of answers that were sent.
var bufferPool sync.Pool

func (h *sizeHint) buffer() []byte {
	latest := int(h.Load())
	if pooled, ok := bufferPool.Get().(*[]byte); ok && cap(*pooled) >= latest {
		return (*pooled)[:0]
	}
	// One that is too small is given up: put back it would be found each time,
	// while ever more were made.
	return make([]byte, 0, max(latest+latest/8, minBuffer))
}

func (h *sizeHint) set(size int) { h.Store(int64(size)) }

// Reuse takes the data of an answer that nobody holds any more, for others.
func Reuse(data []byte) {
	if cap(data) >= minBuffer && cap(data) <= maxPooled {
		bufferPool.Put(&data)
	}
}
