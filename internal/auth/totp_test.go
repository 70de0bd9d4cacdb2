package auth_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/caregraph/caregraph/internal/auth"
	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/storetest"
)

// TestTotp_OneCodeSignsInOnce: of many sign-ins at once on two servers, with a code of the
// app and with a recovery code.
func TestTotp_OneCodeSignsInOnce(t *testing.T) {
	t.Parallel()
	o := newServer(t)
	elsewhere, err := store.Open(t.Context(), o.URL, store.Options{Policy: storetest.Policy(t), Connections: 4, Secrets: storetest.Secrets()})
	testutil.Must(t, err)
	t.Cleanup(elsewhere.Close)
	first := o.accounts(auth.NewHasher(2), time.Now)
	second := &auth.Accounts{Store: elsewhere, Hasher: auth.NewHasher(2), Tokens: o.tokens, Throttle: auth.NewThrottle(elsewhere, time.Now, []byte("secret"))}
	first.Throttle.Budgets.Failures, second.Throttle.Budgets.Failures = auth.Budget{Burst: 100, Every: time.Second}, auth.Budget{Burst: 100, Every: time.Second}
	register(t, first, 1)
	in, err := first.Login(t.Context(), mail(0), right, auth.Client{Addr: clinicAddr, Remember: true})
	testutil.Must(t, err)
	set, err := first.StartTotp(t.Context(), in.Viewer, right, auth.Client{Addr: clinicAddr})
	testutil.Must(t, err)
	now := time.Now()
	code := func(at time.Time) string {
		code, err := totp.GenerateCode(set.Secret, at)
		testutil.Must(t, err)
		return code
	}
	done, err := first.FinishTotp(t.Context(), in.Viewer, code(now), auth.Client{Addr: clinicAddr})
	testutil.Must(t, err)
	next := code(now.Add(30 * time.Second)) // no code of the past, which may expire meanwhile
	for what, otp := range map[string]string{"a code": next, "a recovery code": done.Codes[0]} {
		var turn atomic.Int32
		got := codes(8, func(int) error {
			a := []*auth.Accounts{first, second}[turn.Add(1)%2]
			_, err := a.Login(context.WithoutCancel(t.Context()), mail(0), right, auth.Client{Addr: clinicAddr, Device: in.Device, Otp: &otp})
			return err
		})
		testutil.Equal(t, what+" signs in", got[""], 1)
		testutil.Equal(t, what+" is refused", got[model.CodeInvalidCode], 7)
	}
}
