package pgpipe

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

// Pool runs statements on the connections of a pgx pool. Clients share the connections
// fairly. It is safe for concurrent use. Its errors are ErrQueueFull, and those of pgx,
// wrapped.
type Pool struct {
	// Unnamed and Opening are those of the Options.
	Unnamed bool
	Opening []string

	name      string
	pool      *pgxpool.Pool
	queue     queue
	patience  time.Duration
	tracer    pgx.QueryTracer
	onTrip    func(context.Context, Trip)
	coalescer coalescer
}

// Options configure a Pool.
type Options struct {
	// Name is that of the pool in its trips.
	Name string
	// Connections is how many are in use at the same time; zero means all of the pgx pool.
	// The pgx pool should have more, because one that is being closed still counts there,
	// for 15 seconds if its server hangs.
	Connections int
	// Patience is how long a connection is in use if the context has no deadline. Then it
	// is closed. Zero means without an end.
	Patience time.Duration
	// Tracer sees every statement; may be nil.
	Tracer pgx.QueryTracer
	// MaxShared is how many round trips of RunShared may be in flight.
	MaxShared int
	// Share is how many connections a client may have while others are active.
	Share int
	// Unnamed makes each statement parsed again, for poolers that know no prepared
	// statements. Opening are statements without arguments that begin each round trip.
	Unnamed bool
	Opening []string
	// MaxWaiting is how many requests of an account may wait for a connection.
	MaxWaiting int
	// OnClient is called for each connection that a request asks for, but not for those
	// of shared round trips; may be nil.
	OnClient func()
	// OnTrip is called after each round trip of a statement, with the context of one of its
	// requests; may be nil. It must be fast, and keep no statement.
	OnTrip func(context.Context, Trip)
}

// New returns a Pool over a pgx pool, which no one else may use.
func New(pool *pgxpool.Pool, o Options) *Pool {
	size := o.Connections
	if size == 0 {
		size = int(pool.Config().MaxConns)
	}
	return &Pool{
		Unnamed: o.Unnamed, Opening: o.Opening, name: o.Name, pool: pool, tracer: o.Tracer, onTrip: o.OnTrip, coalescer: coalescer{maxInFlight: max(o.MaxShared, 1)},
		queue: newQueue(size, o), patience: o.Patience,
	}
}

// Conn is a connection of a Pool.
type Conn struct {
	*pgxpool.Conn

	queue   *queue
	client  Client
	measure *Measure
	// trip reports the trip of a statement of one's own; nil without one.
	trip func()
	// unguard ends the patience.
	unguard func()
}

// Acquire returns a connection for a statement when it is the turn of the context's client.
func (p *Pool) Acquire(ctx context.Context) (Conn, error) {
	r := requestOf(ctx)
	r.sends(1)
	conn, err := p.acquire(ctx, r.client(), r)
	if err == nil && p.onTrip != nil {
		began := p.begin()
		conn.trip = func() { p.ended(ctx, began, 1, nil) }
	}
	return conn, err
}

// AcquireFirst is Acquire with the next turn, before all clients.
func (p *Pool) AcquireFirst(ctx context.Context) (Conn, error) { return p.acquire(ctx, probes, nil) }

func (p *Pool) acquire(ctx context.Context, c Client, r *Request) (Conn, error) {
	measure := r.measure()
	measure.begin()
	if err := p.queue.enter(ctx, c, r); err != nil {
		measure.end()
		return Conn{}, notAcquired(err)
	}
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		p.queue.leave(c)
		measure.end()
		return Conn{}, notAcquired(err)
	}
	return Conn{Conn: conn, queue: &p.queue, client: c, measure: measure, unguard: guard(ctx, conn.Conn(), p.patience)}, nil
}

// guard closes a connection that is in use for too long, until it is called off. A machine
// that hangs may still acknowledge what it receives: then nothing ends the wait for its
// answer, except the deadline of a context.
func guard(ctx context.Context, conn *pgx.Conn, patience time.Duration) (off func()) {
	if _, ok := ctx.Deadline(); ok || patience == 0 {
		return func() {}
	}
	timer := time.AfterFunc(patience, func() { _ = conn.PgConn().Conn().Close() }) // the user of the connection gets the error
	return func() { timer.Stop() }
}

// notAcquired returns an AcquireError, or ErrQueueFull.
func notAcquired(err error) error {
	if errors.Is(err, ErrQueueFull) {
		return err
	}
	return &AcquireError{err}
}

// Release returns the connection to its pool.
func (c Conn) Release() {
	if c.trip != nil {
		c.trip()
	}
	c.unguard()
	c.Conn.Release()
	c.queue.leave(c.client)
	c.measure.end()
}

// QueryRow runs a query. Scan of the row releases the connection.
func (p *Pool) QueryRow(ctx context.Context, text string, args ...any) pgx.Row {
	conn, err := p.Acquire(ctx)
	if err != nil {
		return failedRow{err}
	}
	return row{conn.QueryRow(ctx, text, args...), conn}
}

type failedRow struct{ error }

func (r failedRow) Scan(...any) error { return r.error }

type row struct {
	pgx.Row
	conn Conn
}

func (r row) Scan(to ...any) error {
	defer r.conn.Release()
	return r.Row.Scan(to...)
}

// Size returns how many connections can be in use at the same time.
func (p *Pool) Size() int { return p.queue.size }

// Stat returns the state of the pgx pool.
func (p *Pool) Stat() *pgxpool.Stat { return p.pool.Stat() }

// Waits returns how often no connection was free for a statement, and the total time of
// these waits.
func (p *Pool) Waits() (times int64, total time.Duration) { return p.queue.wait() }

// Config returns a copy of the configuration of the pgx pool.
func (p *Pool) Config() *pgxpool.Config { return p.pool.Config() }

// Close waits for running statements and closes all connections.
func (p *Pool) Close() { p.pool.Close() }

// DB returns a database over the connections of the pool.
func (p *Pool) DB() *sql.DB {
	db := sql.OpenDB(connector{stdlib.GetPoolConnector(p.pool), p})
	db.SetMaxIdleConns(0) // the pool has the idle ones
	return db
}

type connector struct {
	driver.Connector
	pool *Pool
}

// Connect acquires a connection of the pool.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	r := requestOf(ctx)
	r.measure().begin()
	if err := c.pool.queue.enter(ctx, r.client(), r); err != nil {
		r.measure().end()
		return nil, notAcquired(err)
	}
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		c.pool.queue.leave(r.client())
		r.measure().end()
		return nil, notAcquired(err)
	}
	acquired := conn.(*stdlib.Conn) // it has no other type
	return &sqlConn{acquired, c.pool, r, guard(ctx, acquired.Conn(), c.pool.patience)}, nil
}

// sqlConn is a connection of one request: the database keeps none.
type sqlConn struct {
	*stdlib.Conn
	pool    *Pool
	request *Request // nil without one
	unguard func()
}

// ExecContext counts the statement.
func (c *sqlConn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	c.request.sends(1)
	began := c.pool.begin()
	result, err := c.Conn.ExecContext(ctx, text, args)
	c.pool.ended(ctx, began, 1, nil)
	return result, err
}

// QueryContext counts the statement.
func (c *sqlConn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	c.request.sends(1)
	began := c.pool.begin()
	rows, err := c.Conn.QueryContext(ctx, text, args)
	c.pool.ended(ctx, began, 1, nil)
	return rows, err
}

// Close returns the connection to its pool.
func (c *sqlConn) Close() error {
	defer c.request.measure().end()
	defer c.pool.queue.leave(c.request.client())
	c.unguard()
	return c.Conn.Close()
}
