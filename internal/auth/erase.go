package auth

import (
	"context"

	"github.com/caregraph/caregraph/model"
)

// EraseMe erases the viewer's account for good. It fails with INVALID_CREDENTIALS if the
// password is wrong, TOO_MANY_ATTEMPTS, or IN_USE; see Store.EraseMe.
func (a *Accounts) EraseMe(ctx context.Context, v *model.Viewer, password, addr string) error {
	credential, err := a.Store.CredentialOf(ctx, v)
	if err != nil {
		return err
	}
	refused := model.NewFieldError("password", model.CodeInvalidCredentials, "This is not the present password.")
	hash, err := a.verify(ctx, credential, string(credential.Email.Canonical()), password, Client{Addr: addr}, refused)
	if err != nil {
		return err
	}
	if err := a.Store.EraseMe(ctx, v, hash); model.CodeOf(err) != model.CodeNotFound {
		return err
	}
	return refused
}
