package auth

import (
	"context"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/crypto/argon2"

	"github.com/caregraph/caregraph/model"
)

// The parameters of new hashes: OWASP's recommendation for argon2id.
const (
	argonMemory  = 19456 // KiB
	argonTime    = 2
	argonThreads = 1
	saltBytes    = 16
	keyBytes     = 32
)

// The bounds of a stored hash, so that one bad row can neither block a login
// nor exhaust the memory. Django 5.2 uses 1,000,000 iterations.
const (
	maxArgonMemory      = 64 * 1024 // KiB
	maxArgonTime        = 10
	maxArgonThreads     = 4
	maxPBKDF2Iterations = 3_000_000
	maxHashPartBytes    = 64
)

// errMalformedHash never quotes the hash.
var errMalformedHash = errors.New("stored password hash is malformed or of an unknown kind")

// Hasher computes and checks password hashes, a bounded number at a time: each
// argon2id hash takes 19 MiB, and many logins at once must not exhaust the
// memory.
//
// It ignores the white space around a password, because the system that this
// one replaces trimmed passwords at registration and at login: imported hashes
// are of trimmed passwords, and people have learned that a stray space does not
// matter. It hashes the password in NFC, because keyboards compose letters in
// different ways.
type Hasher struct {
	// ExtraCPU, if set, runs each computation and returns when it is done. It
	// can give the computation a processor of its own, so that other work does
	// not wait for it.
	ExtraCPU func(compute func())
	// OnWait, if set, is called with how long each computation has waited for its turn: one
	// of "register", or of "login" for all other passwords.
	OnWait func(purpose string, waited time.Duration)

	slots                  chan struct{}
	signIns, registrations queue
}

// queue is where computations of one kind wait.
type queue struct {
	purpose string
	setting string // sets the number of places
	// places bounds those that wait and run, turns those that compete for a slot.
	places, turns chan struct{}
}

// The longest queues, by default. A queue is over in about as many hundredths of a
// second on a small server, well within the timeout of a request.
const (
	maxWaiting              = 500
	maxWaitingRegistrations = 150
)

// queueSeconds is after how many seconds a full queue has room again.
const queueSeconds = 2

// queueFull is the error of a computation that finds no place in its queue.
type queueFull struct{ setting string }

func (queueFull) Error() string { return "too many passwords wait to be hashed" }

// NewHasher returns a Hasher that computes at most concurrency hashes at the
// same time, and at least one. Registrations take at most half of that, so that
// sign-ins pass them.
func NewHasher(concurrency int) *Hasher {
	concurrency = max(1, concurrency)
	h := &Hasher{
		slots:         make(chan struct{}, concurrency),
		signIns:       queue{purpose: "login", setting: "--max-waiting-hashes", turns: make(chan struct{}, concurrency)},
		registrations: queue{purpose: "register", setting: "--max-waiting-registrations", turns: make(chan struct{}, max(1, concurrency/2))},
	}
	h.LimitQueues(maxWaiting, maxWaitingRegistrations)
	return h
}

// LimitQueues sets how many passwords of registrations, and how many others, may be
// hashed or wait for it. Call it before the first use.
func (h *Hasher) LimitQueues(waiting, registrations int) {
	h.signIns.places = make(chan struct{}, waiting)
	h.registrations.places = make(chan struct{}, registrations)
}

// Waiting returns how many passwords are hashed or wait for it: "login" counts those of
// sign-ins and of changes.
func (h *Hasher) Waiting() map[string]int64 {
	return map[string]int64{h.signIns.purpose: int64(len(h.signIns.places)), h.registrations.purpose: int64(len(h.registrations.places))}
}

// HashNew is Hash for the password of a new account, which waits in a queue of
// its own.
func (h *Hasher) HashNew(ctx context.Context, password string) (string, error) {
	return h.hash(ctx, h.registrations, password)
}

// Hash returns the argon2id hash of the password with a new salt, in the PHC
// string format. It fails only if ctx ends while it waits for a slot, or if too
// many others wait.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	return h.hash(ctx, h.signIns, password)
}

func (h *Hasher) hash(ctx context.Context, in queue, password string) (string, error) {
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // never fails, says its documentation
	hash := argonHash{argonMemory, argonTime, argonThreads, salt, make([]byte, keyBytes)}
	key, err := h.derive(ctx, in, hash, normalPassword(password))
	if err != nil {
		return "", err
	}
	hash.key = key
	return hash.String(), nil
}

// Verify reports whether encoded is the hash of the password. If the password
// is right and its hash has another kind, cost or form than new hashes, such as
// Django's, it is also stale: call Hash and store the result. Verify fails if
// ctx ends or the hash is malformed.
//
// A Django hash costs about ten times as much as ours. Until the owner has
// signed in once, the time of a login shows that the account exists.
func (h *Hasher) Verify(ctx context.Context, encoded, password string) (ok, stale bool, err error) {
	if strings.HasPrefix(encoded, "!") { // Django's mark of an account without a password
		return false, false, h.VerifyDummy(ctx, password)
	}
	hash, err := parseHash(encoded)
	if err != nil {
		return false, false, err
	}
	stale = !hash.current()
	for _, form := range passwordForms(password) {
		key, err := h.derive(ctx, h.signIns, hash, form)
		if err != nil {
			return false, false, err
		}
		if subtle.ConstantTimeCompare(key, hash.want()) == 1 {
			return true, stale, nil
		}
		stale = true // the next form is that of old hashes
	}
	return false, false, nil
}

