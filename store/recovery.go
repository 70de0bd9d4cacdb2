package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store/session"
)

// confirmByMail sends a code and a link to the address of the account, in the transaction.
func (s *Store) confirmByMail(ctx context.Context, db bun.IDB, account int64) error {
	text, token := randomText(6, digits), newToken()
	if _, err := s.setCode(ctx, db, account, CodeConfirm, text, token); err != nil {
		return err
	}
	return s.sendMail(ctx, db, account, model.MailConfirmEmail, map[string]string{"code": text, "token": token})
}

// SendConfirmation sends a new code and a new link to the viewer's address; older ones
// end. It does nothing for an address that is confirmed. It returns the viewer's account.
func (s *Store) SendConfirmation(ctx context.Context, v *model.Viewer) (*model.User, error) {
	if v == nil {
		return nil, unauthenticated()
	}
	err := s.inTx(ctx, "send confirmation", func(ctx context.Context, tx bun.Tx) error {
		if confirmed, err := isConfirmed(ctx, tx, v.UserID); err != nil || confirmed {
			return err
		}
		return s.confirmByMail(ctx, tx, v.UserID)
	})
	if err != nil {
		return nil, err
	}
	return s.User(ctx, v, v.UserID)
}

func isConfirmed(ctx context.Context, db bun.IDB, account int64) (confirmed bool, err error) {
	err = db.NewSelect().Table("users").Column("is_confirmed").Where("id = ?", account).Scan(ctx, &confirmed)
	return confirmed, err
}

// ConfirmEmail confirms the viewer's address by the code or the token of a mail, and
// returns the viewer's account. It returns INVALID_CODE.
func (s *Store) ConfirmEmail(ctx context.Context, v *model.Viewer, text string) (*model.User, error) {
	if v == nil {
		return nil, unauthenticated()
	}
	return once(ctx, s, v, func(ctx context.Context) (*model.User, error) { return s.confirmEmail(ctx, v, text) })
}

func (s *Store) confirmEmail(ctx context.Context, v *model.Viewer, text string) (*model.User, error) {
	row, err := s.tryCode(ctx, v.UserID, CodeConfirm, text)
	if err != nil {
		return nil, err
	}
	err = s.inTx(ctx, "confirm e-mail", func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewUpdate().Table("users").Set("is_confirmed = TRUE").Where("id = ?", v.UserID).Exec(ctx); err != nil {
			return err
		}
		if err := s.useCode(ctx, tx, row, "code"); err != nil {
			return err
		}
		if err := s.keepIn(ctx, tx, &model.User{ID: v.UserID}); err != nil {
			return err
		}
		if err := s.feedAccounts(ctx, tx, []int64{v.UserID}); err != nil {
			return err
		}
		return s.record(ctx, tx, model.SecurityEvent{Kind: model.EventEmailConfirmed, AccountID: &v.UserID, ByID: &v.UserID})
	})
	if err != nil {
		return nil, err
	}
	return s.User(ctx, v, v.UserID)
}

// CredentialOfToken returns the credential of the account to which a mail with the living
// token was sent, or NOT_FOUND.
func (s *Store) CredentialOfToken(ctx context.Context, kind CodeKind, token string) (*Credential, error) {
	row, err := s.codeOfToken(ctx, kind, token)
	switch {
	case err != nil:
		return nil, err
	case row == nil:
		return nil, notFound("token")
	}
	return s.CredentialOf(ctx, &model.Viewer{UserID: row.AccountID})
}

// SendReset sends a link by which the account sets a new password; older links end.
func (s *Store) SendReset(ctx context.Context, account int64) error {
	return s.inTx(ctx, "send reset", func(ctx context.Context, tx bun.Tx) error {
		token := newToken()
		if _, err := s.setCode(ctx, tx, account, CodeReset, "", token); err != nil {
			return err
		}
		return s.sendMail(ctx, tx, account, model.MailResetPassword, map[string]string{"token": token})
	})
}

