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

// Up reports which of "reads", "writes" and "listener" work now, within a second. A server
// that does not listen has no listener.
func (s *Store) Up() map[string]bool {
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	_, readErr := isReadOnly(ctx, s.reservedReads)
	readOnly, writeErr := isReadOnly(ctx, s.reservedWrites)
	up := map[string]bool{"reads": readErr == nil, "writes": writeErr == nil && !readOnly}
	if s.listens {
		up["listener"] = s.sessions.IsListening()
	}
	return up
}

// Recalls returns how often the session of a request was "true": certain without a round
// trip; and how often it was "false".
func (s *Store) Recalls() map[string]int64 {
	certain, uncertain := s.sessions.Recalls()
	return map[string]int64{"true": certain, "false": uncertain}
}

// Unproven returns for how long requests have needed a proof that ended sessions are reported
// to this server, and listens is false if it never asks for one.
func (s *Store) Unproven() (age time.Duration, listens bool) { return s.sessions.Unproven(), s.listens }

// FeedResets returns how many devices had to start again.
func (s *Store) FeedResets() int64 { return s.changes.resets.Load() }

// Archive is what PostgreSQL says of the archive of its log of writes.
type Archive struct {
	// Failed counts the segments that could not be archived. Age is the time since the last
	// one that could; negative if there is none.
	Failed int64
	Age    time.Duration
}

// Archive returns nil if PostgreSQL keeps no archive, or does not answer within a second.
func (s *Store) Archive() *Archive {
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	conn, err := s.reservedReads.AcquireFirst(ctx)
	if err != nil {
		return nil
	}
	defer conn.Release()
	var a Archive
	var seconds float64
	err = conn.QueryRow(ctx, `SELECT failed_count, coalesce(extract(epoch FROM now() - last_archived_time), -1)::float8
		FROM pg_stat_archiver WHERE current_setting('archive_mode') <> 'off'`).Scan(&a.Failed, &seconds)
	if err != nil {
		return nil
	}
	a.Age = time.Duration(seconds * float64(time.Second))
	return &a
}
