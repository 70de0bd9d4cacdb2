// Package store contains all SQL, all transactions and the ownership rule, which is
// in access.go. Its methods are what a clinic does. Each takes the viewer as its
// second parameter and returns only rows that exist for the viewer. It never reads
// the viewer from a context.
//
// Records are read by Fetch or reads.go, and changed by edit and insert. Statements
// for accounts and sessions are constants. bun builds statements that vary.
package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/caregraph/caregraph/internal/pgpipe"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store/query"
	"github.com/caregraph/caregraph/store/session"
)

// Store reads and writes the records. It is safe for concurrent use.
type Store struct {
	// writes is the pool under bun; reads runs the prepared statements that read.
	writes, reads *pgpipe.Pool
	connection    *connection
	// opening is the statement that begins each transaction of bun, or "".
	opening       string
	db            *bun.DB
	policy        *model.Policy
	records       *query.Records
	now           func() time.Time
	onFailure     func(context.Context, Failure)
	sessions      *session.Cache
	rows          rowQueue
	stopListening func()
	unannounced   atomic.Int64
	log           *slog.Logger
	refreshGrace  time.Duration
	// inserts caches *insertPlan by *schema.Table.
	inserts sync.Map
	quotas  Quotas
	counts  counts
	written written
}

// Options configure a Store.
type Options struct {
	// Policy is the access rule, from internal/policy.
	Policy *model.Policy
	// Connections is the maximum; below two it means two.
	Connections int
	// Pooler says what is between the server and PostgreSQL; empty is PoolerAuto.
	Pooler Pooler
	// Prepared says whether statements are prepared; empty is PreparedAuto.
	Prepared Prepared
	// RequestTimeout is the time of one request, which bounds that of statements, locks
	// and transactions. Zero bounds nothing.
	RequestTimeout time.Duration
	// DirectURL is the address of the same database without a pooler; may be empty. The
	// connection of Listen uses it.
	DirectURL string
	// Listen opens one more connection for notifications of sessions that end, so
	// that cached sessions can be certain.
	Listen bool
	// RefreshGrace is how long a refresh token works again after its rotation.
	RefreshGrace time.Duration
	// Now is the clock for birth dates, deletions and ends of mappings; time.Now if
	// nil.
	Now func() time.Time
	// Quotas bound what an account may store.
	Quotas Quotas
	// Tracer sees every statement; may be nil. A shared round trip has the context of
	// one of its requests.
	Tracer pgx.QueryTracer
	// Log gets warnings; may be nil.
	Log *slog.Logger
	// OnFailure is called with the context of the request for each error UNAVAILABLE;
	// may be nil.
	OnFailure func(context.Context, Failure)
}

