package store

import (
	"runtime"
	"testing"
)

func TestOptions_ShareConnections(t *testing.T) {
	t.Parallel()
	few := 2*runtime.NumCPU() + 1
	for _, c := range []struct {
		all, reads            int
		local                 bool
		wantReads, wantWrites int
	}{
		{20, 0, false, 10, 10},
		{21, 0, false, 11, 10},
		{2, 0, true, 1, 1},
		{0, 0, true, 1, 1},
		{0, 0, false, 1, 1},
		{10 * few, 0, true, few, 5 * few},
		{20, 3, true, 3, 17},
		{20, 19, false, 19, 1},
	} {
		reads, writes := Options{Connections: c.all, ReadConnections: c.reads}.share(c.local)
		if reads != c.wantReads || writes != c.wantWrites {
			t.Errorf("%+v: %d and %d", c, reads, writes)
		}
	}
}
