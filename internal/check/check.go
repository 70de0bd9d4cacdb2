// Package check looks at a database and its surroundings as an operator would, and says
// what is not as it should be. It changes nothing, and it shows names of objects and
// settings only, never a value of a record.
package check

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Level is how bad a finding is. It is also the exit code of the command.
type Level int

// The levels: Good, a Warning that can wait, a Failure that cannot.
const (
	Good Level = iota
	Warning
	Failure
)

// MarshalText returns "good", "warning" or "failure".
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

func (l Level) String() string { return [...]string{"good", "warning", "failure"}[l] }

// Finding is the result of one check.
type Finding struct {
	Area  string `json:"area"` // database, privacy, cluster, pooler, files or process
	Name  string `json:"name"`
	Level Level  `json:"level"`
	Text  string `json:"text"`
}

// Worst returns the highest level.
func Worst(all []Finding) (worst Level) {
	for _, f := range all {
		worst = max(worst, f.Level)
	}
	return worst
}

// rule is a check by one query. Each row of its one text column is something that is wrong;
// without rows all is well.
type rule struct {
	area, name string
	level      Level
	advice     string // what to do
	query      string
}

// Database runs the checks by queries at the URL. connections are those that each of the servers
// opens.
func Database(ctx context.Context, url string, connections, servers int) []Finding {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return []Finding{{"database", "connection", Failure, "cannot be reached" + state(err)}}
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	var all []Finding
	for _, r := range rules(connections, servers) {
		all = append(all, r.run(ctx, conn))
	}
	return append(all, standbys(ctx, conn), clock(ctx, conn, time.Now), hosts(ctx, url, time.Now))
}

func (r rule) run(ctx context.Context, conn *pgx.Conn) Finding {
	rows, err := conn.Query(ctx, r.query, pgx.QueryExecModeSimpleProtocol)
	var wrong []string
	if err == nil {
		wrong, err = pgx.CollectRows(rows, pgx.RowTo[string])
	}
	switch {
	case err != nil:
		return Finding{r.area, r.name, Warning, "could not be checked" + state(err)}
	case len(wrong) == 0:
		return Finding{r.area, r.name, Good, "as it should be"}
	default:
		return Finding{r.area, r.name, r.level, strings.Join(wrong, ", ") + ": " + r.advice}
	}
}

// state returns the SQLSTATE of an error in parentheses: its text could hold an address or
// a password.
func state(err error) string {
	var refused interface{ SQLState() string }
	if errors.As(err, &refused) {
		return " (SQLSTATE " + refused.SQLState() + ")"
	}
	return ""
}

const mostClockDifference = 2 * time.Second

// clock compares the clocks of the two machines.
func clock(ctx context.Context, conn *pgx.Conn, now func() time.Time) Finding {
	f := Finding{Area: "cluster", Name: "clock", Text: "as it should be"}
	var theirs time.Time
	before := now()
	if err := conn.QueryRow(ctx, "SELECT clock_timestamp()", pgx.QueryExecModeSimpleProtocol).Scan(&theirs); err != nil {
		f.Level, f.Text = Warning, "could not be checked"+state(err)
		return f
	}
	if d := max(before.Sub(theirs), theirs.Sub(now())); d > mostClockDifference {
		f.Level, f.Text = Warning, fmt.Sprintf("differs by %s from that of the database: synchronize both", d.Round(time.Second))
	}
	return f
}

// rules returns all checks by queries.
func rules(connections, servers int) []rule {
	return slices.Concat(databaseRules(connections, servers), privacyRules(), clusterRules())
}

