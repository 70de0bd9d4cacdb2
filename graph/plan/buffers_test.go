package plan

import (
	"runtime"
	"runtime/debug"
	"testing"
)

// TestBuffer_LargeAnswersAfterSmallOnes: small pooled buffers do not cause a new buffer for
// each answer.
func TestBuffer_LargeAnswersAfterSmallOnes(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // collecting garbage empties the pool
	var large sizeHint
	large.set(100_000)
	const answers = 1_000
	for range answers {
		Reuse(make([]byte, minBuffer))
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range answers {
		Reuse(append(large.buffer(0), "data"...))
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > answers*100_000/2 {
		t.Errorf("%d bytes were allocated for %d answers", got, answers)
	}
}

func TestBuffer_BeginsEmpty(t *testing.T) {
	t.Parallel()
	var hint sizeHint
	for range 10 {
		buffer := hint.buffer(0)
		if len(buffer) != 0 || cap(buffer) < minBuffer {
			t.Fatalf("a buffer of %d bytes in %d", len(buffer), cap(buffer))
		}
		Reuse(append(buffer, "what somebody else was answered"...))
	}
}

func TestReuse_KeepsNeitherTinyNorHugeOnes(t *testing.T) {
	for bufferPool.Get() != nil { //nolint:revive // that is all
	}
	Reuse(nil)
	Reuse(make([]byte, minBuffer-1))
	Reuse(make([]byte, maxPooled+1))
	if pooled := bufferPool.Get(); pooled != nil {
		t.Errorf("%d bytes are kept", cap(*pooled.(*[]byte)))
	}
}

// TestBuffer_IsNotLargeForASmallAnswerAfterALongOne: a plan serves all callers, and one
// with long answers does not make those of the others take its memory.
func TestBuffer_IsNotLargeForASmallAnswerAfterALongOne(t *testing.T) {
	t.Parallel()
	var hint sizeHint
	hint.set(16 << 20)
	if got := cap(hint.buffer(100)); got > 2*maxPooled {
		t.Errorf("a small answer has a buffer of %d bytes", got)
	}
	if got := cap(hint.buffer(1 << 20)); got < 1<<20 {
		t.Errorf("an answer of a mebibyte has a buffer of %d bytes", got)
	}
}
