package store

import (
	"context"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/uptrace/bun"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store/session"
)

// Totp is the second factor of an account. A text is "" for none.
type Totp struct {
	// Seed is in use; Pending waits for its first code.
	Seed, Pending string

	sealed, sealedPending []byte
}

// totpPurpose binds a sealed seed and the recovery codes to their account.
func totpPurpose(userID int64) string { return "totp " + strconv.FormatInt(userID, 10) }

// Totp returns the second factor of an account.
func (s *Store) Totp(ctx context.Context, userID int64) (*Totp, error) {
	t := new(Totp)
	err := s.readReserved(func(p pool) error {
		return p.on(ctx, func(conn *pgx.Conn, mode pgx.QueryExecMode) error {
			return conn.QueryRow(ctx, `SELECT CASE WHEN has_totp THEN totp_seed END, totp_pending FROM users WHERE id = $1`, mode, userID).
				Scan(&t.sealed, &t.sealedPending)
		})
	})
	if err == nil {
		t.Seed, err = s.openSeed(userID, t.sealed)
	}
	if err == nil {
		t.Pending, err = s.openSeed(userID, t.sealedPending)
	}
	return t, s.translate(ctx, "read second factor", err)
}

func (s *Store) openSeed(userID int64, sealed []byte) (string, error) {
	if sealed == nil {
		return "", nil
	}
	seed, err := s.secrets.open(totpPurpose(userID), sealed)
	return string(seed), err
}

// SpendTotp marks a time step as used and reports whether it was not, nor a later one. It
// seals the seed with the newest key.
func (s *Store) SpendTotp(ctx context.Context, userID int64, t *Totp, step int64) (bool, error) {
	sealed, err := s.secrets.seal(totpPurpose(userID), []byte(t.Seed))
	if err != nil {
		return false, s.translate(ctx, "spend a time step", err)
	}
	return s.spend(ctx, `UPDATE users SET totp_step = $2, totp_seed = $3
		WHERE id = $1 AND has_totp AND totp_seed = $4 AND coalesce(totp_step, 0) < $2`, userID, step, sealed, t.sealed)
}

// SpendRecoveryCode deletes a recovery code and reports whether there was one.
func (s *Store) SpendRecoveryCode(ctx context.Context, userID int64, code string) (bool, error) {
	return s.spend(ctx, `DELETE FROM recovery_codes WHERE account_id = $1 AND hash = ANY ($2)`,
		userID, s.secrets.anyHash(totpPurpose(userID), code))
}

// spend reports whether a statement changes a row.
func (s *Store) spend(ctx context.Context, text string, args ...any) (changed bool, err error) {
	err = s.writeReserved(func(p pool) error {
		return p.on(ctx, func(conn *pgx.Conn, mode pgx.QueryExecMode) error {
			tag, err := conn.Exec(ctx, text, append([]any{mode}, args...)...)
			changed = tag.RowsAffected() > 0
			return err
		})
	})
	return changed && err == nil, s.translate(ctx, "spend a code", err)
}

// StartTotp stores a seed that waits for its first code, and ends the other sessions of the
// viewer. It returns NOT_FOUND if the password hash is not the given one.
func (s *Store) StartTotp(ctx context.Context, v *model.Viewer, presentHash, seed string) error {
	if v == nil {
		return unauthenticated()
	}
	var ended []string
	err := s.inRowTx(ctx, "start second factor", v, "User", v.UserID, func(ctx context.Context, tx bun.Tx) error {
		sealed, err := s.secrets.seal(totpPurpose(v.UserID), []byte(seed))
		if err != nil {
			return err
		}
		user := tx.NewUpdate().Table("users").Set("totp_pending = ?", sealed).Where("id = ? AND password_hash = ?", v.UserID, presentHash)
		if err := mustChange(ctx, user, "password"); err != nil {
			return err
		}
		return tx.NewUpdate().Table("sessions").Set("ended_at = now()").Where("user_id = ? AND ended_at IS NULL AND id <> ?", v.UserID, v.SessionID).
			Where(session.Announced).Returning("id").Scan(ctx, &ended)
	})
	s.ended(ctx, ended)
	return err
}

// EnableTotp turns on the second factor whose first code is that of the time step, replaces
// the recovery codes, ends all sessions and begins the next one. It returns NOT_FOUND if
// another seed waits by now or the viewer's session has ended.
func (s *Store) EnableTotp(ctx context.Context, v *model.Viewer, t *Totp, step int64, codes []string, next Session) error {
	if v == nil {
		return unauthenticated()
	}
	hashes := make([][]byte, len(codes))
	var err error
	for i, code := range codes {
		if hashes[i], err = s.secrets.hash(totpPurpose(v.UserID), code); err != nil {
			return s.translate(ctx, "enable second factor", err)
		}
	}
	return s.changeTotp(ctx, v, next, "code", model.EventTotpEnabled, func(tx bun.Tx) *bun.UpdateQuery {
		return tx.NewUpdate().Table("users").Set("totp_seed = totp_pending, totp_pending = NULL, totp_step = ?, has_totp = TRUE", step).
			Where("id = ? AND totp_pending = ?", v.UserID, t.sealedPending)
	}, hashes...)
}

