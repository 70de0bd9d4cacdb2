package store

import (
	"context"
	"time"
)

// PoolStats is the state of one of the connection pools.
type PoolStats struct {
	// Name is "reads", "writes", "reserved_reads" or "reserved_writes".
	Name string
	// InUse and Idle count the open connections, and Max is their maximum.
	InUse, Idle, Max int
	// Acquired, TimedOut and Opened count, since Open, how often a connection was taken,
	// how often the time was over before, and how often one was opened.
	Acquired, TimedOut, Opened int64
	// Waits counts, since Open, how often no connection was free, and Waited is the
	// total time to get one then.
	Waits  int64
	Waited time.Duration
}

// Stats returns the state of the pools without a round trip.
func (s *Store) Stats() []PoolStats {
	return []PoolStats{
		poolStats("reads", s.reads), poolStats("writes", s.writes),
		poolStats("reserved_reads", s.reservedReads), poolStats("reserved_writes", s.reservedWrites),
	}
}

func poolStats(name string, p pool) PoolStats {
	now := p.Stat()
	waits, waited := p.Waits()
	return PoolStats{
		Name:  name,
		InUse: int(now.AcquiredConns()), Idle: int(now.IdleConns()), Max: p.Size(),
		Acquired: now.AcquireCount(), TimedOut: now.CanceledAcquireCount(), Opened: now.NewConnsCount(),
		Waits: waits, Waited: waited,
	}
}

// Up reports which of "reads", "writes" and "listener" work now, within a second.
func (s *Store) Up() map[string]bool {
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	_, readErr := isReadOnly(ctx, s.reservedReads)
	readOnly, writeErr := isReadOnly(ctx, s.reservedWrites)
	return map[string]bool{"reads": readErr == nil, "writes": writeErr == nil && !readOnly, "listener": s.sessions.IsListening()}
}
