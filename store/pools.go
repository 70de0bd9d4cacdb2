package store

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/caregraph/caregraph/internal/pgpipe"
)

// pools are the connections of a store. Requests read through reads and write through
// writes. Sessions, sign-in and Ping have a connection of each kind that no request can
// take.
type pools struct {
	reads, writes                 pool
	reservedReads, reservedWrites pool
}

// pool is a pool, and bun over it.
type pool struct {
	*pgpipe.Pool

	db *bun.DB
}

// Request and RequestKey give a request its place in the queues for connections. The
// context of a request has a *Request under RequestKey. Measure measures one. Trip is a round
// trip of one or several.
type (
	Client     = pgpipe.Client
	Request    = pgpipe.Request
	Trip       = pgpipe.Trip
	RequestKey = pgpipe.RequestKey
	Measure    = pgpipe.Measure
)

// ofIPv6 is the part of an address that one subscriber has.
const ofIPv6 = 64

// AccountClient returns an account as a client.
func AccountClient(id int64) Client { return Client{Account: id} }

// AddressClient returns an address without an account as a client. All addresses of a
// subscriber count as one.
func AddressClient(addr netip.Addr) Client {
	if addr.Is6() {
		if prefix, err := addr.Prefix(ofIPv6); err == nil {
			addr = prefix.Addr()
		}
	}
	return Client{Addr: addr}
}

const (
	// defaultWaiting is how many requests of an account may wait for a connection.
	defaultWaiting = 32
	// reservedWaiting is the same for a reserved connection. Sign-ins of many people
	// can come from one address, and each takes a millisecond.
	reservedWaiting = 1000
	// reservedLockTimeout keeps a row that someone else has locked from holding up all
	// sign-ins.
	reservedLockTimeout = "200ms"
)

// openPools opens the pools. bun writes arguments into its texts, so the pools use
// pgx's exec mode. What reads has one snapshot for each request.
func openPools(ctx context.Context, c *connection, o Options) (p pools, err error) {
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	limits := timeouts(o.RequestTimeout)
	brief := append(slices.DeleteFunc(slices.Clone(limits), func(s setting) bool { return s.name == "lock_timeout" }),
		setting{"lock_timeout", reservedLockTimeout})
	reading := append(slices.Clone(limits), planning()...)
	reads, writes := o.share(c.local())
	for _, open := range []struct {
		name        string
		to          *pool
		connections int
		waiting     int
		promises    promises
	}{
		{"writes", &p.writes, writes, o.MaxWaiting, promises{settings: limits}},
		{"reads", &p.reads, reads, o.MaxWaiting, promises{snapshot: true, settings: reading}},
		{"reserved_writes", &p.reservedWrites, 1, reservedWaiting, promises{settings: brief}},
		{"reserved_reads", &p.reservedReads, 1, reservedWaiting, promises{snapshot: true, settings: brief}},
	} {
		options := pgpipe.Options{Name: open.name, Tracer: o.Tracer, OnTrip: o.OnTrip, MaxWaiting: open.waiting, Share: (open.connections + 1) / 2, Patience: o.RequestTimeout}
		if open.to == &p.reads || open.to == &p.writes {
			options.OnClient = o.OnOwnConnection
		}
		if open.to == &p.reads {
			options.MaxShared = parallel(c.local(), open.connections)
			options.Share = min(options.Share, options.MaxShared)
		}
		piped, err := c.open(ctx, open.connections, open.promises, options)
		if err != nil {
			return p, err
		}
		*open.to = pool{piped, bun.NewDB(piped.DB(), pgdialect.New())}
	}
	return p, nil
}

// share divides the connections. With more backends than it has work for, a local
// PostgreSQL answers the unlucky ones late: each waits for the time slices of the others.
func (o Options) share(local bool) (reads, writes int) {
	if o.ReadConnections > 0 {
		return o.ReadConnections, max(o.Connections-o.ReadConnections, 1)
	}
	writes = max(o.Connections/2, 1)
	reads = max(o.Connections-writes, 1)
	if local {
		reads = min(reads, 2*runtime.NumCPU()+1)
	}
	return reads, writes
}

