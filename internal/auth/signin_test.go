package auth_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caregraph/caregraph/internal/auth"
	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
)

const (
	right      = "Secure@123"
	wrong      = "Wrong@4567"
	clinicAddr = "203.0.113.7"
	afarAddr   = "198.51.100.9"
)

// accounts returns the accounts of a clinic as one server has them.
func (o *server) accounts(hasher *auth.Hasher, now func() time.Time) *auth.Accounts {
	return &auth.Accounts{Store: o.Store, Hasher: hasher, Tokens: o.tokens, Throttle: auth.NewThrottle(o.Store, now, []byte("secret"))}
}

func mail(i int) model.EmailAddress { return model.EmailAddress(fmt.Sprintf("u%d@clinic.example", i)) }

func newUser(i int) *model.User {
	return &model.User{Username: fmt.Sprintf("u%d", i), Email: mail(i), Role: model.RolePatient}
}

func register(t *testing.T, a *auth.Accounts, n int) {
	t.Helper()
	for i := range n {
		_, err := a.Register(t.Context(), newUser(i), right, auth.Client{Addr: clinicAddr})
		testutil.Must(t, err)
	}
}

// codes counts the results of n calls at once; the key of success is "".
func codes(n int, call func(i int) error) map[model.Code]int {
	found, lock := map[model.Code]int{}, sync.Mutex{}
	var calls sync.WaitGroup
	for i := range n {
		calls.Go(func() {
			code := model.CodeOf(call(i))
			lock.Lock()
			defer lock.Unlock()
			found[code]++
		})
	}
	calls.Wait()
	return found
}

// TestLogin_RightPasswordsAtOnceAllPass: attempts in flight are no failures.
func TestLogin_RightPasswordsAtOnceAllPass(t *testing.T) {
	t.Parallel()
	o := newServer(t)
	a := o.accounts(auth.NewHasher(4), time.Now)
	register(t, a, 25)
	login := func(i int) error {
		_, err := a.Login(t.Context(), mail(i%25), right, auth.Client{Addr: afarAddr})
		return err
	}
	testutil.Equal(t, "50 of one account", codes(50, func(int) error { return login(0) })[""], 50)
	testutil.Equal(t, "150 of 25 accounts from one address", codes(150, login)[""], 150)
}

func TestLogin_WrongPasswordsAtOnceAreComparedTenTimes(t *testing.T) {
	t.Parallel()
	o := newServer(t)
	var compared atomic.Int32
	hasher, now := auth.NewHasher(4), time.Now()
	a := o.accounts(hasher, func() time.Time { return now })
	register(t, a, 1)
	hasher.ExtraCPU = func(compute func()) { compared.Add(1); compute() }
	got := codes(50, func(int) error {
		_, err := a.Login(t.Context(), mail(0), wrong, auth.Client{Addr: afarAddr})
		return err
	})
	testutil.Equal(t, "compared", compared.Load(), 10)
	testutil.Equal(t, "wrong", got[model.CodeInvalidCredentials], 10)
	testutil.Equal(t, "refused", got[model.CodeTooManyAttempts], 40)
}

// TestLogin_KnownDeviceSignsInWhateverOthersGuess: on the account, or from the same
// address on all accounts, also after a restart of the server.
func TestLogin_KnownDeviceSignsInWhateverOthersGuess(t *testing.T) {
	t.Parallel()
	for what, attack := range map[string]func(*testing.T, *auth.Accounts){
		"on the account": func(t *testing.T, a *auth.Accounts) {
			t.Helper()
			codes(20, func(int) error {
				_, err := a.Login(t.Context(), mail(0), wrong, auth.Client{Addr: "192.0.2.66"})
				return err
			})
		},
		"from the address": func(t *testing.T, a *auth.Accounts) {
			t.Helper()
			for i := range 100 {
				_, err := a.Login(t.Context(), mail(1000+i), wrong, auth.Client{Addr: afarAddr})
				wantLogin(t, "a guess", err, model.CodeInvalidCredentials)
			}
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			o := newServer(t)
			now := time.Now()
			clock := func() time.Time { return now }
			a := o.accounts(auth.NewHasher(4), clock)
			register(t, a, 1)
			in, err := a.Login(t.Context(), mail(0), right, auth.Client{Addr: clinicAddr, Remember: true})
			testutil.Must(t, err)
			attack(t, a)

			for server, a := range map[string]*auth.Accounts{"the server": a, "after a restart": o.accounts(auth.NewHasher(4), clock)} {
				_, err = a.Login(t.Context(), mail(0), right, auth.Client{Addr: afarAddr})
				wantLogin(t, server+": without a device", err, model.CodeTooManyAttempts)
				_, err = a.Login(t.Context(), mail(0), right, auth.Client{Addr: afarAddr, Device: "invented"})
				wantLogin(t, server+": with an unknown device", err, model.CodeTooManyAttempts)
				again, err := a.Login(t.Context(), mail(0), right, auth.Client{Addr: afarAddr, Device: in.Device, Remember: true})
				testutil.Must(t, err)
				testutil.Equal(t, "token of the device", again.Device, in.Device)
			}
			// The right password is still needed, and a stolen token gives ten guesses.
			for range 10 {
				_, err = a.Login(t.Context(), mail(0), wrong, auth.Client{Addr: afarAddr, Device: in.Device})
				wantLogin(t, "a guess of the device", err, model.CodeInvalidCredentials)
			}
			_, err = a.Login(t.Context(), mail(0), right, auth.Client{Addr: afarAddr, Device: in.Device})
			wantLogin(t, "the device after ten guesses", err, model.CodeTooManyAttempts)
		})
	}
}

