package store_test

import (
	"testing"
	"time"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/storetest"
)

func rowsOf(t *testing.T, c *storetest.Clinic, query string) (n int) {
	t.Helper()
	testutil.Must(t, c.DB.NewRaw(query).Scan(t.Context(), &n))
	return n
}

const ofFeed = "SELECT count(*) FROM change_feed"

// sweeps sweeps until so many rows of the feed are left. A transaction of another test, in
// another database, keeps the rows that are newer than it.
func sweeps(t *testing.T, c *storetest.Clinic, left int) {
	t.Helper()
	for n := -1; n != left; n = rowsOf(t, c, ofFeed) {
		c.Exec("UPDATE leases SET until = now()")
		testutil.Must(t, c.Store.Sweep(t.Context()))
	}
}

// A sweep removes all old rows of transactions that have ended, once an hour.
func TestSweep_RemovesOldRowsOfTheFeed(t *testing.T) {
	t.Parallel()
	c := storetest.New(t, func(o *store.Options) { o.Retention.Feed = 7 * 24 * time.Hour })
	c.Exec("DELETE FROM change_feed")
	const write = "INSERT INTO change_feed (kind, id, at) SELECT 'D', n, now() - ?::interval FROM generate_series(1, ?) AS n"
	c.Exec(write, "169 hours", 2500)
	running := ok(c.DB.BeginTx(t.Context(), nil))(t)
	ok(running.NewRaw(write, "169 hours", 5).Exec(t.Context()))(t)
	c.Exec(write, "169 hours", 7) // newer than a running transaction: the mark would be in every snapshot
	c.Exec(write, "167 hours", 10)
	sweeps(t, c, 17)
	testutil.Must(t, running.Commit())
	testutil.Equal(t, "rows left", rowsOf(t, c, ofFeed), 22)
	testutil.Equal(t, "rows at the mark or below it", rowsOf(t, c, ofFeed+", feed_state WHERE xid <= pruned"), 0)
	testutil.Equal(t, "marks", rowsOf(t, c, "SELECT count(*) FROM feed_state WHERE pruned > '0'"), 1)

	testutil.Must(t, c.Store.Sweep(t.Context()))
	testutil.Equal(t, "rows left by a second sweep in an hour", rowsOf(t, c, ofFeed), 22)
	sweeps(t, c, 10)
}

func TestSweep_KeepsTheFeedForEver(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	c.Exec("INSERT INTO change_feed (kind, id, at) VALUES ('D', 1, '2020-01-01')")
	before := rowsOf(t, c, ofFeed)
	testutil.Must(t, c.Store.Sweep(t.Context()))
	testutil.Equal(t, "rows", rowsOf(t, c, ofFeed), before)
}

// A device whose changes were removed starts again, and no other one.
func TestCursor_Pruned(t *testing.T) {
	t.Parallel()
	c := storetest.New(t, func(o *store.Options) { o.Retention.Feed = time.Hour })
	asha := c.Owner("Asha")
	patient := asha.Patient("Arjun")
	away := newDevice(t, c, asha.Viewer, 1)
	away.sync()
	touch(t, c.DB, patient)
	c.Exec("UPDATE change_feed SET at = now() - interval '2 hours'")
	sweeps(t, c, 0)
	present := newDevice(t, c, asha.Viewer, 1)
	present.sync()
	touch(t, c.DB, patient)
	away.wants("who was away", "reset", globalID(patient))
	present.wants("who was there", globalID(patient))
}

// A database that was restored has another history.
func TestCursor_AfterRestore(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	patient := asha.Patient("Arjun")
	phone := newDevice(t, c, asha.Viewer, 100)
	phone.sync()
	for what, restore := range map[string]string{
		"a new epoch": "UPDATE feed_state SET epoch = gen_random_uuid()",
		"a new table": "CREATE TABLE other (LIKE change_feed INCLUDING ALL); DROP TABLE change_feed; ALTER TABLE other RENAME TO change_feed",
	} {
		c.Exec(restore)
		phone.wants(what, "reset", globalID(patient))
		phone.wants("once", []string{}...)
	}
}

// TestSweep_RemovesOldKeys, a thousand at a time.
func TestSweep_RemovesOldKeys(t *testing.T) {
	t.Parallel()
	c := storetest.New(t, func(o *store.Options) { o.Retention.Requests = 72 * time.Hour })
	c.Exec(`INSERT INTO requests (account, key, hash, kind, at) SELECT 1, n::text, '', 'P', now() - interval '73 hours' FROM generate_series(1, 2500) AS n`)
	c.Exec(`INSERT INTO requests (account, key, hash, kind, at) VALUES (1, 'young', '', 'P', now() - interval '71 hours')`)
	testutil.Must(t, c.Store.Sweep(t.Context()))
	testutil.Equal(t, "keys", rowsOf(t, c, "SELECT count(*) FROM requests"), 1)
	testutil.Equal(t, "young keys", rowsOf(t, c, "SELECT count(*) FROM requests WHERE key = 'young'"), 1)
}

// TestSweep_RemovesSessionsLongAfterTheirEnd, ended ones and expired ones. None of them is
// announced: they had ended before.
func TestSweep_RemovesSessionsLongAfterTheirEnd(t *testing.T) {
	t.Parallel()
	c := storetest.New(t, func(o *store.Options) { o.Retention.Sessions = 720 * time.Hour })
	asha := c.Owner("Asha")
	const write = `INSERT INTO sessions (id, user_id, refresh_id, expires_at, ended_at)
		SELECT ?0 || n, ?1, 'r', now() + ?2::interval, now() + ?3::interval FROM generate_series(1, ?4) AS n`
	c.Exec(write, "ended ", asha.UserID, "1 day", "-721 hours", 1500)
	c.Exec(write, "expired ", asha.UserID, "-721 hours", nil, 600)
	c.Exec(write, "ended lately ", asha.UserID, "1 day", "-719 hours", 2)
	c.Exec(write, "expired lately ", asha.UserID, "-719 hours", nil, 3)
	testutil.Must(t, c.Store.Sweep(t.Context()))
	testutil.Equal(t, "sessions", rowsOf(t, c, "SELECT count(*) FROM sessions"), 6)
	testutil.Equal(t, "old sessions", rowsOf(t, c, "SELECT count(*) FROM sessions WHERE id ~ '^(ended|expired) [0-9]'"), 0)
	wantLive(t, c, map[string]bool{asha.SessionID: true})
}

// TestSweep_RemovesFullBudgets a day after they say nothing.
func TestSweep_RemovesFullBudgets(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	for key, at := range map[string]time.Duration{"old": -25 * time.Hour, "young": -23 * time.Hour, "in use": time.Hour} {
		ok(c.Store.SpendBudgets(t.Context(), time.Now().Add(at), []store.Spending{{Key: key, Every: time.Second}}))(t)
	}
	testutil.Must(t, c.Store.Sweep(t.Context()))
	left := ok(c.Store.Budgets(t.Context(), []string{"old", "young", "in use"}))(t)
	testutil.Equal(t, "budgets", len(left), 2)
	testutil.Equal(t, "the old one", left["old"].IsZero(), true)
}
