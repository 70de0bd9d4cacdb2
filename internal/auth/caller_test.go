package auth_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/caregraph/caregraph/internal/auth"
	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/storetest"
)

// attach returns a context with more values.
func attach(ctx context.Context, more interface{ Value(key any) any }) context.Context {
	return attached{ctx, more}
}

type attached struct {
	context.Context

	more interface{ Value(key any) any }
}

func (a attached) Value(key any) any {
	if value := a.more.Value(key); value != nil {
		return value
	}
	return a.Context.Value(key)
}

// server is a clinic with tokens, behind Identify.
type server struct {
	*storetest.Clinic

	tokens  *auth.Tokens
	handler http.Handler
	// caller is the caller of the latest request.
	caller *auth.Caller
}

func newServer(t *testing.T, options ...func(*store.Options)) *server {
	t.Helper()
	keys, err := auth.LoadOrCreateKeys(filepath.Join(t.TempDir(), "keys.json"), "EdDSA")
	testutil.Must(t, err)
	tokens, err := auth.NewTokens(keys, auth.TokenSettings{Issuer: "caregraph", Audience: "caregraph", Clock: time.Now})
	testutil.Must(t, err)
	nowhere := func(context.Context) netip.Addr { return netip.Addr{} }
	o := &server{Clinic: storetest.New(t, options...), tokens: tokens}
	o.handler = auth.Identify(o.Store, tokens, nowhere, attach, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		o.caller = auth.CallerFrom(r.Context())
	}))
	return o
}

// request sends a request of the account and returns its caller.
func (o *server) request(t *testing.T, account *storetest.Account) *auth.Caller {
	t.Helper()
	pair, err := o.tokens.Issue(account.UserID, account.SessionID)
	testutil.Must(t, err)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
	r.Header.Set("Authorization", "Bearer "+pair.Access)
	o.handler.ServeHTTP(httptest.NewRecorder(), r)
	return o.caller
}

func wantEnded(t *testing.T, v *model.Viewer, err error) {
	t.Helper()
	if _, refused := errors.AsType[*auth.TokenError](err); !refused || v != nil {
		t.Errorf("the viewer is %v, the error %v", v, err)
	}
}

// A viewer that is cached from another request must be confirmed; one that was
// confirmed in this request need not.
func TestCachedViewer_IsConfirmedOnceInEachRequest(t *testing.T) {
	t.Parallel()
	o := newServer(t)
	asha := o.Owner("Asha")
	for i, wantConfirmed := range []bool{true, false, false} { // the cache is empty in the first request
		caller := o.request(t, asha)
		v, confirmed, err := caller.CachedViewer(t.Context())
		if err != nil || *v != *asha.Viewer || confirmed != wantConfirmed {
			t.Fatalf("request %d: %v, confirmed %t, %v", i, v, confirmed, err)
		}
		if _, err := caller.Confirm(v); err != nil {
			t.Fatal(err)
		}
		if _, confirmed, _ := caller.CachedViewer(t.Context()); !confirmed {
			t.Errorf("request %d: not confirmed after Confirm", i)
		}
	}
}

// Viewer looks the session up unless it is confirmed, even if it is cached.
func TestViewer_IsAskedInEachRequest(t *testing.T) {
	t.Parallel()
	o := newServer(t)
	bina, asha := o.Owner("Bina"), o.Owner("Asha")
	for _, change := range []struct{ what, do, undo string }{
		{"ended", "UPDATE sessions SET ended_at = now()", "UPDATE sessions SET ended_at = NULL"},
		{"expired", "UPDATE sessions SET expires_at = now()", "UPDATE sessions SET expires_at = now() + interval '1h'"},
		{"not active", "UPDATE users SET is_active = FALSE", "UPDATE users SET is_active = TRUE"},
		{"of another account", "UPDATE sessions SET user_id = ?", "UPDATE sessions SET user_id = ?"},
	} {
		if v, err := o.request(t, asha).Viewer(t.Context()); err != nil || *v != *asha.Viewer {
			t.Fatalf("before it was %s: %v, %v", change.what, v, err)
		}
		o.Exec(change.do, bina.UserID)
		v, err := o.request(t, asha).Viewer(t.Context())
		wantEnded(t, v, err)
		if v, confirmed, err := o.request(t, asha).CachedViewer(t.Context()); !confirmed {
			t.Errorf("%s, but cached as %v", change.what, v)
		} else {
			wantEnded(t, v, err)
		}
		o.Exec(change.undo, asha.UserID)
	}
}

// It also refuses a viewer of another account.
func TestConfirm_RefusesASessionThatHasEnded(t *testing.T) {
	t.Parallel()
	o := newServer(t)
	asha := o.Owner("Asha")
	for _, found := range []*model.Viewer{nil, {UserID: asha.UserID + 1, Role: model.RoleAdmin, SessionID: asha.SessionID}} {
		v, err := o.request(t, asha).Confirm(found)
		wantEnded(t, v, err)
	}
}

