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
	"errors"
	"fmt"
	"maps"
	"runtime"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
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
	db            *bun.DB
	policy        *model.Policy
	records       *query.Records
	now           func() time.Time
	onFailure     func(context.Context, Failure)
	sessions      *session.Cache
	stopListening func()
	// inserts caches *insertPlan by *schema.Table.
	inserts sync.Map
}

// Options configure a Store.
type Options struct {
	// Policy is the access rule, from internal/policy.
	Policy *model.Policy
	// Connections is the maximum; below two it means two.
	Connections int
	// Listen opens one more connection for notifications of sessions that end, so
	// that cached sessions can be certain.
	Listen bool
	// Now is the clock for birth dates, deletions and ends of mappings; time.Now if
	// nil.
	Now func() time.Time
	// Tracer sees every statement; may be nil. A shared round trip has the context of
	// one of its requests.
	Tracer pgx.QueryTracer
	// OnFailure is called with the context of the request for each error UNAVAILABLE;
	// may be nil.
	OnFailure func(context.Context, Failure)
}

const connectTimeout = 10 * time.Second

// Open connects to the migrated database at the URL with two pools: one for bun, in
// pgx's exec mode because bun writes arguments into its texts, and one for prepared
// statements, which only read, each request in one snapshot.
func Open(ctx context.Context, url string, o Options) (*Store, error) {
	s := &Store{policy: o.Policy, now: o.Now, onFailure: o.OnFailure, sessions: session.NewCache(), stopListening: func() {}}
	var err error
	if s.records, err = query.NewRecords(records(s), o.Policy); err != nil {
		return nil, err
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.onFailure == nil {
		s.onFailure = func(context.Context, Failure) {}
	}
	const pools = 2
	writes, err := openPool(ctx, url, max(o.Connections/pools, 1), o.Tracer, nil)
	if err != nil {
		return nil, err
	}
	reads, err := openPool(ctx, url, max(o.Connections-o.Connections/pools, 1), o.Tracer, map[string]string{
		"default_transaction_isolation": "repeatable read",
		"default_transaction_read_only": "on",
		// Otherwise PostgreSQL plans some statements again each time, and gains less
		// than the planning costs. See query.Request.
		"plan_cache_mode": "force_generic_plan",
		// A page needs its indexes. At the default of 4, meant for hard disks,
		// PostgreSQL scans small tables instead.
		"random_page_cost": "1.1",
	})
	if err != nil {
		writes.Close()
		return nil, err
	}
	s.writes, s.reads = pgpipe.New(writes, o.Tracer, 0), pgpipe.New(reads, o.Tracer, maxShared(reads))
	s.db = bun.NewDB(openDB(writes), pgdialect.New())
	if err := s.Ping(ctx); err != nil {
		s.Close()
		return nil, err
	}
	if o.Listen {
		s.stopListening = session.Listen(ctx, writes, s.sessions)
	}
	return s, nil
}

func openPool(ctx context.Context, url string, connections int, tracer pgx.QueryTracer, parameters map[string]string) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errors.New("the database URL cannot be read") // its text may hold a password
	}
	config.MaxConns = int32(connections) //nolint:gosec // the settings bound it
	config.ConnConfig.ConnectTimeout = connectTimeout
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	config.ConnConfig.Tracer = tracer
	config.ConnConfig.RuntimeParams["timezone"] = "UTC"
	config.ConnConfig.RuntimeParams["application_name"] = "caregraph"
	maps.Copy(config.ConnConfig.RuntimeParams, parameters)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	return pool, nil
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
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
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
func (s *Store) Local() bool { return local(s.reads.Pool) }

func local(pool *pgxpool.Pool) bool {
	config := pool.Config().ConnConfig
	network, _ := pgconn.NetworkAddress(config.Host, config.Port)
	return network == "unix"
}

// maxShared is how many shared round trips may be in flight. With a local PostgreSQL
// it is the number of processors, at least two: more round trips would wait for each
// other. With a remote one it is the number of connections.
func maxShared(reads *pgxpool.Pool) int {
	connections := int(reads.Config().MaxConns)
	if local(reads) {
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
	return s.translate(ctx, operation, s.db.RunInTx(ctx, nil, f))
}
