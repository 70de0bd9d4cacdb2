package store

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store/query"
	"github.com/caregraph/caregraph/store/session"
)

// This file has what administrators and operators do to accounts. An operator is
// model.Operator, who may do more.

// filterAccounts returns the conditions of the arguments of accounts.
func filterAccounts(s query.Scope, args query.Args) (q query.Selection, err error) {
	if q.Conditions, err = s.Searching(args); err != nil {
		return q, err
	}
	f := orZero(query.Arg[model.AccountFilter](args, "filter"))
	narrow(&q, s, "role", f.Role, `"user".role = ?`)
	narrow(&q, s, "isActive", f.IsActive, `"user".is_active = ?`)
	narrow(&q, s, "isConfirmed", f.IsConfirmed, `"user".is_confirmed = ?`)
	q.Selective = len(q.Conditions) > 0
	return q, nil
}

// Accounts returns a page of accounts.
func (s *Store) Accounts(ctx context.Context, v *model.Viewer, search *string, filter model.AccountFilter, page model.PageArgs) (*model.RecordPage, error) {
	return s.Page(ctx, v, "accounts", query.Args{
		"first": page.First, "after": page.After, "last": page.Last, "before": page.Before, "search": search, "filter": filter,
	})
}

// DisableAccount ends all sessions of an account and refuses new ones. It returns
// NOT_FOUND, FORBIDDEN, the errors of model.ValidateReason, and IN_USE for the last active
// administrator.
func (s *Store) DisableAccount(ctx context.Context, v *model.Viewer, id int64, reason string) (*model.User, error) {
	if err := model.ValidateReason("reason", &reason, true); err != nil {
		return nil, err
	}
	return s.administer(ctx, v, id, act{
		event: model.SecurityEvent{Kind: model.EventAccountDisabled, Reason: &reason}, endsSessions: true,
		field: "isActive", set: func(u *model.User) { u.IsActive = false },
	})
}

// EnableAccount lets a disabled account sign in again. It returns NOT_FOUND, also for an
// erased account, and FORBIDDEN.
func (s *Store) EnableAccount(ctx context.Context, v *model.Viewer, id int64) (*model.User, error) {
	return s.administer(ctx, v, id, act{
		event: model.SecurityEvent{Kind: model.EventAccountEnabled},
		field: "isActive", set: func(u *model.User) { u.IsActive = true },
	})
}

// SetRole changes the role of an account. It returns NOT_FOUND, FORBIDDEN, IN_USE for the
// account of a live doctor entry and for the last active administrator, and INVALID if
// someone other than an operator gives or takes the role ADMIN.
func (s *Store) SetRole(ctx context.Context, v *model.Viewer, id int64, role model.Role) (*model.User, error) {
	return s.administer(ctx, v, id, act{
		event: model.SecurityEvent{Kind: model.EventRoleChanged},
		field: "role", set: func(u *model.User) { u.Role = role },
		check: func(ctx context.Context, tx bun.Tx, before *model.User) error {
			switch {
			case !v.IsOperator() && role == model.RoleAdmin:
				return model.NewFieldError("role", model.CodeInvalid, "Only an operator can make an account an administrator.")
			case !v.IsOperator() && before.Role == model.RoleAdmin:
				return model.NewFieldError("id", model.CodeInvalid, "Only an operator can take the role from an administrator.")
			}
			linked, err := tx.NewSelect().Table("doctors").Where("account_id = ? AND deleted_at IS NULL", id).Exists(ctx)
			if linked {
				return inUse("The account is linked to a doctor entry.")
			}
			return err
		},
	})
}

// ConfirmAccount records that the account receives mail at its address. Only an operator
// may call it. It returns NOT_FOUND and FORBIDDEN.
func (s *Store) ConfirmAccount(ctx context.Context, v *model.Viewer, id int64) (*model.User, error) {
	return s.administer(ctx, v, id, act{
		event: model.SecurityEvent{Kind: model.EventEmailConfirmed}, byOperator: true,
		field: "isConfirmed", set: func(u *model.User) { u.IsConfirmed = true },
	})
}

// act changes a field of an account. If the field has the value already, nothing happens.
type act struct {
	event model.SecurityEvent
	field string
	set   func(*model.User)
	// check returns an error for an account in the wrong state; may be nil.
	check func(context.Context, bun.Tx, *model.User) error
	// endsSessions ends all sessions of the account; byOperator is for operators alone.
	endsSessions, byOperator bool
}

// administer does one act. All servers look up the sessions of the account again.
func (s *Store) administer(ctx context.Context, v *model.Viewer, id int64, a act) (*model.User, error) {
	if v == nil {
		return nil, unauthenticated()
	}
	return once(ctx, s, v, func(ctx context.Context) (*model.User, error) { return s.act(ctx, v, id, a) })
}

func (s *Store) act(ctx context.Context, v *model.Viewer, id int64, a act) (*model.User, error) {
	var row *model.User
	changed := false
	err := s.inRowTx(ctx, "administer an account", v, "User", id, func(ctx context.Context, tx bun.Tx) (err error) {
		isLast, err := lockAdministrators(ctx, tx, id)
		if err != nil {
			return err
		}
		if row, err = lock[model.User](ctx, s, tx, v, id, "id", forChange); err != nil {
			return err
		}
		if !s.policy.Field("User", "isActive").CanWrite(row.Relations) || a.byOperator && !v.IsOperator() {
			return model.NewFieldError("id", model.CodeForbidden, "You may not do this to an account.")
		}
		after := *row
		a.set(&after)
		switch {
		case row.IsErased():
			return notFound("id")
		case after == *row:
			return nil
		case a.check != nil:
			if err := a.check(ctx, tx, row); err != nil {
				return err
			}
		}
		if isLast && (!after.IsActive || after.Role != model.RoleAdmin) {
			return lastAdministrator()
		}
		changed = true
		u := update[model.User]{changes: []model.Change[model.User]{{Field: a.field, Apply: a.set}}, set: "created_at = created_at"}
		if err := apply(ctx, s, tx, v, row, u); err != nil {
			return err
		}
		if a.endsSessions {
			if _, err := tx.NewUpdate().Table("sessions").Set("ended_at = now()").Where("user_id = ? AND ended_at IS NULL", id).Exec(ctx); err != nil {
				return err
			}
		}
		a.event.AccountID, a.event.ByID = &id, actor(v)
		return s.record(ctx, tx, a.event)
	})
	if changed { // perhaps, if there is an error
		s.forgetViewers(ctx, id)
	}
	if err != nil {
		return nil, err
	}
	return row, nil
}

// lockAdministrators locks the rows of an account and of all active administrators until the
// transaction ends, in the order of their ids, and reports whether the account is the only
// such administrator. So of two calls that would each leave one administrator, the second
// sees none. From then on the transaction calls no triggers; see session.Announced.
func lockAdministrators(ctx context.Context, tx bun.Tx, id int64) (isLast bool, err error) {
	var announced bool
	err = tx.NewRaw(`WITH locked AS (SELECT id, role = 'ADMIN' AND is_active AS is_administrator FROM users
			WHERE role = 'ADMIN' AND is_active OR id = ?0 ORDER BY id FOR NO KEY UPDATE)
		SELECT `+session.Announced+`, count(*) = 1 AND bool_or(id = ?0) FROM locked WHERE is_administrator`, id).Scan(ctx, &announced, &isLast)
	return isLast, err
}

func inUse(message string) error { return model.NewFieldError("id", model.CodeInUse, message) }

func lastAdministrator() error { return inUse("It is the last active administrator.") }
