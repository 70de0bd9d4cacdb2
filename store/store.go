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
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/uptrace/bun"

	"github.com/caregraph/caregraph/internal/pgpipe"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store/query"
	"github.com/caregraph/caregraph/store/session"
)

// Store reads and writes the records. It is safe for concurrent use.
type Store struct {
	pools
	connection *connection
	// opening is the statement that begins each transaction of bun, or "".
	opening string
	// db is bun over the pool that writes.
	db      *bun.DB
	policy  *model.Policy
	records *query.Records
	// readFeed reads the change feed; see feedReader.
	readFeed      string
	now           func() time.Time
	onFailure     func(context.Context, Failure)
	sessions      *session.Cache
	rows          rowQueue
	stopListening func()
	unannounced   atomic.Int64
	listens       bool
	swept         swept
	// version is that of PostgreSQL.
	version      string
	log          *slog.Logger
	refreshGrace time.Duration
	sessionTTL   time.Duration
	clientAddr   func(context.Context) string
	client       string
	secrets      secrets
	totpRoles    []model.Role
	collected    collected
	// inserts caches *insertPlan by *schema.Table.
	inserts sync.Map
	quotas  Quotas
	counts  counts
	written written
	changes changes
	// retention is that of the options.
	retention Retentions
	bell      bell
}

// Options configure a Store.
type Options struct {
	// Policy is the access rule, from internal/policy.
	Policy *model.Policy
	// Connections is the maximum for requests; below two it means two. Two more are
	// reserved for sessions, sign-in and Ping.
	Connections int
	// ReadConnections is how many of them only read. Zero: half, and for a PostgreSQL on
	// this machine no more than it runs well at the same time.
	ReadConnections int
	// Pooler says what is between the server and PostgreSQL; empty is PoolerAuto.
	Pooler Pooler
	// Prepared says whether statements are prepared; empty is PreparedAuto.
	Prepared Prepared
	// RequestTimeout is the time of one request, which bounds that of statements, locks
	// and transactions. Zero bounds nothing.
	RequestTimeout time.Duration
	// MaxWaiting is how many requests of an account may wait for a connection to read,
	// and how many for one to write. Zero: 32. Others get RATE_LIMITED.
	MaxWaiting int
	// DirectURL is the address of the same database without a pooler; may be empty. The
	// connection of Listen uses it.
	DirectURL string
	// Listen opens one more connection for notifications of sessions that end, so
	// that cached sessions can be certain.
	Listen bool
	// RefreshGrace is how long a refresh token works again after its rotation.
	RefreshGrace time.Duration
	// SessionTTL is how long a session lasts at most, however often its tokens are renewed.
	// Zero is no bound.
	SessionTTL time.Duration
	// Now is the clock for birth dates, deletions and ends of mappings; time.Now if
	// nil.
	Now func() time.Time
	// Quotas bound what an account may store.
	Quotas Quotas
	// Retention bounds how long rows stay that are of no use later.
	Retention Retentions
	// Tracer sees every statement; may be nil. A shared round trip has the context of
	// one of its requests.
	Tracer pgx.QueryTracer
	// OnOwnConnection is called for each list and write, which need a connection of their
	// own; may be nil. Lookups share connections.
	OnOwnConnection func()
	// OnTrip is called after each round trip, with the context of one of its requests; may
	// be nil. It must be fast.
	OnTrip func(context.Context, Trip)
	// ClientAddr returns the network address of the client of a request, for security
	// events; may be nil. Client is who else acts, such as "cli"; may be empty.
	ClientAddr func(context.Context) string
	Client     string
	// Secrets are keys of 32 bytes. The first seals the data of mails, and hashes codes
	// and tokens; the others are older ones. Without them no code and no mail with data is
	// made.
	Secrets [][]byte
	// CursorKeys returns secrets for the cursors of Changes: the first one seals. With again
	// set it looks whether there are other ones now. Nil: Secrets.
	CursorKeys func(again bool) ([][]byte, error)
	// TotpRoles are the roles of accounts that must set up a second factor.
	TotpRoles []model.Role
	// Log gets warnings; may be nil.
	Log *slog.Logger
	// OnFailure is called with the context of the request for each error UNAVAILABLE;
	// may be nil.
	OnFailure func(context.Context, Failure)
}

