package auth

import (
	"crypto"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"hash"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"

	"github.com/caregraph/caregraph/internal/testutil"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 987654321, time.UTC)

func TestTokens_IssuedPairVerifies(t *testing.T) {
	t.Parallel()
	for _, alg := range []string{EdDSA, ES256} {
		tokens := newTokens(t, alg, noon)
		pair, err := tokens.Issue(7, "s-1")
		testutil.Must(t, err)
		access, err := tokens.Verify(pair.Access, AccessToken)
		testutil.Must(t, err)
		refresh, err := tokens.Verify(pair.Refresh, RefreshToken)
		testutil.Must(t, err)
		if access.UserID != 7 || access.SessionID != "s-1" || access.Kind != AccessToken || refresh.Kind != RefreshToken {
			t.Errorf("claims = %+v, %+v", access, refresh)
		}
		if access.JTI == refresh.JTI || refresh.JTI != pair.RefreshJTI {
			t.Errorf("identities: access %q, refresh %q, pair %q", access.JTI, refresh.JTI, pair.RefreshJTI)
		}
		if !access.ExpiresAt.Equal(pair.AccessExpiresAt) || access.ExpiresAt.Sub(access.IssuedAt) != 24*time.Hour {
			t.Errorf("access token lives from %v to %v, pair says %v", access.IssuedAt, access.ExpiresAt, pair.AccessExpiresAt)
		}
		if !refresh.ExpiresAt.Equal(pair.RefreshExpiresAt) || refresh.ExpiresAt.Sub(refresh.IssuedAt) != 7*24*time.Hour {
			t.Errorf("refresh token lives from %v to %v, pair says %v", refresh.IssuedAt, refresh.ExpiresAt, pair.RefreshExpiresAt)
		}
	}
}

// Clients of the replaced system read these claims.
func TestTokens_ClaimsAreInTheOldOrderAndTypes(t *testing.T) {
	t.Parallel()
	pair, err := newTokens(t, EdDSA, noon).Issue(7, "s-1")
	testutil.Must(t, err)
	want := regexp.MustCompile(`^{"token_type":"access","exp":1795521600,"iat":1795435200,"jti":"[0-9a-f]{32}",` +
		`"user_id":"7","iss":"caregraph","aud":"clinic","sub":"usr_7","sid":"s-1"}$`)
	if got := decodePart(t, pair.Access, 1); !want.MatchString(got) {
		t.Errorf("claims are %s", got)
	}
	if got := decodePart(t, pair.Access, 0); !regexp.MustCompile(`^{"alg":"EdDSA","kid":"[\w-]{43}","typ":"JWT"}$`).MatchString(got) {
		t.Errorf("header is %s", got)
	}
}

func TestTokens_EachKindIsRefusedInPlaceOfTheOther(t *testing.T) {
	t.Parallel()
	tokens := newTokens(t, EdDSA, noon)
	pair, _ := tokens.Issue(7, "s-1")
	wantReason(t, tokens, pair.Refresh, AccessToken, ReasonWrongType)
	wantReason(t, tokens, pair.Access, RefreshToken, ReasonWrongType)
}

func TestTokens_EndAtTheirExpiryToTheSecond(t *testing.T) {
	t.Parallel()
	tokens := newTokens(t, EdDSA, noon)
	pair, _ := tokens.Issue(7, "s-1")
	at := func(now time.Time) *Tokens {
		later := *tokens
		later.settings.Clock = func() time.Time { return now }
		return &later
	}
	if _, err := at(pair.AccessExpiresAt.Add(-time.Nanosecond)).Verify(pair.Access, AccessToken); err != nil {
		t.Errorf("refused before its end: %v", err)
	}
	wantReason(t, at(pair.AccessExpiresAt), pair.Access, AccessToken, ReasonExpired)
	wantReason(t, at(pair.AccessExpiresAt.Add(time.Hour)), pair.Access, RefreshToken, ReasonExpired)

	issued := noon.Truncate(time.Second)
	if _, err := at(issued.Add(-maxClockSkew)).Verify(pair.Access, AccessToken); err != nil {
		t.Errorf("a small difference of clocks was not forgiven: %v", err)
	}
	wantReason(t, at(issued.Add(-maxClockSkew-time.Second)), pair.Access, AccessToken, ReasonInvalid)
}

