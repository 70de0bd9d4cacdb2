package auth

import (
	"cmp"
	"context"
	"errors"

	"github.com/caregraph/caregraph/model"
)

// ClaimPatient is Store.ClaimPatient for a code from a client address. Wrong codes use up
// the budgets of wrong passwords; then it fails with TOO_MANY_ATTEMPTS.
func (a *Accounts) ClaimPatient(
	ctx context.Context, v *model.Viewer, code, name string, born model.Date, addr string,
) (*model.Grant, error) {
	attempt, err := a.Throttle.claim(ctx, v.UserID, addr)
	if soon, ok := errors.AsType[*tooSoon](err); ok {
		return nil, tooManyAttempts(soon)
	}
	if err != nil {
		return nil, err
	}
	defer attempt.cancel()
	g, err := a.Store.ClaimPatient(ctx, v, code, name, born)
	if model.CodeOf(err) == model.CodeInvalidCode {
		return nil, cmp.Or(attempt.failed(ctx), err)
	}
	return g, err
}

// AddTeamMember is Store.AddTeamMember for a client address. Unknown usernames use up the
// budgets of answers TAKEN, which reveal the same; then it fails with RATE_LIMITED.
func (a *Accounts) AddTeamMember(
	ctx context.Context, v *model.Viewer, username string, level model.GrantLevel, days *int, addr string,
) (*model.Grant, error) {
	attempt, err := a.Throttle.change(ctx, v.UserID, addr)
	if err != nil {
		return nil, rateLimited(err)
	}
	defer attempt.cancel()
	g, err := a.Store.AddTeamMember(ctx, v, username, level, days)
	if code := model.CodeOf(err); code == model.CodeNotFound || code == model.CodeNotConfirmed {
		return nil, cmp.Or(attempt.failed(ctx), err)
	}
	return g, err
}
