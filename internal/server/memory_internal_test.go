package server

import "testing"

// TestGarbagePercent_IdleStreamsAddNone: with more streams there is not more garbage.
func TestGarbagePercent_IdleStreamsAddNone(t *testing.T) {
	t.Parallel()
	if got := garbagePercent(0); got != 100 {
		t.Errorf("without streams %d per cent", got)
	}
	for _, streams := range []int64{1, 100, 1_000, 10_000, 50_000} {
		percent := garbagePercent(streams)
		inUse := usualMemory + streams*streamMemory
		if garbage := inUse * int64(percent) / 100; garbage > usualMemory || garbage < usualMemory/2 {
			t.Errorf("%d streams, %d per cent: %d MB of garbage", streams, percent, garbage>>20)
		}
	}
	if got := garbagePercent(1 << 40); got != 10 {
		t.Errorf("the least is %d per cent", got)
	}
}