func TestTokens_ClaimsThatAreMissingOrWrong(t *testing.T) {
	t.Parallel()
	tokens := newTokens(t, EdDSA, noon)
	expired := noon.Add(-time.Hour).Unix()
	for name, c := range map[string]struct {
		change func(*payload)
		want   Reason
	}{
		"no expiry":           {func(p *payload) { p.ExpiresAt = nil }, ReasonNoExpiry},
		"no id":               {func(p *payload) { p.JTI = "" }, ReasonNoID},
		"no type":             {func(p *payload) { p.Type = "" }, ReasonNoType},
		"unknown type":        {func(p *payload) { p.Type = "sliding" }, ReasonWrongType},
		"no time of issue":    {func(p *payload) { p.IssuedAt = 0 }, ReasonInvalid},
		"from the future":     {func(p *payload) { p.IssuedAt = noon.Add(time.Minute).Unix() }, ReasonInvalid},
		"other issuer":        {func(p *payload) { p.Issuer = "elsewhere" }, ReasonInvalid},
		"no issuer":           {func(p *payload) { p.Issuer = "" }, ReasonInvalid},
		"other audience":      {func(p *payload) { p.Audience = "elsewhere" }, ReasonInvalid},
		"no account":          {func(p *payload) { p.UserID = "" }, ReasonInvalid},
		"account 0":           {func(p *payload) { p.UserID, p.Subject = "0", "usr_0" }, ReasonInvalid},
		"account -1":          {func(p *payload) { p.UserID, p.Subject = "-1", "usr_-1" }, ReasonInvalid},
		"account is no digit": {func(p *payload) { p.UserID, p.Subject = "x", "usr_x" }, ReasonInvalid},
		"other subject":       {func(p *payload) { p.Subject = "usr_8" }, ReasonInvalid},
		"no session":          {func(p *payload) { p.SessionID = "" }, ReasonInvalid},
		"too long to look at": {func(p *payload) { p.SessionID = strings.Repeat("s", maxTokenBytes) }, ReasonInvalid},
		"expired, no id":      {func(p *payload) { p.ExpiresAt, p.JTI = &expired, "" }, ReasonExpired},
	} {
		claims := tokens.claims(AccessToken, 7, "s-1", noon.Truncate(time.Second), time.Hour)
		c.change(&claims)
		token, err := tokens.sign(claims)
		testutil.Must(t, err)
		t.Log(name)
		wantReason(t, tokens, token, AccessToken, c.want)
	}
}

func TestTokens_ChangedTokenIsInvalid(t *testing.T) {
	t.Parallel()
	tokens := newTokens(t, EdDSA, noon)
	pair, _ := tokens.Issue(7, "s-1")
	token := pair.Access
	// Each character in turn, including the last one of each part, where base64
	// has bits that lenient decoders ignore.
	for i := range token {
		for _, c := range []byte("AB9_") {
			changed := token[:i] + string(c) + token[i+1:]
			if changed != token {
				wantReason(t, tokens, changed, AccessToken, ReasonInvalid)
			}
		}
	}
	for _, changed := range []string{
		"", ".", "..", "a.b.c", "null", token[:len(token)-1], token + "=", token + "\n", " " + token, "Bearer " + token,
		strings.ReplaceAll(token, ".", "\n."), token + ".", token + "." + token, strings.Repeat("A", maxTokenBytes+1),
		strings.Repeat(".", maxTokenBytes), token + strings.Repeat("A", maxTokenBytes),
	} {
		wantReason(t, tokens, changed, AccessToken, ReasonInvalid)
	}
}

