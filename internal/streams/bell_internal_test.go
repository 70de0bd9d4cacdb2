package streams

import (
	"testing"
	"time"
)

// Hold keeps all reads of an account's subscriptions waiting until release is called, and
// Waiting is how many do.
func (s *Streams) Hold(account int64) (release func()) { return s.enter(account) }

// Waiting is described at Hold.
func (s *Streams) Waiting(account int64) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.turns[account].users - 1
}

// TestTogether_WaitsEndAtOneInstant of each step, and not too early.
func TestTogether_WaitsEndAtOneInstant(t *testing.T) {
	t.Parallel()
	s := New(Options{})
	const step = 250 * time.Millisecond
	for _, wait := range []time.Duration{0, 1, step - 1, step, 3*step + 1, 25 * time.Second} {
		before := time.Since(s.began)
		got := s.together(wait, step)
		after := time.Since(s.began)
		if instant := (after + got).Truncate(step); instant < before+got || got < wait || got > wait+step {
			t.Errorf("%v becomes %v, from %v to %v", wait, got, before, after)
		}
		if got := s.together(wait, 0); got != wait {
			t.Errorf("without a step %v becomes %v", wait, got)
		}
	}
}
