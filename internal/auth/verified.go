package auth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// maxCachedTokens bounds the cache to about 5 MB. An evicted token has its
// signature checked once more.
const maxCachedTokens = 10_000

// tokenCache caches the claims of access tokens whose signature was checked:
// the check costs more than everything else in most requests. The cache saves
// the check of the signature and nothing else. It holds no refresh tokens,
// which are used only once.
//
// It belongs to one keySet, which never changes. It holds only tokens that
// those keys signed, so a stranger cannot evict an entry. Its keys are hashes
// of tokens, so no one who reads it can use a token.
type tokenCache = lru.Cache[tokenHash, payload]

type tokenHash [sha256.Size]byte

// hashOf does not copy our tokens, of about 430 bytes, to the heap.
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

// Verify returns the claims of a token that we signed, that has the given kind
// and that is valid now. Every error is a *TokenError.
func (t *Tokens) Verify(token string, kind TokenKind) (Claims, error) {
	if len(token) > maxTokenBytes {
		return Claims{}, &TokenError{ReasonInvalid}
	}
	hash, set := hashOf(token), t.ring.set.Load()
	content, cached := set.cache.Get(hash)
	if !cached {
		var err error
		content, err = read(set.keys, token)
		if errors.Is(err, errUnknownKey) {
			set = t.ring.latest()
			content, err = read(set.keys, token)
		}
		if err != nil {
			return Claims{}, &TokenError{ReasonInvalid}
		}
	}
	claims, reason := t.check(content, kind)
	switch {
	case reason == ReasonExpired:
		set.cache.Remove(hash)
	case reason == 0 && !cached && kind == AccessToken:
		set.cache.Add(hash, content)
	}
	if reason != 0 {
		return Claims{}, &TokenError{reason}
	}
	return claims, nil
}

// read returns the claims of a token that one of the keys signed.
func read(keys *Keys, token string) (claims payload, err error) {
	content, err := signed(keys, token)
	if err != nil {
		return payload{}, err
	}
	if err := json.Unmarshal(content, &claims); err != nil {
		return payload{}, err
	}
	claims.session = sessionName(claims.SessionID)
	return claims, nil
}

// sessionName returns a name for a session in logs: the first 8 characters of the SHA-256 of
// its id.
func sessionName(id string) string {
	hash := sha256.Sum256([]byte(id))
	return hex.EncodeToString(hash[:4])
}

// check returns the claims of a token that is valid now, or the reason why it
// is not.
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
		session: content.session,
	}, 0
}

var errUnknownKey = errors.New("signed by an unknown key")

// signed returns the content of a token that one of the keys signed with their
// algorithm. Only alg and kid of the header count: it ignores keys
// that the header contains or refers to (jwk, jku, x5c, x5u), and it refuses a
// token with extensions that must be understood (crit).
func signed(keys *Keys, token string) ([]byte, error) {
	if !isCanonical(token) {
		return nil, errors.New("not a token")
	}
	unknown := false
	ourKey := func(_ context.Context, sink jws.KeySink, signature *jws.Signature, _ *jws.Message) error {
		header := signature.ProtectedHeaders()
		key, known := keys.public[header.KeyID()]
		unknown = !known
		if !known || header.Algorithm() != keys.alg || len(header.Critical()) > 0 {
			return errors.New("not signed by us")
		}
		sink.Key(keys.alg, key)
		return nil
	}
	content, err := jws.Verify([]byte(token), jws.WithCompact(), jws.WithKeyProvider(jws.KeyProviderFunc(ourKey)))
	if unknown {
		return nil, errUnknownKey
	}
	return content, err
}

// isCanonical reports whether the token has three parts, each in the one
// spelling that base64url allows. Decoders are lenient: without this check a
// token whose last character was changed could still be valid.
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

// claimsReason returns the reason why the claims are refused, or 0. Its order
// decides which of several reasons is reported; it is the order of the system
// that this one replaces.
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
