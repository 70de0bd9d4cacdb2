package auth

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
)

const (
	// Computed by Python's hashlib in Django's way, from Secure@123.
	djangoHashOfSecure     = "pbkdf2_sha256$1000$Yk3qXr8ZbV1nLw5Tt0PdGe$b6OueH/wM93YrGtAyzpxGctf/ugcb8rhd4brgEwXFo0="
	djangoFullHashOfSecure = "pbkdf2_sha256$1000000$Yk3qXr8ZbV1nLw5Tt0PdGe$c7ahqd6f1vSFFWUkGPkV69WwDSQ9qojGjh+gJZSt9iU="
	// Half of the current cost, as an older release may have computed it.
	cheapSalt = "$argon2id$v=19$m=9728,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$"
)

func TestHasher_RightPasswordVerifiesAndIsNotStale(t *testing.T) {
	t.Parallel()
	hasher := NewHasher(1)
	encoded, err := hasher.Hash(t.Context(), "Secure@123")
	testutil.Must(t, err)
	if !strings.HasPrefix(encoded, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("hash is not of the advised cost: %s", encoded)
	}
	wantVerify(t, hasher, encoded, "Secure@123", true, false)
	wantVerify(t, hasher, encoded, "secure@123", false, false)
	wantVerify(t, hasher, encoded, "", false, false)
}

func TestHasher_ComputesBesideTheRest(t *testing.T) {
	t.Parallel()
	computed := 0
	hasher := NewHasher(1)
	hasher.ExtraCPU = func(compute func()) { compute(); computed++ }
	var waits []string
	hasher.OnWait = func(purpose string, waited time.Duration) {
		if waits = append(waits, purpose); waited < 0 {
			t.Errorf("it waited %v", waited)
		}
	}
	encoded, err := hasher.Hash(t.Context(), "Secure@123")
	testutil.Must(t, err)
	wantVerify(t, hasher, encoded, "Secure@123", true, false)
	testutil.Must(t, hasher.VerifyDummy(t.Context(), "Secure@123"))
	if computed != 3 {
		t.Errorf("%d hashes were computed with ExtraCPU, want 3", computed)
	}
	testutil.Equal(t, "waits", waits, []string{"login", "login", "login"})
}

func TestHasher_SamePasswordHashesDifferently(t *testing.T) {
	t.Parallel()
	hasher := NewHasher(1)
	one, _ := hasher.Hash(t.Context(), "Secure@123")
	two, _ := hasher.Hash(t.Context(), "Secure@123")
	if one == two {
		t.Error("two hashes of one password are equal: the salt is not fresh")
	}
}

func TestHasher_SpacesAroundPasswordAreNoPartOfIt(t *testing.T) {
	t.Parallel()
	hasher := NewHasher(1)
	encoded, err := hasher.Hash(t.Context(), "  Secure@123\n")
	testutil.Must(t, err)
	wantVerify(t, hasher, encoded, "Secure@123", true, false)
	wantVerify(t, hasher, encoded, "\u00a0Secure@123\x1f", true, false) // white space for Python
	wantVerify(t, hasher, encoded, "Secure @123", false, false)
	wantVerify(t, hasher, djangoHashOfSecure, " Secure@123 ", true, true)
}

// Keyboards compose the same letter in different ways.
func TestHasher_ComposedAndDecomposedAreOnePassword(t *testing.T) {
	t.Parallel()
	hasher := NewHasher(1)
	for composed, decomposed := range map[string]string{
		"P\u00e4ssw\u00f6rd-Teich7": "Pa\u0308sswo\u0308rd-Teich7", "\u0915\u093c\u092e\u0930-99": "\u0958\u092e\u0930-99", "\ud55c\uad6d-99": "\u1112\u1161\u11ab\u1100\u116e\u11a8-99",
	} {
		for _, registered := range []string{composed, decomposed} {
			encoded, err := hasher.Hash(t.Context(), registered)
			testutil.Must(t, err)
			wantVerify(t, hasher, encoded, composed, true, false)
			wantVerify(t, hasher, encoded, decomposed, true, false)
			wantVerify(t, hasher, encoded, composed+"x", false, false)
		}
	}
}

// A hash of before there was a normal form is of the text as it was sent.
func TestHasher_OldHashOfADecomposedPasswordIsStale(t *testing.T) {
	t.Parallel()
	hasher := NewHasher(1)
	const sent = "Pa\u0308ssword-Teich7"
	old := argonHash{argonMemory, argonTime, argonThreads, make([]byte, saltBytes), nil}
	old.key, _ = argonHash{argonMemory, argonTime, argonThreads, old.salt, make([]byte, keyBytes)}.derive(sent)
	wantVerify(t, hasher, old.String(), sent, true, true)
	wantVerify(t, hasher, old.String(), "P\u00e4ssword-Teich7", false, false)
}

