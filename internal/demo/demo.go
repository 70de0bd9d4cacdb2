// Package demo has an example clinic: it creates the clinic in an empty database, and signs
// its people in on this machine without a password. It creates everything by the use cases
// of store and auth, so the rules hold for it as for all others. It never signs anyone in
// while the database has an account that is not of the clinic.
package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/caregraph/caregraph/internal/auth"
	"github.com/caregraph/caregraph/model"
)

// Clinic is the example clinic of a database.
type Clinic struct {
	accounts *auth.Accounts
	// users are the ids of the accounts of people, in their order.
	users []int64
}

// Open returns the clinic, and creates it in a database without accounts. It fails if an
// account is not of the clinic, or if only a part of the clinic is there.
func Open(ctx context.Context, accounts *auth.Accounts) (*Clinic, error) {
	c := &Clinic{accounts: accounts, users: make([]int64, len(people()))}
	found, err := c.list(ctx)
	if err == nil && len(found) == 0 {
		// A stop does not leave half a clinic.
		if err = create(context.WithoutCancel(ctx), accounts); err == nil {
			found, err = c.list(ctx)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("the demo: %w", err)
	}
	for _, u := range found {
		i := slices.IndexFunc(people(), func(p person) bool { return p.is(u) })
		if i < 0 {
			return nil, errors.New("--demo: this database has accounts that are not of the demo, so the demo does not start: " +
				"use another database, such as --data OTHER")
		}
		c.users[i] = u.ID
	}
	if slices.Contains(c.users, 0) {
		return nil, errors.New("--demo: the example clinic is incomplete, because its first start did not end: use another database, such as --data OTHER")
	}
	return c, nil
}

// list returns all accounts, or more than the clinic has.
func (c *Clinic) list(ctx context.Context) ([]*model.User, error) {
	page, err := c.accounts.Store.Accounts(ctx, model.Operator(), nil, model.AccountFilter{}, model.PageArgs{First: new(len(c.users) + 1)})
	if err != nil {
		return nil, err
	}
	found := make([]*model.User, len(page.Entries))
	for i, entry := range page.Entries {
		found[i] = entry.Node.(*model.User)
	}
	return found, nil
}

// isAlone reports whether all accounts of the database are those of the clinic.
func (c *Clinic) isAlone(ctx context.Context) (bool, error) {
	found, err := c.list(ctx)
	return !slices.ContainsFunc(found, func(u *model.User) bool { return !slices.Contains(c.users, u.ID) }), err
}
