// Package auth authenticates callers: it checks passwords, signs and verifies
// tokens, opens and ends sessions, and puts the caller into the context of a
// request. It never decides what a caller may do. No other package imports jwx
// or x/crypto.
package auth

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
)

// Accounts registers accounts, signs them in and out, and changes passwords.
type Accounts struct {
	Store    *store.Store
	Hasher   *Hasher
	Tokens   *Tokens
	Throttle *Throttle
	// Later does what an answer must not wait for.
	Later *Queue
	// ConfirmFirst signs in only accounts that have confirmed their addresses.
	ConfirmFirst bool

	signIns struct{ ok, wrong, throttled atomic.Int64 }
}

// SignIns returns how often a password was right ("ok") or "wrong", and how often it was
// not compared after too many failures ("throttled").
func (a *Accounts) SignIns() map[string]int64 {
	return map[string]int64{"ok": a.signIns.ok.Load(), "wrong": a.signIns.wrong.Load(), "throttled": a.signIns.throttled.Load()}
}

// SignedIn is the result of a sign-in: the account, the viewer that its
// requests have from now on, and the tokens.
type SignedIn struct {
	User   *model.User
	Viewer *model.Viewer
	Tokens Pair
	// Device is the token of the client's device, or empty.
	Device string
}

// Register creates an account and signs it in. It fails with REQUIRED, INVALID,
// TOO_LONG, WEAK_PASSWORD or TAKEN, or with RATE_LIMITED. With ConfirmFirst it returns nil,
// also for an address that is taken.
func (a *Accounts) Register(ctx context.Context, u *model.User, password string, from Client) (*SignedIn, error) {
	name, err := model.CheckClient(from.Name)
	if err := withFields(checkAccount(u, password, u.ValidateRegistration(a.Store.Constraints("User"))), err); err != nil {
		return nil, err
	}
	from.Name = name
	attempt, err := a.Throttle.registration(ctx, from.Addr)
	if err != nil {
		return nil, rateLimited(err)
	}
	defer attempt.cancel()
	register := a.register
	if a.ConfirmFirst {
		register = a.registerLater
	}
	in, err := register(ctx, u, password, from)
	spent := attempt.budgets[:1]
	if model.CodeOf(err) == model.CodeTaken {
		spent = attempt.budgets
	}
	if spendErr := attempt.spend(ctx, spent...); err != nil {
		return nil, cmp.Or(spendErr, err)
	}
	if in == nil {
		return nil, nil //nolint:nilnil // nobody is signed in
	}
	// The account exists: without its device it is signed in all the same.
	in.Device, _, _ = a.rememberDevice(ctx, in.User.ID, from)
	return in, nil
}

// register looks for values that are taken before it hashes, which costs much more.
func (a *Accounts) register(ctx context.Context, u *model.User, password string, from Client) (*SignedIn, error) {
	if err := a.Store.Taken(ctx, u); err != nil {
		return nil, err
	}
	hash, err := a.Hasher.HashNew(ctx, password)
	if err != nil {
		return nil, hashError(err)
	}
	var pair Pair
	sessionID := rand.Text()
	u, err = a.Store.CreateUser(ctx, u, hash, func(userID int64) (session store.Session, err error) {
		pair, session, err = a.session(userID, sessionID)
		session.Client = from.Name
		return session, err
	})
	if err != nil {
		return nil, err
	}
	return a.signedIn(u, sessionID, pair), nil
}

// UpdateMe is Store.UpdateMe for a client address. Answers TAKEN use up a budget; then
// it fails with RATE_LIMITED.
func (a *Accounts) UpdateMe(ctx context.Context, v *model.Viewer, changes []model.Change[model.User], addr string) (*model.User, error) {
	if v == nil || len(changes) == 0 {
		return a.Store.UpdateMe(ctx, v, changes)
	}
	attempt, err := a.Throttle.change(ctx, v.UserID, addr)
	if err != nil {
		return nil, rateLimited(err)
	}
	defer attempt.cancel()
	u, err := a.Store.UpdateMe(ctx, v, changes)
	if model.CodeOf(err) == model.CodeTaken {
		return nil, cmp.Or(attempt.failed(ctx), err)
	}
	return u, err
}

