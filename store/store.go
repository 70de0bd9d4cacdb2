// Package store holds all SQL, all transactions and the ownership rule: who
// stands how to a row is said in access.go and nowhere else. Its methods are
// what a clinic does. Each takes the viewer as its second parameter and gives
// out no row that does not exist for that viewer. It never reads who is calling
// from a context.
package store

import (
	"context"
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

// Store is the clinic's memory. It is safe for concurrent use.
type Store struct {
	// writes is the pool under bun; reads has the prepared statements that read.
	writes, reads *pgpipe.Pool
	db            *bun.DB
	policy        *model.Policy
	records       *query.Records
	now           func() time.Time
	sessions      *session.Cache
	stopListening func()
	// inserts has the texts of insert, by *schema.Table.
	inserts sync.Map
}

// Options are what a Store needs besides the address of its database.
type Options struct {
	// Policy is the access rule, from internal/policy.
	Policy *model.Policy
	// Connections is the most that are opened; there are at least two.
	Connections int
	// Listen has the store hear of sessions that end, on one more connection, so
	// that those which live can be recalled for certain.
	Listen bool
	// Now is the clock by which birth dates are checked and by which records
	// are deleted and mappings end; time.Now if nil.
	Now func() time.Time
	// Tracer sees every statement, those that share a round trip with the context
	// of one of the requests; may be nil.
	Tracer pgx.QueryTracer
}

const connectTimeout = 10 * time.Second

// Open connects to the migrated database at the URL, by two pools: one is for
// bun, in pgx's exec mode since bun writes arguments into its texts; the other
// is for prepared statements that only read, each read in one snapshot.
func Open(ctx context.Context, url string, o Options) (*Store, error) {
	s := &Store{policy: o.Policy, now: o.Now, sessions: session.NewCache(), stopListening: func() {}}
	var err error
	if s.records, err = query.NewRecords(records(s), o.Policy); err != nil {
		return nil, err
	}
	if s.now == nil {
		s.now = time.Now
	}
	const pools = 2
	writes, err := openPool(ctx, url, max(o.Connections/pools, 1), o.Tracer, nil)
	if err != nil {
		return nil, err
	}
	reads, err := openPool(ctx, url, max(o.Connections-o.Connections/pools, 1), o.Tracer, map[string]string{
		"default_transaction_isolation": "repeatable read",
		"default_transaction_read_only": "on",
		// Otherwise PostgreSQL plans some statements again each time, for plans that it
		// takes for cheaper by less than the planning costs. See query.Request.
		"plan_cache_mode": "force_generic_plan",
		// A page is found by its indexes. At the default of 4, meant for turning
		// disks, PostgreSQL reads whole tables for it when they are small.
		"random_page_cost": "1.1",
	})
	if err != nil {
		writes.Close()
		return nil, err
	}
	s.writes, s.reads = pgpipe.New(writes, o.Tracer, 0), pgpipe.New(reads, o.Tracer, maxShared(reads))
	s.db = bun.NewDB(stdlib.OpenDBFromPool(writes), pgdialect.New())
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

// Ping reports whether the database answers within ten seconds.
func (s *Store) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	if err := s.writes.Ping(ctx); err != nil {
		return fmt.Errorf("reach the database: %w", err)
	}
	return nil
}

// NewRecords returns the descriptors of all types of records, under a policy and
// without a store. It refuses a policy under which a search or an order would reveal
// a hidden field.
func NewRecords(policy *model.Policy) (*query.Records, error) {
	return query.NewRecords(records(nil), policy)
}

// Records returns the descriptors of all types of records.
func (s *Store) Records() *query.Records { return s.records }

// Constraints returns what the fields of a record type must meet.
func (s *Store) Constraints(typ string) model.Constraints { return s.policy.Types[typ].Constraints }

// Local reports whether PostgreSQL is reached by a Unix socket, and so runs on
// this machine.
func (s *Store) Local() bool { return local(s.reads.Pool) }

func local(pool *pgxpool.Pool) bool {
	config := pool.Config().ConnConfig
	network, _ := pgconn.NetworkAddress(config.Host, config.Port)
	return network == "unix"
}

// maxShared is how many shared round trips may be in flight: one for each
// processor that PostgreSQL can use, where that is known, since more of them would
// wait for each other there, but two at least. Otherwise a connection is all that
// requests wait for.
func maxShared(reads *pgxpool.Pool) int {
	connections := int(reads.Config().MaxConns)
	if local(reads) {
		return min(max(2, runtime.NumCPU()), connections)
	}
	return connections
}

// Close waits for what is running and closes every connection.
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

// selectRow selects a record, to be narrowed to one.
func (s *Store) selectRow(db bun.IDB, row model.Record, v *model.Viewer, deleted model.DeletedFilter) *bun.SelectQuery {
	return s.scope(row.TypeName(), v).Select(db.NewSelect().Model(row), query.Lookup, deleted)
}

// inTx runs f in one transaction; what f returns as an error undoes it.
func (s *Store) inTx(ctx context.Context, operation string, f func(context.Context, bun.Tx) error) error {
	return translate(operation, s.db.RunInTx(ctx, nil, f))
}
