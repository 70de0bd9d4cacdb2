package store_test

import (
	"testing"
	"time"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/storetest"
)

// wantLive checks which of the sessions are live.
func wantLive(t *testing.T, c *storetest.Clinic, sessions map[string]bool) {
	t.Helper()
	for id, live := range sessions {
		if v := ok(c.Store.SessionViewer(t.Context(), id))(t); (v != nil) != live {
			t.Errorf("session %s acts for %v", id, v)
		}
	}
}

func TestSessionViewer_ActsForItsAccount(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	priya := c.DoctorAccount("Priya")
	testutil.Equal(t, "viewer", *ok(c.Store.SessionViewer(t.Context(), priya.SessionID))(t), *priya.Viewer)
	wantLive(t, c, map[string]bool{"": false, "no such session": false})

	c.Exec("UPDATE sessions SET expires_at = now()")
	wantLive(t, c, map[string]bool{priya.SessionID: false})
	c.Exec("UPDATE sessions SET expires_at = now() + interval '1 hour'")
	wantLive(t, c, map[string]bool{priya.SessionID: true})
	c.Exec("UPDATE users SET is_active = FALSE")
	wantLive(t, c, map[string]bool{priya.SessionID: false})
}

func TestRotateSession_EachRefreshTokenWorksOnce(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	first := storetest.Session(asha.SessionID, asha.UserID, "refresh-of-Asha")
	second := storetest.Session(asha.SessionID, asha.UserID, "second")
	third := storetest.Session(asha.SessionID, asha.UserID, "third")
	second.ExpiresAt = time.Now().Add(2 * time.Hour)

	wantRotation(t, c, first, second, "second")
	var expiry time.Time
	if err := c.DB.NewRaw("SELECT expires_at FROM sessions").Scan(t.Context(), &expiry); err != nil {
		t.Fatal(err)
	}
	testutil.Equal(t, "the new expiry, to the microsecond", expiry.Sub(second.ExpiresAt).Abs() < time.Millisecond, true)
	wantRotation(t, c, second, third, "third")
	wantLive(t, c, map[string]bool{asha.SessionID: true})

	wantCode(t, errOf(c.Store.RotateSession(t.Context(), first, first)), model.CodeInvalidToken, "refresh")
	wantLive(t, c, map[string]bool{asha.SessionID: false})
	wantCode(t, errOf(c.Store.RotateSession(t.Context(), third, first)), model.CodeInvalidToken, "refresh")
}

// wantRotation checks the refresh token that a session has after a rotation.
func wantRotation(t *testing.T, c *storetest.Clinic, from, to store.Session, want string) {
	t.Helper()
	rotated := ok(c.Store.RotateSession(t.Context(), from, to))(t)
	testutil.Equal(t, "session", rotated.Session.ID, from.ID)
	testutil.Equal(t, "account", rotated.Session.UserID, from.UserID)
	testutil.Equal(t, "refresh token", rotated.Session.RefreshID, want)
}

