package store_test

import (
	"context"
	"database/sql"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/storetest"
)

func withListener(o *store.Options) { o.Listen = true }

// secondServer opens the database of the clinic as a second server does.
func secondServer(t *testing.T, c *storetest.Clinic) *store.Store {
	t.Helper()
	s := ok(store.Open(t.Context(), c.URL, store.Options{Policy: storetest.Policy(t), Connections: 2, Listen: true}))(t)
	t.Cleanup(s.Close)
	return s
}

// patience bounds the wait for a condition.
const patience = 30 * time.Second

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !holds(); <-time.After(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it does not come to pass that %s", what)
		}
	}
}

// becomesCertain looks up the sessions until they are certain.
func becomesCertain(t *testing.T, s *store.Store, sessions ...string) {
	t.Helper()
	for _, id := range sessions {
		eventually(t, "session "+id+" is certain", func() bool {
			if _, certain := s.CachedViewer(id); certain {
				return true
			}
			ok(s.SessionViewer(t.Context(), id))(t)
			return false
		})
	}
}

func notCached(s *store.Store, id string) bool {
	v, _ := s.CachedViewer(id)
	return v == nil
}

// TestSessionCache_ForgetsWhatEnds: the server that ends or changes a session removes it
// at once, all others a moment later. No other session is removed.
func TestSessionCache_ForgetsWhatEnds(t *testing.T) {
	t.Parallel()
	type fixture struct {
		*storetest.Clinic
		asha *storetest.Account
	}
	bySQL := func(statement string) func(fixture) error {
		return func(w fixture) error { w.Exec(statement, w.asha.UserID); return nil }
	}
	for what, tc := range map[string]struct {
		end func(fixture) error
		// here is set if the store itself ends the session.
		here, everybodys bool
	}{
		"logout":            {end: func(w fixture) error { return w.Store.EndSession(t.Context(), w.asha.Viewer, "phone") }, here: true},
		"logout everywhere": {end: func(w fixture) error { return w.Store.EndSessions(t.Context(), w.asha.Viewer, "") }, here: true},
		"new password": {end: func(w fixture) error {
			next := storetest.Session("next", w.asha.UserID, "fresh")
			return w.Store.ChangePassword(t.Context(), w.asha.Viewer, "hash of Asha", "new hash", next)
		}, here: true},
		"stolen token": {end: func(w fixture) error {
			used := storetest.Session("phone", w.asha.UserID, "used")
			wantCode(t, errOf(w.Store.RotateSession(t.Context(), used, storetest.Session("phone", w.asha.UserID, "next"))), model.CodeInvalidToken, "refresh")
			return nil
		}, here: true},
		"disabled": {end: func(w fixture) error {
			return errOf(w.Store.DisableAccount(t.Context(), model.Operator(), w.asha.UserID, "left"))
		}, here: true},
		"erased": {end: func(w fixture) error { return w.Store.EraseMe(t.Context(), w.asha.Viewer, "hash of Asha") }, here: true},
		"another role": {end: func(w fixture) error {
			return errOf(w.Store.SetRole(t.Context(), model.Operator(), w.asha.UserID, model.RoleAdmin))
		}, here: true},
		"ended by SQL":     {end: bySQL("UPDATE sessions SET ended_at = now() WHERE id = 'phone' AND user_id = ?")},
		"expired by SQL":   {end: bySQL("UPDATE sessions SET expires_at = now() WHERE id = 'phone' AND user_id = ?")},
		"given away":       {end: bySQL("UPDATE sessions SET user_id = (SELECT max(id) FROM users WHERE id <> ?0) WHERE id = 'phone'")},
		"other id":         {end: bySQL("UPDATE sessions SET id = 'other' WHERE id = 'phone' AND user_id = ?")},
		"deleted":          {end: bySQL("DELETE FROM sessions WHERE id = 'phone' AND user_id = ?")},
		"inactive":         {end: bySQL("UPDATE users SET is_active = FALSE WHERE id = ?")},
		"promoted":         {end: bySQL("UPDATE users SET role = 'ADMIN' WHERE id = ?")},
		"account deleted":  {end: bySQL("DELETE FROM users WHERE id = ?")},
		"all are deleted":  {end: bySQL("TRUNCATE sessions"), everybodys: true},
		"all are inactive": {end: bySQL("UPDATE users SET is_active = FALSE"), everybodys: true},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			c := storetest.New(t, withListener)
			w := fixture{c, c.Owner("Asha")}
			ravi := c.Owner("Ravi")
			testutil.Equal(t, "error", errOf(c.Store.CreateSession(t.Context(), storetest.Session("phone", w.asha.UserID, "r"), "hash of Asha")), nil)
			elsewhere := secondServer(t, c)
			for _, s := range []*store.Store{c.Store, elsewhere} {
				becomesCertain(t, s, "phone", ravi.SessionID)
			}
			testutil.Equal(t, "error", tc.end(w), nil)
			if tc.here && !notCached(c.Store, "phone") {
				t.Error("it is not forgotten at once where it was done")
			}
			for _, s := range []*store.Store{c.Store, elsewhere} {
				eventually(t, "it is forgotten", func() bool { return notCached(s, "phone") })
				if !tc.everybodys && notCached(s, ravi.SessionID) {
					t.Error("a session that nobody touched is forgotten")
				}
			}
		})
	}
}

