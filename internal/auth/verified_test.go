package auth

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caregraph/caregraph/internal/testutil"
)

// forgetful removes the keys: then only cached tokens verify.
func forgetful(t testing.TB, tokens *Tokens) *Tokens {
	t.Helper()
	set := tokens.ring.set.Load()
	return &Tokens{tokens.settings, newRing(&Keys{alg: set.keys.alg}, set.cache)}
}

func issue(t testing.TB, tokens *Tokens) Pair {
	t.Helper()
	pair, err := tokens.Issue(7, "s-1")
	testutil.Must(t, err)
	return pair
}

func verify(t testing.TB, tokens *Tokens, token string) Claims {
	t.Helper()
	claims, err := tokens.Verify(token, AccessToken)
	testutil.Must(t, err)
	return claims
}

func TestVerified_SaysTheSameWithoutTheSignature(t *testing.T) {
	t.Parallel()
	for _, alg := range []string{EdDSA, ES256} {
		tokens := newTokens(t, alg, noon)
		seen, unseen := issue(t, tokens), issue(t, tokens)
		first := verify(t, tokens, seen.Access)
		if again := verify(t, forgetful(t, tokens), seen.Access); again != first {
			t.Errorf("%s: at first %+v, then %+v", alg, first, again)
		}
		wantReason(t, forgetful(t, tokens), unseen.Access, AccessToken, ReasonInvalid)
	}
}

func TestVerified_TokenEndsWhenItSays(t *testing.T) {
	t.Parallel()
	tokens := newTokens(t, EdDSA, noon)
	now := noon
	tokens.settings.Clock = func() time.Time { return now }
	pair := issue(t, tokens)
	verify(t, tokens, pair.Access)

	now = noon.Add(-time.Minute) // a clock that was set back
	wantReason(t, tokens, pair.Access, AccessToken, ReasonInvalid)
	now = pair.AccessExpiresAt.Add(-time.Nanosecond)
	verify(t, tokens, pair.Access)
	now = pair.AccessExpiresAt
	wantReason(t, tokens, pair.Access, AccessToken, ReasonExpired)
	if n := tokens.ring.set.Load().cache.Len(); n != 0 {
		t.Errorf("%d tokens are remembered", n)
	}
	wantReason(t, tokens, pair.Access, AccessToken, ReasonExpired)
}

func TestVerified_OtherTokensAreNotTakenForIt(t *testing.T) {
	t.Parallel()
	tokens := newTokens(t, EdDSA, noon)
	token := issue(t, tokens).Access
	verify(t, tokens, token)
	for i := range token {
		changed := token[:i] + string(token[i]^1) + token[i+1:]
		wantReason(t, tokens, changed, AccessToken, ReasonInvalid)
	}
	for _, changed := range []string{"", token[1:], token[:len(token)-1], token + "=", " " + token, strings.ToLower(token)} {
		wantReason(t, tokens, changed, AccessToken, ReasonInvalid)
	}
	verify(t, tokens, token)
}

func TestVerified_KindsAreToldApart(t *testing.T) {
	t.Parallel()
	tokens := newTokens(t, EdDSA, noon)
	pair := issue(t, tokens)
	verify(t, tokens, pair.Access)
	wantReason(t, tokens, pair.Access, RefreshToken, ReasonWrongType)
	verify(t, tokens, pair.Access)

	if _, err := tokens.Verify(pair.Refresh, RefreshToken); err != nil {
		t.Fatal(err)
	}
	wantReason(t, tokens, pair.Refresh, AccessToken, ReasonWrongType)
	wantReason(t, forgetful(t, tokens), pair.Refresh, RefreshToken, ReasonInvalid) // refresh tokens are not cached
}

func TestVerified_IsBoundedAndKeepsWhatIsUsed(t *testing.T) {
	t.Parallel()
	tokens := newTokens(t, EdDSA, noon)
	tokens.ring.set.Load().cache = newTokenCache(2)
	used, idle, next := issue(t, tokens), issue(t, tokens), issue(t, tokens)
	for _, pair := range []Pair{used, idle, used, next} {
		verify(t, tokens, pair.Access)
	}
	if n := tokens.ring.set.Load().cache.Len(); n != 2 {
		t.Errorf("%d tokens are remembered", n)
	}
	verify(t, forgetful(t, tokens), used.Access)
	verify(t, forgetful(t, tokens), next.Access)
	wantReason(t, forgetful(t, tokens), idle.Access, AccessToken, ReasonInvalid)
	verify(t, tokens, idle.Access) // only slower
}

func TestVerified_StrangersPushNothingOut(t *testing.T) {
	t.Parallel()
	tokens := newTokens(t, EdDSA, noon)
	tokens.ring.set.Load().cache = newTokenCache(1)
	ours := issue(t, tokens)
	verify(t, tokens, ours.Access)

	claims := tokens.claims(AccessToken, 7, "s-1", noon.Add(-48*time.Hour), time.Hour)
	expired, err := tokens.sign(claims)
	testutil.Must(t, err)
	wantReason(t, tokens, expired, AccessToken, ReasonExpired)
	wantReason(t, tokens, issue(t, newTokens(t, EdDSA, noon)).Access, AccessToken, ReasonInvalid)
	wantReason(t, tokens, ours.Refresh, AccessToken, ReasonWrongType)
	for _, garbage := range []string{"", "a.b.c", ours.Access + "x", strings.Repeat("A", maxTokenBytes+1)} {
		wantReason(t, tokens, garbage, AccessToken, ReasonInvalid)
	}
	verify(t, forgetful(t, tokens), ours.Access)
}

func TestVerified_ManyAtOnce(t *testing.T) {
	t.Parallel()
	tokens := newTokens(t, EdDSA, noon)
	tokens.ring.set.Load().cache = newTokenCache(3)
	pairs := []Pair{issue(t, tokens), issue(t, tokens), issue(t, tokens), issue(t, tokens)}
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			pair := pairs[i%len(pairs)]
			for range 20 {
				claims, err := tokens.Verify(pair.Access, AccessToken)
				if err != nil || !claims.ExpiresAt.Equal(pair.AccessExpiresAt) {
					t.Errorf("claims %+v, error %v", claims, err)
				}
			}
		})
	}
	all.Wait()
}

// BenchmarkVerify measures what a request pays for its token: the first
// request, later ones, and later ones on all processors at the same time.
func BenchmarkVerify(b *testing.B) {
	tokens := newTokens(b, EdDSA, noon)
	token := issue(b, tokens).Access
	b.Run("first", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			tokens.ring.set.Load().cache.Purge()
			verify(b, tokens, token)
		}
	})
	b.Run("remembered", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			verify(b, tokens, token)
		}
	})
	b.Run("remembered, at once", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				verify(b, tokens, token)
			}
		})
	})
}