// CreateReset returns a token by which an operator lets an account set a new password, for
// one without mail. It returns NOT_FOUND, and FORBIDDEN to everyone else.
func (s *Store) CreateReset(ctx context.Context, v *model.Viewer, account int64) (token string, err error) {
	if v == nil {
		return "", unauthenticated()
	}
	err = s.inTx(ctx, "create reset", func(ctx context.Context, tx bun.Tx) error {
		u, err := lock[model.User](ctx, s, tx, v, account, "id", forChange)
		if err != nil {
			return err
		}
		if !v.IsOperator() {
			return model.NewFieldError("id", model.CodeForbidden, "Only an operator may do this.")
		}
		token = newToken()
		if _, err := s.setCode(ctx, tx, u.ID, CodeReset, "", token); err != nil {
			return err
		}
		return s.record(ctx, tx, model.SecurityEvent{Kind: model.EventPasswordReset, AccountID: &u.ID})
	})
	return token, err
}

// SendAlreadyRegistered tells an account by mail that someone wanted to register its
// address again.
func (s *Store) SendAlreadyRegistered(ctx context.Context, account int64) error {
	return s.inTx(ctx, "send mail", func(ctx context.Context, tx bun.Tx) error {
		return s.sendMail(ctx, tx, account, model.MailAlreadyRegistered, nil)
	})
}

// ResetPassword sets a new password by the token of a mail and ends all sessions of the
// account. It returns INVALID_CODE.
func (s *Store) ResetPassword(ctx context.Context, token, newHash string) error {
	row, err := s.codeOfToken(ctx, CodeReset, token)
	switch {
	case err != nil:
		return err
	case row == nil:
		return model.InvalidCode("token")
	}
	var ended []string
	err = s.inTx(ctx, "reset password", func(ctx context.Context, tx bun.Tx) error {
		user := tx.NewUpdate().Table("users").Set("password_hash = ?", newHash).Where("id = ? AND is_active", row.AccountID)
		if err := mustChange(ctx, user, "token"); model.CodeOf(err) == model.CodeNotFound {
			return model.InvalidCode("token")
		} else if err != nil {
			return err
		}
		if err := s.useCode(ctx, tx, row, "token"); err != nil {
			return err
		}
		if ended, err = endAll(ctx, tx, row.AccountID); err != nil {
			return err
		}
		if err := s.record(ctx, tx, model.SecurityEvent{Kind: model.EventPasswordReset, AccountID: &row.AccountID, ByID: &row.AccountID}); err != nil {
			return err
		}
		if err := s.notify(ctx, tx, model.Notice{AccountID: row.AccountID, Kind: model.NoticePasswordChanged, ByID: &row.AccountID}); err != nil {
			return err
		}
		return s.sendMail(ctx, tx, row.AccountID, model.MailPasswordChanged, nil)
	})
	s.sessions.Remove(ended...)
	s.announce(ctx, ended...)
	return err
}

// endAll ends all sessions of an account in a transaction and returns them. The caller
// announces them after the commit.
func endAll(ctx context.Context, tx bun.Tx, account int64) (ended []string, err error) {
	err = tx.NewUpdate().Table("sessions").Set("ended_at = now()").Where("user_id = ? AND ended_at IS NULL", account).
		Where(session.Announced).Returning("id").Scan(ctx, &ended)
	return ended, err
}

// CreateLinkCode returns a new code that the viewer shows to an administrator, and when it
// expires; an older one ends. It returns FORBIDDEN for a role other than DOCTOR, and
// NOT_CONFIRMED.
func (s *Store) CreateLinkCode(ctx context.Context, v *model.Viewer) (text string, expiresAt time.Time, err error) {
	if v == nil {
		return "", expiresAt, unauthenticated()
	}
	if v.Role != model.RoleDoctor {
		return "", expiresAt, model.NewError(model.CodeForbidden, "Only an account with the role DOCTOR can be linked to a doctor entry.")
	}
	text = NewCode(8)
	err = s.inTx(ctx, "make link code", func(ctx context.Context, tx bun.Tx) error {
		switch confirmed, err := isConfirmed(ctx, tx, v.UserID); {
		case err != nil:
			return err
		case !confirmed:
			return notConfirmed()
		}
		expiresAt, err = s.setCode(ctx, tx, v.UserID, CodeLink, text, "")
		return err
	})
	if err != nil {
		return "", expiresAt, err
	}
	return text, expiresAt, nil
}

func notConfirmed() error {
	return model.NewError(model.CodeNotConfirmed, "Confirm your e-mail address first.")
}
