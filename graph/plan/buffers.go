package plan

import (
	"slices"
	"sync"
	"sync/atomic"
)

// sizeHint is the size of the latest answer, so that the next buffer does not grow.
type sizeHint struct{ atomic.Int64 }

// The sizes in bytes of new buffers and of pooled ones.
const (
	minBuffer = 512
	maxPooled = 1 << 18
)

// bufferPool has the buffers of sent answers, as *[]byte.
var bufferPool sync.Pool

// buffer returns an empty buffer for an answer of rows bytes and more.
func (h *sizeHint) buffer(rows int) []byte {
	latest := max(int(h.Load()), rows)
	if pooled, ok := bufferPool.Get().(*[]byte); ok && cap(*pooled) >= latest {
		return (*pooled)[:0]
	}
	// A buffer that is too small is dropped. Put back, it would be found each time.
	return make([]byte, 0, max(latest+latest/8, minBuffer))
}

// set does not remember a long answer: the next one may be that of another caller.
func (h *sizeHint) set(size int) { h.Store(int64(min(size, maxPooled))) }

var encodingPool = sync.Pool{New: func() any { return new(encoding) }}

// newEncoding returns an empty encoding for a number of loads.
func newEncoding(loads int) *encoding {
	e := encodingPool.Get().(*encoding)
	e.below = slices.Grow(e.below, loads)[:loads]
	return e
}

// reuse returns the encoding to the pool. It keeps the memory of its slices that hold nothing
// of the answer.
func (e *encoding) reuse() {
	clear(e.below)
	*e = encoding{below: e.below[:0], path: e.path[:0]}
	encodingPool.Put(e)
}

// Reuse takes the data of an answer that has no other references.
func Reuse(data []byte) {
	if cap(data) >= minBuffer && cap(data) <= maxPooled {
		bufferPool.Put(&data)
	}
}