// VerifyDummy costs as much as Verify, for a login that names no account. It
// fails only if ctx ends or too many others wait.
func (h *Hasher) VerifyDummy(ctx context.Context, password string) error {
	dummy := argonHash{argonMemory, argonTime, argonThreads, make([]byte, saltBytes), make([]byte, keyBytes)}
	for _, form := range passwordForms(password) {
		key, err := h.derive(ctx, h.signIns, dummy, form)
		if err != nil {
			return err
		}
		subtle.ConstantTimeCompare(key, dummy.key)
	}
	return nil
}

// derive waits for a slot and runs the key derivation of one stored hash.
func (h *Hasher) derive(ctx context.Context, in queue, hash storedHash, password string) ([]byte, error) {
	select {
	case in.places <- struct{}{}:
		defer func() { <-in.places }()
	default:
		return nil, queueFull{in.setting}
	}
	began := time.Now()
	for _, wanted := range []chan struct{}{in.turns, h.slots} {
		select {
		case wanted <- struct{}{}:
			defer func() { <-wanted }()
		case <-ctx.Done():
			return nil, fmt.Errorf("wait to hash a password: %w", ctx.Err())
		}
	}
	if h.OnWait != nil {
		h.OnWait(in.purpose, time.Since(began))
	}
	if h.ExtraCPU == nil {
		return hash.derive(password)
	}
	var key []byte
	var err error
	h.ExtraCPU(func() { key, err = hash.derive(password) })
	return key, err
}

// normalPassword returns a password as it is hashed. Every password rule applies
// to the result.
func normalPassword(password string) string { return model.NormalPassword(trimPassword(password)) }

// passwordForms returns the texts of which a stored hash may be: the normal form,
// and the text as it was sent if it differs, for hashes of before there was a
// normal form.
func passwordForms(password string) []string {
	sent, normal := trimPassword(password), normalPassword(password)
	if sent == normal {
		return []string{normal}
	}
	return []string{normal, sent}
}

// trimPassword removes what Python's str.strip removes: the white space that Go
// knows, and four ASCII separators.
func trimPassword(password string) string {
	return strings.TrimFunc(password, func(r rune) bool {
		return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f
	})
}

// storedHash is a parsed hash within the bounds above.
type storedHash interface {
	derive(password string) ([]byte, error)
	want() []byte
	current() bool
}

func parseHash(encoded string) (storedHash, error) {
	parts := strings.Split(encoded, "$")
	switch {
	case len(parts) == 6 && parts[0] == "" && parts[1] == "argon2id":
		return parseArgon(parts[2:])
	case len(parts) == 4 && parts[0] == "pbkdf2_sha256":
		return parseDjango(parts[1:])
	default:
		return nil, errMalformedHash
	}
}

type argonHash struct {
	memory, time, threads int
	salt, key             []byte
}

// parseArgon reads v=19, m=…,t=…,p=…, salt and key. It accepts only what String
// writes.
func parseArgon(parts []string) (storedHash, error) {
	params := strings.Split(parts[1], ",")
	if len(params) != 3 {
		return nil, errMalformedHash
	}
	hash := argonHash{
		memory:  parseParam(params[0], "m=", maxArgonMemory),
		time:    parseParam(params[1], "t=", maxArgonTime),
		threads: parseParam(params[2], "p=", maxArgonThreads),
	}
	if hash.memory < 8*hash.threads || hash.time == 0 || hash.threads == 0 {
		return nil, errMalformedHash
	}
	hash.salt, _ = base64.RawStdEncoding.Strict().DecodeString(parts[2])
	hash.key, _ = base64.RawStdEncoding.Strict().DecodeString(parts[3])
	if !hasLength(hash.salt, 8) || !hasLength(hash.key, 16) {
		return nil, errMalformedHash
	}
	if hash.String() != "$argon2id$"+strings.Join(parts, "$") {
		return nil, errMalformedHash
	}
	return hash, nil
}

// parseParam returns 0 if the text is not a number from 1 to limit.
func parseParam(text, name string, limit int) int {
	digits, found := strings.CutPrefix(text, name)
	n, err := strconv.Atoi(digits)
	if !found || err != nil || n < 1 || n > limit {
		return 0
	}
	return n
}

func hasLength(part []byte, least int) bool {
	return len(part) >= least && len(part) <= maxHashPartBytes
}

// String returns the hash in the PHC string format.
func (a argonHash) String() string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		a.memory, a.time, a.threads, b64.EncodeToString(a.salt), b64.EncodeToString(a.key))
}

func (a argonHash) derive(password string) ([]byte, error) {
	//nolint:gosec // G115: the parser bounds all four numbers far below their types.
	return argon2.IDKey([]byte(password), a.salt, uint32(a.time), uint32(a.memory), uint8(a.threads), uint32(len(a.key))), nil
}

func (a argonHash) want() []byte { return a.key }

func (a argonHash) current() bool {
	return a.memory == argonMemory && a.time == argonTime && a.threads == argonThreads &&
		len(a.salt) == saltBytes && len(a.key) == keyBytes
}

// djangoHash is a hash of Django's PBKDF2PasswordHasher.
type djangoHash struct {
	iterations int
	salt, key  []byte
}

// parseDjango reads iterations, salt and key.
func parseDjango(parts []string) (storedHash, error) {
	hash := djangoHash{
		iterations: parseParam(parts[0], "", maxPBKDF2Iterations),
		salt:       []byte(parts[1]), // not decoded: Django's salts are text
	}
	hash.key, _ = base64.StdEncoding.Strict().DecodeString(parts[2])
	if hash.iterations == 0 || !hasLength(hash.salt, 1) || len(hash.key) != sha256.Size {
		return nil, errMalformedHash
	}
	return hash, nil
}

func (d djangoHash) derive(password string) ([]byte, error) {
	return pbkdf2.Key(sha256.New, password, d.salt, d.iterations, len(d.key))
}

func (d djangoHash) want() []byte { return d.key }

func (djangoHash) current() bool { return false }
