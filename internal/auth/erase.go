package auth

import (
	"context"

	"github.com/caregraph/caregraph/model"
)

// EraseMe erases the viewer's account for good. It fails with INVALID_CREDENTIALS if the
// password is wrong, OTP_REQUIRED, INVALID_CODE, TOO_MANY_ATTEMPTS, or IN_USE; see
// Store.EraseMe.
func (a *Accounts) EraseMe(ctx context.Context, v *model.Viewer, password string, from Client) error {
	_, hash, err := a.confirm(ctx, v, password, from)
	if err != nil {
		return err
	}
	return changedMeanwhile(a.Store.EraseMe(ctx, v, hash))
}