// It needs no query then, and it is refused in the first request after its
// session has ended.
func TestViewer_IsCachedWhileTheEntryIsCertain(t *testing.T) {
	t.Parallel()
	lookups := &counter{}
	o := newServer(t, func(o *store.Options) { o.Listen, o.Tracer = true, lookups })
	asha, bina := o.Owner("Asha"), o.Owner("Bina")
	for end := time.Now().Add(30 * time.Second); ; <-time.After(time.Millisecond) {
		if _, err := o.request(t, asha).Viewer(t.Context()); err != nil || time.Now().After(end) {
			t.Fatalf("it does not become certain: %v", err)
		}
		if _, certain := o.Store.CachedViewer(asha.SessionID); certain {
			break
		}
	}
	before := lookups.sessions.Load()
	if v, err := o.request(t, asha).Viewer(t.Context()); err != nil || *v != *asha.Viewer {
		t.Errorf("asked, it is %v, %v", v, err)
	}
	if v, confirmed, err := o.request(t, asha).CachedViewer(t.Context()); err != nil || !confirmed || *v != *asha.Viewer {
		t.Errorf("from the cache, it is %v, confirmed %t, %v", v, confirmed, err)
	}
	if n := lookups.sessions.Load() - before; n > 0 {
		t.Errorf("the database was asked %d times", n)
	}
	if _, err := o.request(t, bina).Viewer(t.Context()); err != nil { // the first request of this account
		t.Error(err)
	}
	testutil.Must(t, o.Store.EndSessions(t.Context(), asha.Viewer, ""))
	v, err := o.request(t, asha).Viewer(t.Context())
	wantEnded(t, v, err)
	v, confirmed, err := o.request(t, asha).CachedViewer(t.Context())
	wantEnded(t, v, err)
	if !confirmed {
		t.Error("it is still cached without a confirmation")
	}
}

// A token that names another account than its session is refused, even if the
// session is cached.
func TestViewer_IsNotCachedForAnotherAccount(t *testing.T) {
	t.Parallel()
	o := newServer(t)
	asha, bina := o.Owner("Asha"), o.Owner("Bina")
	if _, err := o.request(t, asha).Viewer(t.Context()); err != nil {
		t.Fatal(err)
	}
	bina.SessionID = asha.SessionID
	if v, confirmed, err := o.request(t, bina).CachedViewer(t.Context()); !confirmed {
		t.Errorf("cached as %v", v)
	} else {
		wantEnded(t, v, err)
	}
}

// counter counts the lookups of sessions.
type counter struct{ sessions atomic.Int64 }

func (c *counter) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	if strings.Contains(data.SQL, "FROM sessions") {
		c.sessions.Add(1)
	}
	return ctx
}

func (*counter) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// It must not be the role of the request before.
func TestCachedViewer_TakesTheRoleThatWasConfirmed(t *testing.T) {
	t.Parallel()
	o := newServer(t)
	asha := o.Owner("Asha")
	if _, err := o.request(t, asha).Viewer(t.Context()); err != nil {
		t.Fatal(err)
	}
	o.Exec("UPDATE users SET role = 'ADMIN'")
	if v, err := o.request(t, asha).Viewer(t.Context()); err != nil || v.Role != model.RoleAdmin {
		t.Errorf("asked, it is %v, %v", v, err)
	}
	if v, _, err := o.request(t, asha).CachedViewer(t.Context()); err != nil || v.Role != model.RoleAdmin {
		t.Errorf("from the cache, it is %v, %v", v, err)
	}
}

// TestCaller_ServesAllGoroutinesOfARequest is for the race detector.
func TestCaller_ServesAllGoroutinesOfARequest(t *testing.T) {
	t.Parallel()
	o := newServer(t)
	asha := o.Owner("Asha")
	caller := o.request(t, asha)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 20 {
				v, _, err := caller.CachedViewer(t.Context())
				if err == nil {
					v, err = caller.Confirm(v)
				}
				if seen, asked := caller.Viewer(t.Context()); err != nil || asked != nil || *seen != *v {
					t.Errorf("%v, %v; %v, %v", v, err, seen, asked)
				}
			}
		})
	}
	group.Wait()
}

// A caller with a refused token knows the reason.
func TestCallerFrom_IsNobodyUnlessIdentified(t *testing.T) {
	t.Parallel()
	if v, confirmed, err := auth.CallerFrom(t.Context()).CachedViewer(t.Context()); v != nil || !confirmed || err != nil {
		t.Errorf("%v, %t, %v", v, confirmed, err)
	}
	o := newServer(t)
	for header, refused := range map[string]bool{"": false, "Basic YTpi": false, "Bearer": true, "Bearer a b": true, "bearer false": true} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
		r.Header.Set("Authorization", header)
		o.handler.ServeHTTP(httptest.NewRecorder(), r)
		if v, _, err := o.caller.CachedViewer(t.Context()); v != nil || (err != nil) != refused {
			t.Errorf("%q: %v, %v", header, v, err)
		}
	}
}

// The line of each request has the name of its session, also if the token was verified
// before.
func TestCaller_NameOfTheSession(t *testing.T) {
	t.Parallel()
	o := newServer(t)
	rahul := o.Owner("Rahul")
	hash := sha256.Sum256([]byte(rahul.SessionID))
	pair, err := o.tokens.Issue(rahul.UserID, rahul.SessionID)
	testutil.Must(t, err)
	for range 2 {
		testutil.Equal(t, "name", auth.NewCaller(o.Store, o.tokens, "Bearer "+pair.Access).Session(), hex.EncodeToString(hash[:4]))
	}
	testutil.Equal(t, "name of no session", auth.NewCaller(o.Store, o.tokens, "").Session(), "")
}
