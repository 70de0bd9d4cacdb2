package auth

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
)

// maxFamiliar bounds the memory of addresses that signed in to an account to a few
// megabytes.
const maxFamiliar = 20_000

// Throttle limits guessing, per account, device and client address. The budgets are in
// the database, so all servers share them and a restart does not refill them. It
// writes only failures, and it names addresses only by hashes under its secret.
//
// An address from which someone signed in to an account has a budget of its own for
// that account on this server. So a stranger who uses up the account's budget does not
// lock out an owner whose client keeps no device token.
type Throttle struct {
	// Budgets are those of DefaultBudgets. Change them before the first use.
	Budgets Budgets

	store  *store.Store
	clock  func() time.Time
	secret []byte

	// refused counts the refusals by the budget with the longest wait.
	refused struct{ account, address atomic.Int64 }

	mu       sync.Mutex
	inUse    map[string]*balance
	familiar *simplelru.LRU[string, struct{}]
}

// balance is a budget while attempts use it.
type balance struct {
	fullAt   time.Time
	inFlight int
	users    int           // attempts in flight and attempts that wait
	changed  chan struct{} // closed when an attempt in flight ends
}

// NewThrottle returns a Throttle over the budgets in the store. Servers that share the
// database must have the same secret.
func NewThrottle(s *store.Store, clock func() time.Time, secret []byte) *Throttle {
	familiar, err := simplelru.NewLRU[string, struct{}](maxFamiliar, nil)
	if err != nil {
		panic(err) //nolint:forbidigo // only for a size that is not positive
	}
	return &Throttle{Budgets: DefaultBudgets(), store: s, clock: clock, secret: secret, inUse: map[string]*balance{}, familiar: familiar}
}

// attempt is something that may fail, and uses up budgets if it does. It must end.
type attempt struct {
	throttle *Throttle
	// budgets refuse the attempt; more only counts its failure.
	budgets, more []budget
	// refill are the keys of budgets that a success makes full and that were not.
	refill []string
	// familiar is the entry of a sign-in from an address; empty for other attempts.
	familiar string
	// events are recorded with a failure.
	events []model.SecurityEvent
	ended  bool
}

// tooSoon is the error of an attempt that the budgets refuse.
type tooSoon struct {
	wait time.Duration
	of   budget // with the longest wait
}

func (e *tooSoon) Error() string { return fmt.Sprintf("try again after %v", e.wait) }

// message is the sentence for people, after what there was too much of.
func (e *tooSoon) message(what string) string {
	if e.of.setting == "" {
		return fmt.Sprintf("%s. Try again in %d seconds.", what, e.seconds())
	}
	return fmt.Sprintf("%s; %s is the limit. Try again in %d seconds.", what, e.of.setting, e.seconds())
}

// seconds is the wait in whole seconds.
func (e *tooSoon) seconds() int { return int(math.Ceil(e.wait.Seconds())) }

// signIn begins the check of a password of the account with the e-mail address, nil if
// there is none, from a client. A known device has a budget of its own. Otherwise the
// result does not depend on whether the account exists.
func (t *Throttle) signIn(ctx context.Context, c *store.Credential, email string, from Client) (*attempt, error) {
	account, events := t.hash("email", strings.ToLower(strings.TrimSpace(email))), []model.SecurityEvent(nil)
	if c != nil {
		account = "account " + strconv.FormatInt(c.UserID, 10)
		events = []model.SecurityEvent{{Kind: model.EventSignInFailed, AccountID: &c.UserID, Client: from.Name}}
	}
	switch device, err := t.knownDevice(ctx, c, from); {
	case err != nil:
		return nil, err
	case device != "":
		return t.begin(ctx, attempt{budgets: []budget{t.Budgets.ofAccount(device)}, events: events})
	}
	address := addressGroup(from.Addr)
	a := attempt{
		budgets:  []budget{t.Budgets.ofAccount(account), t.Budgets.ofAddress(t.hash("address", address))},
		familiar: t.hash("familiar", address, account),
		events:   events,
	}
	if t.isFamiliar(a.familiar) {
		a.budgets[0], a.more = t.Budgets.ofAccount(a.familiar), []budget{t.Budgets.ofAccount(account)}
	}
	return t.begin(ctx, a)
}

