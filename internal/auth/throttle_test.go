package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/storetest"
)

const (
	ashasMail  = "asha@example.in"
	clinicAddr = "203.0.113.7"
	afarAddr   = "198.51.100.9"
)

func TestThrottle_AccountIsSlowedAfterTenFailuresInARow(t *testing.T) {
	t.Parallel()
	throttle, clock := newThrottle(t)
	for range 10 {
		wantPass(t, throttle, ashasMail, clinicAddr)
	}
	wait := wantWait(t, throttle, ashasMail, clinicAddr)
	if wait != 30*time.Second {
		t.Errorf("wait = %v, want %v", wait, 30*time.Second)
	}
	clock.advance(wait - time.Microsecond)
	wantWait(t, throttle, ashasMail, clinicAddr)
	clock.advance(time.Microsecond)
	wantPass(t, throttle, ashasMail, clinicAddr)
	wantWait(t, throttle, ashasMail, clinicAddr) // one only
	wantPass(t, throttle, "ravi@example.in", clinicAddr)
}

func TestThrottle_AskingWhileSlowedDoesNotMakeItLonger(t *testing.T) {
	t.Parallel()
	throttle, clock := newThrottle(t)
	for range 10 {
		wantPass(t, throttle, ashasMail, clinicAddr)
	}
	for range 1000 {
		if wait := wantWait(t, throttle, ashasMail, afarAddr); wait > time.Minute {
			t.Fatalf("wait = %v, want at most a minute", wait)
		}
	}
	clock.advance(30 * time.Second)
	wantPass(t, throttle, ashasMail, clinicAddr)
}

func TestThrottle_BudgetGrowsBackAndNotBeyond(t *testing.T) {
	t.Parallel()
	throttle, clock := newThrottle(t)
	for range 10 {
		wantPass(t, throttle, ashasMail, clinicAddr)
	}
	clock.advance(24 * time.Hour)
	for range 10 {
		wantPass(t, throttle, ashasMail, clinicAddr)
	}
	wantWait(t, throttle, ashasMail, clinicAddr)
}

func TestThrottle_SuccessMakesTheAccountWholeAgain(t *testing.T) {
	t.Parallel()
	throttle, _ := newThrottle(t)
	for range 5 {
		for range 9 {
			wantPass(t, throttle, ashasMail, clinicAddr) // wrong
		}
		wantRight(t, throttle, ashasMail)
	}
	// The account's own budget is full again too.
	for range 10 {
		wantPass(t, throttle, ashasMail, afarAddr)
	}
	wantWait(t, throttle, ashasMail, afarAddr)
}

func TestThrottle_AttackerElsewhereDoesNotLockTheOwnerOut(t *testing.T) {
	t.Parallel()
	throttle, _ := newThrottle(t)
	wantRight(t, throttle, ashasMail)
	for range 10 {
		wantPass(t, throttle, ashasMail, afarAddr)
	}
	wantWait(t, throttle, ashasMail, afarAddr)
	wantPass(t, throttle, ashasMail, clinicAddr)

	// The owner's address has no unlimited number of guesses either.
	for range 9 {
		wantPass(t, throttle, ashasMail, clinicAddr)
	}
	wantWait(t, throttle, ashasMail, clinicAddr)
}

func TestThrottle_FrontDeskSignsInFiftyPeopleAndMore(t *testing.T) {
	t.Parallel()
	throttle, _ := newThrottle(t)
	for i := range 1000 { // in no time
		account := fmt.Sprintf("u%d@example.in", i)
		wantRight(t, throttle, account)
	}
	// None of that used up the failures that are allowed.
	for i := range 100 {
		wantPass(t, throttle, fmt.Sprintf("f%d@example.in", i), clinicAddr)
	}
	wantWait(t, throttle, "next@example.in", clinicAddr)
}