func databaseRules(connections, servers int) []rule {
	return []rule{
		{"database", "version", Failure, "13 or newer is needed", `SELECT 'PostgreSQL ' || current_setting('server_version') WHERE current_setting('server_version_num')::int < 130000`},
		{"database", "encoding", Failure, "UTF8 is needed", `SELECT getdatabaseencoding()::text WHERE getdatabaseencoding() <> 'UTF8'`},
		{"database", "extensions", Failure, "is missing", `SELECT 'pg_trgm' WHERE NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_trgm')`},
		{
			"database", "triggers", Failure, "are disabled: sessions and the change feed need them; ALTER TABLE ... ENABLE TRIGGER",
			`SELECT tgrelid::regclass || ' ' || tgname FROM pg_trigger WHERE tgenabled NOT IN ('O', 'A') ORDER BY 1`,
		},
		{
			"database", "indexes", Warning, "are not valid: run caregraph migrate, which builds them again",
			`SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid ORDER BY 1`,
		},
		{
			"database", "privileges", Failure, "the account lacks these rights",
			`SELECT p || ' on ' || c.oid::regclass FROM pg_class c, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) p
				WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND c.relname NOT IN ('bun_migrations', 'bun_migration_locks', 'migration_lock', 'migration_backfills', 'schema_compatibility') AND NOT has_table_privilege(c.oid, p) ORDER BY 1`,
		},
		{
			"database", "durability", Failure, "a crash can destroy the database",
			`SELECT name || ' is off' FROM pg_settings WHERE name IN ('fsync', 'full_page_writes') AND setting = 'off'`,
		},
		{
			"database", "synchronous_commit", Warning, "a crash can lose the last acknowledged writes",
			`SELECT 'off' WHERE current_setting('synchronous_commit') = 'off'`,
		},
		{
			"database", "checksums", Warning, "a bad disk is noticed late; pg_checksums switches them on while PostgreSQL is stopped",
			`SELECT 'off' WHERE current_setting('data_checksums') = 'off'`,
		},
		{
			"database", "oldest transaction", Warning, "old rows cannot be removed until it ends",
			`SELECT 'process ' || pid || ' since ' || date_trunc('second', xact_start) FROM pg_stat_activity WHERE xact_start < now() - interval '1 hour' AND backend_type = 'client backend'`,
		},
		{
			"database", "transaction ids", Failure, "autovacuum cannot keep up: run VACUUM FREEZE soon",
			`SELECT age(datfrozenxid) || ' old' FROM pg_database WHERE datname = current_database() AND age(datfrozenxid) > 1000000000`,
		},
		{
			"database", "connections", Warning, "raise max_connections, or lower --database-connections",
			fmt.Sprintf(`SELECT 'a server opens %[1]d, and PostgreSQL has ' || n || ' for %[2]d of them' FROM (SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS n) have WHERE n < %[1]d * %[2]d`, connections, servers),
		},
	}
}

// privacyRules are about settings that write values of records into PostgreSQL's log.
func privacyRules() []rule {
	const advice = "values of records get into PostgreSQL's log"
	is := func(name, condition string) rule {
		return rule{"privacy", name, Warning, advice, `SELECT name || ' is ' || setting FROM pg_settings WHERE name = '` + name + `' AND ` + condition}
	}
	return []rule{
		is("log_min_error_statement", `setting NOT IN ('fatal', 'panic')`),
		is("log_statement", `setting NOT IN ('none', 'ddl')`),
		is("log_min_duration_statement", `setting <> '-1'`),
		is("log_min_duration_sample", `setting <> '-1'`),
		is("log_transaction_sample_rate", `setting <> '0'`),
		is("log_error_verbosity", `setting <> 'terse'`),
		is("log_parameter_max_length_on_error", `setting <> '0'`),
		// It matters once statements are logged.
		is("log_parameter_max_length", `setting <> '0' AND EXISTS (SELECT FROM pg_settings WHERE name = 'log_statement' AND setting NOT IN ('none', 'ddl')
			OR name LIKE 'log\_min\_duration\_%' AND setting <> '-1' OR name = 'log_transaction_sample_rate' AND setting <> '0')`),
		is("auto_explain.log_min_duration", `setting <> '-1'`),
	}
}

func clusterRules() []rule {
	return []rule{
		{"cluster", "primary", Failure, "servers need the primary", `SELECT 'the database is a standby' WHERE pg_is_in_recovery()`},
		{
			"cluster", "standbys", Warning, "it is behind",
			`SELECT coalesce(nullif(application_name, ''), 'a standby') FROM pg_stat_replication WHERE application_name NOT LIKE '%basebackup%' AND (state <> 'streaming' OR replay_lag > interval '10 seconds')`,
		},
		{
			"cluster", "rights to see standbys", Warning, "GRANT pg_monitor to the account, so that their lag can be checked",
			`SELECT 'missing' WHERE EXISTS (SELECT FROM pg_stat_replication) AND NOT pg_has_role('pg_monitor', 'MEMBER')`,
		},
		{
			"cluster", "archive", Failure, "the log cannot be archived: PostgreSQL keeps it until the disk is full",
			`SELECT last_failed_wal || ' failed' FROM pg_stat_archiver WHERE current_setting('archive_mode') <> 'off' AND last_failed_time > coalesce(last_archived_time, '-infinity')`,
		},
	}
}
