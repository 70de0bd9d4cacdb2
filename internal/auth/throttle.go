package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// budget is a token bucket: it allows burst attempts at once, and then one
// attempt per interval. No wait is longer than one interval.
type budget struct {
	burst int
	every time.Duration
}

// perAccount leaves an attacker about 2,900 guesses a day, and makes an owner
// who has forgotten the password wait half a minute between tries. perAddress
// is for a whole clinic behind one address. Only failures use up a budget.
func perAccount() budget { return budget{burst: 10, every: 30 * time.Second} }
func perAddress() budget { return budget{burst: 100, every: 2 * time.Second} }

// throttleEntries bounds each of the three tables to a few megabytes. An
// evicted key starts again with a full budget; to evict a key on purpose takes
// attempts from about two hundred addresses.
const throttleEntries = 20_000

type (
	throttleKey [16]byte
	// refillTimes maps each key to the time when its budget is full again. That
	// time describes a budget completely, and the arithmetic with it is exact.
	// rate.Limiter cannot return what a success must return.
	refillTimes = simplelru.LRU[throttleKey, time.Time]
)

// Throttle limits guessing at passwords, per account and per client address. It
// lives in memory and stores accounts and addresses only as hashes under a key
// that ends with the process.
//
// An address from which someone has signed in to an account has a budget of its
// own for that account. So a stranger who uses up the account's budget does not
// lock its owner out.
type Throttle struct {
	clock  func() time.Time
	secret [32]byte

	mu        sync.Mutex
	accounts  *refillTimes
	addresses *refillTimes
	pairs     *refillTimes // by account and address together
}

// NewThrottle returns a Throttle in which every budget is full.
func NewThrottle(clock func() time.Time) *Throttle {
	t := &Throttle{clock: clock, accounts: newRefillTimes(), addresses: newRefillTimes(), pairs: newRefillTimes()}
	_, _ = rand.Read(t.secret[:]) // never fails, says its documentation
	return t
}

func newRefillTimes() *refillTimes {
	table, err := simplelru.NewLRU[throttleKey, time.Time](throttleEntries, nil)
	if err != nil {
		panic(err) //nolint:forbidigo // only for a size that is not positive
	}
	return table
}

// Attempt asks for permission to check a password for the account, given by its
// e-mail address, from a client address, with or without port. Call it before
// the password is checked: it uses up an attempt at once, so that simultaneous
// guesses count too. If ok is false, nothing was used up, the password must not
// be checked, and the next attempt can pass after wait, which is at most 30 s.
// The result does not depend on whether the account exists.
func (t *Throttle) Attempt(account, addr string) (wait time.Duration, ok bool) {
	keys := t.keys(account, addr)
	now := t.clock()
	t.mu.Lock()
	defer t.mu.Unlock()

	table, key := t.accounts, keys.account
	if t.pairs.Contains(keys.both) {
		table, key = t.pairs, keys.both
	}
	ofAccount, _ := table.Get(key)
	ofAddress, _ := t.addresses.Get(keys.address)
	wait = max(perAccount().wait(ofAccount, now), perAddress().wait(ofAddress, now))
	if wait > 0 {
		return wait, false
	}
	table.Add(key, perAccount().spend(ofAccount, now))
	t.addresses.Add(keys.address, perAddress().spend(ofAddress, now))
	return 0, true
}

// Succeeded reports that the password of an attempt was right. It refills the
// budget of the account and returns the attempt to the address.
func (t *Throttle) Succeeded(account, addr string) {
	keys := t.keys(account, addr)
	t.mu.Lock()
	defer t.mu.Unlock()

	t.accounts.Remove(keys.account)
	t.pairs.Add(keys.both, time.Time{})
	if refill, known := t.addresses.Get(keys.address); known {
		t.addresses.Add(keys.address, refill.Add(-perAddress().every))
	}
}

// wait returns the time until the next attempt is allowed.
func (b budget) wait(refill, now time.Time) time.Duration {
	room := time.Duration(b.burst) * b.every
	return max(0, b.spend(refill, now).Sub(now)-room)
}

// spend returns the time when the budget is full again after one more attempt.
func (b budget) spend(refill, now time.Time) time.Time {
	if refill.Before(now) {
		refill = now
	}
	return refill.Add(b.every)
}

type throttleKeys struct{ account, address, both throttleKey }

func (t *Throttle) keys(account, addr string) throttleKeys {
	account, addr = strings.ToLower(strings.TrimSpace(account)), addressGroup(addr)
	return throttleKeys{
		account: t.hash("account", account),
		address: t.hash("address", addr),
		both:    t.hash("both", addr, account), // no address contains a NUL
	}
}

func (t *Throttle) hash(parts ...string) throttleKey {
	mac := hmac.New(sha256.New, t.secret[:])
	mac.Write([]byte(strings.Join(parts, "\x00")))
	return throttleKey(mac.Sum(nil)[:len(throttleKey{})])
}

// addressGroup returns the addresses that one client controls: an IPv4 address,
// or an IPv6 network of 64 bits, of which every client has at least one.
func addressGroup(addr string) string {
	ip, err := netip.ParseAddr(addr)
	if err != nil {
		withPort, err := netip.ParseAddrPort(addr)
		if err != nil {
			return addr // for example a Unix socket
		}
		ip = withPort.Addr()
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	return netip.PrefixFrom(ip, 64).Masked().String()
}