// Open connects to the migrated database at the URL with two pools: one for bun, in
// pgx's exec mode because bun writes arguments into its texts, and one for prepared
// statements, which only read, each request in one snapshot. It returns an error if the
// connections do not keep that promise.
func Open(ctx context.Context, url string, o Options) (*Store, error) {
	s := &Store{
		policy: o.Policy, now: o.Now, quotas: o.Quotas, onFailure: o.OnFailure, log: o.Log, refreshGrace: o.RefreshGrace,
		sessions: session.NewCache(), stopListening: func() {},
	}
	var err error
	if s.records, err = query.NewRecords(records(s), o.Policy); err != nil {
		return nil, err
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.onFailure == nil {
		s.onFailure = func(context.Context, Failure) {}
	}
	if s.connection, err = connectionTo(url); err != nil {
		return nil, err
	}
	if err := s.connection.detect(ctx, o.Pooler, o.Prepared); err != nil {
		return nil, err
	}
	if err := s.openPools(ctx, o); err != nil {
		return nil, err
	}
	if err := s.check(ctx); err != nil {
		s.Close()
		return nil, err
	}
	if err := s.listen(ctx, o); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// listen receives notifications, unless only a transaction pooler could deliver them.
func (s *Store) listen(ctx context.Context, o Options) error {
	to := s.connection
	if o.DirectURL != "" {
		var err error
		if to, err = connectionTo(o.DirectURL); err != nil {
			return err
		}
	} else if to.pooler == PoolerTransaction {
		return nil
	}
	if o.Listen {
		s.stopListening = session.Listen(ctx, to.config.ConnConfig, s.writes.Pool, s.sessions)
	}
	return nil
}

func (s *Store) openPools(ctx context.Context, o Options) (err error) {
	const pools = 2
	limits := timeouts(o.RequestTimeout)
	writes, reads := max(o.Connections/pools, 1), max(o.Connections-o.Connections/pools, 1)
	if s.writes, err = s.connection.open(ctx, writes, 0, o.Tracer, promises{settings: limits}); err != nil {
		return err
	}
	s.rows = rowQueue{timeout: o.RequestTimeout / lockShare, rows: map[rowKey]*rowTurn{}}
	s.opening = strings.Join(s.writes.Opening, ";")
	s.db = bun.NewDB(openDB(s.writes.Pool), pgdialect.New())
	s.reads, err = s.connection.open(ctx, reads, maxShared(s.Local(), reads), o.Tracer, promises{snapshot: true, settings: append(limits,
		// Otherwise PostgreSQL plans some statements again each time, and gains less
		// than the planning costs. See query.Request.
		setting{"plan_cache_mode", "force_generic_plan"},
		// A page needs its indexes. At the default of 4, meant for hard disks,
		// PostgreSQL scans small tables instead.
		setting{"random_page_cost", "1.1"})})
	if err != nil {
		s.writes.Close()
	}
	return err
}

// check returns an error if a pool does not answer, or if the connections for reads do
// not keep the promises, for example because a pooler ignores them.
func (s *Store) check(ctx context.Context) error {
	if err := s.Ping(ctx); err != nil {
		return err
	}
	kept := []setting{{"transaction_isolation", "repeatable read"}, {"transaction_read_only", "on"}, {"plan_cache_mode", "force_generic_plan"}}
	st := pgpipe.NewStatement("SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only'), current_setting('plan_cache_mode')")
	if err := s.reads.Run(ctx, st); err != nil {
		return fmt.Errorf("read from the database: %w", err)
	}
	defer st.Rows.Release()
	for i, want := range kept {
		if got := string(st.Rows.Bytes(0, i)); got != want.value {
			return fmt.Errorf("%s is %q and not %q in connections that read, with --database-pooler=%s; try --database-pooler=transaction",
				want.name, got, want.value, s.connection.pooler)
		}
	}
	return nil
}

// openDB returns the pool for bun. Its connections stay in the pool.
func openDB(pool *pgxpool.Pool) *sql.DB {
	db := sql.OpenDB(connector{stdlib.GetPoolConnector(pool)})
	db.SetMaxIdleConns(0)
	return db
}

// connector says in its errors that no connection could be acquired.
type connector struct{ driver.Connector }

// Connect acquires a connection from the pool.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, &pgpipe.AcquireError{Err: err}
	}
	return conn, nil
}

// Ping reports whether the database answers within ten seconds.
func (s *Store) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := s.writes.Ping(ctx); err != nil {
		return fmt.Errorf("reach the database: %w", err)
	}
	return nil
}

// Records returns the descriptors of all record types.
func (s *Store) Records() *query.Records { return s.records }

// Constraints returns the constraints of the fields of a record type.
func (s *Store) Constraints(typ string) model.Constraints { return s.policy.Types[typ].Constraints }

// Local reports whether the connection is a Unix socket: PostgreSQL runs on this
// machine.
func (s *Store) Local() bool { return s.connection.local() }

// Pooler returns what is between the server and PostgreSQL, never PoolerAuto.
func (s *Store) Pooler() Pooler { return s.connection.pooler }

// maxShared is how many shared round trips may be in flight. With a local PostgreSQL
// it is the number of processors, at least two: more round trips would wait for each
// other. With a remote one it is the number of connections.
func maxShared(local bool, connections int) int {
	if local {
		return min(max(2, runtime.NumCPU()), connections)
	}
	return connections
}

// Close waits for running statements and closes all connections.
func (s *Store) Close() {
	s.stopListening()
	_ = s.db.Close() // has no connections of its own
	s.writes.Close()
	s.reads.Close()
}

// scope returns the records of a type that exist for a viewer.
func (s *Store) scope(typ string, v *model.Viewer) query.Scope {
	return s.records.Type(typ).Scope(query.LiteralViewer(v))
}

// selectRow returns a query for a record that exists for the viewer.
func (s *Store) selectRow(db bun.IDB, row model.Record, v *model.Viewer, deleted model.DeletedFilter) *bun.SelectQuery {
	return s.scope(row.TypeName(), v).Select(db.NewSelect().Model(row), query.Lookup, deleted)
}

// inTx runs f in one transaction. An error of f rolls it back.
func (s *Store) inTx(ctx context.Context, operation string, f func(context.Context, bun.Tx) error) error {
	return s.translate(ctx, operation, s.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		if s.opening != "" {
			if _, err := tx.ExecContext(ctx, s.opening); err != nil {
				return err
			}
		}
		return f(ctx, tx)
	}))
}