// withoutPLpgSQL makes every call of plpgsql fail, as a PostgreSQL does whose packages
// were upgraded under it.
func withoutPLpgSQL(c *storetest.Clinic) {
	for _, name := range []string{"tell_session", "tell_user", "tell_all_sessions"} {
		c.Exec("CREATE OR REPLACE FUNCTION " + name + "() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'plpgsql.so: undefined symbol'; END $$")
	}
}

// serversWays are the ways in which the server ends the session "phone" of Asha.
func serversWays(t *testing.T, c *storetest.Clinic, asha *storetest.Account) map[string]func() error {
	t.Helper()
	return map[string]func() error{
		"logout":            func() error { return c.Store.EndSession(t.Context(), asha.Viewer, "phone") },
		"logout everywhere": func() error { return c.Store.EndSessions(t.Context(), asha.Viewer, "") },
		"new password": func() error {
			next := storetest.Session("next", asha.UserID, "fresh")
			return c.Store.ChangePassword(t.Context(), asha.Viewer, "hash of Asha", "new hash", next)
		},
		"stolen token": func() error {
			used := storetest.Session("phone", asha.UserID, "used")
			wantCode(t, errOf(c.Store.RotateSession(t.Context(), used, storetest.Session("phone", asha.UserID, "next"))), model.CodeInvalidToken, "refresh")
			return nil
		},
		"disabled": func() error {
			return errOf(c.Store.DisableAccount(t.Context(), model.Operator(), asha.UserID, "left"))
		},
		"erased": func() error { return c.Store.EraseMe(t.Context(), asha.Viewer, "hash of Asha") },
	}
}

// TestEndSession_WithoutPLpgSQL: the server ends a session in each of its ways, on
// every server, while the functions of the triggers fail. It sends the message itself.
func TestEndSession_WithoutPLpgSQL(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"logout", "logout everywhere", "new password", "stolen token", "disabled", "erased"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			c := storetest.New(t, withListener)
			asha := c.Owner("Asha")
			testutil.Equal(t, "error", errOf(c.Store.CreateSession(t.Context(), storetest.Session("phone", asha.UserID, "r"), "hash of Asha")), nil)
			elsewhere := secondServer(t, c)
			becomesCertain(t, elsewhere, "phone")
			withoutPLpgSQL(c)
			testutil.Equal(t, "error", serversWays(t, c, asha)[way](), nil)
			wantLive(t, c, map[string]bool{"phone": false})
			eventually(t, "it is forgotten elsewhere", func() bool { return notCached(elsewhere, "phone") })
			testutil.Equal(t, "messages not sent", c.Store.Unannounced(), 0)
		})
	}
}

