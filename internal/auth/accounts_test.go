package auth_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/caregraph/caregraph/internal/auth"
	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/storetest"
)

// viewerOf returns the viewer of an access token on one server.
func viewerOf(t *testing.T, s *store.Store, tokens *auth.Tokens, access string) (v *model.Viewer, err error) {
	t.Helper()
	handler := auth.Identify(s, tokens, func(context.Context) netip.Addr { return netip.Addr{} }, attach, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		v, err = auth.CallerFrom(r.Context()).Viewer(r.Context())
	}))
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
	r.Header.Set("Authorization", "Bearer "+access)
	handler.ServeHTTP(httptest.NewRecorder(), r)
	return v, err
}

// TestChangePassword_EndsTheTokenThatChangedIt from the next request on, on this server
// and on another one whose cache is certain of it.
func TestChangePassword_EndsTheTokenThatChangedIt(t *testing.T) {
	t.Parallel()
	o := newServer(t, func(o *store.Options) { o.Listen = true })
	accounts := &auth.Accounts{Store: o.Store, Hasher: auth.NewHasher(2), Tokens: o.tokens, Throttle: auth.NewThrottle(o.Store, time.Now, []byte("secret"))}
	const password = "Monsoon-Rain-42"
	before, err := accounts.Register(t.Context(), &model.User{Username: "asha", Email: "asha@clinic.example", Role: model.RolePatient}, password, auth.Client{Addr: "192.0.2.1"})
	testutil.Must(t, err)
	elsewhere, err := store.Open(t.Context(), o.URL, store.Options{Policy: storetest.Policy(t), Connections: 2, Listen: true})
	testutil.Must(t, err)
	t.Cleanup(elsewhere.Close)
	for certain, end := false, time.Now().Add(30*time.Second); !certain; <-time.After(time.Millisecond) {
		if v, err := viewerOf(t, elsewhere, o.tokens, before.Tokens.Access); err != nil || *v != *before.Viewer || time.Now().After(end) {
			t.Fatalf("before: %v, %v", v, err)
		}
		_, certain = elsewhere.CachedViewer(before.Viewer.SessionID)
	}

	after, err := accounts.ChangePassword(t.Context(), before.Viewer, password, "Winter-Snow-43", "192.0.2.1")
	testutil.Must(t, err)
	v, err := viewerOf(t, o.Store, o.tokens, before.Tokens.Access)
	wantEnded(t, v, err)
	v, err = viewerOf(t, elsewhere, o.tokens, before.Tokens.Access)
	for end := time.Now().Add(10 * time.Second); v != nil; <-time.After(time.Millisecond) { // the message is on its way
		if v, err = viewerOf(t, elsewhere, o.tokens, before.Tokens.Access); time.Now().After(end) {
			t.Fatal("the other server accepts it")
		}
	}
	wantEnded(t, v, err)
	for _, s := range []*store.Store{o.Store, elsewhere} {
		if v, err := viewerOf(t, s, o.tokens, after.Tokens.Access); err != nil || *v != *after.Viewer {
			t.Errorf("the new token: %v, %v", v, err)
		}
	}
}
