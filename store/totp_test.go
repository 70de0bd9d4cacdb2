package store_test

import (
	"testing"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/storetest"
)

func enableTotp(t *testing.T, asha *storetest.Account, s *store.Store) {
	t.Helper()
	testutil.Must(t, s.StartTotp(t.Context(), asha.Viewer, "hash of Asha", "SEED"))
	pending := ok(s.Totp(t.Context(), asha.UserID))(t)
	testutil.Must(t, s.EnableTotp(t.Context(), asha.Viewer, pending, 7, []string{"ONE", "TWO"}, storetest.Session("after", asha.UserID, "r")))
	asha.SessionID = "after"
}

// TestTotp_OutlivesNewKeysOfTheServer: a seed is opened with an older key, and each use seals
// it with the newest.
func TestTotp_OutlivesNewKeysOfTheServer(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	enableTotp(t, asha, c.Store)
	another := []byte("another secret, of 32 bytes too.")
	open := func(secrets ...[]byte) *store.Store {
		s := ok(store.Open(t.Context(), c.URL, store.Options{Policy: storetest.Policy(t), Connections: 2, Secrets: secrets}))(t)
		t.Cleanup(s.Close)
		return s
	}
	rotated, pruned := open(another, storetest.Secrets()[0]), open(another)
	if _, err := pruned.Totp(t.Context(), asha.UserID); err == nil {
		t.Error("another key opens the seed")
	}
	totp := ok(rotated.Totp(t.Context(), asha.UserID))(t)
	testutil.Equal(t, "the seed", totp.Seed, "SEED")
	testutil.Equal(t, "a recovery code under the old key", ok(rotated.SpendRecoveryCode(t.Context(), asha.UserID, "ONE"))(t), true)
	testutil.Equal(t, "the step of the first code", ok(rotated.SpendTotp(t.Context(), asha.UserID, totp, 7))(t), false)
	testutil.Equal(t, "the next step", ok(rotated.SpendTotp(t.Context(), asha.UserID, totp, 8))(t), true)
	testutil.Equal(t, "the seed, without the old key", ok(pruned.Totp(t.Context(), asha.UserID))(t).Seed, "SEED")
}

func TestTotp_SealedForItsAccountOnly(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha, ravi := c.Owner("Asha"), c.Owner("Ravi")
	enableTotp(t, asha, c.Store)
	c.Exec("UPDATE users SET has_totp = TRUE, totp_seed = (SELECT totp_seed FROM users WHERE id = ?) WHERE id = ?", asha.UserID, ravi.UserID)
	c.Exec("INSERT INTO recovery_codes SELECT ?, hash FROM recovery_codes", ravi.UserID)
	if _, err := c.Store.Totp(t.Context(), ravi.UserID); err == nil {
		t.Error("the seed of another account is opened")
	}
	testutil.Equal(t, "a recovery code of another account", ok(c.Store.SpendRecoveryCode(t.Context(), ravi.UserID, "ONE"))(t), false)
}

func TestRemoveTotp_EndsAllSessionsAndSaysWhy(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha, boss := c.Owner("Asha"), c.Admin("Boss")
	wantCode(t, c.Store.RemoveTotp(t.Context(), boss.Viewer, asha.UserID, "lost"), model.CodeNotFound, "id")
	enableTotp(t, asha, c.Store)
	testutil.Must(t, c.Store.RemoveTotp(t.Context(), boss.Viewer, asha.UserID, "lost"))
	wantLive(t, c, map[string]bool{"after": false, boss.SessionID: true})
	account := ok(c.Store.User(t.Context(), boss.Viewer, asha.UserID))(t)
	testutil.Equal(t, "hasTotp", account.HasTotp, false)
	var event string
	testutil.Must(t, c.DB.QueryRow("SELECT concat(kind, ' ', by_id, ' ', reason) FROM security_events WHERE account_id = ? ORDER BY id DESC LIMIT 1", asha.UserID).Scan(&event))
	testutil.Equal(t, "the event", event, "TOTP_DISABLED 2 lost")
}
