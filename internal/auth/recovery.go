package auth

import (
	"context"
	"errors"
	"strconv"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
)

// registerLater is register for ConfirmFirst. Whether the address has an account shows
// neither in the result nor in its time: the account is created, or its owner gets a mail,
// after the answer.
func (a *Accounts) registerLater(ctx context.Context, u *model.User, password string, _ Client) (*SignedIn, error) {
	if err := withoutEmail(a.Store.Taken(ctx, u)); err != nil {
		return nil, err
	}
	hash, err := a.Hasher.HashNew(ctx, password)
	if err != nil {
		return nil, hashError(err)
	}
	return nil, a.Later.Add(func(ctx context.Context) error {
		_, err := a.Store.CreateUser(ctx, u, hash, func(int64) (store.Session, error) { return store.Session{}, nil })
		if model.CodeOf(err) != model.CodeTaken {
			return err
		}
		credential, err := a.credential(ctx, u.Email)
		if err != nil || credential == nil {
			return err
		}
		return a.mailTo(ctx, credential.UserID, a.Store.SendAlreadyRegistered)
	})
}

// withoutEmail removes the address from an error TAKEN.
func withoutEmail(err error) error {
	taken, ok := errors.AsType[*model.Error](err)
	if !ok || taken.Code != model.CodeTaken {
		return err
	}
	left := taken.Fields[:0:0]
	for _, f := range taken.Fields {
		if f.Field != "email" {
			left = append(left, f)
		}
	}
	if len(left) == 0 {
		return nil
	}
	return &model.Error{Code: taken.Code, Message: taken.Message, Fields: left}
}

// remind sends a mail to an account that cannot sign in before it has confirmed its
// address.
func (a *Accounts) remind(userID int64) error {
	return a.Later.Add(func(ctx context.Context) error {
		return a.mailTo(ctx, userID, func(ctx context.Context, userID int64) error {
			_, err := a.Store.SendConfirmation(ctx, &model.Viewer{UserID: userID})
			return err
		})
	})
}

// mailTo sends a mail that anyone can cause, unless the account got many of them.
func (a *Accounts) mailTo(ctx context.Context, userID int64, send func(ctx context.Context, userID int64) error) error {
	err := a.Throttle.spend(ctx, budget{Budget: a.Throttle.Budgets.Mails, key: accountKey("mails", userID)})
	if _, soon := errors.AsType[*tooSoon](err); soon {
		return nil
	}
	if err != nil {
		return err
	}
	return send(ctx, userID)
}

// spend takes a unit from a budget. It fails with a *tooSoon if there is none.
func (t *Throttle) spend(ctx context.Context, b budget) error {
	attempt, err := t.begin(ctx, attempt{budgets: []budget{b}})
	if err != nil {
		return err
	}
	defer attempt.cancel()
	return attempt.failed(ctx)
}

func accountKey(what string, userID int64) string { return what + " " + strconv.FormatInt(userID, 10) }

// SendConfirmation sends a new code to the viewer's address and returns the viewer's
// account. It fails with TOO_MANY_ATTEMPTS.
func (a *Accounts) SendConfirmation(ctx context.Context, v *model.Viewer) (*model.User, error) {
	if v == nil {
		return a.Store.SendConfirmation(ctx, v)
	}
	err := a.Throttle.spend(ctx, budget{Budget: a.Throttle.Budgets.Confirmations, key: accountKey("confirmations", v.UserID)})
	if soon, ok := errors.AsType[*tooSoon](err); ok {
		return nil, tooManyAttempts(soon)
	}
	if err != nil {
		return nil, err
	}
	return a.Store.SendConfirmation(ctx, v)
}