func TestTokens_SignedInAnotherWayIsInvalid(t *testing.T) {
	t.Parallel()
	tokens := newTokens(t, EdDSA, noon)
	content, err := json.Marshal(tokens.claims(AccessToken, 7, "s-1", noon.Truncate(time.Second), time.Hour))
	testutil.Must(t, err)
	kid, ours := tokens.ring.set.Load().keys.ids[0], tokens.ring.set.Load().keys.signers[0]
	public := ours.Public().(ed25519.PublicKey)
	der, err := x509.MarshalPKIXPublicKey(public)
	testutil.Must(t, err)
	attackersKeys := newTokens(t, EdDSA, noon).ring.set.Load().keys
	attacker := attackersKeys.signers[0]
	var attackersSet struct{ Keys []json.RawMessage }
	testutil.Must(t, json.Unmarshal(attackersKeys.PublicJWKS(), &attackersSet))
	header := func(alg, more string) string {
		return `{"alg":"` + alg + `","kid":"` + kid + `","typ":"JWT"` + more + `}`
	}
	bad := map[string]string{
		"none":                              forge(header("none", ""), content, func([]byte) []byte { return nil }),
		"none with a signature":             forge(header("none", ""), content, signWith(ours)),
		"HS256, key is the public key":      forge(header("HS256", ""), content, macWith(sha256.New, public)),
		"HS256, key is the public key, DER": forge(header("HS256", ""), content, macWith(sha256.New, der)),
		"HS256, key is the JWKS":            forge(header("HS256", ""), content, macWith(sha256.New, tokens.ring.set.Load().keys.PublicJWKS())),
		"HS512, key is the public key":      forge(header("HS512", ""), content, macWith(sha512.New, public)),
		"EdDSA header, HMAC inside":         forge(header("EdDSA", ""), content, macWith(sha512.New, public)),
		"header says other algorithm":       forge(header("HS512", ""), content, signWith(ours)),
		"no algorithm":                      forge(`{"kid":"`+kid+`"}`, content, signWith(ours)),
		"no kid":                            forge(`{"alg":"EdDSA","typ":"JWT"}`, content, signWith(ours)),
		"unknown kid":                       forge(`{"alg":"EdDSA","kid":"x"}`, content, signWith(ours)),
		"attacker's key, our kid":           forge(header("EdDSA", ""), content, signWith(attacker)),
		"attacker's key and kid":            forge(`{"alg":"EdDSA","kid":"`+attackersKeys.ids[0]+`"}`, content, signWith(attacker)),
		"attacker's key in jwk":             forge(header("EdDSA", `,"jwk":`+string(attackersSet.Keys[0])), content, signWith(attacker)),
		"attacker's key at jku":             forge(header("EdDSA", `,"jku":"https://example.org/jwks.json"`), content, signWith(attacker)),
		"attacker's key at x5u":             forge(header("EdDSA", `,"x5u":"https://example.org/cert.pem"`), content, signWith(attacker)),
		"extension to be understood":        forge(header("EdDSA", `,"crit":["exp"],"exp":1`), content, signWith(ours)),
		"claims are no object":              forge(header("EdDSA", ""), []byte(`[]`), signWith(ours)),
		"claims are not JSON":               forge(header("EdDSA", ""), []byte(`{`), signWith(ours)),
		"expiry is text":                    forge(header("EdDSA", ""), []byte(`{"exp":"never"}`), signWith(ours)),
	}
	for name, token := range bad {
		t.Log(name)
		wantReason(t, tokens, token, AccessToken, ReasonInvalid)
	}
	// A control: with everything right, a forged token is accepted.
	if _, err := tokens.Verify(forge(header("EdDSA", ""), content, signWith(ours)), AccessToken); err != nil {
		t.Errorf("a token made by hand as ours are was refused: %v", err)
	}
}

func TestTokens_RotationSignsNobodyOut(t *testing.T) {
	t.Parallel()
	path := newKeyFile(t, EdDSA)
	before, err := LoadKeys(path, EdDSA)
	testutil.Must(t, err)
	old, _ := tokensWith(t, before, noon).Issue(7, "s-1")
	for range maxKeys - 1 {
		if _, err := RotateKeys(path, EdDSA); err != nil {
			t.Fatal(err)
		}
	}
	after, err := LoadKeys(path, EdDSA)
	testutil.Must(t, err)
	tokens := tokensWith(t, after, noon)
	if _, err := tokens.Verify(old.Refresh, RefreshToken); err != nil {
		t.Errorf("a token of before the rotations: %v", err)
	}
	fresh, _ := tokens.Issue(7, "s-1")
	late := tokensWith(t, before, noon) // it lacks the new key
	verify(t, late, fresh.Access)
	if pair := issue(t, late); verify(t, tokens, pair.Access).UserID != 7 {
		t.Error("a token of the server that started before the rotations is refused")
	}
	if a, b := late.PublicJWKS(), tokens.PublicJWKS(); string(a) != string(b) {
		t.Errorf("two servers publish different keys: %s, %s", a, b)
	}
}