// knownDevice returns the key of the client's device, or "" if the account does not
// know it.
func (t *Throttle) knownDevice(ctx context.Context, c *store.Credential, from Client) (string, error) {
	if c == nil || from.Device == "" {
		return "", nil
	}
	hash := hashDevice(from.Device)
	known, err := t.store.KnowsDevice(ctx, c.UserID, hash)
	if !known {
		return "", err
	}
	return fmt.Sprintf("device %d %x", c.UserID, hash), nil
}

func (t *Throttle) isFamiliar(pair string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.familiar.Contains(pair)
}

// registration begins a registration from a client address.
func (t *Throttle) registration(ctx context.Context, addr string) (*attempt, error) {
	address := addressGroup(addr)
	return t.begin(ctx, attempt{budgets: []budget{
		t.Budgets.ofRegistrations(t.hash("registrations", address)), t.Budgets.ofTakenToAddress(t.hash("taken", address)),
	}})
}

// change begins a change of a unique value of an account from a client address.
func (t *Throttle) change(ctx context.Context, userID int64, addr string) (*attempt, error) {
	return t.begin(ctx, attempt{budgets: []budget{
		t.Budgets.ofTakenToAccount("taken " + strconv.FormatInt(userID, 10)),
		t.Budgets.ofTakenToAddress(t.hash("taken", addressGroup(addr))),
	}})
}

// claim begins the claim of a record by an account from a client address.
func (t *Throttle) claim(ctx context.Context, userID int64, addr string) (*attempt, error) {
	return t.begin(ctx, attempt{budgets: []budget{
		t.Budgets.ofAccount("claim " + strconv.FormatInt(userID, 10)),
		t.Budgets.ofAddress(t.hash("claim", addressGroup(addr))),
	}})
}

// begin waits until each budget has a unit left even if all attempts in flight fail.
// It fails with a *tooSoon if failures have used up a budget: then nothing was used
// up, and the next attempt can pass after the wait.
func (t *Throttle) begin(ctx context.Context, a attempt) (*attempt, error) {
	a.throttle = t
	// A failure that ends from now on is in the balance, an earlier one is in the
	// database.
	t.use(a.budgets)
	fullAt, err := t.store.Budgets(ctx, keysOf(append(a.budgets[:len(a.budgets):len(a.budgets)], a.more...)))
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		t.release(a.budgets)
		return nil, err
	}
	for key, at := range fullAt {
		if balance := t.inUse[key]; balance != nil && balance.fullAt.Before(at) {
			balance.fullAt = at
		}
		if key == a.budgets[0].key || len(a.more) > 0 && key == a.more[0].key {
			a.refill = append(a.refill, key)
		}
	}
	if err := t.wait(ctx, a.budgets); err != nil {
		t.release(a.budgets)
		return nil, err
	}
	for _, b := range a.budgets {
		t.inUse[b.key].inFlight++
	}
	return &a, nil
}

// wait returns when each budget has a unit that no attempt in flight holds.
func (t *Throttle) wait(ctx context.Context, all []budget) error {
	for {
		held, refused := t.blocking(all)
		switch {
		case refused != nil:
			t.count(refused)
			return refused
		case held == nil:
			return nil
		}
		changed := held.changed
		t.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
		}
		t.mu.Lock()
		if ctx.Err() != nil {
			return fmt.Errorf("wait for other attempts: %w", ctx.Err())
		}
	}
}

func (t *Throttle) count(refused *tooSoon) {
	if refused.of.isOfAddress {
		t.refused.address.Add(1)
	} else {
		t.refused.account.Add(1)
	}
}

