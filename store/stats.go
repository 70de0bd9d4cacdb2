package store

import (
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// PoolStats says how busy one of the two pools of connections is.
type PoolStats struct {
	// Name is "reads" or "writes".
	Name string
	// InUse and Idle are the connections that are open now, and Max the most
	// that may be.
	InUse, Idle, Max int
	// Waits is how often, since the store was opened, no open connection was
	// free, and Waited how long it took then to open or to get one, in all.
	Waits  int64
	Waited time.Duration
}

// Stats returns the state of the pools. It asks the database nothing.
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
