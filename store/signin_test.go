package store_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"

	"github.com/uptrace/bun"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/storetest"
)

func TestSignIn_GivesTheAccountAsItsViewerSeesIt(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	for _, who := range []*storetest.Account{c.Owner("Asha"), c.Admin("Boss")} {
		account := ok(c.Store.User(t.Context(), who.Viewer, who.UserID))(t)
		created := ok(c.Store.CreateSession(t.Context(), storetest.Session("phone of "+who.User.Username, who.UserID, "r"), "hash of "+who.User.Username))(t)
		testutil.Equal(t, "the account", resultText(created, nil), resultText(account, nil))
		testutil.Equal(t, "its relations", created.Relations, account.Relations)
		from := storetest.Session(who.SessionID, who.UserID, "refresh-of-"+who.User.Username)
		rotated := ok(c.Store.RotateSession(t.Context(), from, storetest.Session(who.SessionID, who.UserID, "next")))(t).User
		testutil.Equal(t, "the account", resultText(rotated, nil), resultText(account, nil))
		testutil.Equal(t, "its relations", rotated.Relations, account.Relations)
	}
}

func TestSignIn_TakesOneStatementForEachStep(t *testing.T) {
	t.Parallel()
	tracer := &statements{}
	c := storetest.New(t, func(o *store.Options) { o.Tracer = tracer })
	asha := c.Owner("Asha")
	before := tracer.count.Load()
	ok(c.Store.Credential(t.Context(), asha.User.Email))(t)
	ok(c.Store.CreateSession(t.Context(), storetest.Session("phone", asha.UserID, "r"), "hash of Asha"))(t)
	testutil.Equal(t, "statements of a sign-in", tracer.count.Load()-before, 2)
	ok(c.Store.RotateSession(t.Context(), storetest.Session("phone", asha.UserID, "r"), storetest.Session("phone", asha.UserID, "next")))(t)
	testutil.Equal(t, "statements with a refresh", tracer.count.Load()-before, 3)
}

func TestCreateSession_OnlyOfAnActiveAccount(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	c.Exec("UPDATE users SET is_active = FALSE")
	wantCode(t, errOf(c.Store.CreateSession(t.Context(), storetest.Session("phone", asha.UserID, "r"), "hash of Asha")), model.CodeNotFound, "email")
	c.Exec("UPDATE users SET is_active = TRUE")
	wantLive(t, c, map[string]bool{"phone": false, asha.SessionID: true})
}

// duringTransaction makes the call wait for a transaction that has run the statement, runs
// more in the transaction, commits it and returns the error of the call.
func duringTransaction(t *testing.T, c *storetest.Clinic, statement string, call func() error, more ...string) (said error) {
	t.Helper()
	done := make(chan struct{})
	err := c.DB.RunInTx(t.Context(), nil, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			close(done)
			return err
		}
		go func() { defer close(done); said = call() }()
		for waiting := 0; waiting == 0; runtime.Gosched() {
			select {
			case <-done:
				return fmt.Errorf("it did not wait, and says %w", said)
			default:
			}
			err := c.DB.NewRaw(`SELECT count(*) FROM pg_stat_activity
				WHERE wait_event_type = 'Lock' AND datname = current_database()`).Scan(ctx, &waiting)
			if err != nil {
				return err
			}
		}
		for _, statement := range more {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
	<-done
	testutil.Equal(t, "the other's error", err, nil)
	return said
}

// A sign-in to an account that changes at the same time sees the changed account.
func TestRaces_SigningInToAnAccountThatChanges(t *testing.T) {
	t.Parallel()
	for change, refused := range map[string]bool{
		"password_hash = 'new'":                          true,
		"is_active = FALSE":                              true,
		"phone = '+919800000001', username = 'asha.rao'": false,
	} {
		t.Run(change, func(t *testing.T) {
			t.Parallel()
			c := concurrentClinic(t)
			asha := c.Owner("Asha")
			var account *model.User
			err := duringTransaction(t, c, "UPDATE users SET "+change, func() (err error) {
				account, err = c.Store.CreateSession(t.Context(), storetest.Session("phone", asha.UserID, "r"), "hash of Asha")
				return err
			})
			if refused {
				wantCode(t, err, model.CodeNotFound, "email")
			} else {
				testutil.Equal(t, "the account", resultText(account, err), resultText(c.Store.User(t.Context(), asha.Viewer, asha.UserID)))
			}
			stored := ok(c.DB.NewSelect().Table("sessions").Where("id = 'phone'").Count(t.Context()))(t)
			testutil.Equal(t, "whether there is a session", stored == 1, !refused)
		})
	}
}

// There is no deadlock between the end of an account's sessions and a sign-in that waits
// for the account.
func TestRaces_SigningInWhileAllSessionsAreEnded(t *testing.T) {
	t.Parallel()
	c := concurrentClinic(t)
	asha := c.Owner("Asha")
	wantCode(t, duringTransaction(t, c, "UPDATE users SET password_hash = 'new'", func() error {
		return errOf(c.Store.CreateSession(t.Context(), storetest.Session("phone", asha.UserID, "r"), "hash of Asha"))
	}, "UPDATE sessions SET ended_at = now() WHERE ended_at IS NULL"), model.CodeNotFound, "email")
}

// A refresh that waits for a change sees the changed session.
func TestRaces_RefreshingASessionThatChanges(t *testing.T) {
	t.Parallel()
	for change, left := range map[string]string{
		"ended_at = now()":       "refresh-of-Asha, ended",
		"expires_at = now()":     "refresh-of-Asha",
		"refresh_id = 'another'": "next, ended",
		"created_at = now()":     "next",
	} {
		t.Run(change, func(t *testing.T) {
			t.Parallel()
			c := concurrentClinic(t)
			asha := c.Owner("Asha")
			err := duringTransaction(t, c, "UPDATE sessions SET "+change, func() error {
				now := storetest.Session(asha.SessionID, asha.UserID, "refresh-of-Asha")
				return errOf(c.Store.RotateSession(t.Context(), now, storetest.Session(asha.SessionID, asha.UserID, "next")))
			})
			refreshed := left == "next"
			if refreshed {
				testutil.Equal(t, "error", err, nil)
			} else {
				wantCode(t, err, model.CodeInvalidToken, "refresh")
			}
			var stored string
			const query = "SELECT refresh_id || CASE WHEN ended_at IS NULL THEN '' ELSE ', ended' END FROM sessions"
			if err := c.DB.NewRaw(query).Scan(t.Context(), &stored); err != nil {
				t.Fatal(err)
			}
			testutil.Equal(t, "what is stored", stored, left)
			wantLive(t, c, map[string]bool{asha.SessionID: refreshed})
		})
	}
}
