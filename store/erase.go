package store

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/caregraph/caregraph/model"
)

// EraseMe erases the viewer's account for good. It returns NOT_FOUND for the password if
// the hash is not the present one, and IN_USE if the account owns patients, deleted ones
// among them, or is the last active administrator.
func (s *Store) EraseMe(ctx context.Context, v *model.Viewer, presentHash string) error {
	if v == nil {
		return unauthenticated()
	}
	return s.erase(ctx, v, v.UserID, &presentHash)
}

// EraseAccount is EraseMe for an operator and any account. It returns NOT_FOUND,
// FORBIDDEN and IN_USE.
func (s *Store) EraseAccount(ctx context.Context, v *model.Viewer, id int64) error {
	return s.erase(ctx, v, id, nil)
}

func (s *Store) erase(ctx context.Context, v *model.Viewer, id int64, presentHash *string) error {
	erased := false
	err := s.inRowTx(ctx, "erase an account", v, "User", id, func(ctx context.Context, tx bun.Tx) error {
		isLast, err := lockAdministrators(ctx, tx, id)
		if err != nil {
			return err
		}
		row, err := lock[model.User](ctx, s, tx, v, id, "id", forChange)
		switch {
		case err != nil:
			return err
		case row.IsErased():
			return notFound("id")
		case presentHash == nil && !v.IsOperator():
			return model.NewFieldError("id", model.CodeForbidden, "Only an operator may erase the account of another.")
		case isLast:
			return lastAdministrator()
		}
		if err := lockNamed(ctx, tx, id); err != nil {
			return err
		}
		if err := mayErase(ctx, tx, id, presentHash); err != nil {
			return err
		}
		erased = true
		return s.eraseIn(ctx, tx, v, row)
	})
	if erased { // perhaps, if there is an error
		s.forgetViewers(ctx, id)
	}
	return err
}

// lockNamed locks what names a locked account, and then waits for all rows that are being
// created and name it, such as patients. Their transactions lock the account last, for the
// foreign key, and may hold one of the other rows until then.
func lockNamed(ctx context.Context, tx bun.Tx, id int64) error {
	for _, named := range []string{
		"SELECT FROM sessions WHERE user_id = ?0 FOR UPDATE",
		"SELECT FROM transfers WHERE from_id = ?0 OR to_id = ?0 ORDER BY id FOR UPDATE",
		"SELECT FROM doctors WHERE account_id = ?0 ORDER BY id FOR UPDATE",
		"SELECT FROM grants WHERE granter_id = ?0 OR account_id = ?0 ORDER BY id FOR UPDATE",
		"SELECT FROM users WHERE id = ?0 FOR UPDATE",
	} {
		if _, err := tx.ExecContext(ctx, named, id); err != nil {
			return err
		}
	}
	return nil
}

// mayErase returns NOT_FOUND for the password and IN_USE.
func mayErase(ctx context.Context, tx bun.Tx, id int64, presentHash *string) error {
	if presentHash != nil {
		same, err := tx.NewSelect().Table("users").Where("id = ? AND password_hash = ?", id, *presentHash).Exists(ctx)
		if err != nil {
			return err
		}
		if !same {
			return notFound("password")
		}
	}
	owns, err := tx.NewSelect().Table("patients").Where("created_by = ?", id).Exists(ctx)
	if owns {
		return inUse("The account owns patients. Deleted ones count, since they can be restored. Transfer them first.")
	}
	return err
}

// eraseIn erases an account in a transaction.
func (s *Store) eraseIn(ctx context.Context, tx bun.Tx, v *model.Viewer, u *model.User) error {
	for _, statement := range leftovers() {
		if _, err := tx.ExecContext(ctx, statement, u.ID); err != nil {
			return err
		}
	}
	erase := update[model.User]{set: "password_hash = '!'"}
	for _, field := range []string{"username", "email", "phone", "isActive", "isConfirmed", "hasTotp"} {
		erase.changes = append(erase.changes, model.Change[model.User]{Field: field, Apply: (*model.User).Erase})
	}
	if err := apply(ctx, s, tx, v, u, erase); err != nil {
		return err
	}
	return s.record(ctx, tx, model.SecurityEvent{Kind: model.EventAccountErased, AccountID: &u.ID, ByID: actor(v)})
}

// leftovers are the statements that remove what an account has in other tables than users,
// one for each table. What stays names the account by its id: records, events, and a
// doctor entry with its mappings, which lose the contact data.
func leftovers() []string {
	return []string{
		"DELETE FROM sessions WHERE user_id = ?0",
		"DELETE FROM devices WHERE account_id = ?0",
		"DELETE FROM codes WHERE account_id = ?0",
		"DELETE FROM recovery_codes WHERE account_id = ?0",
		"UPDATE users SET totp_seed = NULL, totp_pending = NULL, totp_step = NULL, has_totp = FALSE WHERE id = ?0",
		"DELETE FROM mail WHERE account_id = ?0",
		"DELETE FROM notices WHERE account_id = ?0",
		"DELETE FROM requests WHERE account = ?0",
		`WITH ended AS (UPDATE grants SET ended_at = now() WHERE (granter_id = ?0 OR account_id = ?0) AND ended_at IS NULL RETURNING account_id, accepted_at),
			changed AS (SELECT DISTINCT account_id AS id FROM ended WHERE account_id <> ?0 AND accepted_at IS NOT NULL)` + fed("User", "ARRAY[id]") + ` SELECT FROM changed`,
		"DELETE FROM transfers WHERE (from_id = ?0 OR to_id = ?0) AND accepted_at IS NULL",
		"UPDATE transfers SET sender = 'erased-' || ?0 WHERE from_id = ?0",
		`WITH changed AS (UPDATE doctors SET deleted_at = coalesce(deleted_at, now()), account_id = NULL, is_verified = FALSE, email = 'erased-' || ?0 || '@invalid', phone = '',
			updated_at = now(), version = version + 1 WHERE account_id = ?0 RETURNING id)` + fed("Doctor", "ARRAY[?0::bigint]") + ` SELECT FROM changed`,
	}
}