// TestEndSession_WithoutTheMessage: a message that cannot be sent does not keep the
// session alive. The log and a counter report it. TestCache_AsksAgain has the bound for
// other servers.
func TestEndSession_WithoutTheMessage(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"logout", "logout everywhere", "new password", "stolen token", "disabled", "erased"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			c := storetest.New(t)
			asha := c.Owner("Asha")
			testutil.Equal(t, "error", errOf(c.Store.CreateSession(t.Context(), storetest.Session("phone", asha.UserID, "r"), "hash of Asha")), nil)
			c.Exec(`CREATE SCHEMA full_queue; CREATE FUNCTION full_queue.pg_notify(text, text) RETURNS void LANGUAGE plpgsql
				AS $$ BEGIN RAISE 'too many notifications in the NOTIFY queue'; END $$`)
			var log strings.Builder
			c.Store = ok(store.Open(t.Context(), c.URL+separator(c.URL)+"search_path=full_queue,public,pg_catalog", store.Options{
				Policy: storetest.Policy(t), Connections: 2, Log: slog.New(slog.NewTextHandler(&log, nil)),
			}))(t)
			t.Cleanup(c.Store.Close)
			testutil.Equal(t, "error", serversWays(t, c, asha)[way](), nil)
			wantLive(t, c, map[string]bool{"phone": false})
			testutil.Equal(t, "messages not sent", c.Store.Unannounced(), 1)
			testutil.Equal(t, "lines in the log", strings.Count(log.String(), "level=WARN"), 1)
			if strings.Contains(log.String(), "phone") {
				t.Errorf("the log names the session: %s", log.String())
			}
		})
	}
}

// TestSessionCache_ExpiresByItself without a notification.
func TestSessionCache_ExpiresByItself(t *testing.T) {
	t.Parallel()
	c := storetest.New(t, withListener)
	asha := c.Owner("Asha")
	becomesCertain(t, c.Store, asha.SessionID)
	c.Exec("UPDATE sessions SET expires_at = now() + interval '8 seconds'")
	eventually(t, "it is forgotten as one that has changed", func() bool { return notCached(c.Store, asha.SessionID) })
	becomesCertain(t, c.Store, asha.SessionID)
	eventually(t, "it expires", func() bool {
		return ok(c.DB.NewSelect().Table("sessions").Where("expires_at < now()").Exists(t.Context()))(t)
	})
	_, certain := c.Store.CachedViewer(asha.SessionID)
	testutil.Equal(t, "certain", certain, false)
}

// TestSessionCache_OlderSnapshot: a transaction that changes an account also removes
// sessions that its snapshot does not see.
func TestSessionCache_OlderSnapshot(t *testing.T) {
	t.Parallel()
	c := storetest.New(t, withListener)
	asha := c.Owner("Asha")
	tx := ok(c.DB.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelRepeatableRead}))(t)
	ok(tx.ExecContext(t.Context(), "SELECT FROM sessions"))(t) // takes the snapshot
	testutil.Equal(t, "error", errOf(c.Store.CreateSession(t.Context(), storetest.Session("phone", asha.UserID, "r"), "hash of Asha")), nil)
	becomesCertain(t, c.Store, "phone")
	ok(tx.ExecContext(t.Context(), "UPDATE users SET is_active = FALSE"))(t)
	testutil.Equal(t, "error", tx.Commit(), nil)
	eventually(t, "it is forgotten", func() bool { return notCached(c.Store, "phone") })
}

// TestSessionCache_AfterAnErrorNothingIsReliedOn: sessions that may have ended are
// removed.
func TestSessionCache_AfterAnErrorNothingIsReliedOn(t *testing.T) {
	t.Parallel()
	c := storetest.New(t, withListener)
	asha, ravi := c.Owner("Asha"), c.Owner("Ravi")
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for what, end := range map[string]func() error{
		"one": func() error { return c.Store.EndSession(gone, asha.Viewer, asha.SessionID) },
		"all": func() error { return c.Store.EndSessions(gone, asha.Viewer, "") },
		"by a token": func() error {
			used := storetest.Session(asha.SessionID, asha.UserID, "used")
			return errOf(c.Store.RotateSession(gone, used, used))
		},
	} {
		becomesCertain(t, c.Store, asha.SessionID, ravi.SessionID)
		if err := end(); err == nil {
			t.Fatalf("ending %s: no error", what)
		}
		testutil.Equal(t, "forgotten after ending "+what, notCached(c.Store, asha.SessionID), true)
		testutil.Equal(t, "another's is", notCached(c.Store, ravi.SessionID), false)
	}
}

