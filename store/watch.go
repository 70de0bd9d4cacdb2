package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/caregraph/caregraph/store/session"
)

// WatchSessions calls a function for each change of sessions that this server makes or
// hears of. The function must not wait.
func (s *Store) WatchSessions(changed func(session.Change)) { s.sessions.Watch(changed) }

// LiveSessions returns those of the sessions that are not over.
func (s *Store) LiveSessions(ctx context.Context, ids []string) (live []string, err error) {
	err = s.readReserved(func(p pool) error {
		return p.on(ctx, func(conn *pgx.Conn, mode pgx.QueryExecMode) error {
			rows, err := conn.Query(ctx, session.Live, mode, ids)
			if err != nil {
				return err
			}
			live, err = pgx.CollectRows(rows, pgx.RowTo[string])
			return err
		})
	})
	return live, s.translate(ctx, "read sessions", err)
}
