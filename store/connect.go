package store

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/caregraph/caregraph/internal/pgpipe"
)

const (
	// connectTimeout is the time per host, unless the URL has a connect_timeout.
	connectTimeout = 3 * time.Second
	// pingIdle is how long a connection may be idle and still be used without a ping,
	// and pingTimeout the time for the ping.
	pingIdle, pingTimeout = time.Second, 2 * time.Second
)

// Pooler says what is between the server and PostgreSQL.
type Pooler string

// The kinds of poolers. A transaction pooler may give each transaction another
// connection of PostgreSQL.
const (
	PoolerAuto        Pooler = "auto"
	PoolerNone        Pooler = "none"
	PoolerSession     Pooler = "session"
	PoolerTransaction Pooler = "transaction"
)

// Prepared says whether the store prepares statements by name.
type Prepared string

// PreparedAuto prepares statements, except through a transaction pooler.
const (
	PreparedAuto Prepared = "auto"
	PreparedOn   Prepared = "on"
	PreparedOff  Prepared = "off"
)

// connection is how the store connects to PostgreSQL. The zero pooler is unknown.
type connection struct {
	config *pgxpool.Config
	// own are the settings that the URL asks for.
	own      promises
	pooler   Pooler
	prepared bool
	// pools are those that open has opened.
	pools []*pgxpool.Pool
	// primary is the address of the last connection, if there are several hosts.
	primary atomic.Pointer[string]
}

// connectionTo returns how to connect to the URL. The startup parameters are those
// that poolers know; all others become own settings. A list of several hosts means its
// primary, unless the URL asks for another one.
func connectionTo(url string) (*connection, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errors.New("the database URL cannot be read") // its text may hold a password
	}
	c := &connection{config: config}
	to := config.ConnConfig
	c.own.settings = takeSettings(to.RuntimeParams)
	to.RuntimeParams["application_name"] = "caregraph"
	to.RuntimeParams["client_encoding"] = "UTF8"
	to.RuntimeParams["timezone"] = "UTC"
	to.DefaultQueryExecMode = pgx.QueryExecModeExec
	to.DialFunc = dialer().DialContext
	if to.ConnectTimeout == 0 {
		to.ConnectTimeout = connectTimeout
	}
	if to.ValidateConnect == nil && severalHosts(to) {
		to.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsPrimary
	}
	keep := to.OnPgError
	to.OnPgError = func(conn *pgconn.PgConn, err *pgconn.PgError) bool {
		// After a failover the old server is read-only. The next connection finds the
		// new one.
		return err.Code != readOnlyTransaction && keep(conn, err)
	}
	return c, nil
}

const readOnlyTransaction = "25006"

// takeSettings removes the startup parameters that not every pooler knows.
func takeSettings(parameters map[string]string) []setting {
	var taken []setting
	for name, value := range parameters {
		switch strings.ToLower(name) {
		case "application_name", "client_encoding", "timezone", "options":
			continue // only a startup parameter can be "options"
		}
		taken = append(taken, setting{name, value})
		delete(parameters, name)
	}
	slices.SortFunc(taken, func(a, b setting) int { return strings.Compare(a.name, b.name) })
	return taken
}

// severalHosts reports whether there is more than one host. A fallback may also be the
// same host without TLS.
func severalHosts(config *pgx.ConnConfig) bool {
	return slices.ContainsFunc(config.Fallbacks, func(f *pgconn.FallbackConfig) bool {
		return f.Host != config.Host || f.Port != config.Port
	})
}

