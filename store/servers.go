package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Server is a server on the database. Nothing in it says where it runs.
type Server struct {
	// ID is random for each start; the log line serving has it.
	ID      string
	Version string
	// Schema is the newest migration that it knows.
	Schema string
	// Keys are the ids of the keys in its file. It signs with the first one.
	Keys              []string
	StartedAt, SeenAt time.Time
}

const (
	// ServerRenewal is how often a server calls RenewServer. One that has not done so for
	// serverGone does not run any more.
	ServerRenewal = 10 * time.Second
	serverGone    = "now() - interval '60 seconds'"
	// keepServers is how long the rows of servers stay that did not end by themselves.
	keepServers = 24 * time.Hour
)

// RenewServer stores that a server with the id, the version and the keys runs now.
func (s *Store) RenewServer(ctx context.Context, running Server) error {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	keys := append([]string{}, running.Keys...) // nil would be null
	err := s.writeReserved(func(p pool) error {
		return p.exec(ctx, `INSERT INTO servers (id, version, schema, keys, started_at, seen_at) VALUES ($1, $2, $3, $4, now(), now())
			ON CONFLICT (id) DO UPDATE SET keys = excluded.keys, seen_at = excluded.seen_at`, running.ID, running.Version, SchemaVersion(), keys)
	})
	return s.translate(ctx, "renew the row of the server", err)
}

// RemoveServer stores that a server has ended.
func (s *Store) RemoveServer(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	err := s.writeReserved(func(p pool) error { return p.exec(ctx, "DELETE FROM servers WHERE id = $1", id) })
	return s.translate(ctx, "remove the row of the server", err)
}

// Servers returns the servers that run on the database at the URL, oldest first; none if its
// schema does not have them. The private PostgreSQL has one server, and no rows.
func Servers(ctx context.Context, url string) ([]Server, error) {
	to, err := connectionTo(url)
	if err != nil {
		return nil, err
	}
	conn, err := pgx.ConnectConfig(ctx, to.config.ConnConfig)
	if err != nil {
		return nil, fmt.Errorf("reach the database: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	var exists bool
	if err := conn.QueryRow(ctx, "SELECT to_regclass('servers') IS NOT NULL").Scan(&exists); err != nil || !exists {
		return nil, err
	}
	rows, err := conn.Query(ctx, "SELECT id, version, schema, keys, started_at, seen_at FROM servers WHERE seen_at > "+serverGone+" ORDER BY started_at, id")
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Server])
}

// needing returns the servers that run and do not work with the schema after a migration.
func (m *migrator) needing(ctx context.Context, file migration) ([]string, error) {
	return m.names(ctx, "servers", "SELECT id || ' (version ' || version || ')' FROM servers WHERE schema < $1 AND seen_at > "+serverGone+" ORDER BY 1", file.worksWith)
}