// CreateAccount creates an account of any role and does not sign it in. Only an
// operator may call it. It fails with the codes of Register.
func CreateAccount(ctx context.Context, s *store.Store, h *Hasher, u *model.User, password string) (*model.User, error) {
	if err := checkAccount(u, password, u.Validate(s.Constraints("User"))); err != nil {
		return nil, err
	}
	hash, err := h.Hash(ctx, password)
	if err != nil {
		return nil, hashError(err)
	}
	return s.CreateUser(ctx, u, hash, nil)
}

// checkAccount merges the errors of the password into those of the account, in
// the order of the input fields.
func checkAccount(u *model.User, password string, invalid error) error {
	refusal, isRefusal := errors.AsType[*model.Error](invalid)
	if invalid != nil && !isRefusal {
		return invalid
	}
	weak := CheckPassword("password", password, u.Username, string(u.Email))
	if !isRefusal {
		return weakPassword(weak)
	}
	position := slices.IndexFunc(refusal.Fields, func(f model.FieldError) bool { return f.Field == "phone" || f.Field == "role" })
	if position < 0 {
		position = len(refusal.Fields)
	}
	refusal.Fields = slices.Insert(refusal.Fields, position, weak...)
	return refusal
}

// withFields returns the errors of the fields of both.
func withFields(err, more error) error {
	refusal, isRefusal := errors.AsType[*model.Error](err)
	others, isOther := errors.AsType[*model.Error](more)
	if isRefusal && isOther {
		refusal.Fields = append(refusal.Fields, others.Fields...)
	}
	return cmp.Or(err, more)
}

func weakPassword(faults []model.FieldError) error {
	if len(faults) == 0 {
		return nil
	}
	return &model.Error{Code: model.CodeWeakPassword, Message: "Choose a stronger password.", Fields: faults}
}

func (a *Accounts) signedIn(u *model.User, sessionID string, pair Pair) *SignedIn {
	v := &model.Viewer{UserID: u.ID, Role: u.Role, SessionID: sessionID, NeedsTotp: a.Store.RequiresTotp(u)}
	return &SignedIn{User: u, Viewer: v, Tokens: pair}
}

func (a *Accounts) session(userID int64, sessionID string) (Pair, store.Session, error) {
	pair, err := a.Tokens.Issue(userID, sessionID)
	if err != nil {
		return Pair{}, store.Session{}, fmt.Errorf("issue tokens: %w", err)
	}
	return pair, store.Session{
		ID: sessionID, UserID: userID, RefreshID: pair.RefreshJTI, ExpiresAt: pair.RefreshExpiresAt,
	}, nil
}

// Login signs in with an e-mail address and a password, from a client. It fails
// with TOO_MANY_ATTEMPTS or INVALID_CREDENTIALS, after the right password with OTP_REQUIRED
// or INVALID_CODE, with INVALID or TOO_LONG for the client's name, or with RATE_LIMITED. The text and the time of INVALID_CREDENTIALS do not
// depend on whether the account exists.
func (a *Accounts) Login(ctx context.Context, email model.EmailAddress, password string, from Client) (*SignedIn, error) {
	name, err := model.CheckClient(from.Name)
	if err != nil {
		return nil, err
	}
	from.Name = name
	credential, err := a.credential(ctx, email)
	if err != nil {
		return nil, err
	}
	var refused error = model.NewError(model.CodeInvalidCredentials, "No active account found with the given credentials")
	second := func() error { return a.checkOtp(ctx, credential, from.Otp) }
	hash, err := a.verify(ctx, credential, string(email.Canonical()), password, from, second, refused)
	if err != nil {
		return nil, err
	}
	if a.ConfirmFirst && !credential.IsConfirmed {
		return nil, cmp.Or(a.remind(credential.UserID), refused)
	}
	device, known, err := a.rememberDevice(ctx, credential.UserID, from)
	if err != nil {
		return nil, err
	}
	pair, session, err := a.session(credential.UserID, rand.Text())
	if err != nil {
		return nil, err
	}
	session.Client, session.NewDevice, session.HasOtp = from.Name, !known, credential.HasTotp
	u, err := a.Store.CreateSession(ctx, session, hash)
	if model.CodeOf(err) == model.CodeNotFound {
		return nil, refused
	}
	if err != nil {
		return nil, err
	}
	in := a.signedIn(u, session.ID, pair)
	in.Device = device
	return in, nil
}

// credential returns nil without an error if there is no such account.
func (a *Accounts) credential(ctx context.Context, email model.EmailAddress) (*store.Credential, error) {
	if !email.Valid() {
		return nil, nil //nolint:nilnil // no account has this address
	}
	credential, err := a.Store.Credential(ctx, email)
	if model.CodeOf(err) == model.CodeNotFound {
		return nil, nil //nolint:nilnil // no account has this address
	}
	return credential, err
}