const (
	// openTimeout is how long Open waits for the first answer.
	openTimeout = 10 * time.Second
	// readyTimeout leaves Ping some time to report.
	readyTimeout = 900 * time.Millisecond
)

// Open connects to the migrated database at the URL. It returns an error if the
// connections that read do not have one snapshot for each request.
func Open(ctx context.Context, url string, o Options) (*Store, error) {
	if o.MaxWaiting == 0 {
		o.MaxWaiting = defaultWaiting
	}
	s := &Store{
		policy: o.Policy, now: o.Now, quotas: o.Quotas, onFailure: o.OnFailure, log: o.Log, refreshGrace: o.RefreshGrace, sessionTTL: o.SessionTTL, totpRoles: o.TotpRoles,
		clientAddr: o.ClientAddr, client: o.Client, retention: o.Retention,
		sessions: session.NewCache(), stopListening: func() {},
	}
	var err error
	if s.secrets, err = newSecrets(o.Secrets); err != nil {
		return nil, err
	}
	if s.records, err = query.NewRecords(records(s), o.Policy); err != nil {
		return nil, err
	}
	s.readFeed = feedReader(s.visiblePatients())
	if err := s.changes.open(o); err != nil {
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
	if s.pools, err = openPools(ctx, s.connection, o); err != nil {
		return nil, err
	}
	s.rows = rowQueue{timeout: o.RequestTimeout / lockShare, rows: map[rowKey]*rowTurn{}}
	s.db, s.opening = s.writes.db, s.writes.opening()
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
		s.listens = true
		s.stopListening = session.Listen(ctx, to.config.ConnConfig, s.reservedWrites.Pool, s.sessions, s.bell.hear)
	}
	return nil
}

// check returns an error if a pool does not answer, or if the connections for reads do
// not keep the promises, for example because a pooler ignores them.
func (s *Store) check(ctx context.Context) error {
	connecting, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	if _, err := s.reachable(connecting); err != nil {
		return err
	}
	kept := []setting{{"transaction_isolation", "repeatable read"}, {"transaction_read_only", "on"}, {"plan_cache_mode", "force_generic_plan"}}
	st := pgpipe.NewStatement("SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only'), current_setting('plan_cache_mode'), current_setting('server_version')")
	if err := s.reads.Run(ctx, st); err != nil {
		return fmt.Errorf("read from the database: %w", err)
	}
	defer st.Rows.Release()
	s.version = string(st.Rows.Bytes(0, len(kept)))
	for i, want := range kept {
		if got := string(st.Rows.Bytes(0, i)); got != want.value {
			return fmt.Errorf("%s is %q and not %q in connections that read, with --database-pooler=%s; try --database-pooler=transaction",
				want.name, got, want.value, s.connection.pooler)
		}
	}
	return nil
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
func (s *Store) Local() bool { return s.connection.local() }

// Pooler returns what is between the server and PostgreSQL, never PoolerAuto.
func (s *Store) Pooler() Pooler { return s.connection.pooler }

// ServerVersion returns the version of PostgreSQL, such as "15.18 (Debian 15.18-1)".
func (s *Store) ServerVersion() string { return s.version }

// Close waits for running statements and closes all connections.
func (s *Store) Close() {
	s.stopListening()
	s.bell.close()
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
	return s.translate(ctx, operation, s.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		opening := s.opening
		if submissionOf(ctx).keeps() {
			opening = strings.TrimPrefix(opening+";SELECT "+setRequestLockTimeout, ";")
		}
		if opening != "" {
			if _, err := tx.ExecContext(ctx, opening); err != nil {
				return err
			}
		}
		return f(ctx, tx)
	}))
}
