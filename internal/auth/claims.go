package auth

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"strings"

	"github.com/caregraph/caregraph/model"
)

// crockford is the alphabet of Crockford's Base32, which has no I, L, O and U.
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// claimCodeLength is how many characters a claim code has: 50 bits.
const claimCodeLength = 10

// newCode returns a random code of Crockford's Base32.
func newCode(length int) string {
	code := make([]byte, length)
	_, _ = rand.Read(code) // never fails
	for i := range code {
		code[i] = crockford[code[i]%32]
	}
	return string(code)
}

// normalCode returns a code as newCode writes it. People confuse O with 0, and I and L
// with 1, and add hyphens and white space.
func normalCode(code string) string {
	return strings.NewReplacer("O", "0", "I", "1", "L", "1", "-", "", " ", "").Replace(strings.ToUpper(strings.TrimSpace(code)))
}

// hashCode returns the HMAC of a code for a purpose. The database has only hashes.
func (a *Accounts) hashCode(purpose, code string) []byte {
	mac := hmac.New(sha256.New, a.CodeKey)
	mac.Write([]byte(purpose + "\x00" + normalCode(code)))
	return mac.Sum(nil)
}

const claims = "claim"

// CreateClaimCode returns a code by which the patient claims the record, and the grant
// that waits for it. It fails with the codes of Store.CreateClaimCode.
func (a *Accounts) CreateClaimCode(ctx context.Context, v *model.Viewer, patient int64) (string, *model.Grant, error) {
	code := newCode(claimCodeLength)
	g, err := a.Store.CreateClaimCode(ctx, v, patient, a.hashCode(claims, code))
	return code[:claimCodeLength/2] + "-" + code[claimCodeLength/2:], g, err
}

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
	g, err := a.Store.ClaimPatient(ctx, v, a.hashCode(claims, code), name, born)
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
