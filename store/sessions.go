package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/uptrace/bun"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store/session"
)

// Session is one sign-in on one device.
type Session struct {
	ID     string
	UserID int64
	// RefreshID is the jti of the latest refresh token.
	RefreshID string
	ExpiresAt time.Time
	// Client is what the client says it is, nil for nothing.
	Client *string
	// Address is that of the sign-in. The store sets it.
	Address *string
	// NewDevice says that the sign-in comes from a device that the account does not know.
	NewDevice bool `bun:"-"`
	// HasOtp says that the sign-in had the second factor.
	HasOtp bool `bun:"-"`
}

// createSession is one statement. It sees one snapshot, but FOR SHARE waits for a
// transaction that changes the account and then reads the new row.
const createSession = `WITH account AS (
		SELECT ` + accountColumns + ` FROM users AS u WHERE u.id = $1 AND u.password_hash = $2 AND u.is_active
			AND (NOT u.has_totp OR $9) FOR SHARE
	), begun AS (
		INSERT INTO sessions (id, user_id, refresh_id, expires_at, client, address) SELECT $3, id, $4, $5, $6, $7 FROM account
	), recorded AS (
		` + insertEvent + ` SELECT 'SIGN_IN', id, id, $6, $7 FROM account
	), noticed AS (
		` + insertNotice + ` SELECT 'NEW_DEVICE', id, id FROM account WHERE $8
	), mailed AS (
		INSERT INTO mail (account_id, kind, data) SELECT id, 'NEW_DEVICE', '' FROM account WHERE $8 AND is_confirmed
	)
	SELECT * FROM account`

// CreateSession stores a session of an account and returns the account. It returns
// NOT_FOUND if the account is not active, its password hash is not the given one, or it
// needs a second factor that the sign-in did not have.
func (s *Store) CreateSession(ctx context.Context, session Session, passwordHash string) (*model.User, error) {
	leave, err := s.rows.enter(ctx, rowKey{session.UserID, "User", session.UserID})
	if err != nil {
		return nil, s.translate(ctx, "create session", err)
	}
	defer leave()
	_, address := s.origin(ctx)
	u, err := s.account(ctx, createSession, []any{
		session.UserID, passwordHash, session.ID, session.RefreshID, session.ExpiresAt, session.Client, address, session.NewDevice, session.HasOtp,
	})
	if isNoRows(err) {
		return nil, notFound("email")
	}
	return u, s.translate(ctx, "create session", err)
}

// repeated is true for the refresh token before the latest one, within the grace. It is
// null or false for any other.
const repeated = `(s.previous_refresh_id = $3 AND s.rotated_at > now() - make_interval(secs => $6))`

// lastEnd is the time after which no refresh moves the end of a session, null for none.
const lastEnd = `(s.created_at + make_interval(secs => nullif($9::double precision, 0)))`

// rotateSession is one statement, so that of two requests with the same token one
// waits for the other and finds the token used.
const rotateSession = `WITH rotated AS (UPDATE sessions AS s
	SET refresh_id = CASE WHEN ` + repeated + ` THEN s.refresh_id ELSE $4 END,
		expires_at = CASE WHEN ` + repeated + ` THEN s.expires_at ELSE least($5, ` + lastEnd + `) END,
		last_seen_at = now(),
		rotated_at = CASE WHEN ` + repeated + ` THEN s.rotated_at ELSE now() END,
		previous_refresh_id = $3,
		ended_at = CASE WHEN s.refresh_id <> $3 AND ` + repeated + ` IS NOT TRUE THEN now() END
	FROM users AS u
	WHERE s.id = $1 AND s.user_id = $2 AND s.ended_at IS NULL AND s.expires_at > now() AND u.id = s.user_id AND u.is_active
		AND coalesce(` + lastEnd + ` > now(), true) AND ` + session.Announced + `
	RETURNING ` + accountColumns + `, s.refresh_id, s.expires_at, s.ended_at IS NOT NULL AS reused
	), recorded AS (
		` + insertEvent + ` SELECT 'REFRESH_REUSED', id, NULL, $7, $8 FROM rotated WHERE reused
	)
	SELECT * FROM rotated`

// Rotation is the result of RotateSession: the account, and the session with its latest
// refresh token.
type Rotation struct {
	User    *model.User
	Session Session
}

// RotateSession replaces the refresh token of a session. The token before the latest one
// returns the latest one again for Options.RefreshGrace after its rotation: the answer
// was lost, or two clients share the token. Any other token that was used before ends
// the session, because one of its two users has stolen it (RFC 9700, 4.14.2). The session
// never lasts longer than Options.SessionTTL. It returns INVALID_TOKEN if the session has
// ended.
func (s *Store) RotateSession(ctx context.Context, from, to Session) (*Rotation, error) {
	var reused bool
	next := Session{ID: from.ID, UserID: from.UserID}
	client, address := s.origin(ctx)
	u, err := s.account(ctx, rotateSession,
		[]any{from.ID, from.UserID, from.RefreshID, to.RefreshID, to.ExpiresAt, s.refreshGrace.Seconds(), client, address, s.sessionTTL.Seconds()},
		&next.RefreshID, &next.ExpiresAt, &reused)
	if reused || err != nil { // also if the outcome is unknown
		s.sessions.Remove(from.ID)
	}
	if reused || err != nil && !isNoRows(err) {
		s.announce(ctx, from.ID)
	}
	if err != nil && !isNoRows(err) {
		return nil, s.translate(ctx, "rotate session", err)
	}
	if reused || err != nil {
		return nil, model.NewFieldError("refresh", model.CodeInvalidToken, "This refresh token is not valid any more. Sign in again.")
	}
	return &Rotation{u, next}, nil
}