// ConfirmEmail confirms an address by the code of a mail. A viewer confirms the own
// address and gets the account. Without a viewer the code is the token of the link, and the
// password shows that it was the account's owner who opened it. It fails with INVALID_CODE,
// INVALID_CREDENTIALS or TOO_MANY_ATTEMPTS.
func (a *Accounts) ConfirmEmail(ctx context.Context, v *model.Viewer, code string, password *string, addr string) (*model.User, error) {
	if v == nil {
		return nil, a.confirmByLink(ctx, code, password, addr)
	}
	attempt, err := a.Throttle.begin(ctx, attempt{budgets: []budget{{Budget: a.Throttle.Budgets.Codes, key: accountKey("codes", v.UserID)}}})
	if soon, ok := errors.AsType[*tooSoon](err); ok {
		return nil, tooManyAttempts(soon)
	}
	if err != nil {
		return nil, err
	}
	defer attempt.cancel()
	u, err := a.Store.ConfirmEmail(ctx, v, code)
	if model.CodeOf(err) == model.CodeInvalidCode {
		if spendErr := attempt.failed(ctx); spendErr != nil {
			return nil, spendErr
		}
	}
	return u, err
}

func (a *Accounts) confirmByLink(ctx context.Context, token string, password *string, addr string) error {
	credential, err := a.Store.CredentialOfToken(ctx, store.CodeConfirm, token)
	if model.CodeOf(err) == model.CodeNotFound || err == nil && password == nil {
		return model.InvalidCode("code")
	}
	if err != nil {
		return err
	}
	refused := model.NewFieldError("password", model.CodeInvalidCredentials, "This is not the password of the account.")
	if _, err := a.verify(ctx, credential, string(credential.Email.Canonical()), *password, Client{Addr: addr}, nil, refused); err != nil {
		return err
	}
	_, err = a.Store.ConfirmEmail(ctx, &model.Viewer{UserID: credential.UserID}, token)
	return err
}

// RequestReset sends a link by which the account with the address sets a new password, if
// there is one and it has confirmed the address. Neither the result nor its time depends
// on that. It fails with INVALID or RATE_LIMITED.
func (a *Accounts) RequestReset(ctx context.Context, email model.EmailAddress, addr string) error {
	if !email.Valid() {
		return model.NewFieldError("email", model.CodeInvalid, "Enter a valid e-mail address.")
	}
	key := a.Throttle.hash("resets", addressGroup(addr))
	if err := a.Throttle.spend(ctx, budget{a.Throttle.Budgets.Resets, key, "--max-resets", true}); err != nil {
		return rateLimited(err)
	}
	return a.Later.Add(func(ctx context.Context) error {
		credential, err := a.credential(ctx, email)
		if err != nil || credential == nil || !credential.IsActive || !credential.IsConfirmed {
			return err
		}
		return a.mailTo(ctx, credential.UserID, a.Store.SendReset)
	})
}

// ResetPassword sets a new password by the token of a mail, and ends all sessions of the
// account. A wrong second factor uses up the budgets of wrong passwords. It fails with
// INVALID_CODE, WEAK_PASSWORD, OTP_REQUIRED or TOO_MANY_ATTEMPTS.
func (a *Accounts) ResetPassword(ctx context.Context, token, next string, from Client) error {
	credential, err := a.Store.CredentialOfToken(ctx, store.CodeReset, token)
	if model.CodeOf(err) == model.CodeNotFound {
		return model.InvalidCode("token")
	}
	if err != nil {
		return err
	}
	if err := weakPassword(CheckPassword("newPassword", next, credential.Username, string(credential.Email))); err != nil {
		return err
	}
	if err := a.checkSecond(ctx, credential, from); err != nil {
		return err
	}
	hash, err := a.Hasher.Hash(ctx, next)
	if err != nil {
		return hashError(err)
	}
	return a.Store.ResetPassword(ctx, token, hash)
}

// checkSecond checks the second factor of an account whose password does not count: someone
// who reads its mails must not guess the code.
func (a *Accounts) checkSecond(ctx context.Context, c *store.Credential, from Client) error {
	if !c.HasTotp {
		return nil
	}
	attempt, err := a.begin(ctx, c, string(c.Email.Canonical()), from)
	if err != nil {
		return err
	}
	defer attempt.cancel()
	return a.verifySecond(ctx, attempt, c, func() error { return a.checkOtp(ctx, c, from.Otp) })
}