// DisableTotp turns the second factor off, ends all sessions and begins the next one. It
// returns FORBIDDEN if the server requires it, and NOT_FOUND if the password hash is not the
// given one or the viewer's session has ended.
func (s *Store) DisableTotp(ctx context.Context, v *model.Viewer, presentHash string, next Session) error {
	if v != nil && s.requiresTotp(v.Role) {
		return model.NewError(model.CodeForbidden, "This server requires a second factor of accounts with this role.")
	}
	return s.changeTotp(ctx, v, next, "password", model.EventTotpDisabled, func(tx bun.Tx) *bun.UpdateQuery {
		return withoutTotp(tx.NewUpdate().Table("users")).Where("id = ? AND password_hash = ?", v.UserID, presentHash)
	})
}

func withoutTotp(q *bun.UpdateQuery) *bun.UpdateQuery {
	return q.Set("totp_seed = NULL, totp_pending = NULL, totp_step = NULL, has_totp = FALSE")
}

// changeTotp changes the second factor of the viewer. NOT_FOUND names the field.
func (s *Store) changeTotp(
	ctx context.Context, v *model.Viewer, next Session, field string, kind model.SecurityEventKind,
	change func(bun.Tx) *bun.UpdateQuery, codes ...[]byte,
) error {
	if v == nil {
		return unauthenticated()
	}
	var ended []string
	err := s.inRowTx(ctx, "change second factor", v, "User", v.UserID, func(ctx context.Context, tx bun.Tx) (err error) {
		if err := mustChange(ctx, change(tx), field); err != nil {
			return err
		}
		if err := s.feedAccounts(ctx, tx, []int64{v.UserID}); err != nil {
			return err
		}
		if err := replaceCodes(ctx, tx, v.UserID, codes); err != nil {
			return err
		}
		if ended, err = s.renewSession(ctx, tx, v, next, field); err != nil {
			return err
		}
		return s.record(ctx, tx, model.SecurityEvent{Kind: kind, AccountID: &v.UserID, ByID: &v.UserID})
	})
	s.ended(ctx, ended)
	return err
}

func replaceCodes(ctx context.Context, tx bun.Tx, userID int64, hashes [][]byte) error {
	_, err := tx.NewRaw("DELETE FROM recovery_codes WHERE account_id = ?", userID).Exec(ctx)
	for _, hash := range hashes {
		if err == nil {
			_, err = tx.NewRaw("INSERT INTO recovery_codes (account_id, hash) VALUES (?, ?)", userID, hash).Exec(ctx)
		}
	}
	return err
}

// RemoveTotp turns off the second factor of an account that has lost it, and ends its
// sessions. For administrators and operators. It returns FORBIDDEN, and NOT_FOUND for an account
// without a second factor.
func (s *Store) RemoveTotp(ctx context.Context, v *model.Viewer, userID int64, reason string) error {
	if v == nil {
		return unauthenticated()
	}
	var ended []string
	err := s.inTx(ctx, "remove second factor", func(ctx context.Context, tx bun.Tx) (err error) {
		u, err := lock[model.User](ctx, s, tx, v, userID, "id", forChange)
		if err != nil {
			return err
		}
		if !u.Relations.Any(model.Admin) {
			return model.NewFieldError("id", model.CodeForbidden, "Only an administrator may do this.")
		}
		if err := mustChange(ctx, withoutTotp(tx.NewUpdate().Table("users")).Where("id = ? AND has_totp", userID), "id"); err != nil {
			return err
		}
		if err := s.feedAccounts(ctx, tx, []int64{userID}); err != nil {
			return err
		}
		if err := replaceCodes(ctx, tx, userID, nil); err != nil {
			return err
		}
		if err := s.sendMail(ctx, tx, userID, model.MailTotpOff, nil); err != nil {
			return err
		}
		if ended, err = endAll(ctx, tx, userID); err != nil {
			return err
		}
		return s.record(ctx, tx, model.SecurityEvent{Kind: model.EventTotpDisabled, AccountID: &userID, ByID: actor(v), Reason: &reason})
	})
	s.ended(ctx, ended)
	return err
}

// RequiresTotp reports whether an account must set up a second factor before it does
// anything else.
func (s *Store) RequiresTotp(u *model.User) bool { return !u.HasTotp && s.requiresTotp(u.Role) }

func (s *Store) requiresTotp(role model.Role) bool { return slices.Contains(s.totpRoles, role) }
