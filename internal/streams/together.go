package streams

import "time"

const (
	// pingGroups is in how many groups the pings of all streams go out.
	pingGroups = 100
	// bellStep is the time between two groups of bells that the same change rings, and queryStep
	// between two groups of queries, each of which takes longer.
	bellStep, queryStep = 100 * time.Millisecond, 20 * time.Millisecond
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
