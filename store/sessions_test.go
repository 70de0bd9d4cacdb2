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

func TestCreateSession_SweepsExpiredOnes(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	c.Owner("Ravi")
	c.Exec("UPDATE sessions SET expires_at = now() - interval '1 second'")
	testutil.Equal(t, "error", errOf(c.Store.CreateSession(t.Context(), storetest.Session("phone", asha.UserID, "r"), "hash of Asha")), nil)
	wantLive(t, c, map[string]bool{"phone": true, asha.SessionID: false})

	var left []string
	if err := c.DB.NewRaw("SELECT id FROM sessions ORDER BY id").Scan(t.Context(), &left); err != nil {
		t.Fatal(err)
	}
	testutil.Equal(t, "stored sessions", resultText(left, nil), resultText([]string{"phone"}, nil))
}

func TestRotateSession_EachRefreshTokenWorksOnce(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	first := storetest.Session(asha.SessionID, asha.UserID, "refresh-of-Asha")
	second := storetest.Session(asha.SessionID, asha.UserID, "second")
	third := storetest.Session(asha.SessionID, asha.UserID, "third")
	second.ExpiresAt = time.Now().Add(2 * time.Hour)

	testutil.Equal(t, "error", errOf(c.Store.RotateSession(t.Context(), first, second)), nil)
	var expiry time.Time
	if err := c.DB.NewRaw("SELECT expires_at FROM sessions").Scan(t.Context(), &expiry); err != nil {
		t.Fatal(err)
	}
	testutil.Equal(t, "the new expiry, to the microsecond", expiry.Sub(second.ExpiresAt).Abs() < time.Millisecond, true)
	testutil.Equal(t, "error", errOf(c.Store.RotateSession(t.Context(), second, third)), nil)
	wantLive(t, c, map[string]bool{asha.SessionID: true})

	wantCode(t, errOf(c.Store.RotateSession(t.Context(), second, first)), model.CodeInvalidToken, "refresh")
	wantLive(t, c, map[string]bool{asha.SessionID: false})
	wantCode(t, errOf(c.Store.RotateSession(t.Context(), third, first)), model.CodeInvalidToken, "refresh")
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

func TestChangePassword_EndsTheOtherSessions(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha, ravi := c.Owner("Asha"), c.Owner("Ravi")
	testutil.Equal(t, "error", errOf(c.Store.CreateSession(t.Context(), storetest.Session("phone", asha.UserID, "r"), "hash of Asha")), nil)
	here := storetest.Session(asha.SessionID, asha.UserID, "fresh")
	testutil.Equal(t, "error", c.Store.ChangePassword(t.Context(), asha.Viewer, "hash of Asha", "new hash", here), nil)

	wantLive(t, c, map[string]bool{asha.SessionID: true, "phone": false, ravi.SessionID: true})
	testutil.Equal(t, "hash", ok(c.Store.CredentialOf(t.Context(), asha.Viewer))(t).PasswordHash, "new hash")
	testutil.Equal(t, "another's hash", ok(c.Store.CredentialOf(t.Context(), ravi.Viewer))(t).PasswordHash, "hash of Ravi")
	testutil.Equal(t, "rotating the fresh token", errOf(c.Store.RotateSession(t.Context(), here, storetest.Session(asha.SessionID, asha.UserID, "next"))), nil)
	wantCode(t, c.Store.ChangePassword(t.Context(), nil, "hash", "hash", store.Session{}), model.CodeUnauthenticated)
}

func TestCreateSession_NotWithAPasswordThatWasChangedMeanwhile(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	here := storetest.Session(asha.SessionID, asha.UserID, "fresh")
	testutil.Equal(t, "error", c.Store.ChangePassword(t.Context(), asha.Viewer, "hash of Asha", "new hash", here), nil)
	wantCode(t, errOf(c.Store.CreateSession(t.Context(), storetest.Session("late", asha.UserID, "r"), "hash of Asha")), model.CodeNotFound, "email")
	wantLive(t, c, map[string]bool{"late": false, asha.SessionID: true})
}

func TestChangePassword_NotByAnEndedSessionNorOverAnother(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	testutil.Equal(t, "error", errOf(c.Store.CreateSession(t.Context(), storetest.Session("thief", asha.UserID, "r"), "hash of Asha")), nil)
	thief := &model.Viewer{UserID: asha.UserID, Role: asha.Role, SessionID: "thief"}
	here := storetest.Session(asha.SessionID, asha.UserID, "fresh")
	testutil.Equal(t, "error", c.Store.ChangePassword(t.Context(), asha.Viewer, "hash of Asha", "hers", here), nil)

	late := storetest.Session("thief", asha.UserID, "late")
	wantCode(t, c.Store.ChangePassword(t.Context(), thief, "hash of Asha", "his", late), model.CodeNotFound, "currentPassword")
	wantCode(t, c.Store.ChangePassword(t.Context(), thief, "hers", "his", late), model.CodeNotFound, "currentPassword")
	wantCode(t, c.Store.ChangePassword(t.Context(), asha.Viewer, "hash of Asha", "stale", here), model.CodeNotFound, "currentPassword")
	testutil.Equal(t, "hash", ok(c.Store.CredentialOf(t.Context(), asha.Viewer))(t).PasswordHash, "hers")
	wantLive(t, c, map[string]bool{asha.SessionID: true, "thief": false})
}
