package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/caregraph/caregraph/model"
)

// Session is one sign-in on one device.
type Session struct {
	ID     string
	UserID int64
	// RefreshID is the jti of the only refresh token that the session accepts.
	RefreshID string
	ExpiresAt time.Time
}

// createSession is one statement. It sees one snapshot, but FOR SHARE waits for a
// transaction that changes the account and then reads the new row. It looks for
// expired sessions after it has the account, so that a sign-in that waits for the
// account holds no sessions.
const createSession = `WITH account AS (
		SELECT ` + accountColumns + ` FROM users AS u WHERE u.id = $1 AND u.password_hash = $2 AND u.is_active FOR SHARE
	), begun AS (
		INSERT INTO sessions (id, user_id, refresh_id, expires_at) SELECT $3, id, $4, $5 FROM account
	), expired AS (
		SELECT s.id FROM account CROSS JOIN sessions AS s WHERE s.expires_at < now() LIMIT 20 FOR UPDATE OF s SKIP LOCKED
	), swept AS (
		DELETE FROM sessions WHERE id = ANY (ARRAY (SELECT id FROM expired))
	)
	SELECT * FROM account`

// CreateSession stores a session of an account and returns the account. It returns
// NOT_FOUND if the account is not active or its password hash is not the given one.
// It also deletes some expired sessions of any account.
func (s *Store) CreateSession(ctx context.Context, session Session, passwordHash string) (*model.User, error) {
	u, err := s.account(ctx, createSession,
		[]any{session.UserID, passwordHash, session.ID, session.RefreshID, session.ExpiresAt})
	if isNoRows(err) {
		return nil, notFound("email")
	}
	return u, translate("create session", err)
}

// rotateSession is one statement, so that of two requests with the same token one
// waits for the other and finds the token used.
const rotateSession = `UPDATE sessions AS s
	SET refresh_id = $4, expires_at = $5, ended_at = CASE WHEN s.refresh_id <> $3 THEN now() END
	FROM users AS u
	WHERE s.id = $1 AND s.user_id = $2 AND s.ended_at IS NULL AND s.expires_at > now() AND u.id = s.user_id AND u.is_active
	RETURNING ` + accountColumns + `, s.ended_at IS NOT NULL`

// RotateSession replaces the refresh token of a session and returns the account. A
// token that was used before ends the session, because one of its two users has
// stolen it (RFC 9700, 4.14.2). It returns INVALID_TOKEN if the session has ended.
func (s *Store) RotateSession(ctx context.Context, from, to Session) (*model.User, error) {
	var reused bool
	u, err := s.account(ctx, rotateSession,
		[]any{from.ID, from.UserID, from.RefreshID, to.RefreshID, to.ExpiresAt}, &reused)
	if reused || err != nil { // also if the outcome is unknown
		s.sessions.Remove(from.ID)
	}
	if err != nil && !isNoRows(err) {
		return nil, translate("rotate session", err)
	}
	if reused || err != nil {
		return nil, model.NewFieldError("refresh", model.CodeInvalidToken, "This refresh token is not valid any more. Sign in again.")
	}
	return u, nil
}

// ChangePassword replaces the password of the viewer and the refresh token of the
// session, and ends all other sessions. If the current hash is another one or the
// session has ended, it changes nothing and returns NOT_FOUND.
func (s *Store) ChangePassword(ctx context.Context, v *model.Viewer, presentHash, newHash string, session Session) error {
	if v == nil {
		return unauthenticated()
	}
	var ended []string
	err := s.inTx(ctx, "change password", func(ctx context.Context, tx bun.Tx) error {
		user := tx.NewUpdate().Table("users").Set("password_hash = ?", newHash).
			Where("id = ? AND password_hash = ?", v.UserID, presentHash)
		if err := mustChange(ctx, user, "currentPassword"); err != nil {
			return err
		}
		own := tx.NewUpdate().Table("sessions").Set("refresh_id = ?, expires_at = ?", session.RefreshID, session.ExpiresAt).
			Where("user_id = ? AND id = ? AND ended_at IS NULL", v.UserID, session.ID)
		if err := mustChange(ctx, own, "currentPassword"); err != nil {
			return err
		}
		return tx.NewUpdate().Table("sessions").Set("ended_at = now()").
			Where("user_id = ? AND ended_at IS NULL AND id <> ?", v.UserID, session.ID).Returning("id").Scan(ctx, &ended)
	})
	s.sessions.Remove(ended...)
	return err
}

// mustChange returns NOT_FOUND for the field if no row was changed.
func mustChange(ctx context.Context, q *bun.UpdateQuery, field string) error {
	result, err := q.Exec(ctx)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return notFound(field)
}

// EndSession ends a session of the viewer. It does nothing for any other session.
func (s *Store) EndSession(ctx context.Context, v *model.Viewer, sessionID string) error {
	return s.endSessions(ctx, v, "id = ?", sessionID)
}

// EndSessions ends all sessions of the viewer except the one to keep.
func (s *Store) EndSessions(ctx context.Context, v *model.Viewer, keep string) error {
	return s.endSessions(ctx, v, "id <> ?", keep)
}

func (s *Store) endSessions(ctx context.Context, v *model.Viewer, which, sessionID string) error {
	if v == nil {
		return unauthenticated()
	}
	var ended []string
	err := s.writeReserved(func(p pool) error {
		return p.db.NewUpdate().Table("sessions").Set("ended_at = now()").
			Where("user_id = ? AND ended_at IS NULL", v.UserID).Where(which, sessionID).Returning("id").Scan(ctx, &ended)
	})
	s.sessions.Remove(ended...)
	if err != nil { // they may have ended
		s.sessions.RemoveUser(v.UserID)
	}
	return translate("end sessions", err)
}
