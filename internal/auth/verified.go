package auth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// maxCachedTokens bounds verified to some 5 MB. Whoever is pushed out has the
// signature checked once more.
const maxCachedTokens = 10_000

// tokenCache remembers what access tokens say whose signature was checked: that
// costs more than all the rest of most requests. It spares the signature and
// nothing else. Refresh tokens are presented once, so they are not for it.
//
// It belongs to one set of keys, which never changes. Nothing enters it that
// those keys did not sign, so a stranger can push nothing out. It knows tokens
// by a hash, and whoever sees it can present none.
type tokenCache = lru.Cache[tokenHash, payload]

type tokenHash [sha256.Size]byte

// hashOf is written so that a token of ours, which has some 430 bytes, is not
// copied to the heap.
func hashOf(token string) tokenHash {
	var content [512]byte
	return sha256.Sum256(append(content[:0], token...))
}

func newTokenCache(size int) *tokenCache {
	memory, err := lru.New[tokenHash, payload](size)
	if err != nil {
		panic(err) //nolint:forbidigo // only for a size that is not positive
	}
	return memory
}

// Verify returns the claims of a token of the given kind that we signed and
// that is good now. Every error is a *TokenError.
func (t *Tokens) Verify(token string, kind TokenKind) (Claims, error) {
	if len(token) > maxTokenBytes {
		return Claims{}, &TokenError{ReasonInvalid}
	}
	hash := hashOf(token)
	content, cached := t.cache.Get(hash)
	if !cached {
		var err error
		if content, err = t.read(token); err != nil {
			return Claims{}, &TokenError{ReasonInvalid}
		}
	}
	claims, reason := t.check(content, kind)
	switch {
	case reason == ReasonExpired:
		t.cache.Remove(hash)
	case reason == 0 && !cached && kind == AccessToken:
		t.cache.Add(hash, content)
	}
	if reason != 0 {
		return Claims{}, &TokenError{reason}
	}
	return claims, nil
}

// read returns what a token says that we signed.
func (t *Tokens) read(token string) (claims payload, err error) {
	content, err := t.signed(token)
	if err != nil {
		return payload{}, err
	}
	return claims, json.Unmarshal(content, &claims)
}

// check returns the claims of a token that is good now, or why it is not.
func (t *Tokens) check(content payload, kind TokenKind) (Claims, Reason) {
	if reason := t.claimsReason(content, kind); reason != 0 {
		return Claims{}, reason
	}
	userID, err := strconv.ParseInt(content.UserID, 10, 64)
	if err != nil || userID < 1 || content.Subject != subject(content.UserID) || content.SessionID == "" {
		return Claims{}, ReasonInvalid
	}
	return Claims{
		Kind: content.Type, UserID: userID, SessionID: content.SessionID, JTI: content.JTI,
		IssuedAt: time.Unix(content.IssuedAt, 0).UTC(), ExpiresAt: time.Unix(*content.ExpiresAt, 0).UTC(),
	}, 0
}

// signed returns the content of a token that one of our keys signed with the
// configured algorithm. Of the header only alg and kid count: keys that it
// brings or points at (jwk, jku, x5c, x5u) are not looked at, and extensions
// that must be understood (crit) are not.
func (t *Tokens) signed(token string) ([]byte, error) {
	if !isCanonical(token) {
		return nil, errors.New("not a token")
	}
	ourKey := func(_ context.Context, sink jws.KeySink, signature *jws.Signature, _ *jws.Message) error {
		header := signature.ProtectedHeaders()
		key, known := t.keys.public[header.KeyID()]
		if !known || header.Algorithm() != t.keys.alg || len(header.Critical()) > 0 {
			return errors.New("not signed by us")
		}
		sink.Key(t.keys.alg, key)
		return nil
	}
	return jws.Verify([]byte(token), jws.WithCompact(), jws.WithKeyProvider(jws.KeyProviderFunc(ourKey)))
}

// isCanonical reports whether the token has three parts, each in the one
// spelling that base64url allows. Decoders are lenient: without this a token
// whose last character was changed can still be taken for good.
func isCanonical(token string) bool {
	parts := strings.Split(token, ".")
	for _, part := range parts {
		content, err := base64.RawURLEncoding.DecodeString(part)
		if err != nil || len(content) == 0 || base64.RawURLEncoding.EncodeToString(content) != part {
			return false
		}
	}
	return len(parts) == 3
}

// claimsReason returns 0 when there is none. The order decides which of several is
// told, and is that of the system this one replaces.
func (t *Tokens) claimsReason(claims payload, kind TokenKind) Reason {
	now := t.settings.Clock()
	switch {
	case claims.IssuedAt == 0 || time.Unix(claims.IssuedAt, 0).After(now.Add(maxClockSkew)):
		return ReasonInvalid
	case claims.Issuer != t.settings.Issuer || claims.Audience != t.settings.Audience:
		return ReasonInvalid
	case claims.ExpiresAt != nil && !now.Before(time.Unix(*claims.ExpiresAt, 0)):
		return ReasonExpired
	case claims.ExpiresAt == nil:
		return ReasonNoExpiry
	case claims.JTI == "":
		return ReasonNoID
	case claims.Type == "":
		return ReasonNoType
	case claims.Type != kind:
		return ReasonWrongType
	default:
		return 0
	}
}
