package streams

import (
	"time"
)

const (
	// stopSpread is the time over which a stopping server closes its streams, so that their
	// clients do not reach the next server all at once.
	stopSpread = 3 * time.Second
	// stopGrace is how long the last clients have to answer the end of their streams.
	stopGrace = time.Second
	// stopStep is the longest time between two streams.
	stopStep = 10 * time.Millisecond
)

// stop closes all streams, a few of them within a moment. A socket with running operations
// ends with the last of them.
func (s *Streams) stop() {
	members := s.leaving()
	if len(members) == 0 {
		return
	}
	step, begin := min(stopSpread/time.Duration(len(members)), stopStep), time.Now()
	for i, m := range members {
		<-time.After(time.Until(begin.Add(time.Duration(i) * step)))
		m.leave(codeGoingAway, "")
	}
	done := make(chan struct{})
	go func() { defer close(done); s.performing.Wait() }()
	within(done, s.RequestTimeout)
	within(s.idle, stopGrace)
}

func within(done <-chan struct{}, limit time.Duration) {
	select {
	case <-done:
	case <-time.After(limit):
	}
}

// leaving lets no stream join any more, and returns all that have.
func (s *Streams) leaving() (members []member) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopping = true
	for _, of := range s.accounts {
		for m := range of {
			members = append(members, m)
		}
	}
	return members
}

// finish says that the last stream has ended.
func (s *Streams) finish() {
	select {
	case <-s.idle:
	default:
		close(s.idle)
	}
}