// ChangePassword replaces the password of the viewer, ends all sessions and begins the
// next one. If the current hash is another one or the viewer's session has ended, it
// changes nothing and returns NOT_FOUND.
func (s *Store) ChangePassword(ctx context.Context, v *model.Viewer, presentHash, newHash string, next Session) error {
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
		var err error
		if ended, err = s.renewSession(ctx, tx, v, next, "currentPassword"); err != nil {
			return err
		}
		if err := s.record(ctx, tx, model.SecurityEvent{Kind: model.EventPasswordChanged, AccountID: &v.UserID, ByID: &v.UserID}); err != nil {
			return err
		}
		if err := s.notify(ctx, tx, model.Notice{AccountID: v.UserID, Kind: model.NoticePasswordChanged, ByID: &v.UserID}); err != nil {
			return err
		}
		return s.sendMail(ctx, tx, v.UserID, model.MailPasswordChanged, nil)
	})
	s.ended(ctx, ended)
	return err
}

// ended forgets sessions that have ended, here and on the other servers.
func (s *Store) ended(ctx context.Context, ids []string) {
	s.sessions.Remove(ids...)
	s.announce(ctx, ids...)
}

// renewSession ends all sessions of the viewer and begins the next one, with the same
// client. It returns NOT_FOUND for the field if the viewer's session has ended.
func (s *Store) renewSession(ctx context.Context, tx bun.Tx, v *model.Viewer, next Session, field string) (ended []string, err error) {
	var rows []struct {
		ID     string
		Client *string
	}
	err = tx.NewUpdate().Table("sessions").Set("ended_at = now()").Where("user_id = ? AND ended_at IS NULL", v.UserID).
		Where(session.Announced).Returning("id, client").Scan(ctx, &rows)
	if err != nil {
		return nil, err
	}
	found := false
	for _, row := range rows {
		ended = append(ended, row.ID)
		if row.ID == v.SessionID {
			found, next.Client = true, row.Client
		}
	}
	if !found {
		return nil, notFound(field)
	}
	next.UserID = v.UserID
	return ended, s.begin(ctx, tx, next)
}

// begin stores a session in a transaction.
func (s *Store) begin(ctx context.Context, tx bun.Tx, session Session) error {
	_, session.Address = s.origin(ctx)
	_, err := tx.NewInsert().Model(&session).Exec(ctx)
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

// EndSession ends a session of the viewer, as the viewer signs out. It does nothing for
// any other session.
func (s *Store) EndSession(ctx context.Context, v *model.Viewer, sessionID string) error {
	_, err := s.endSessions(ctx, v, model.EventSignOut, "id = $3", sessionID)
	return err
}

// EndSessionNumber ends a session of the viewer by its number in live_sessions. It returns
// NOT_FOUND if the viewer has no such session.
func (s *Store) EndSessionNumber(ctx context.Context, v *model.Viewer, number int64) error {
	ended, err := s.endSessions(ctx, v, model.EventSessionEnded,
		"id = (SELECT session_id FROM live_sessions WHERE account_id = $1 AND id = $3)", number)
	if err == nil && len(ended) == 0 {
		return notFound("id")
	}
	return err
}

// EndSessions ends all sessions of the viewer except the one to keep.
func (s *Store) EndSessions(ctx context.Context, v *model.Viewer, keep string) error {
	_, err := s.endSessions(ctx, v, model.EventSignOut, "id <> $3", keep)
	return err
}

// endSessions is one statement; which is a condition on $3.
func (s *Store) endSessions(ctx context.Context, v *model.Viewer, kind model.SecurityEventKind, which string, value any) (ended []string, err error) {
	if v == nil {
		return nil, unauthenticated()
	}
	client, address := s.origin(ctx)
	text := `WITH ended AS (
			UPDATE sessions SET ended_at = now() WHERE user_id = $1 AND ended_at IS NULL AND ` + which + ` AND ` + session.Announced + `
			RETURNING id
		), recorded AS (
			` + insertEvent + ` SELECT $2, $1, $1, $4, $5 WHERE EXISTS (SELECT FROM ended)
		)
		SELECT id FROM ended`
	err = s.writeReserved(func(p pool) error {
		return p.on(ctx, func(conn *pgx.Conn, mode pgx.QueryExecMode) error {
			rows, err := conn.Query(ctx, text, mode, v.UserID, string(kind), value, client, address)
			if err != nil {
				return err
			}
			ended, err = pgx.CollectRows(rows, pgx.RowTo[string])
			return err
		})
	})
	s.sessions.Remove(ended...)
	messages := ended
	if err != nil { // they may have ended
		s.sessions.RemoveUser(v.UserID)
		messages = []string{session.AllOf(v.UserID)}
	}
	s.announce(ctx, messages...)
	return ended, s.translate(ctx, "end sessions", err)
}

// announce notifies the other servers of sessions that have ended; see
// session.Announce. An error only means that they learn it later.
func (s *Store) announce(ctx context.Context, messages ...string) {
	if len(messages) == 0 {
		return
	}
	if err := session.Announce(ctx, s.reservedWrites.Pool, messages...); err != nil {
		s.unannounced.Add(1)
		s.log.WarnContext(ctx, "other servers may accept ended sessions for 30 seconds: the message could not be sent", "error", err)
	}
}

// Unannounced returns how many messages about ended sessions could not be sent.
func (s *Store) Unannounced() int64 { return s.unannounced.Load() }
