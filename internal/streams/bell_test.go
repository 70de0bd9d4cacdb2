package streams_test

import (
	"errors"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/caregraph/caregraph/graph"
	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/internal/auth"
	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
)

const rung = `next a {"data":{"changed":true}}`

// ringing connects an account whose bell has rung once.
func ringing(t *testing.T, of *graphtest.Client) *client {
	t.Helper()
	c := connect(t, of)
	c.subscribe("a", bell, nil)
	c.want(rung)
	return c
}

func patientOf(account int64) *store.News {
	return &store.News{Accounts: map[int64]model.Topics{account: model.TopicPatients}}
}

// wantNothingBefore receives no message before the server closes with the code and the reason.
func (c *client) wantNothingBefore(code websocket.StatusCode, reason string) {
	c.t.Helper()
	_, text, err := c.conn.Read(c.t.Context())
	if closed, _ := errors.AsType[websocket.CloseError](err); closed.Code != code || closed.Reason != reason {
		c.t.Errorf("%s %v, want %d %s", text, err, code, reason)
	}
}

// TestChanged_RingsWithoutARead: of a session that is certain to be open. All reads wait here. On a
// slow machine the session may be uncertain again by then.
func TestChanged_RingsWithoutARead(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{Listen: true})
	rahul := s.Account("Rahul", model.RolePatient)
	claims, err := s.Accounts.Tokens.Verify(rahul.Token, auth.AccessToken)
	testutil.Must(t, err)
	c := ringing(t, rahul)
	for range 5 {
		until(t, func() bool { _, certain := s.Store.CachedViewer(claims.SessionID); return certain })
		before, isRung := s.Streams.Pushes()["changed"], false
		release := s.Streams.Hold(rahul.UserID)
		s.Streams.Tell(patientOf(rahul.UserID))
		until(t, func() bool {
			isRung = s.Streams.Pushes()["changed"] > before
			return isRung || s.Streams.Waiting(rahul.UserID) == 1
		})
		release()
		c.want(rung)
		if isRung {
			return
		}
	}
	t.Error("each bell has waited for the reads")
}

// TestChanged_AnUncertainSessionIsRead: the bell does not ring for a session that has ended
// without a message to this server.
func TestChanged_AnUncertainSessionIsRead(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	c := ringing(t, rahul)
	release := s.Streams.Hold(rahul.UserID)
	s.Streams.Tell(patientOf(rahul.UserID))
	until(t, func() bool { return s.Streams.Waiting(rahul.UserID) == 1 })
	s.Exec(`UPDATE sessions SET ended_at = now() WHERE user_id = $1`, rahul.UserID)
	release()
	c.wantNothingBefore(4401, "SESSION_ENDED")
}

// TestChanged_APanicEndsTheSubscription, and not the server.
func TestChanged_APanicEndsTheSubscription(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{Listen: true})
	panics := s.With(func(c *graph.Config) {
		c.OnOperation = func(typ, _ string, _ []string) {
			if typ == "subscription" {
				panic("broken")
			}
		}
	})
	rahul := s.Account("Rahul", model.RolePatient).At(panics)
	claims, err := s.Accounts.Tokens.Verify(rahul.Token, auth.AccessToken)
	testutil.Must(t, err)
	c := connect(t, rahul)
	until(t, func() bool { _, certain := s.Store.CachedViewer(claims.SessionID); return certain })
	c.subscribe("a", bell, nil)
	c.wantCode("a", "INTERNAL")
}

// TestChanged_AnExpiredTokenHearsNothing: the bell checks the token, before the timer does.
func TestChanged_AnExpiredTokenHearsNothing(t *testing.T) {
	t.Parallel()
	var ahead clock
	s := graphtest.New(t, graphtest.Options{Listen: true, Now: ahead.now})
	rahul := s.Account("Rahul", model.RolePatient)
	c := ringing(t, rahul)
	ahead.set(365 * 24 * time.Hour)
	s.Streams.Tell(patientOf(rahul.UserID))
	c.wantNothingBefore(4403, "TOKEN_EXPIRED")
}
