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
	// RefreshID is the jti of the one refresh token that the session accepts.
	RefreshID string
	ExpiresAt time.Time
}

// swept is how many expired sessions a sign-in clears away, anybody's.
const swept = 20

// CreateSession stores a session of an active account whose password is still
// the one of the hash; otherwise, as when it was changed a moment ago, it
// returns NOT_FOUND. It clears away some sessions that have expired.
func (s *Store) CreateSession(ctx context.Context, session Session, passwordHash string) error {
	return s.inTx(ctx, "create session", func(ctx context.Context, tx bun.Tx) error {
		var id int64
		err := tx.NewSelect().Table("users").Column("id").
			Where("id = ? AND password_hash = ? AND is_active", session.UserID, passwordHash).For("SHARE").Scan(ctx, &id)
		if isNoRows(err) {
			return notFound("email")
		}
		if err != nil {
			return err
		}
		if _, err := tx.NewInsert().Model(&session).Exec(ctx); err != nil {
			return err
		}
		_, err = tx.NewRaw(`DELETE FROM sessions WHERE id IN (
			SELECT id FROM sessions WHERE expires_at < now() LIMIT ? FOR UPDATE SKIP LOCKED)`, swept).Exec(ctx)
		return err
	})
}

// RotateSession replaces the session's refresh token, if it is the one that
// the session accepts now. A token that was used before ends the session, for
// one of its two users has stolen it (RFC 9700, 4.14.2). It returns
// INVALID_TOKEN when the session does not live on.
func (s *Store) RotateSession(ctx context.Context, from, to Session) error {
	refused := model.RefuseField("refresh", model.CodeInvalidToken, "This refresh token is not valid any more. Sign in again.")
	var reused bool
	err := s.inTx(ctx, "rotate session", func(ctx context.Context, tx bun.Tx) error {
		var current string
		err := tx.NewSelect().Table("sessions").Column("refresh_id").
			Where("id = ? AND user_id = ? AND ended_at IS NULL AND expires_at > now()", from.ID, from.UserID).
			Where("EXISTS (SELECT FROM users WHERE users.id = sessions.user_id AND is_active)").
			For("UPDATE").Scan(ctx, &current)
		if isNoRows(err) {
			return refused
		}
		if err != nil {
			return err
		}
		q := tx.NewUpdate().Table("sessions").Where("id = ?", from.ID)
		if reused = current != from.RefreshID; reused {
			q = q.Set("ended_at = now()")
		} else {
			q = q.Set("refresh_id = ?, expires_at = ?", to.RefreshID, to.ExpiresAt)
		}
		_, err = q.Exec(ctx)
		return err
	})
	if err == nil && reused {
		return refused
	}
	return err
}

// ChangePassword replaces the password of the viewer, ends all other sessions,
// and replaces the refresh token of the session. When the present hash is not
// that of the account any more, or the session has ended, it changes nothing
// and returns NOT_FOUND.
func (s *Store) ChangePassword(ctx context.Context, v *model.Viewer, presentHash, newHash string, session Session) error {
	if v == nil {
		return unauthenticated()
	}
	return s.inTx(ctx, "change password", func(ctx context.Context, tx bun.Tx) error {
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
		_, err := tx.NewUpdate().Table("sessions").Set("ended_at = now()").
			Where("user_id = ? AND ended_at IS NULL AND id <> ?", v.UserID, session.ID).Exec(ctx)
		return err
	})
}

// mustChange returns NOT_FOUND for the field when no row was changed.
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

// EndSession ends a session of the viewer's own; one that is not is left as it
// is.
func (s *Store) EndSession(ctx context.Context, v *model.Viewer, sessionID string) error {
	return s.endSessions(ctx, v, "id = ?", sessionID)
}

// EndSessions ends all sessions of the viewer, but for the one to keep.
func (s *Store) EndSessions(ctx context.Context, v *model.Viewer, keep string) error {
	return s.endSessions(ctx, v, "id <> ?", keep)
}

func (s *Store) endSessions(ctx context.Context, v *model.Viewer, which, sessionID string) error {
	if v == nil {
		return unauthenticated()
	}
	_, err := s.db.NewUpdate().Table("sessions").Set("ended_at = now()").
		Where("user_id = ? AND ended_at IS NULL", v.UserID).Where(which, sessionID).Exec(ctx)
	return translate("end sessions", err)
}