// TestSessionCache_NothingForAnOutsider: only live sessions are cached.
func TestSessionCache_NothingForAnOutsider(t *testing.T) {
	t.Parallel()
	c := storetest.New(t, withListener)
	asha := c.Owner("Asha")
	testutil.Equal(t, "error", c.Store.EndSession(t.Context(), asha.Viewer, asha.SessionID), nil)
	for _, id := range []string{"", "no such session", asha.SessionID} {
		ok(c.Store.SessionViewer(t.Context(), id))(t)
		if v, certain := c.Store.CachedViewer(id); v != nil || certain {
			t.Errorf("session %q is recalled as %v, certain: %v", id, v, certain)
		}
	}
}

// TestSessionCache_IsAGuessWithoutAListener after a lookup, too.
func TestSessionCache_IsAGuessWithoutAListener(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	ok(c.Store.SessionViewer(t.Context(), asha.SessionID))(t)
	v, certain := c.Store.CachedViewer(asha.SessionID)
	testutil.Equal(t, "viewer", *v, *asha.Viewer)
	testutil.Equal(t, "certain", certain, false)
}

// TestSessionCache_LostConnection: without a listener no entry is certain. All entries
// are removed, because their sessions may have ended.
func TestSessionCache_LostConnection(t *testing.T) {
	t.Parallel()
	c := storetest.New(t, withListener)
	asha := c.Owner("Asha")
	becomesCertain(t, c.Store, asha.SessionID)
	c.Exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN %'")
	eventually(t, "it is forgotten", func() bool { return notCached(c.Store, asha.SessionID) })
	becomesCertain(t, c.Store, asha.SessionID)
	c.Exec("UPDATE sessions SET ended_at = now()")
	eventually(t, "it is forgotten by the new connection", func() bool { return notCached(c.Store, asha.SessionID) })
}

// TestSessionCache_DeafListener: a listener whose pings do not come back, for example
// behind a pooler, makes no entry certain.
func TestSessionCache_DeafListener(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	c.Exec(`CREATE SCHEMA deaf; CREATE FUNCTION deaf.pg_notify(text, text) RETURNS void LANGUAGE sql AS ''`)
	url := c.URL + separator(c.URL) + "search_path=deaf,public,pg_catalog"
	deaf := ok(store.Open(t.Context(), url, store.Options{Policy: storetest.Policy(t), Connections: 2, Listen: true}))(t)
	t.Cleanup(deaf.Close)
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); <-time.After(time.Millisecond) {
		ok(deaf.SessionViewer(t.Context(), asha.SessionID))(t)
		if _, certain := deaf.CachedViewer(asha.SessionID); certain {
			t.Fatal("it is certain")
		}
	}
}

// afterQuery is a tracer that does something once, after a statement and before the
// store uses its result.
type afterQuery struct{ do func() }

func (*afterQuery) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return ctx
}

func (l *afterQuery) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {
	if do := l.do; do != nil {
		l.do = nil // it makes statements, too
		do()
	}
}

// TestSessionCache_NotWhatEndedWhileItWasAskedFor: the result of a lookup is not cached if
// the session has ended since.
func TestSessionCache_NotWhatEndedWhileItWasAskedFor(t *testing.T) {
	t.Parallel()
	for what, ask := range map[string]func(*storetest.Clinic, *storetest.Account) error{
		"SessionViewer": func(c *storetest.Clinic, asha *storetest.Account) error {
			return errOf(c.Store.SessionViewer(t.Context(), asha.SessionID))
		},
		"ReadConfirming": func(c *storetest.Clinic, asha *storetest.Account) error {
			return errOf(fetchConfirming(t.Context(), c.Store, asha.Viewer, nil))
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			tracer := &afterQuery{}
			c := storetest.New(t, func(o *store.Options) { o.Tracer = tracer })
			asha := c.Owner("Asha")
			tracer.do = func() { testutil.Equal(t, "error", c.Store.EndSession(t.Context(), asha.Viewer, asha.SessionID), nil) }
			testutil.Equal(t, "error", ask(c, asha), nil)
			if v, _ := c.Store.CachedViewer(asha.SessionID); v != nil {
				t.Error("it is remembered")
			}
		})
	}
}