// TestTokens_KeysAreReadOnceForEachChange: a made-up key causes no read, and a file that
// cannot be read changes nothing.
func TestTokens_KeysAreReadOnceForEachChange(t *testing.T) {
	t.Parallel()
	path := newKeyFile(t, EdDSA)
	keys, err := LoadKeys(path, EdDSA)
	testutil.Must(t, err)
	tokens, stranger := tokensWith(t, keys, noon), newTokens(t, EdDSA, noon)
	wantReason(t, tokens, issue(t, stranger).Access, AccessToken, ReasonInvalid)
	before := tokens.ring.seen
	for range 3 {
		wantReason(t, tokens, issue(t, stranger).Access, AccessToken, ReasonInvalid)
	}
	if tokens.ring.seen != before {
		t.Error("the file was read although it did not change")
	}
	ours := issue(t, tokens)
	for _, broken := range []func() error{
		func() error { return os.WriteFile(path, []byte("broken"), 0o600) },
		func() error { return os.Chmod(path, 0o644) },
		func() error { return os.Remove(path) },
	} {
		testutil.Must(t, broken())
		wantReason(t, tokens, issue(t, stranger).Access, AccessToken, ReasonInvalid)
		verify(t, tokens, ours.Access)
	}
}

// TestTokens_RemovedKeyNoLongerVerifies once the file was read again, also for tokens that
// were verified before.
func TestTokens_RemovedKeyNoLongerVerifies(t *testing.T) {
	t.Parallel()
	path := newKeyFile(t, EdDSA)
	keys, err := LoadKeys(path, EdDSA)
	testutil.Must(t, err)
	tokens := tokensWith(t, keys, noon)
	stolen := issue(t, tokens)
	verify(t, tokens, stolen.Access)
	testutil.Must(t, os.Rename(newKeyFile(t, EdDSA), path))
	tokens.PublicJWKS()
	wantReason(t, tokens, stolen.Access, AccessToken, ReasonInvalid)
}

// TestTokens_TwoPhases: with copies of the file, tokens of each server work on the other
// in every step: publish, distribute, and rotate on one after the other.
func TestTokens_TwoPhases(t *testing.T) {
	t.Parallel()
	one, two := newKeyFile(t, EdDSA), filepath.Join(t.TempDir(), "keys.json")
	load := func(path string) *Tokens {
		keys, err := LoadKeys(path, EdDSA)
		testutil.Must(t, err)
		return tokensWith(t, keys, noon)
	}
	distribute := func() {
		content, err := os.ReadFile(one)
		testutil.Must(t, err)
		testutil.Must(t, os.WriteFile(two, content, 0o600))
	}
	distribute()
	first, second := load(one), load(two)
	check := func(step string) {
		for from, to := range map[*Tokens]*Tokens{first: second, second: first, load(one): load(two), load(two): load(one)} {
			if _, err := to.Verify(issue(t, from).Access, AccessToken); err != nil {
				t.Errorf("%s: %v", step, err)
			}
		}
	}
	check("at first")
	published, err := PublishKey(one, EdDSA)
	testutil.Must(t, err)
	if !published.HasPublished() || published.ids[0] != first.ring.set.Load().keys.ids[0] || len(published.public) != 2 {
		t.Errorf("published: %+v", published)
	}
	_, err = PublishKey(one, EdDSA)
	wantErrorWith(t, err, "keys rotate")
	check("published, not distributed")
	distribute()
	check("distributed")
	rotated, err := RotateKeys(one, EdDSA)
	testutil.Must(t, err)
	if rotated.HasPublished() || rotated.ids[0] == published.ids[0] || len(rotated.public) != 2 {
		t.Errorf("rotated: %+v", rotated)
	}
	check("rotated on one server")
	again, err := RotateKeys(two, EdDSA)
	testutil.Must(t, err)
	if again.ids[0] != rotated.ids[0] {
		t.Error("the two files have different keys")
	}
	check("rotated on both")
}

func TestTokens_OtherServersTokenIsInvalid(t *testing.T) {
	t.Parallel()
	pair, _ := newTokens(t, EdDSA, noon).Issue(7, "s-1")
	wantReason(t, newTokens(t, EdDSA, noon), pair.Access, AccessToken, ReasonInvalid)
	wantReason(t, newTokens(t, ES256, noon), pair.Access, AccessToken, ReasonInvalid)
}