func TestThrottle_AddressIsSlowedOverManyAccounts(t *testing.T) {
	t.Parallel()
	throttle, clock := newThrottle(t)
	for i := range 100 {
		wantPass(t, throttle, fmt.Sprintf("u%d@example.in", i), afarAddr)
	}
	wait := wantWait(t, throttle, ashasMail, afarAddr)
	if wait != 2*time.Second {
		t.Errorf("wait = %v, want %v", wait, 2*time.Second)
	}
	wantPass(t, throttle, ashasMail, clinicAddr)
	clock.advance(wait)
	wantPass(t, throttle, ashasMail, afarAddr)
	wantWait(t, throttle, ashasMail, afarAddr)
	testutil.Equal(t, "refused", throttle.Refused(), map[string]int64{"account": 0, "address": 2})
}

// A refused attempt must not use up the other budget.
func TestThrottle_RefusalByOneBudgetLeavesTheOther(t *testing.T) {
	t.Parallel()
	throttle, _ := newThrottle(t)
	for range 10 {
		wantPass(t, throttle, ashasMail, clinicAddr)
	}
	for range 1000 {
		wantWait(t, throttle, ashasMail, clinicAddr)
	}
	wantPass(t, throttle, "ravi@example.in", clinicAddr)
}

func TestThrottle_GuessesMadeAtTheSameTimeAllCount(t *testing.T) {
	t.Parallel()
	throttle, _ := newThrottle(t)
	var passed atomic.Int32
	var guesses sync.WaitGroup
	for range 200 {
		guesses.Go(func() {
			if a, err := throttle.signIn(t.Context(), nil, ashasMail, Client{Addr: afarAddr}); err == nil {
				passed.Add(1)
				if err := a.failed(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	guesses.Wait()
	if passed.Load() != 10 {
		t.Errorf("%d guesses passed, want 10", passed.Load())
	}
}

// TestThrottle_AttemptsInFlightAreWaitedFor: an eleventh attempt is refused if the ten
// before it fail, and passes if one of them succeeds or is given up.
func TestThrottle_AttemptsInFlightAreWaitedFor(t *testing.T) {
	t.Parallel()
	for how, end := range map[string]func(*attempt) error{
		"failed":    func(a *attempt) error { return a.failed(t.Context()) },
		"succeeded": func(a *attempt) error { return a.succeeded(t.Context()) },
		"canceled":  func(a *attempt) error { a.cancel(); return nil },
	} {
		throttle, _ := newThrottle(t)
		var inFlight []*attempt
		for range 10 {
			a, err := throttle.signIn(t.Context(), nil, ashasMail, Client{Addr: afarAddr})
			testutil.Must(t, err)
			inFlight = append(inFlight, a)
		}
		eleventh := make(chan error)
		go func() {
			a, err := throttle.signIn(t.Context(), nil, ashasMail, Client{Addr: afarAddr})
			if err == nil {
				a.cancel()
			}
			eleventh <- err
		}()
		for _, a := range inFlight {
			select {
			case err := <-eleventh:
				if how == "failed" || err != nil {
					t.Fatalf("%s: the eleventh did not wait: %v", how, err)
				}
				eleventh = nil // it passed after the first that did not fail
			default:
			}
			testutil.Must(t, end(a))
		}
		if eleventh == nil {
			continue
		}
		_, refused := errors.AsType[*tooSoon](<-eleventh)
		if refused != (how == "failed") {
			t.Errorf("after attempts that %s, the eleventh is refused: %v", how, refused)
		}
	}
}

// TestThrottle_RefusalsNameTheirSetting, each a budget of one that is used up, and say
// how long its interval is.
func TestThrottle_RefusalsNameTheirSetting(t *testing.T) {
	t.Parallel()
	throttle, _ := newThrottle(t)
	var userID int64
	for setting, use := range map[string]struct {
		budget  *Budget
		attempt func() (*attempt, error)
	}{
		"--max-sign-in-failures": {&throttle.Budgets.Failures, func() (*attempt, error) {
			return throttle.signIn(t.Context(), nil, ashasMail, Client{Addr: afarAddr})
		}},
		"--max-sign-in-failures-per-address": {&throttle.Budgets.AddressFailures, func() (*attempt, error) {
			return throttle.signIn(t.Context(), nil, rand.Text(), Client{Addr: clinicAddr})
		}},
		"--max-registrations": {&throttle.Budgets.Registrations, func() (*attempt, error) { return throttle.registration(t.Context(), afarAddr) }},
		"--max-taken":         {&throttle.Budgets.Taken, func() (*attempt, error) { return throttle.change(t.Context(), 7, rand.Text()) }},
		"--max-taken-per-address": {&throttle.Budgets.AddressTaken, func() (*attempt, error) {
			userID++
			return throttle.change(t.Context(), userID, clinicAddr)
		}},
	} {
		*use.budget = Budget{1, 7 * time.Minute}
		a, err := use.attempt()
		testutil.Must(t, err)
		testutil.Must(t, a.failed(t.Context()))
		_, err = use.attempt()
		soon, refused := errors.AsType[*tooSoon](err)
		if !refused || soon.seconds() != 7*60 || soon.message("Too many") != "Too many; "+setting+" is the limit. Try again in 420 seconds." {
			t.Errorf("beyond %s: %v", setting, err)
		}
		throttle.Budgets = DefaultBudgets()
	}
}

func TestThrottle_WaitEndsWithTheRequest(t *testing.T) {
	t.Parallel()
	throttle, _ := newThrottle(t)
	for range 10 {
		a, err := throttle.signIn(t.Context(), nil, ashasMail, Client{Addr: afarAddr})
		testutil.Must(t, err)
		defer a.cancel()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := throttle.signIn(ctx, nil, ashasMail, Client{Addr: afarAddr}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error is %v", err)
	}
}

// TestThrottle_ServersOnOneDatabaseShareBudgets: neither a second server nor a restart
// gives ten more guesses, for known and for unknown addresses.
func TestThrottle_ServersOnOneDatabaseShareBudgets(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]*store.Credential{"an account": {UserID: 7}, "no account": nil} {
		first, clock := newThrottle(t)
		second := NewThrottle(first.store, clock.read, first.secret)
		for i := range 10 {
			throttle := []*Throttle{first, second}[i%2]
			a, err := throttle.signIn(t.Context(), c, ashasMail, Client{Addr: clinicAddr})
			testutil.Must(t, err)
			testutil.Must(t, a.failed(t.Context()))
		}
		restarted := NewThrottle(first.store, clock.read, first.secret)
		for i, throttle := range []*Throttle{first, second, restarted} {
			_, err := throttle.signIn(t.Context(), c, ashasMail, Client{Addr: afarAddr})
			if soon, ok := errors.AsType[*tooSoon](err); !ok || soon.wait != 30*time.Second {
				t.Errorf("%s, server %d: %v", what, i, err)
			}
		}
	}
}

// A familiar address has a budget of its own, but its failures count for the account
// too: a server where the address is not familiar gives no new budget.
func TestThrottle_FailuresFromAFamiliarAddressCountOnOtherServers(t *testing.T) {
	t.Parallel()
	first, clock := newThrottle(t)
	wantRight(t, first, ashasMail)
	for range 10 {
		wantPass(t, first, ashasMail, clinicAddr)
	}
	wantWait(t, NewThrottle(first.store, clock.read, first.secret), ashasMail, clinicAddr)
}

func TestThrottle_SpellingsOfOneAccountAreOne(t *testing.T) {
	t.Parallel()
	throttle, _ := newThrottle(t)
	for range 5 {
		wantPass(t, throttle, ashasMail, clinicAddr)
		wantPass(t, throttle, " ASHA@Example.IN ", afarAddr)
	}
	wantWait(t, throttle, ashasMail, "192.0.2.1")
}

func TestThrottle_AddressesOfOneClientAreOne(t *testing.T) {
	t.Parallel()
	for _, same := range [][]string{
		{"203.0.113.7", "203.0.113.7:4711", "::ffff:203.0.113.7", "[::ffff:203.0.113.7]:80"},
		{"2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "[2001:db8:1:2:3:4:5:6]:443", "2001:db8:1:2::1%eth0"},
		{"@", "@"},
	} {
		for _, addr := range same {
			if addressGroup(addr) != addressGroup(same[0]) {
				t.Errorf("%s and %s are two clients", addr, same[0])
			}
		}
	}
	for _, other := range []string{"203.0.113.8", "2001:db8:1:3::1", "::", "", "@"} {
		for _, addr := range []string{"203.0.113.7", "2001:db8:1:2::1"} {
			if addressGroup(other) == addressGroup(addr) {
				t.Errorf("%s and %s are one client", other, addr)
			}
		}
	}
}

// TestThrottle_RegistrationsOfOneAddress: a front desk registers 200 people at once, and
// then one each second.
func TestThrottle_RegistrationsOfOneAddress(t *testing.T) {
	t.Parallel()
	throttle, clock := newThrottle(t)
	register := func(addr string) error {
		a, err := throttle.registration(t.Context(), addr)
		if err != nil {
			return err
		}
		return a.spend(t.Context(), a.budgets[0])
	}
	for range 200 {
		testutil.Must(t, register(clinicAddr))
	}
	soon, refused := errors.AsType[*tooSoon](register(clinicAddr))
	if !refused || soon.wait != time.Second {
		t.Fatalf("the next one gets %v", soon)
	}
	testutil.Must(t, register(afarAddr))
	clock.advance(time.Second)
	testutil.Must(t, register(clinicAddr))
}

func TestThrottle_MemoryIsBoundedAndHoldsNoPersonalData(t *testing.T) {
	t.Parallel()
	throttle, _ := newThrottle(t)
	for i := range 100 {
		wantPass(t, throttle, fmt.Sprintf("u%d@example.in", i), fmt.Sprintf("10.0.0.%d", i))
		wantRight(t, throttle, fmt.Sprintf("s%d@example.in", i))
	}
	if len(throttle.inUse) > 0 {
		t.Errorf("%d budgets stay in memory after their attempts", len(throttle.inUse))
	}
	for i := range maxFamiliar + 1000 {
		throttle.familiar.Add(fmt.Sprint(i), struct{}{})
	}
	if throttle.familiar.Len() > maxFamiliar {
		t.Errorf("the table has %d entries", throttle.familiar.Len())
	}
	for _, parts := range [][]string{{"email", ashasMail}, {"address", clinicAddr}, {"familiar", clinicAddr, ashasMail}} {
		key := throttle.hash(parts...)
		if strings.Contains(key, "example") || strings.Contains(key, clinicAddr) {
			t.Errorf("a key shows who it is for: %s", key)
		}
		if NewThrottle(nil, nil, []byte("another")).hash(parts...) == key {
			t.Error("keys do not depend on the secret: they can be looked up in a table")
		}
	}
}

type fakeClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *fakeClock) read() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *fakeClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func newThrottle(t *testing.T) (*Throttle, *fakeClock) {
	t.Helper()
	clock := &fakeClock{now: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}
	clinic := storetest.New(t, func(o *store.Options) { o.Now = clock.read })
	return NewThrottle(clinic.Store, clock.read, []byte("secret")), clock
}

// wantPass sends a wrong password that is compared.
func wantPass(t *testing.T, throttle *Throttle, account, addr string) {
	t.Helper()
	a, err := throttle.signIn(t.Context(), nil, account, Client{Addr: addr})
	if err != nil {
		t.Fatalf("the attempt was refused: %v", err)
	}
	testutil.Must(t, a.failed(t.Context()))
}

// wantRight sends the right password from the clinic.
func wantRight(t *testing.T, throttle *Throttle, account string) {
	t.Helper()
	a, err := throttle.signIn(t.Context(), nil, account, Client{Addr: clinicAddr})
	if err != nil {
		t.Fatalf("the attempt was refused: %v", err)
	}
	testutil.Must(t, a.succeeded(t.Context()))
}

func wantWait(t *testing.T, throttle *Throttle, account, addr string) time.Duration {
	t.Helper()
	_, err := throttle.signIn(t.Context(), nil, account, Client{Addr: addr})
	soon, refused := errors.AsType[*tooSoon](err)
	if !refused || soon.wait <= 0 {
		t.Fatalf("the attempt was not refused: %v", err)
	}
	return soon.wait
}
