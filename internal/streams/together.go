package streams

import "time"

const (
	// pingGroups is in how many groups the pings of all streams go out.
	pingGroups = 100
	// spreadStep is the time between two groups of the subscriptions that the same change wakes.
	spreadStep = 20 * time.Millisecond
)

// together returns the time until the first instant after wait at which others end theirs, too:
// there is one in each step. A processor that wakes up for each of ten thousand streams does
// little else.
func (s *Streams) together(wait, step time.Duration) time.Duration {
	if step <= 0 {
		return wait
	}
	now := time.Since(s.began)
	return (now + wait).Truncate(step) + step - now
}
