package auth

import (
	"bytes"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	ashasMail  = "asha@example.in"
	clinicAddr = "203.0.113.7"
	afarAddr   = "198.51.100.9"
)

func TestThrottle_AccountIsSlowedAfterTenFailuresInARow(t *testing.T) {
	t.Parallel()
	throttle, clock := newThrottle()
	for range 10 {
		wantPass(t, throttle, ashasMail, clinicAddr)
	}
	wait := wantWait(t, throttle, ashasMail, clinicAddr)
	if wait != perAccount().every {
		t.Errorf("wait = %v, want %v", wait, perAccount().every)
	}
	clock.advance(wait - time.Nanosecond)
	wantWait(t, throttle, ashasMail, clinicAddr)
	clock.advance(time.Nanosecond)
	wantPass(t, throttle, ashasMail, clinicAddr)
	wantWait(t, throttle, ashasMail, clinicAddr) // one only
	wantPass(t, throttle, "ravi@example.in", clinicAddr)
}

func TestThrottle_AskingWhileSlowedDoesNotMakeItLonger(t *testing.T) {
	t.Parallel()
	throttle, clock := newThrottle()
	for range 10 {
		wantPass(t, throttle, ashasMail, clinicAddr)
	}
	for range 1000 {
		if wait := wantWait(t, throttle, ashasMail, afarAddr); wait > time.Minute {
			t.Fatalf("wait = %v, want at most a minute", wait)
		}
	}
	clock.advance(perAccount().every)
	wantPass(t, throttle, ashasMail, clinicAddr)
}

func TestThrottle_BudgetGrowsBackAndNotBeyond(t *testing.T) {
	t.Parallel()
	throttle, clock := newThrottle()
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
	throttle, _ := newThrottle()
	for range 5 {
		for range 9 {
			wantPass(t, throttle, ashasMail, clinicAddr) // wrong
		}
		wantPass(t, throttle, ashasMail, clinicAddr) // right
		throttle.Succeeded(ashasMail, clinicAddr)
	}
	// The account's own budget is full again too.
	for range 10 {
		wantPass(t, throttle, ashasMail, afarAddr)
	}
	wantWait(t, throttle, ashasMail, afarAddr)
}

func TestThrottle_AttackerElsewhereDoesNotLockTheOwnerOut(t *testing.T) {
	t.Parallel()
	throttle, _ := newThrottle()
	wantPass(t, throttle, ashasMail, clinicAddr)
	throttle.Succeeded(ashasMail, clinicAddr)
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
	throttle, _ := newThrottle()
	for i := range 1000 { // in no time
		account := fmt.Sprintf("u%d@example.in", i)
		wantPass(t, throttle, account, clinicAddr)
		throttle.Succeeded(account, clinicAddr)
	}
	// None of that used up the failures that are allowed.
	for i := range 100 {
		wantPass(t, throttle, fmt.Sprintf("f%d@example.in", i), clinicAddr)
	}
	wantWait(t, throttle, "next@example.in", clinicAddr)
}

func TestThrottle_AddressIsSlowedOverManyAccounts(t *testing.T) {
	t.Parallel()
	throttle, clock := newThrottle()
	for i := range 100 {
		wantPass(t, throttle, fmt.Sprintf("u%d@example.in", i), afarAddr)
	}
	wait := wantWait(t, throttle, ashasMail, afarAddr)
	if wait != perAddress().every {
		t.Errorf("wait = %v, want %v", wait, perAddress().every)
	}
	wantPass(t, throttle, ashasMail, clinicAddr)
	clock.advance(wait)
	wantPass(t, throttle, ashasMail, afarAddr)
	wantWait(t, throttle, ashasMail, afarAddr)
}

// A refused attempt must not use up the other budget.
func TestThrottle_RefusalByOneBudgetLeavesTheOther(t *testing.T) {
	t.Parallel()
	throttle, _ := newThrottle()
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
	throttle, _ := newThrottle()
	var passed atomic.Int32
	var guesses sync.WaitGroup
	for range 200 {
		guesses.Go(func() {
			if _, ok := throttle.Attempt(ashasMail, afarAddr); ok {
				passed.Add(1)
			}
		})
	}
	guesses.Wait()
	if passed.Load() != 10 {
		t.Errorf("%d guesses passed, want 10", passed.Load())
	}
}

func TestThrottle_SpellingsOfOneAccountAreOne(t *testing.T) {
	t.Parallel()
	throttle, _ := newThrottle()
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

func TestThrottle_MemoryIsBoundedAndHoldsNoPersonalData(t *testing.T) {
	t.Parallel()
	throttle, clock := newThrottle()
	for i := range throttleEntries + 1000 {
		clock.advance(time.Second)
		throttle.Attempt(fmt.Sprintf("u%d@example.in", i), fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255))
		throttle.Succeeded(fmt.Sprintf("s%d@example.in", i), clinicAddr)
	}
	for _, table := range []*refillTimes{throttle.accounts, throttle.addresses, throttle.pairs} {
		if table.Len() > throttleEntries {
			t.Errorf("a table has %d entries", table.Len())
		}
		for _, key := range table.Keys() {
			if bytes.Contains(key[:], []byte("@")) && bytes.Contains(key[:], []byte("example")) {
				t.Fatalf("an address lies in memory: %q", key[:])
			}
		}
	}
	other, _ := newThrottle()
	if other.keys(ashasMail, clinicAddr) == throttle.keys(ashasMail, clinicAddr) {
		t.Error("keys are the same in every process: they can be looked up in a table")
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

func newThrottle() (*Throttle, *fakeClock) {
	clock := &fakeClock{now: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}
	return NewThrottle(clock.read), clock
}

func wantPass(t *testing.T, throttle *Throttle, account, addr string) {
	t.Helper()
	if wait, ok := throttle.Attempt(account, addr); !ok || wait != 0 {
		t.Fatalf("the attempt was refused, wait %v", wait)
	}
}

func wantWait(t *testing.T, throttle *Throttle, account, addr string) time.Duration {
	t.Helper()
	wait, ok := throttle.Attempt(account, addr)
	if ok || wait <= 0 {
		t.Fatalf("the attempt passed: ok = %v, wait = %v", ok, wait)
	}
	return wait
}