// The time of a sign-in does not tell whether the account exists.
func TestHasher_DummyComputesAsManyHashes(t *testing.T) {
	t.Parallel()
	hasher, computed := NewHasher(1), 0
	encoded, err := hasher.Hash(t.Context(), "Secure@123")
	testutil.Must(t, err)
	hasher.ExtraCPU = func(compute func()) { compute(); computed++ }
	for password, want := range map[string]int{"wrong": 1, "a\u0308": 2} {
		computed = 0
		testutil.Must(t, hasher.VerifyDummy(t.Context(), password))
		testutil.Equal(t, "hashes without an account", computed, want)
		wantVerify(t, hasher, encoded, password, false, false)
		testutil.Equal(t, "hashes with an account", computed, 2*want)
	}
}

func TestHasher_ImportedDjangoHashVerifiesAndIsStale(t *testing.T) {
	t.Parallel()
	hasher := NewHasher(1)
	wantVerify(t, hasher, djangoFullHashOfSecure, "Secure@123", true, true)
	wantVerify(t, hasher, djangoHashOfSecure, "Secure@123", true, true)
	wantVerify(t, hasher, djangoHashOfSecure, "Secure@124", false, false)
	wantVerify(t, hasher, "!Fh1UdYtZ0unusable", "Secure@123", false, false)
}

func TestHasher_HashOfOtherCostIsStaleOnlyForRightPassword(t *testing.T) {
	t.Parallel()
	hasher := NewHasher(1)
	old := argonHash{memory: argonMemory / 2, time: 2, threads: 1, salt: []byte("saltsaltsaltsalt"), key: make([]byte, 32)}
	old.key, _ = old.derive("Secure@123")
	if !strings.HasPrefix(old.String(), cheapSalt) {
		t.Fatalf("unexpected encoding %s", old)
	}
	wantVerify(t, hasher, old.String(), "Secure@123", true, true)
	wantVerify(t, hasher, old.String(), "wrong", false, false)
}

// Hashes that earlier releases stored must still verify.
func TestHasher_StoredHashStillVerifies(t *testing.T) {
	t.Parallel()
	wantVerify(t, NewHasher(1), "$argon2id$v=19$m=19456,t=2,p=1$y5oaLmFC/9g6RIh1BT/mqg$/hC69et7rYkqi8OL22qI4lmM9GsfKaQlGQXbDnEjg8Q", "Secure@123", true, false)
}

func TestHasher_MalformedHashIsAnErrorThatDoesNotQuoteIt(t *testing.T) {
	t.Parallel()
	const salt, key = "c2FsdHNhbHRzYWx0c2FsdA", "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0MTI"
	for name, encoded := range map[string]string{
		"empty":                  "",
		"plain text":             "Secure@123",
		"bcrypt":                 "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
		"argon2i":                "$argon2i$v=19$m=19456,t=2,p=1$" + salt + "$" + key,
		"other version":          "$argon2id$v=16$m=19456,t=2,p=1$" + salt + "$" + key,
		"too much memory":        "$argon2id$v=19$m=4194304,t=2,p=1$" + salt + "$" + key,
		"too many passes":        "$argon2id$v=19$m=19456,t=4000000000,p=1$" + salt + "$" + key,
		"no pass":                "$argon2id$v=19$m=19456,t=0,p=1$" + salt + "$" + key,
		"no thread":              "$argon2id$v=19$m=19456,t=2,p=0$" + salt + "$" + key,
		"leading zero":           "$argon2id$v=19$m=019456,t=2,p=1$" + salt + "$" + key,
		"padded salt":            "$argon2id$v=19$m=19456,t=2,p=1$" + salt + "==$" + key,
		"no salt":                "$argon2id$v=19$m=19456,t=2,p=1$$" + key,
		"no key":                 "$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$",
		"extra part":             "$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + key + "$",
		"Django, hangs":          "pbkdf2_sha256$2000000000$salt$" + strings.Repeat("A", 43) + "=",
		"Django, no iteration":   "pbkdf2_sha256$0$salt$" + strings.Repeat("A", 43) + "=",
		"Django, less than none": "pbkdf2_sha256$-5$salt$" + strings.Repeat("A", 43) + "=",
		"Django, empty key":      "pbkdf2_sha256$1000$salt$",
		"Django, sha1":           "pbkdf2_sha1$1000$salt$" + strings.Repeat("A", 43) + "=",
	} {
		ok, _, err := NewHasher(1).Verify(t.Context(), encoded, "Secure@123")
		if ok || !errors.Is(err, errMalformedHash) {
			t.Errorf("%s: ok = %v, err = %v, want the error of a malformed hash", name, ok, err)
		}
		if err != nil && len(encoded) > 0 && strings.Contains(err.Error(), encoded) {
			t.Errorf("%s: the error quotes the hash", name)
		}
	}
}