// planning returns the settings with which PostgreSQL plans reads. See query.Request for
// those that need others.
func planning() []setting {
	return []setting{
		// Otherwise PostgreSQL plans some statements again each time, and gains less
		// than the planning costs.
		{"plan_cache_mode", "force_generic_plan"},
		// A page needs its indexes. At the default of 4, meant for hard disks,
		// PostgreSQL scans small tables instead.
		{"random_page_cost", "1.1"},
		// A page finds each record that it names by an index, and its rows keep the order
		// in which they were found.
		{"enable_hashjoin", "off"},
		{"enable_mergejoin", "off"},
		{"enable_memoize", "off"},
		{"max_parallel_workers_per_gather", "0"},
		// To compile a statement takes longer than most of them run.
		{"jit", "off"},
	}
}

// parallel is how many reads PostgreSQL can run at the same time. For a local one it is
// the number of processors, at least two: more would wait for each other. For a remote
// one it is the number of connections.
func parallel(local bool, connections int) int {
	if local {
		return min(max(2, runtime.NumCPU()), connections)
	}
	return connections
}

// opening is the statement that begins each transaction of the pool, or "".
func (p pool) opening() string { return strings.Join(p.Opening, ";") }

// on runs f with a connection, and with the way in which it runs statements.
func (p pool) on(ctx context.Context, f func(*pgx.Conn, pgx.QueryExecMode) error) error {
	conn, err := p.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	if p.Unnamed {
		return f(conn.Conn.Conn(), pgx.QueryExecModeExec)
	}
	return f(conn.Conn.Conn(), pgx.QueryExecModeCacheStatement)
}

// exec runs a statement that returns no rows.
func (p pool) exec(ctx context.Context, text string, args ...any) error {
	return p.on(ctx, func(conn *pgx.Conn, mode pgx.QueryExecMode) error {
		_, err := conn.Exec(ctx, text, append([]any{mode}, args...)...)
		return err
	})
}

// scan runs a statement that returns one value.
func (p pool) scan(ctx context.Context, to any, text string, args ...any) error {
	return p.on(ctx, func(conn *pgx.Conn, mode pgx.QueryExecMode) error {
		return conn.QueryRow(ctx, text, append([]any{mode}, args...)...).Scan(to)
	})
}

func (p *pools) close() {
	for _, pool := range []pool{p.writes, p.reads, p.reservedWrites, p.reservedReads} {
		if pool.Pool != nil {
			_ = pool.db.Close() // has no connections of its own
			pool.Close()
		}
	}
}

// answers returns nil if the database answers reads and accepts writes. It asks on the
// reserved connections, before all who wait for them.
func (p *pools) answers(ctx context.Context) error {
	readOnly, err := p.reachable(ctx)
	if err == nil && readOnly {
		return errors.New("the database is read-only")
	}
	return err
}

// reachable reports whether the database refuses writes, as a standby does.
func (p *pools) reachable(ctx context.Context) (readOnly bool, err error) {
	if _, err := isReadOnly(ctx, p.reservedReads); err != nil {
		return false, fmt.Errorf("reach the database to read: %w", err)
	}
	if readOnly, err = isReadOnly(ctx, p.reservedWrites); err != nil {
		return false, fmt.Errorf("reach the database to write: %w", err)
	}
	return readOnly, nil
}

func isReadOnly(ctx context.Context, p pool) (readOnly bool, err error) {
	conn, err := p.AcquireFirst(ctx)
	if err != nil {
		return false, err
	}
	defer conn.Release()
	err = conn.QueryRow(ctx, "SELECT current_setting('transaction_read_only')::boolean").Scan(&readOnly)
	return readOnly, err
}

// readReserved runs one statement of a session or a sign-in that reads. No request can
// take its connection.
func (p *pools) readReserved(run func(pool) error) error {
	return reserved(p.reservedReads, p.reads, run)
}

// writeReserved is readReserved for a statement that writes.
func (p *pools) writeReserved(run func(pool) error) error {
	return reserved(p.reservedWrites, p.writes, run)
}

// reserved runs a statement on the first pool. If a lock keeps it waiting, it waits in
// the second one.
func reserved(first, second pool, run func(pool) error) error {
	err := run(first)
	if pgErr, ok := errors.AsType[*pgconn.PgError](err); ok && pgErr.Code == lockNotAvailable {
		return run(second)
	}
	return err
}
