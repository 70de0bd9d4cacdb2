package store

import (
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// PoolStats is the state of one of the two connection pools.
type PoolStats struct {
	// Name is "reads" or "writes".
	Name string
	// InUse and Idle count the open connections, and Max is their maximum.
	InUse, Idle, Max int
	// Waits counts, since Open, how often no connection was free, and Waited is the
	// total time to get one then.
	Waits  int64
	Waited time.Duration
}

// Stats returns the state of the pools without a round trip.
func (s *Store) Stats() []PoolStats {
	return []PoolStats{poolStats("reads", s.reads.Pool), poolStats("writes", s.writes.Pool)}
}

func poolStats(name string, pool *pgxpool.Pool) PoolStats {
	now := pool.Stat()
	return PoolStats{
		Name:  name,
		InUse: int(now.AcquiredConns()), Idle: int(now.IdleConns()), Max: int(now.MaxConns()),
		Waits: now.EmptyAcquireCount(), Waited: now.EmptyAcquireWaitTime(),
	}
}
