package auth

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/lestrrat-go/jwx/v2/jws"
)

// The lifetimes of tokens unless the settings change them.
const (
	DefaultAccessTTL  = 24 * time.Hour
	DefaultRefreshTTL = 7 * 24 * time.Hour
)

const (
	// maxTokenBytes is many times the length of our tokens. It bounds the work
	// that a stranger's token costs.
	maxTokenBytes = 4 << 10
	// maxClockSkew is how far the clock of the server that issued a token may
	// be ahead of our clock. An expiry has no such tolerance: a token ends when
	// it says.
	maxClockSkew = 10 * time.Second
)

// TokenKind is the claim token_type.
type TokenKind string

// The kinds of tokens. Neither is accepted in place of the other.
const (
	AccessToken  TokenKind = "access"
	RefreshToken TokenKind = "refresh"
)

// TokenSettings are the claims and lifetimes of tokens. A lifetime of zero
// means the default.
type TokenSettings struct {
	Issuer, Audience      string
	AccessTTL, RefreshTTL time.Duration
	Clock                 func() time.Time
}

// Tokens issues and verifies signed tokens (JWT, RFC 7519). It stores none and
// does not know which sessions have ended: who verifies a token must check its
// session too.
type Tokens struct {
	settings TokenSettings
	ring     *ring
}

// Pair is what a caller gets at a sign-in. RefreshJTI identifies the refresh
// token; the store keeps the latest.
type Pair struct {
	Access, Refresh                   string
	AccessExpiresAt, RefreshExpiresAt time.Time
	RefreshJTI                        string
}

// Claims are the claims of a valid token.
type Claims struct {
	Kind                TokenKind
	UserID              int64
	SessionID, JTI      string
	IssuedAt, ExpiresAt time.Time

	// session is the name of the session in logs.
	session string
}

// Reason says why a token was refused.
type Reason int

// The reasons.
const (
	// ReasonInvalid covers all causes that are not distinguished: no token at
	// all, changed, signed by another key or in another way, from the future,
	// of another issuer or for another audience.
	ReasonInvalid Reason = iota + 1
	ReasonExpired
	ReasonWrongType
	ReasonNoExpiry
	ReasonNoID
	ReasonNoType
	// ReasonEnded is a valid token whose session, or account, has ended.
	ReasonEnded
	// ReasonBadHeader is a header Authorization without a token.
	ReasonBadHeader
)

// TokenError reports why a token is refused. Its text shows nothing of the
// token and may be sent to the caller.
type TokenError struct{ Reason Reason }

func (e *TokenError) Error() string {
	return [...]string{
		ReasonInvalid:   "Token is invalid",
		ReasonExpired:   "Token is expired",
		ReasonWrongType: "Token has wrong type",
		ReasonNoExpiry:  "Token has no 'exp' claim",
		ReasonNoID:      "Token has no id",
		ReasonNoType:    "Token has no type",
		ReasonEnded:     "Token's session has ended",
		ReasonBadHeader: "Authorization header must contain two space-delimited values",
	}[e.Reason]
}

// The words of the schema's enum UnauthenticatedReason.
const (
	TokenMissing = "TOKEN_MISSING"
	TokenInvalid = "TOKEN_INVALID"
	TokenExpired = "TOKEN_EXPIRED"
	SessionEnded = "SESSION_ENDED"
)

// Refusal says why there is no caller, so that a client can decide whether to refresh its
// token. The error is that of Caller.Viewer; nil means that there is no token.
func Refusal(err error) string {
	refused, ok := errors.AsType[*TokenError](err)
	switch {
	case !ok:
		return TokenMissing
	case refused.Reason == ReasonExpired:
		return TokenExpired
	case refused.Reason == ReasonEnded:
		return SessionEnded
	default:
		return TokenInvalid
	}
}

// payload is the JSON of the claims: first those of the system that this one
// replaces, in its order and types.
type payload struct {
	Type      TokenKind `json:"token_type,omitempty"`
	ExpiresAt *int64    `json:"exp,omitempty"`
	IssuedAt  int64     `json:"iat"`
	JTI       string    `json:"jti,omitempty"`
	UserID    string    `json:"user_id"`
	Issuer    string    `json:"iss"`
	Audience  string    `json:"aud"`
	Subject   string    `json:"sub"`
	SessionID string    `json:"sid"`

	// session is the name of the session in logs.
	session string
}