// detect finds out what is in between, unless pooler says so. A pooler reports process
// ids of its own.
func (c *connection) detect(ctx context.Context, pooler Pooler, prepared Prepared) error {
	c.pooler = pooler
	if pooler == "" || pooler == PoolerAuto {
		conn, err := pgx.ConnectConfig(ctx, c.config.ConnConfig)
		if err != nil {
			return fmt.Errorf("reach the database: %w", err)
		}
		defer func() { _ = conn.Close(ctx) }()
		c.pooler = PoolerTransaction // right for a session pooler as well
		direct, err := isDirect(conn.PgConn().ExecParams(ctx, "SELECT pg_backend_pid()", nil, nil, nil, nil).Read(), conn)
		if err != nil {
			return fmt.Errorf("ask the database for its process: %w", err)
		}
		if direct {
			c.pooler = PoolerNone
		}
	}
	c.prepared = prepared == PreparedOn || prepared != PreparedOff && c.pooler != PoolerTransaction
	return nil
}

// isDirect reports whether the first value of a result is the process id that the
// connection got at its start.
func isDirect(result *pgconn.Result, conn *pgx.Conn) (bool, error) {
	if result.Err != nil {
		return false, result.Err
	}
	return string(result.Rows[0][0]) == fmt.Sprint(conn.PgConn().PID()), nil
}