// Every way to hash waits for a slot, releases it, and stops when ctx ends.
func TestHasher_WaitsForASlotUntilContextEnds(t *testing.T) {
	t.Parallel()
	for name, hash := range map[string]func(context.Context, *Hasher) error{
		"Hash": func(ctx context.Context, h *Hasher) error {
			_, err := h.Hash(ctx, "Secure@123")
			return err
		},
		"Verify": func(ctx context.Context, h *Hasher) error {
			_, _, err := h.Verify(ctx, djangoHashOfSecure, "Secure@123")
			return err
		},
		"Verify without password": func(ctx context.Context, h *Hasher) error {
			_, _, err := h.Verify(ctx, "!", "Secure@123")
			return err
		},
		"VerifyNobody": func(ctx context.Context, h *Hasher) error {
			return h.VerifyDummy(ctx, "Secure@123")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				hasher := NewHasher(1)
				hasher.slots <- struct{}{} // another hash is being computed
				ctx, cancel := context.WithCancel(t.Context())
				results := make(chan error, 2)
				go func() { results <- hash(ctx, hasher) }()
				synctest.Wait()
				if len(results) != 0 {
					t.Fatal("it hashed although no slot was free")
				}
				cancel()
				if err := <-results; !errors.Is(err, context.Canceled) {
					t.Fatalf("err = %v, want context.Canceled", err)
				}
				<-hasher.slots
				testutil.Must(t, hash(t.Context(), hasher))
				if len(hasher.slots) != 0 {
					t.Error("the slot was not given back")
				}
			})
		})
	}
}

func FuzzParseHash(f *testing.F) {
	f.Add(djangoHashOfSecure)
	f.Add("$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0MTI")
	f.Add("$argon2id$v=19$m=4294967295,t=1,p=255$$")
	f.Add("pbkdf2_sha256$99999999999999999999$s$=")
	f.Fuzz(func(t *testing.T, encoded string) {
		hash, err := parseHash(encoded)
		if err != nil {
			return
		}
		switch h := hash.(type) {
		case argonHash:
			if h.String() != encoded {
				t.Errorf("%q was read as %q", encoded, h)
			}
			if h.memory > maxArgonMemory || h.time > maxArgonTime || h.threads > maxArgonThreads ||
				h.memory < 1 || h.time < 1 || h.threads < 1 {
				t.Errorf("%q is out of bounds", encoded)
			}
		case djangoHash:
			if h.iterations < 1 || h.iterations > maxPBKDF2Iterations {
				t.Errorf("%q is out of bounds", encoded)
			}
		}
		if n := len(hash.want()); n < 16 || n > maxHashPartBytes {
			t.Errorf("%q has a key of %d bytes", encoded, n)
		}
	})
}

func wantVerify(t *testing.T, hasher *Hasher, encoded, password string, ok, stale bool) {
	t.Helper()
	gotOK, gotStale, err := hasher.Verify(t.Context(), encoded, password)
	if err != nil {
		t.Fatalf("verify %q: %v", password, err)
	}
	if gotOK != ok || gotStale != stale {
		t.Errorf("verify %q: ok = %v, stale = %v, want %v, %v", password, gotOK, gotStale, ok, stale)
	}
}

// TestHasher_SignInPassesAFullQueueOfRegistrations: registrations use at most half of
// the slots, and their queue is bounded.
func TestHasher_SignInPassesAFullQueueOfRegistrations(t *testing.T) {
	t.Parallel()
	h, started, gate := NewHasher(2), make(chan struct{}, 300), make(chan struct{})
	h.ExtraCPU = func(compute func()) {
		started <- struct{}{}
		<-gate
		compute()
	}
	results := make(chan error, 200)
	for range 200 {
		go func() {
			_, err := h.HashNew(t.Context(), "Secure@123")
			results <- err
		}()
	}
	<-started
	for range 200 - maxWaitingRegistrations {
		if err := <-results; !errors.Is(err, queueFull{"--max-waiting-registrations"}) {
			t.Fatalf("a registration gets %v from a blocked hasher", err)
		}
	}
	signedIn := make(chan error, 1)
	go func() { signedIn <- h.VerifyDummy(t.Context(), "Secure@123") }()
	<-started // the sign-in runs while the registrations wait
	if running := len(h.registrations.turns); running != 1 {
		t.Errorf("%d registrations have a slot, want 1 of 2", running)
	}
	close(gate)
	testutil.Must(t, <-signedIn)
	for range maxWaitingRegistrations {
		testutil.Must(t, <-results)
	}
}

func TestHasher_FullQueueIsRateLimited(t *testing.T) {
	t.Parallel()
	h := NewHasher(1)
	h.LimitQueues(1, 2)
	h.ExtraCPU = func(func()) {
		_, signIn := h.Hash(t.Context(), "Secure@123")
		wantQueueFull(t, signIn, "--max-waiting-hashes")
		h.registrations.places <- struct{}{}
		h.registrations.places <- struct{}{}
		_, registration := h.HashNew(t.Context(), "Secure@123")
		wantQueueFull(t, registration, "--max-waiting-registrations")
	}
	_, err := h.Hash(t.Context(), "Secure@123")
	testutil.Must(t, err)
}

func wantQueueFull(t *testing.T, err error, setting string) {
	t.Helper()
	refusal, ok := errors.AsType[*model.Error](hashError(err))
	if !ok || refusal.Code != model.CodeRateLimited || refusal.RetryAfter < 1 || !strings.Contains(refusal.Message, setting+" ") {
		t.Errorf("a full queue of %s answers %v", setting, refusal)
	}
}