func TestNewTokens_RefusesSettingsThatCannotWork(t *testing.T) {
	t.Parallel()
	keys := newTokens(t, EdDSA, noon).ring.set.Load().keys
	good := TokenSettings{Issuer: "caregraph", Audience: "clinic", Clock: func() time.Time { return noon }}
	for name, change := range map[string]func(*TokenSettings){
		"no issuer":        func(s *TokenSettings) { s.Issuer = "" },
		"no audience":      func(s *TokenSettings) { s.Audience = "" },
		"no clock":         func(s *TokenSettings) { s.Clock = nil },
		"negative":         func(s *TokenSettings) { s.AccessTTL = -time.Hour },
		"part of a second": func(s *TokenSettings) { s.RefreshTTL = 1500 * time.Millisecond },
	} {
		settings := good
		change(&settings)
		if _, err := NewTokens(keys, settings); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestTokens_IssueNeedsAccountAndSession(t *testing.T) {
	t.Parallel()
	tokens := newTokens(t, EdDSA, noon)
	if _, err := tokens.Issue(0, "s-1"); err == nil {
		t.Error("a token for no account was issued")
	}
	if _, err := tokens.Issue(7, ""); err == nil {
		t.Error("a token for no session was issued")
	}
}

func FuzzTokens_Verify(f *testing.F) {
	keys, err := newKeys(jwa.EdDSA, []crypto.Signer{ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))})
	testutil.Must(f, err)
	tokens := tokensWith(f, keys, noon)
	// The same in every process that fuzzes.
	claims := tokens.claims(AccessToken, 7, "s-1", noon.Truncate(time.Second), time.Hour)
	claims.JTI = strings.Repeat("5", 32)
	issued, err := tokens.sign(claims)
	testutil.Must(f, err)
	f.Add(issued)
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add(forge(`{"alg":"EdDSA","kid":"`+keys.ids[0]+`","crit":["b64"],"b64":false}`, []byte("{}"), signWith(keys.signers[0])))
	f.Add(forge(`{"alg":"EdDSA","jwk":{"kty":"OKP"}}`, []byte("{}"), signWith(keys.signers[0])))
	f.Fuzz(func(t *testing.T, token string) {
		_, err := tokens.Verify(token, AccessToken)
		if err == nil && token != issued {
			t.Errorf("a token that was never issued is valid: %q", token)
		}
		if _, ok := errors.AsType[*TokenError](err); err != nil && !ok {
			t.Errorf("error %v is not a *TokenError", err)
		}
	})
}

func newTokens(t testing.TB, alg string, now time.Time) *Tokens {
	t.Helper()
	algorithm, err := parseAlgorithm(alg)
	testutil.Must(t, err)
	signer, err := generateSigner(algorithm)
	testutil.Must(t, err)
	keys, err := newKeys(algorithm, []crypto.Signer{signer})
	testutil.Must(t, err)
	return tokensWith(t, keys, now)
}

func tokensWith(t testing.TB, keys *Keys, now time.Time) *Tokens {
	t.Helper()
	tokens, err := NewTokens(keys, TokenSettings{
		Issuer: "caregraph", Audience: "clinic", Clock: func() time.Time { return now },
	})
	testutil.Must(t, err)
	return tokens
}

func wantReason(t *testing.T, tokens *Tokens, token string, kind TokenKind, want Reason) {
	t.Helper()
	claims, err := tokens.Verify(token, kind)
	refusal, ok := errors.AsType[*TokenError](err)
	if !ok || refusal.Reason != want {
		t.Errorf("err = %v, want %q; token %.60q", err, (&TokenError{want}).Error(), token)
	}
	if claims != (Claims{}) {
		t.Errorf("a refused token gave claims: %+v", claims)
	}
}

// forge makes a compact JWS without the library.
func forge(header string, content []byte, sign func([]byte) []byte) string {
	b64 := base64.RawURLEncoding
	signed := b64.EncodeToString([]byte(header)) + "." + b64.EncodeToString(content)
	return signed + "." + b64.EncodeToString(sign([]byte(signed)))
}

func signWith(key crypto.Signer) func([]byte) []byte {
	return func(message []byte) []byte {
		signature, err := key.Sign(rand.Reader, message, crypto.Hash(0))
		if err != nil {
			panic(err)
		}
		return signature
	}
}

func macWith(kind func() hash.Hash, key []byte) func([]byte) []byte {
	return func(message []byte) []byte {
		mac := hmac.New(kind, key)
		mac.Write(message)
		return mac.Sum(nil)
	}
}

func decodePart(t *testing.T, token string, part int) string {
	t.Helper()
	content, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[part])
	testutil.Must(t, err)
	return string(content)
}