func wantLogin(t *testing.T, what string, err error, want model.Code) {
	t.Helper()
	if got := model.CodeOf(err); got != want {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// TestLogin_DeviceOfAnotherAccountIsUnknown, and a client gets a token only if it will
// keep it, and never one that it made up.
func TestLogin_DeviceOfAnotherAccountIsUnknown(t *testing.T) {
	t.Parallel()
	o := newServer(t)
	a := o.accounts(auth.NewHasher(4), time.Now)
	first, err := a.Register(t.Context(), newUser(0), right, auth.Client{Addr: clinicAddr, Remember: true})
	testutil.Must(t, err)
	if len(first.Device) != 43 {
		t.Errorf("the token of a new account is %q", first.Device)
	}
	none, err := a.Register(t.Context(), newUser(1), right, auth.Client{Addr: clinicAddr})
	testutil.Must(t, err)
	testutil.Equal(t, "a token that no one asked for", none.Device, "")
	for _, made := range []string{first.Device, "invented", ""} {
		in, err := a.Login(t.Context(), mail(1), right, auth.Client{Addr: clinicAddr, Device: made, Remember: true})
		testutil.Must(t, err)
		if in.Device == made || len(in.Device) != 43 {
			t.Errorf("for %q the account gets %q", made, in.Device)
		}
	}
	stored := ""
	testutil.Must(t, o.DB.QueryRow("SELECT string_agg(devices::text, ' ') FROM devices").Scan(&stored))
	if stored == "" || len(stored) > 4*200 {
		t.Errorf("devices are %s", stored)
	}
}

// TestRegister_TakenAnswersUseUpABudget: after 50 of them an address is refused, so it
// cannot try addresses without an end.
func TestRegister_TakenAnswersUseUpABudget(t *testing.T) {
	t.Parallel()
	o := newServer(t)
	now := time.Now()
	a := o.accounts(auth.NewHasher(4), func() time.Time { return now })
	register(t, a, 1)
	try := func(addr string) error {
		_, err := a.Register(t.Context(), newUser(0), right, auth.Client{Addr: addr})
		return err
	}
	for i := range 50 {
		wantLogin(t, "a value that is taken", try(fmt.Sprintf("2001:db8::%d", i)), model.CodeTaken)
	}
	err := try("2001:db8::99")
	wantLogin(t, "one too many", err, model.CodeRateLimited)
	refusal, _ := errors.AsType[*model.Error](err)
	testutil.Equal(t, "seconds to wait", refusal.RetryAfter, 30)
	wantLogin(t, "from another address", try(afarAddr), model.CodeTaken)
	now = now.Add(30 * time.Second)
	wantLogin(t, "after the wait", try("2001:db8::99"), model.CodeTaken)
}

// TestUpdateMe_TakenAnswersUseUpABudget of the account, from any address.
func TestUpdateMe_TakenAnswersUseUpABudget(t *testing.T) {
	t.Parallel()
	o := newServer(t)
	asha, ravi := o.Owner("Asha"), o.Owner("Ravi")
	now := time.Now()
	a := o.accounts(auth.NewHasher(1), func() time.Time { return now })
	rename := func(name string, i int) error {
		change := model.Change[model.User]{Field: "username", Apply: func(u *model.User) { u.Username = name }}
		_, err := a.UpdateMe(t.Context(), asha.Viewer, []model.Change[model.User]{change}, fmt.Sprintf("10.0.0.%d", i))
		return err
	}
	testutil.Must(t, rename("asha.rao", 0))
	for i := range 20 {
		wantLogin(t, "a name that is taken", rename("Ravi", i), model.CodeTaken)
	}
	wantLogin(t, "one too many", rename("Ravi", 30), model.CodeRateLimited)
	wantLogin(t, "also for a free name", rename("asha", 31), model.CodeRateLimited)
	_, err := a.UpdateMe(t.Context(), asha.Viewer, nil, clinicAddr)
	testutil.Must(t, err)
	_, err = a.UpdateMe(t.Context(), ravi.Viewer, nil, clinicAddr)
	testutil.Must(t, err)
}

// TestRegister_HashesNothingForATakenValue, and answers what it answers after hashing.
func TestRegister_HashesNothingForATakenValue(t *testing.T) {
	t.Parallel()
	o := newServer(t)
	hasher := auth.NewHasher(2)
	a := o.accounts(hasher, time.Now)
	register(t, a, 1)
	hasher.ExtraCPU = func(func()) { t.Error("a password is hashed for a username that is taken") }
	_, err := a.Register(t.Context(), newUser(0), right, auth.Client{Addr: clinicAddr})
	refusal, _ := errors.AsType[*model.Error](err)
	if refusal == nil || refusal.Code != model.CodeTaken || len(refusal.Fields) != 2 {
		t.Errorf("error is %v", err)
	}
}