// Refused returns how many attempts were refused, by whose budget was used up: that of an
// "account" or a device, or that of an "address".
func (t *Throttle) Refused() map[string]int64 {
	return map[string]int64{"account": t.refused.account.Load(), "address": t.refused.address.Load()}
}

// blocking returns the refusal of the budget that is longest without a unit. If each has
// one, it returns a balance of which the attempts in flight hold all units, or nil.
func (t *Throttle) blocking(all []budget) (held *balance, refused *tooSoon) {
	now := t.clock()
	for _, b := range all {
		balance := t.inUse[b.key]
		left := b.left(balance.fullAt, now)
		if left < 1 {
			if wait := b.wait(balance.fullAt, now); refused == nil || wait > refused.wait {
				refused = &tooSoon{wait, b}
			}
		}
		if balance.inFlight >= left {
			held = balance
		}
	}
	return held, refused
}

func (t *Throttle) use(all []budget) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, b := range all {
		if t.inUse[b.key] == nil {
			t.inUse[b.key] = &balance{changed: make(chan struct{})}
		}
		t.inUse[b.key].users++
	}
}

func (t *Throttle) release(all []budget) {
	for _, b := range all {
		balance := t.inUse[b.key]
		if balance.users--; balance.users == 0 {
			delete(t.inUse, b.key)
		}
	}
}

// recordTimeout bounds the time to store a failure for a client that has gone.
const recordTimeout = 5 * time.Second

// failed ends the attempt and takes a unit from all of its budgets.
func (a *attempt) failed(ctx context.Context) error {
	return a.spend(ctx, append(a.budgets[:len(a.budgets):len(a.budgets)], a.more...)...)
}

// spend ends the attempt and takes a unit from the budgets, also for a client that has
// gone: otherwise it could guess without an end.
func (a *attempt) spend(ctx context.Context, spent ...budget) error {
	all := make([]store.Spending, len(spent))
	for i, b := range spent {
		all[i] = store.Spending{Key: b.key, Every: b.Every}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	fullAt, err := a.throttle.store.SpendBudgets(ctx, a.throttle.clock(), all, a.events...)
	a.end(func(key string, balance *balance) {
		if at := fullAt[key]; balance.fullAt.Before(at) {
			balance.fullAt = at
		}
	})
	return err
}

// cancel ends the attempt without a result, unless it has ended.
func (a *attempt) cancel() { a.end(func(string, *balance) {}) }

// succeeded ends a sign-in with the right password. It refills the budgets of the
// account, and makes the address familiar.
func (a *attempt) succeeded(ctx context.Context) error {
	var err error
	if len(a.refill) > 0 {
		err = a.throttle.store.RefillBudgets(ctx, a.refill)
	}
	a.end(func(key string, balance *balance) {
		if key == a.budgets[0].key {
			balance.fullAt = time.Time{}
		}
	})
	if a.familiar != "" {
		a.throttle.mu.Lock()
		defer a.throttle.mu.Unlock()
		a.throttle.familiar.Add(a.familiar, struct{}{})
	}
	return err
}

// end changes the balances and wakes the attempts that wait for them.
func (a *attempt) end(change func(key string, b *balance)) {
	if a.ended {
		return
	}
	a.ended = true
	t := a.throttle
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, b := range a.budgets {
		balance := t.inUse[b.key]
		change(b.key, balance)
		balance.inFlight--
		close(balance.changed)
		balance.changed = make(chan struct{})
	}
	t.release(a.budgets)
}

func keysOf(all []budget) []string {
	keys := make([]string, len(all))
	for i, b := range all {
		keys[i] = b.key
	}
	return keys
}

func (t *Throttle) hash(parts ...string) string {
	mac := hmac.New(sha256.New, t.secret)
	mac.Write([]byte(strings.Join(parts, "\x00"))) // no address contains a NUL
	return parts[0] + " " + base64.RawStdEncoding.EncodeToString(mac.Sum(nil)[:16])
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
