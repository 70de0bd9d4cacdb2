package session

import "time"

// Instant is a point in time on two clocks: that of the process, which stands still
// while the machine sleeps, and that on the wall, which can be set back.
type Instant struct{ awake, wall time.Time }

// Now returns the current time.
func Now() Instant {
	now := time.Now()
	return Instant{now, now.Round(0)} // Round removes the reading of the process's clock
}

// Add returns the time d later.
func (i Instant) Add(d time.Duration) Instant { return Instant{i.awake.Add(d), i.wall.Add(d)} }

// Before reports whether i is before o on both clocks.
func (i Instant) Before(o Instant) bool { return i.awake.Before(o.awake) && i.wall.Before(o.wall) }
