package store_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/storetest"
)

func TestServers_AreThoseSeenInTheLastMinute(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	list := func() (text string) {
		for _, s := range ok(store.Servers(t.Context(), c.URL))(t) {
			text += fmt.Sprintln(s.ID, s.Version, s.Schema == store.SchemaVersion(), s.Keys)
		}
		return text
	}
	renew := func(id string, keys ...string) {
		testutil.Must(t, c.Store.RenewServer(t.Context(), store.Server{ID: id, Version: "0.2.0", Keys: keys}))
	}
	testutil.Equal(t, "at first", list(), "")
	renew("A", "k1")
	renew("B")
	testutil.Equal(t, "two", list(), "A 0.2.0 true [k1]\nB 0.2.0 true []\n")
	c.Exec("UPDATE servers SET seen_at = now() - interval '61 seconds'")
	testutil.Equal(t, "a minute later", list(), "")
	renew("A", "k2", "k1")
	testutil.Equal(t, "after a renewal", list(), "A 0.2.0 true [k2 k1]\n")
	testutil.Must(t, c.Store.RemoveServer(t.Context(), "A"))
	testutil.Equal(t, "after the end", list(), "")

	c.Exec("UPDATE servers SET seen_at = now() - interval '25 hours'")
	renew("C")
	c.Exec("UPDATE servers SET seen_at = now() - interval '23 hours' WHERE id = 'C'")
	testutil.Must(t, c.Store.Sweep(t.Context()))
	testutil.Equal(t, "rows after a day", scalar[string](t, connect(t, c.URL), "SELECT string_agg(id, '') FROM servers"), "C")

	old := storetest.EmptyDatabase(t)
	testutil.Equal(t, "without the table", len(ok(store.Servers(t.Context(), old))(t)), 0)
}

// A migration that removes something waits for the servers that still use it.
func TestMigrate_RefusesWhileAServerNeedsTheOldForm(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	const name = "29990101000001"
	files := migrationFiles(t, all, oneColumn)
	files[name+"_contract.tx.up.sql"] = &fstest.MapFile{Data: []byte("-- A reason.\n-- works with: 29990101000000\nALTER TABLE patients DROP COLUMN note;")}
	files["29990101000002_index.notx.up.sql"] = &fstest.MapFile{Data: []byte("-- A reason.\n-- works with: 29990101000000\nDROP INDEX CONCURRENTLY IF EXISTS patients_live;")}
	contract := func() error {
		return store.MigrateWith(t.Context(), c.URL, store.MigrateOptions{Files: files, Log: discard()})
	}
	applied := func() string {
		return scalar[string](t, connect(t, c.URL), "SELECT coalesce(string_agg(name, ' ' ORDER BY name), '') FROM bun_migrations WHERE name > '2999'")
	}
	testutil.Must(t, c.Store.RenewServer(t.Context(), store.Server{ID: "OLD", Version: "0.2.0"}))
	err := contract()
	if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "OLD (version 0.2.0)") {
		t.Errorf("while a server needs the column: %v", err)
	}
	testutil.Equal(t, "applied", applied(), "29990101000000")
	c.Exec("UPDATE servers SET seen_at = now() - interval '61 seconds'")
	testutil.Must(t, c.Store.RenewServer(t.Context(), store.Server{ID: "NEW", Version: "0.3.0"}))
	c.Exec("UPDATE servers SET schema = '29990101000000' WHERE id = 'NEW'")
	testutil.Must(t, contract())
	testutil.Equal(t, "applied in the end", applied(), "29990101000000 29990101000001 29990101000002")
}