// verify checks the password of an account, which may be nil, and then the second factor,
// nil for none. It returns the hash that is stored from now on. It replaces an outdated hash.
func (a *Accounts) verify(
	ctx context.Context, c *store.Credential, account, password string, from Client, second func() error, refused error,
) (string, error) {
	attempt, err := a.begin(ctx, c, account, from)
	if err != nil {
		return "", err
	}
	defer attempt.cancel()
	if c == nil || !c.IsActive {
		if err := a.Hasher.VerifyDummy(ctx, password); err != nil {
			return "", hashError(err)
		}
		a.signIns.wrong.Add(1)
		if c == nil {
			a.Store.CountEvent(ctx, model.EventSignInFailed, nil)
		}
		return "", cmp.Or(attempt.failed(ctx), refused)
	}
	ok, stale, err := a.Hasher.Verify(ctx, c.PasswordHash, password)
	switch {
	case err != nil:
		return "", hashError(err)
	case !ok:
		a.signIns.wrong.Add(1)
		return "", cmp.Or(attempt.failed(ctx), refused)
	}
	if err := a.verifySecond(ctx, attempt, c, second); err != nil {
		return "", err
	}
	a.signIns.ok.Add(1)
	if err := attempt.succeeded(ctx); err != nil || !stale {
		return c.PasswordHash, err
	}
	return a.rehash(ctx, c, password), nil
}

// rehash replaces an outdated hash and returns the hash that is stored
// afterwards. If that fails, the old hash stays until the next sign-in: the
// password was right.
func (a *Accounts) rehash(ctx context.Context, c *store.Credential, password string) string {
	hash, err := a.Hasher.Hash(ctx, password)
	if err != nil || a.Store.SetPasswordHash(ctx, c.UserID, c.PasswordHash, hash) != nil {
		return c.PasswordHash
	}
	return hash
}

func tooManyAttempts(err *tooSoon) error {
	refusal := model.NewError(model.CodeTooManyAttempts, err.message("Too many attempts"))
	refusal.RetryAfter = err.seconds()
	return refusal
}

// rateLimited translates a *tooSoon of a registration or a change.
func rateLimited(err error) error {
	soon, ok := errors.AsType[*tooSoon](err)
	if !ok {
		return err
	}
	return model.RateLimited(soon.message("Too many requests of this kind"), soon.seconds())
}

// hashError translates the error of a Hasher. It returns RATE_LIMITED if too many
// others wait, and UNAVAILABLE if the deadline passed before the hash was computed.
func hashError(err error) error {
	if full, ok := errors.AsType[queueFull](err); ok {
		return model.RateLimited("Too many passwords wait to be hashed; "+full.setting+" is the limit. Please try again.", queueSeconds)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return model.NewError(model.CodeUnavailable, "The server is busy. Please try again.")
	}
	return fmt.Errorf("hash password: %w", err)
}

// ChangePassword replaces the viewer's password, ends all sessions, so that a
// stolen token is worth nothing, and begins a new one. It fails with INVALID_CREDENTIALS if the
// current password is wrong, WEAK_PASSWORD if the new one is weak, or
// TOO_MANY_ATTEMPTS.
func (a *Accounts) ChangePassword(ctx context.Context, v *model.Viewer, current, next, addr string) (*SignedIn, error) {
	credential, err := a.Store.CredentialOf(ctx, v)
	if err != nil {
		return nil, err
	}
	if err := weakPassword(CheckPassword("newPassword", next, credential.Username, string(credential.Email))); err != nil {
		return nil, err
	}
	refused := model.NewFieldError("currentPassword", model.CodeInvalidCredentials, "This is not the present password.")
	present, err := a.verify(ctx, credential, string(credential.Email.Canonical()), current, Client{Addr: addr}, nil, refused)
	if err != nil {
		return nil, err
	}
	hash, err := a.Hasher.Hash(ctx, next)
	if err != nil {
		return nil, hashError(err)
	}
	pair, session, err := a.session(v.UserID, rand.Text())
	if err != nil {
		return nil, err
	}
	if err := a.Store.ChangePassword(ctx, v, present, hash, session); model.CodeOf(err) == model.CodeNotFound {
		return nil, refused
	} else if err != nil {
		return nil, err
	}
	return a.renewed(ctx, session.ID, pair)
}
