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
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/uptrace/bun"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store/query"
	"github.com/caregraph/caregraph/store/session"
)

// Store reads and writes the records. It is safe for concurrent use.
type Store struct {
	pools
	// db is bun over the pool that writes.
	db            *bun.DB
	policy        *model.Policy
	records       *query.Records
	now           func() time.Time
	sessions      *session.Cache
	stopListening func()
	// inserts caches *insertPlan by *schema.Table.
	inserts sync.Map
}

// Options configure a Store.
type Options struct {
	// Policy is the access rule, from internal/policy.
	Policy *model.Policy
	// Connections is the maximum for requests; below two it means two. Two more are
	// reserved for sessions, sign-in and Ping.
	Connections int
	// RequestTimeout is the time of a request; PostgreSQL stops a statement earlier. Zero:
	// PostgreSQL does not.
	RequestTimeout time.Duration
	// MaxWaiting is how many requests of an account may wait for a connection to read,
	// and how many for one to write. Zero: 32. Others get RATE_LIMITED.
	MaxWaiting int
	// Listen opens one more connection for notifications of sessions that end, so
	// that cached sessions can be certain.
	Listen bool
	// Now is the clock for birth dates, deletions and ends of mappings; time.Now if
	// nil.
	Now func() time.Time
	// Tracer sees every statement; may be nil. A shared round trip has the context of
	// one of its requests.
	Tracer pgx.QueryTracer
}

const (
	connectTimeout = 10 * time.Second
	// readyTimeout leaves Ping some time to report.
	readyTimeout = 900 * time.Millisecond
)

// Open connects to the migrated database at the URL.
func Open(ctx context.Context, url string, o Options) (*Store, error) {
	if o.MaxWaiting == 0 {
		o.MaxWaiting = defaultWaiting
	}
	s := &Store{policy: o.Policy, now: o.Now, sessions: session.NewCache(), stopListening: func() {}}
	var err error
	if s.records, err = query.NewRecords(records(s), o.Policy); err != nil {
		return nil, err
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.pools, err = openPools(ctx, url, o); err != nil {
		return nil, err
	}
	s.db = s.writes.db
	connecting, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	if err := s.answers(connecting); err != nil {
		s.Close()
		return nil, err
	}
	if o.Listen {
		s.stopListening = session.Listen(ctx, s.reservedWrites.Pool, s.sessions)
	}
	return s, nil
}

func openPool(ctx context.Context, url string, connections int, o Options, parameters map[string]string) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errors.New("the database URL cannot be read") // its text may hold a password
	}
	config.MaxConns = int32(connections) //nolint:gosec // the settings bound it
	config.ConnConfig.ConnectTimeout = connectTimeout
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	config.ConnConfig.Tracer = o.Tracer
	config.ConnConfig.RuntimeParams["timezone"] = "UTC"
	config.ConnConfig.RuntimeParams["application_name"] = "caregraph"
	if o.RequestTimeout > 0 {
		config.ConnConfig.RuntimeParams["statement_timeout"] = statementTimeout(o.RequestTimeout)
	}
	maps.Copy(config.ConnConfig.RuntimeParams, parameters)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	return pool, nil
}

// Ping returns nil if the database answers reads and accepts writes, and an error after
// a second at most. Busy connections, locked rows and locked tables do not matter.
func (s *Store) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	return s.answers(ctx)
}

// Records returns the descriptors of all record types.
func (s *Store) Records() *query.Records { return s.records }

// Constraints returns the constraints of the fields of a record type.
func (s *Store) Constraints(typ string) model.Constraints { return s.policy.Types[typ].Constraints }

// Local reports whether the connection is a Unix socket: PostgreSQL runs on this
// machine.
func (s *Store) Local() bool { return local(s.reads.Config()) }

// Close waits for running statements and closes all connections.
func (s *Store) Close() {
	s.stopListening()
	s.close()
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
	return translate(operation, s.db.RunInTx(ctx, nil, f))
}
