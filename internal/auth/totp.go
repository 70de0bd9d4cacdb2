package auth

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
)

const (
	// totpPeriod is how long an authenticator app shows a code. The code before and the code
	// after are right, too.
	totpPeriod = 30
	// recoveryCodes is how many an account gets, each of 80 random bits.
	recoveryCodes      = 10
	recoveryCodeLength = 16
)

// TotpSetUp is what an account gets when it sets up its second factor.
type TotpSetUp struct {
	// Secret is the seed, and Address the otpauth:// address with it, for the app.
	Secret, Address string
	// Codes are the recovery codes.
	Codes []string
	// In is the session that has begun, nil before the first code.
	In *SignedIn
}

// StartTotp makes a seed for the viewer, which FinishTotp turns on, and ends the other
// sessions. The client sends the code of a second factor that is on, to replace it. It fails
// with INVALID_CREDENTIALS, OTP_REQUIRED, INVALID_CODE or TOO_MANY_ATTEMPTS.
func (a *Accounts) StartTotp(ctx context.Context, v *model.Viewer, password string, from Client) (*TotpSetUp, error) {
	c, hash, err := a.confirm(ctx, v, password, from)
	if err != nil {
		return nil, err
	}
	key, err := totp.Generate(totp.GenerateOpts{Issuer: a.Tokens.settings.Issuer, AccountName: c.Username, Rand: rand.Reader})
	if err != nil {
		return nil, fmt.Errorf("make a seed: %w", err)
	}
	if err := a.Store.StartTotp(ctx, v, hash, key.Secret()); err != nil {
		return nil, changedMeanwhile(err)
	}
	return &TotpSetUp{Secret: key.Secret(), Address: key.URL()}, nil
}

// FinishTotp turns on the seed of StartTotp with its first code, ends all sessions and begins
// a new one. It returns recovery codes, which nothing shows again. It fails with
// INVALID_CODE or TOO_MANY_ATTEMPTS.
func (a *Accounts) FinishTotp(ctx context.Context, v *model.Viewer, code string, from Client) (*TotpSetUp, error) {
	c, err := a.Store.CredentialOf(ctx, v)
	if err != nil {
		return nil, err
	}
	attempt, err := a.begin(ctx, c, string(c.Email.Canonical()), from)
	if err != nil {
		return nil, err
	}
	defer attempt.cancel()
	attempt.events = nil // it is no sign-in
	t, err := a.Store.Totp(ctx, v.UserID)
	if err != nil {
		return nil, err
	}
	step := stepOf(t.Pending, store.NormalCode(code), a.Tokens.now())
	if step == 0 {
		return nil, cmp.Or(attempt.failed(ctx), error(model.InvalidCode("code")))
	}
	codes := make([]string, recoveryCodes)
	for i := range codes {
		codes[i] = store.NewCode(recoveryCodeLength)
	}
	pair, session, err := a.session(v.UserID, rand.Text())
	if err != nil {
		return nil, err
	}
	if err := a.Store.EnableTotp(ctx, v, t, step, codes, session); model.CodeOf(err) == model.CodeNotFound {
		return nil, model.InvalidCode("code")
	} else if err != nil {
		return nil, err
	}
	in, err := a.renewed(ctx, session.ID, pair)
	for i, code := range codes {
		codes[i] = strings.Join([]string{code[:4], code[4:8], code[8:12], code[12:]}, "-")
	}
	return &TotpSetUp{Codes: codes, In: in}, err
}

// StopTotp turns the second factor off, ends all sessions and begins a new one. It fails
// with INVALID_CREDENTIALS, OTP_REQUIRED, INVALID_CODE, TOO_MANY_ATTEMPTS, or FORBIDDEN if
// the server requires a second factor.
func (a *Accounts) StopTotp(ctx context.Context, v *model.Viewer, password string, from Client) (*SignedIn, error) {
	c, hash, err := a.confirm(ctx, v, password, from)
	switch {
	case err != nil:
		return nil, err
	case !c.HasTotp:
		return nil, model.InvalidCode("otp")
	}
	pair, session, err := a.session(v.UserID, rand.Text())
	if err != nil {
		return nil, err
	}
	if err := a.Store.DisableTotp(ctx, v, hash, session); err != nil {
		return nil, changedMeanwhile(err)
	}
	return a.renewed(ctx, session.ID, pair)
}

// confirm checks the password of the viewer and the second factor, if it is on.
func (a *Accounts) confirm(ctx context.Context, v *model.Viewer, password string, from Client) (c *store.Credential, hash string, err error) {
	if c, err = a.Store.CredentialOf(ctx, v); err != nil {
		return nil, "", err
	}
	second := func() error { return a.checkOtp(ctx, c, from.Otp) }
	hash, err = a.verify(ctx, c, string(c.Email.Canonical()), password, from, second, wrongPassword())
	return c, hash, err
}

func wrongPassword() error {
	return model.NewFieldError("password", model.CodeInvalidCredentials, "This is not the present password.")
}

// changedMeanwhile is the error of a change whose password was right a moment ago.
func changedMeanwhile(err error) error {
	if model.CodeOf(err) == model.CodeNotFound {
		return wrongPassword()
	}
	return err
}

// checkOtp uses up a code of the authenticator app, or a recovery code, of an account with
// a second factor. It returns OTP_REQUIRED without a code, and INVALID_CODE for one that is
// wrong or was used before.
func (a *Accounts) checkOtp(ctx context.Context, c *store.Credential, sent *string) error {
	if !c.HasTotp {
		return nil
	}
	if sent == nil || strings.TrimSpace(*sent) == "" {
		return model.NewFieldError("otp", model.CodeOtpRequired, "Send the code of the authenticator app, or a recovery code, in otp.")
	}
	spent, err := a.spendOtp(ctx, c.UserID, store.NormalCode(*sent))
	if err == nil && !spent {
		return model.InvalidCode("otp")
	}
	return err
}

func (a *Accounts) spendOtp(ctx context.Context, userID int64, code string) (bool, error) {
	if len(code) == recoveryCodeLength {
		return a.Store.SpendRecoveryCode(ctx, userID, code)
	}
	t, err := a.Store.Totp(ctx, userID)
	if err != nil {
		return false, err
	}
	step := stepOf(t.Seed, code, a.Tokens.now())
	if step == 0 {
		return false, nil
	}
	return a.Store.SpendTotp(ctx, userID, t, step)
}

// stepOf returns the time step in which an app with the seed shows the code: that of now,
// the one before or the one after, otherwise 0.
func stepOf(seed, code string, now time.Time) (step int64) {
	if seed == "" {
		return 0
	}
	current := now.Unix() / totpPeriod
	for _, at := range []int64{current + 1, current - 1, current} {
		// The only errors are those of a code of another length.
		right, _ := hotp.ValidateCustom(code, uint64(at), seed, hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1}) //nolint:gosec // G115: after 1970
		if right {
			step = at
		}
	}
	return step
}