// open opens a pool whose transactions keep the promises. With a direct connection, or through a session
// pooler, each connection makes the promises once. Through a transaction pooler each
// pipeline begins with them.
func (c *connection) open(ctx context.Context, connections int, p promises, o pgpipe.Options) (*pgpipe.Pool, error) {
	config := c.config.Copy()
	config.MaxConns = int32(2 * connections) //nolint:gosec // the settings bound it
	config.ConnConfig.Tracer = o.Tracer
	if c.pooler != PoolerTransaction {
		config.AfterConnect = c.setUp(p)
	}
	if severalHosts(config.ConnConfig) {
		config.AfterConnect = c.follow(config.AfterConnect)
	}
	config.ShouldPing = func(ctx context.Context, p pgxpool.ShouldPingParams) bool {
		return p.IdleDuration > pingIdle && isSilent(ctx, p.Conn, c.reset)
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	c.pools = append(c.pools, pool)
	o.Connections, o.Unnamed, o.Opening = connections, !c.prepared, c.opening(p)
	return pgpipe.New(pool, o), nil
}

// opening returns the statements that begin each transaction, if there is a transaction
// pooler.
func (c *connection) opening(p promises) []string {
	if c.pooler != PoolerTransaction {
		return nil
	}
	return c.all(p).forTransaction()
}

// reset closes the idle connections of all pools.
func (c *connection) reset() {
	for _, pool := range c.pools {
		pool.Reset()
	}
}

// follow returns then, which may be nil, for a list of hosts. If another host than before
// is the primary, it closes the idle connections to the former one. That may be frozen:
// then each of them would cost a request the time of a ping.
func (c *connection) follow(then func(context.Context, *pgx.Conn) error) func(context.Context, *pgx.Conn) error {
	return func(ctx context.Context, conn *pgx.Conn) error {
		address := conn.PgConn().Conn().RemoteAddr().String()
		if former := c.primary.Swap(&address); former != nil && *former != address {
			c.reset()
		}
		if then == nil {
			return nil
		}
		return then(ctx, conn)
	}
}

// isSilent pings a connection. Without an answer the connection is closed. If the time
// ran out, the other idle connections have probably ended with it: isSilent calls reset.
func isSilent(ctx context.Context, conn *pgx.Conn, reset func()) bool {
	ping, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	err := conn.Ping(ping)
	if err != nil && ping.Err() != nil && ctx.Err() == nil {
		reset()
	}
	return err != nil
}

// setUp returns a function that makes the promises for all transactions of a new
// connection.
func (c *connection) setUp(p promises) func(context.Context, *pgx.Conn) error {
	text := c.all(p).forSession()
	return func(ctx context.Context, conn *pgx.Conn) error {
		ctx, cancel := context.WithTimeout(ctx, c.config.ConnConfig.ConnectTimeout)
		defer cancel()
		direct, err := isDirect(conn.PgConn().ExecParams(ctx, text, nil, nil, nil, nil).Read(), conn)
		if err != nil {
			return fmt.Errorf("set up the connection: %w", err)
		}
		if c.pooler == PoolerNone && !direct {
			return errors.New("there is a pooler between the server and PostgreSQL; start again, or set --database-pooler")
		}
		return nil
	}
}

// all returns the promises together with the settings of the URL, which decide about
// time limits.
func (c *connection) all(p promises) promises {
	settings := slices.Clone(c.own.settings)
	for _, s := range p.settings {
		i := slices.IndexFunc(settings, func(own setting) bool { return strings.EqualFold(own.name, s.name) })
		switch {
		case i < 0:
			settings = append(settings, s)
		case !strings.HasSuffix(s.name, "_timeout"):
			settings[i] = s
		}
	}
	return promises{snapshot: p.snapshot, settings: settings}
}

// setting is a setting of PostgreSQL.
type setting struct{ name, value string }

// promises are what holds in each transaction of a pool.
type promises struct {
	// snapshot: a transaction only reads, and all from one snapshot.
	snapshot bool
	settings []setting
}

// forSession returns the statement that makes the promises for a session. Its first
// value is the process id.
func (p promises) forSession() string {
	settings := p.settings
	if p.snapshot {
		settings = append(slices.Clone(settings),
			setting{"default_transaction_isolation", "repeatable read"}, setting{"default_transaction_read_only", "on"})
	}
	return "SELECT pg_backend_pid()" + setConfig(settings, "false")
}

// forTransaction returns the statements that make the promises for the transaction that
// they begin. SET of transaction_isolation ends with the transaction, and unlike SET
// TRANSACTION it is allowed at the beginning of a pipeline.
func (p promises) forTransaction() []string {
	var texts []string
	settings := p.settings
	if p.snapshot {
		texts = append(texts, "SET transaction_isolation TO 'repeatable read'")
		settings = append(slices.Clone(settings), setting{"transaction_read_only", "on"})
	}
	if len(settings) > 0 {
		texts = append(texts, "SELECT NULL"+setConfig(settings, "true"))
	}
	return texts
}

func setConfig(settings []setting, local string) string {
	var text strings.Builder
	for _, s := range settings {
		fmt.Fprintf(&text, ", set_config(%s, %s, %s)", quote(s.name), quote(s.value), local)
	}
	return text.String()
}

// quote returns a literal of SQL.
func quote(text string) string {
	return "E'" + strings.NewReplacer(`\`, `\\`, `'`, `''`).Replace(text) + "'"
}

// lockShare is the part of a request that a wait for a lock may take: a third.
const lockShare = 3

// timeouts returns the limits for the statements of requests that may take so long. A
// server that froze in a transaction loses its locks before the requests that wait for
// them end. Zero is no limit.
func timeouts(request time.Duration) []setting {
	if request <= 0 {
		return nil
	}
	limit := func(name string, d time.Duration) setting {
		return setting{name, fmt.Sprint(max(d.Milliseconds(), 1)) + "ms"}
	}
	return []setting{
		limit("statement_timeout", max(request-time.Second, request/2)),
		limit("lock_timeout", request/lockShare),
		limit("idle_in_transaction_session_timeout", request*2/3),
		// A server whose machine is gone loses its locks as well. On a Unix socket these
		// have no effect.
		{"tcp_user_timeout", "10s"},
		{"tcp_keepalives_idle", "5"},
		{"tcp_keepalives_interval", "2"},
		{"tcp_keepalives_count", "3"},
	}
}

// local reports whether the connection is a Unix socket.
func (c *connection) local() bool {
	network, _ := pgconn.NetworkAddress(c.config.ConnConfig.Host, c.config.ConnConfig.Port)
	return network == "unix"
}

// dialer finds out within some seconds that the other machine is gone, also while it
// waits for an answer.
func dialer() *net.Dialer {
	return &net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 3 * time.Second, Interval: time.Second, Count: 3},
		Control:         limitUnacknowledged,
	}
}
