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

// budget lets burst attempts through at once, and after that one each time
// that every has passed. No wait is ever longer than every.
type budget struct {
	burst int
	every time.Duration
}

// perAccount leaves a guesser some 2,900 guesses a day, and an owner who has
// forgotten the password half a minute between tries. perAddress is for a whole
// clinic behind one address. Only failures are spent of either.
func perAccount() budget { return budget{burst: 10, every: 30 * time.Second} }
func perAddress() budget { return budget{burst: 100, every: 2 * time.Second} }

// throttleEntries bounds each of the three tables to a few megabytes. What is
// pushed out starts anew with a full budget; to push something out on purpose
// takes attempts from some two hundred addresses.
const throttleEntries = 20_000

type (
	throttleKey [16]byte
	// refillTimes tells for each key when its budget will be whole again. That one
	// instant is all there is to know of a budget, and arithmetic with it is
	// exact; rate.Limiter cannot take back what a success must give back.
	refillTimes = simplelru.LRU[throttleKey, time.Time]
)

// Throttle slows down guessing at passwords, for each account and for each
// client address. It lives in memory and knows accounts and addresses only by
// a hash under a key that dies with the process.
//
// An address from which an account was signed in to has a budget of its own
// for that account. So somebody elsewhere who spends the account's budget does
// not lock its owner out.
type Throttle struct {
	clock  func() time.Time
	secret [32]byte

	mu        sync.Mutex
	accounts  *refillTimes
	addresses *refillTimes
	pairs     *refillTimes // by account and address together
}

// NewThrottle returns a Throttle with every budget whole.
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

// Attempt asks to try a password for the account, by its e-mail address, from
// a client address, with or without port. Ask before the password is looked
// at: the attempt is spent at once, so that guesses made at the same time
// count, too. When ok is false the password must not be looked at, nothing was
// spent, and the next attempt can pass after wait, which is at most 30 s. It
// makes no difference whether there is such an account.
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

// Succeeded says that the password of an attempt was right. The account's
// budget is whole again and the address gets its attempt back.
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

// wait returns how long it takes until an attempt can be spent.
func (b budget) wait(refill, now time.Time) time.Duration {
	room := time.Duration(b.burst) * b.every
	return max(0, b.spend(refill, now).Sub(now)-room)
}

// spend returns when the budget will be whole after one more attempt.
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
		both:    t.hash("both", addr, account), // no address has a NUL in it
	}
}

func (t *Throttle) hash(parts ...string) throttleKey {
	mac := hmac.New(sha256.New, t.secret[:])
	mac.Write([]byte(strings.Join(parts, "\x00")))
	return throttleKey(mac.Sum(nil)[:len(throttleKey{})])
}

// addressGroup returns what one client can be taken to own: an IPv4 address,
// or an IPv6 network of 64 bits, of which every client has at least one.
func addressGroup(addr string) string {
	ip, err := netip.ParseAddr(addr)
	if err != nil {
		withPort, err := netip.ParseAddrPort(addr)
		if err != nil {
			return addr // a Unix socket, say
		}
		ip = withPort.Addr()
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	return netip.PrefixFrom(ip, 64).Masked().String()
}