// TestRotateSession_LostAnswer: within the grace, and until the successor is exchanged,
// a refresh token returns its successor again. Later it ends the session.
func TestRotateSession_LostAnswer(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		grace time.Duration
		// before happens between the exchange and its repetition.
		before func(t *testing.T, c *storetest.Clinic, successor store.Session)
		again  bool
	}{
		"at once": {grace: storetest.RefreshGrace, again: true},
		"nine seconds later": {grace: storetest.RefreshGrace, again: true, before: func(_ *testing.T, c *storetest.Clinic, _ store.Session) {
			c.Exec("UPDATE sessions SET rotated_at = rotated_at - interval '9 seconds'")
		}},
		"after the grace": {grace: storetest.RefreshGrace, before: func(_ *testing.T, c *storetest.Clinic, _ store.Session) {
			c.Exec("UPDATE sessions SET rotated_at = rotated_at - interval '10 seconds'")
		}},
		"after the successor was exchanged": {grace: storetest.RefreshGrace, before: func(t *testing.T, c *storetest.Clinic, successor store.Session) {
			t.Helper()
			wantRotation(t, c, successor, storetest.Session(successor.ID, successor.UserID, "third"), "third")
		}},
		"without a grace": {grace: 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := storetest.New(t, func(o *store.Options) { o.RefreshGrace = tc.grace })
			asha := c.Owner("Asha")
			first := storetest.Session(asha.SessionID, asha.UserID, "refresh-of-Asha")
			second := storetest.Session(asha.SessionID, asha.UserID, "second")
			wantRotation(t, c, first, second, "second")
			if tc.before != nil {
				tc.before(t, c, second)
			}
			other := storetest.Session(asha.SessionID, asha.UserID, "other")
			other.ExpiresAt = time.Now().Add(9 * time.Hour)
			if tc.again {
				wantRotation(t, c, first, other, "second")
				wantRotation(t, c, first, other, "second")
				late := ok(c.Store.RotateSession(t.Context(), first, other))(t).Session.ExpiresAt
				testutil.Equal(t, "the expiry is that of the successor", late.Sub(second.ExpiresAt).Abs() < time.Millisecond, true)
				wantRotation(t, c, second, other, "other")
			} else {
				wantCode(t, errOf(c.Store.RotateSession(t.Context(), first, other)), model.CodeInvalidToken, "refresh")
			}
			wantLive(t, c, map[string]bool{asha.SessionID: tc.again})
		})
	}
}

// TestRotateSession_ThiefIsFound: who steals a refresh token and is fast enough gets the
// same successor as the owner. The session ends when the second of them exchanges it.
func TestRotateSession_ThiefIsFound(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	first := storetest.Session(asha.SessionID, asha.UserID, "refresh-of-Asha")
	second := storetest.Session(asha.SessionID, asha.UserID, "second")
	third := storetest.Session(asha.SessionID, asha.UserID, "third")
	wantRotation(t, c, first, second, "second") // the thief
	wantRotation(t, c, first, third, "second")  // the owner
	wantRotation(t, c, second, third, "third")  // the thief, a day later
	c.Exec("UPDATE sessions SET rotated_at = rotated_at - interval '1 hour'")
	wantCode(t, errOf(c.Store.RotateSession(t.Context(), second, first)), model.CodeInvalidToken, "refresh")
	wantLive(t, c, map[string]bool{asha.SessionID: false})
}

func TestRotateSession_OnlyOfALivingSessionOfTheAccount(t *testing.T) {
	t.Parallel()
	for state, statement := range map[string]string{
		"ended":           "UPDATE sessions SET ended_at = now()",
		"expired":         "UPDATE sessions SET expires_at = now()",
		"of another":      "UPDATE sessions SET user_id = 2",
		"of nobody":       "DELETE FROM sessions",
		"of one inactive": "UPDATE users SET is_active = FALSE",
	} {
		t.Run(state, func(t *testing.T) {
			t.Parallel()
			c := storetest.New(t)
			asha := c.Owner("Asha")
			c.Owner("Ravi")
			c.Exec(statement)
			before := rows(t, c)
			now := storetest.Session(asha.SessionID, asha.UserID, "refresh-of-Asha")
			err := errOf(c.Store.RotateSession(t.Context(), now, storetest.Session(asha.SessionID, asha.UserID, "next")))
			wantCode(t, err, model.CodeInvalidToken, "refresh")
			wantUntouched(t, before, rows(t, c))
		})
	}
}