// NewTokens fails if the settings lack an issuer, an audience or a clock, and
// if a lifetime is not in whole seconds, the unit of a token.
func NewTokens(keys *Keys, settings TokenSettings) (*Tokens, error) {
	settings.AccessTTL = cmp.Or(settings.AccessTTL, DefaultAccessTTL)
	settings.RefreshTTL = cmp.Or(settings.RefreshTTL, DefaultRefreshTTL)
	if settings.Issuer == "" || settings.Audience == "" || settings.Clock == nil {
		return nil, errors.New("tokens need an issuer, an audience and a clock")
	}
	for _, ttl := range []time.Duration{settings.AccessTTL, settings.RefreshTTL} {
		if ttl < time.Second || ttl%time.Second != 0 {
			return nil, fmt.Errorf("token lifetime %v: must be a whole number of seconds, at least 1", ttl)
		}
	}
	return &Tokens{settings, newRing(keys, newTokenCache(maxCachedTokens))}, nil
}

// PublicJWKS returns that of the keys in the file.
func (t *Tokens) PublicJWKS() []byte { return t.ring.latest().keys.PublicJWKS() }

// DeriveAll is that of the keys in use or, with latest set, of those that are now in the
// file: another server may have rotated them.
func (t *Tokens) DeriveAll(purpose string, latest bool) ([][]byte, error) {
	if latest {
		return t.ring.latest().keys.DeriveAll(purpose)
	}
	return t.ring.set.Load().keys.DeriveAll(purpose)
}

// Issue signs a pair of tokens for one session of an account. Both tokens are
// issued at the same time, and each ends exactly after its lifetime.
func (t *Tokens) Issue(userID int64, sessionID string) (Pair, error) {
	jti, expiresAt := t.NewRefresh()
	return t.Sign(userID, sessionID, jti, expiresAt)
}

// NewRefresh returns the id and the expiry of a refresh token that begins now.
func (t *Tokens) NewRefresh() (jti string, expiresAt time.Time) {
	return newJTI(), t.now().Add(t.settings.RefreshTTL)
}

// Sign signs a pair of tokens whose refresh token has an id and an expiry.
func (t *Tokens) Sign(userID int64, sessionID, refreshJTI string, refreshExpiresAt time.Time) (Pair, error) {
	if userID < 1 || sessionID == "" {
		return Pair{}, errors.New("issue tokens: no account or no session")
	}
	now := t.now()
	pair := Pair{
		AccessExpiresAt:  now.Add(t.settings.AccessTTL),
		RefreshExpiresAt: refreshExpiresAt.UTC().Truncate(time.Second),
		RefreshJTI:       refreshJTI,
	}
	access := t.claims(AccessToken, userID, sessionID, now, t.settings.AccessTTL)
	refresh := t.claims(RefreshToken, userID, sessionID, now, pair.RefreshExpiresAt.Sub(now))
	refresh.JTI = refreshJTI
	var err error
	if pair.Access, err = t.sign(access); err != nil {
		return Pair{}, err
	}
	if pair.Refresh, err = t.sign(refresh); err != nil {
		return Pair{}, err
	}
	return pair, nil
}

// now returns the time in whole seconds, the unit of a token.
func (t *Tokens) now() time.Time { return t.settings.Clock().UTC().Truncate(time.Second) }

func newJTI() string {
	jti := make([]byte, 16)
	_, _ = rand.Read(jti) // never fails, says its documentation
	return hex.EncodeToString(jti)
}

func (t *Tokens) claims(kind TokenKind, userID int64, sessionID string, now time.Time, ttl time.Duration) payload {
	expiresAt := now.Add(ttl).Unix()
	id := strconv.FormatInt(userID, 10)
	return payload{
		Type: kind, ExpiresAt: &expiresAt, IssuedAt: now.Unix(), JTI: newJTI(), UserID: id,
		Issuer: t.settings.Issuer, Audience: t.settings.Audience, Subject: subject(id), SessionID: sessionID,
	}
}

// subject returns the account's global id in the schema.
func subject(userID string) string { return "usr_" + userID }

func (t *Tokens) sign(claims payload) (string, error) {
	content, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	keys, headers := t.ring.set.Load().keys, jws.NewHeaders()
	if err := errors.Join(headers.Set(jws.TypeKey, "JWT"), headers.Set(jws.KeyIDKey, keys.ids[0])); err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	token, err := jws.Sign(content, jws.WithKey(keys.alg, keys.signers[0], jws.WithProtectedHeaders(headers)))
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	return string(token), nil
}