func TestEndSession_OnlyTheViewersOwn(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha, ravi := c.Owner("Asha"), c.Owner("Ravi")
	for _, id := range []string{"phone", "tablet"} {
		testutil.Equal(t, "error", errOf(c.Store.CreateSession(t.Context(), storetest.Session(id, asha.UserID, id), "hash of Asha")), nil)
	}
	testutil.Equal(t, "error", c.Store.EndSession(t.Context(), asha.Viewer, "phone"), nil)
	testutil.Equal(t, "ending it twice", c.Store.EndSession(t.Context(), asha.Viewer, "phone"), nil)
	testutil.Equal(t, "ending another's", c.Store.EndSession(t.Context(), asha.Viewer, ravi.SessionID), nil)
	wantLive(t, c, map[string]bool{asha.SessionID: true, "phone": false, "tablet": true, ravi.SessionID: true})

	testutil.Equal(t, "error", c.Store.EndSessions(t.Context(), asha.Viewer, "tablet"), nil)
	wantLive(t, c, map[string]bool{asha.SessionID: false, "tablet": true, ravi.SessionID: true})
	testutil.Equal(t, "error", c.Store.EndSessions(t.Context(), asha.Viewer, ""), nil)
	wantLive(t, c, map[string]bool{"tablet": false, ravi.SessionID: true})
	wantCode(t, c.Store.EndSession(t.Context(), nil, ravi.SessionID), model.CodeUnauthenticated)
	wantCode(t, c.Store.EndSessions(t.Context(), nil, ""), model.CodeUnauthenticated)
}

func TestChangePassword_EndsAllSessions(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha, ravi := c.Owner("Asha"), c.Owner("Ravi")
	testutil.Equal(t, "error", errOf(c.Store.CreateSession(t.Context(), storetest.Session("phone", asha.UserID, "r"), "hash of Asha")), nil)
	here := storetest.Session("fresh", asha.UserID, "fresh")
	testutil.Equal(t, "error", c.Store.ChangePassword(t.Context(), asha.Viewer, "hash of Asha", "new hash", here), nil)

	wantLive(t, c, map[string]bool{"fresh": true, asha.SessionID: false, "phone": false, ravi.SessionID: true})
	testutil.Equal(t, "hash", ok(c.Store.CredentialOf(t.Context(), asha.Viewer))(t).PasswordHash, "new hash")
	testutil.Equal(t, "another's hash", ok(c.Store.CredentialOf(t.Context(), ravi.Viewer))(t).PasswordHash, "hash of Ravi")
	testutil.Equal(t, "rotating the fresh token", errOf(c.Store.RotateSession(t.Context(), here, storetest.Session("fresh", asha.UserID, "next"))), nil)
	wantCode(t, c.Store.ChangePassword(t.Context(), nil, "hash", "hash", store.Session{}), model.CodeUnauthenticated)
}

func TestCreateSession_NotWithAPasswordThatWasChangedMeanwhile(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	here := storetest.Session("fresh", asha.UserID, "fresh")
	testutil.Equal(t, "error", c.Store.ChangePassword(t.Context(), asha.Viewer, "hash of Asha", "new hash", here), nil)
	wantCode(t, errOf(c.Store.CreateSession(t.Context(), storetest.Session("late", asha.UserID, "r"), "hash of Asha")), model.CodeNotFound, "email")
	wantLive(t, c, map[string]bool{"late": false, asha.SessionID: false, "fresh": true})
}

func TestChangePassword_NotByAnEndedSessionNorOverAnother(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	testutil.Equal(t, "error", errOf(c.Store.CreateSession(t.Context(), storetest.Session("thief", asha.UserID, "r"), "hash of Asha")), nil)
	thief := &model.Viewer{UserID: asha.UserID, Role: asha.Role, SessionID: "thief"}
	here := storetest.Session("fresh", asha.UserID, "fresh")
	testutil.Equal(t, "error", c.Store.ChangePassword(t.Context(), asha.Viewer, "hash of Asha", "hers", here), nil)

	late := storetest.Session("late", asha.UserID, "late")
	wantCode(t, c.Store.ChangePassword(t.Context(), thief, "hash of Asha", "his", late), model.CodeNotFound, "currentPassword")
	wantCode(t, c.Store.ChangePassword(t.Context(), thief, "hers", "his", late), model.CodeNotFound, "currentPassword")
	wantCode(t, c.Store.ChangePassword(t.Context(), asha.Viewer, "hash of Asha", "stale", here), model.CodeNotFound, "currentPassword")
	testutil.Equal(t, "hash", ok(c.Store.CredentialOf(t.Context(), asha.Viewer))(t).PasswordHash, "hers")
	wantLive(t, c, map[string]bool{"fresh": true, asha.SessionID: false, "thief": false, "late": false})
}
