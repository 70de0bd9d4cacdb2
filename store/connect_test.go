package store_test

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/caregraph/caregraph/internal/pgpipe"
	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/storetest"
)

// opened opens a store until the test ends.
func opened(t *testing.T, address string, o store.Options) *store.Store {
	t.Helper()
	o.Policy = storetest.Policy(t)
	s := ok(store.Open(t.Context(), address, o))(t)
	t.Cleanup(s.Close)
	return s
}

// setting returns a setting of PostgreSQL as a read or a write sees it.
func setting(t *testing.T, s *store.Store, name string, writes bool) string {
	t.Helper()
	return ok(store.Setting(t.Context(), s, name, writes))(t)
}

// wantPromises checks what PostgreSQL promises to reads and writes.
func wantPromises(t *testing.T, s *store.Store) {
	t.Helper()
	for _, row := range []struct{ name, read, write string }{
		{"transaction_isolation", "repeatable read", "read committed"},
		{"transaction_read_only", "on", "off"},
		{"plan_cache_mode", "force_generic_plan", "auto"},
		{"random_page_cost", "1.1", "4"},
		{"statement_timeout", "14s", "14s"},
		{"lock_timeout", "5s", "5s"},
		{"idle_in_transaction_session_timeout", "10s", "10s"},
		{"TimeZone", "UTC", "UTC"},
	} {
		testutil.Equal(t, row.name+" of reads", setting(t, s, row.name, false), row.read)
		testutil.Equal(t, row.name+" of writes", setting(t, s, row.name, true), row.write)
	}
}

// TestOpen_EachAttributeThatReachesAPrimaryWorks for reads and writes.
func TestOpen_EachAttributeThatReachesAPrimaryWorks(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := ownerWithMapping(c)
	for _, attribute := range []string{"", "any", "read-write", "primary", "prefer-standby"} {
		t.Run("attribute "+attribute, func(t *testing.T) {
			t.Parallel()
			address := c.URL
			if attribute != "" {
				address += separator(c.URL) + "target_session_attrs=" + attribute
			}
			s := opened(t, address, store.Options{Connections: 2, RequestTimeout: 15 * time.Second})
			testutil.Equal(t, "pooler", s.Pooler(), store.PoolerNone)
			wantPromises(t, s)
			newNameNodes(t, s).wantLoaded(t, s, asha.Viewer)
			ok(s.CreatePatient(t.Context(), asha.Viewer, c.NewPatient("Bina")))(t)
		})
	}
	for _, attribute := range []string{"read-only", "standby"} {
		_, err := store.Open(t.Context(), c.URL+separator(c.URL)+"target_session_attrs="+attribute, store.Options{Policy: storetest.Policy(t)})
		if err == nil || !strings.HasPrefix(err.Error(), "reach the database: ") {
			t.Errorf("%s: error is %v", attribute, err)
		}
	}
}

// TestOpen_FindsThePrimaryAmongSeveralHosts, also without an attribute in the URL.
func TestOpen_FindsThePrimaryAmongSeveralHosts(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	standby := (&storetest.Pooler{Session: true, Standby: true}).Start(t, c.URL)
	primary := (&storetest.Pooler{Session: true}).Start(t, c.URL)
	u := ok(url.Parse(primary.URL))(t)
	u.Host = ok(url.Parse(standby.URL))(t).Host + "," + u.Host
	for _, attribute := range []string{"", "&target_session_attrs=any", "&target_session_attrs=primary"} {
		before := primary.Clients()
		s := opened(t, u.String()+attribute, store.Options{Connections: 2})
		ok(s.CreatePatient(t.Context(), c.Owner("Asha"+fmt.Sprint(len(attribute))).Viewer, c.NewPatient("Arjun")))(t)
		if standby.Clients() == 0 || primary.Clients() == before {
			t.Errorf("%q: the standby was not asked, or the primary not used", attribute)
		}
	}
}

func TestOpen_RefusesReadsWithoutTheirPromises(t *testing.T) {
	t.Parallel()
	pooler := (&storetest.Pooler{}).Start(t, storetest.Database(t))
	for _, wrong := range []store.Pooler{store.PoolerNone, store.PoolerSession} {
		_, err := store.Open(t.Context(), pooler.URL, store.Options{Policy: storetest.Policy(t), Connections: 2, Pooler: wrong, Prepared: store.PreparedOff})
		if err == nil || !strings.Contains(err.Error(), "pooler") {
			t.Errorf("%s: error is %v", wrong, err)
		}
	}
}

// TestPooler_EachKindKeepsThePromises: through a pooler that refuses startup parameters.
func TestPooler_EachKindKeepsThePromises(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		session  bool
		pooler   store.Pooler
		prepared store.Prepared
		used     store.Pooler
	}{
		{false, "", "", store.PoolerTransaction},
		{false, store.PoolerTransaction, store.PreparedOff, store.PoolerTransaction},
		{true, "", "", store.PoolerTransaction},
		{true, store.PoolerSession, "", store.PoolerSession},
		{true, store.PoolerSession, store.PreparedOff, store.PoolerSession},
		{true, store.PoolerTransaction, store.PreparedOn, store.PoolerTransaction},
	} {
		t.Run(fmt.Sprintf("%+v", row), func(t *testing.T) {
			t.Parallel()
			pooler := (&storetest.Pooler{Session: row.session}).Start(t, storetest.Database(t))
			s := opened(t, pooler.URL, store.Options{Connections: 4, RequestTimeout: 15 * time.Second, Pooler: row.pooler, Prepared: row.prepared, Listen: true})
			testutil.Equal(t, "pooler", s.Pooler(), row.used)
			for range 4 {
				wantPromises(t, s)
			}
		})
	}
}

// TestPooler_ManyClientsAtOnce: reads, changes and sign-ins of several clients through a
// pooler that gives each transaction another connection.
func TestPooler_ManyClientsAtOnce(t *testing.T) {
	t.Parallel()
	for _, session := range []bool{false, true} {
		t.Run(fmt.Sprint("session ", session), func(t *testing.T) {
			t.Parallel()
			c := storetest.New(t)
			pooler := (&storetest.Pooler{Session: session}).Start(t, c.URL)
			s := opened(t, pooler.URL, store.Options{Connections: 6, RequestTimeout: 15 * time.Second})
			var clients sync.WaitGroup
			for n := range 8 {
				asha := ownerWithMappingNamed(c, fmt.Sprint("Asha", n))
				nodes := newNameNodes(t, s)
				clients.Go(func() {
					for i := range 20 {
						if err := work(t, s, c, asha, nodes, fmt.Sprint(n, "-", i)); err != nil {
							t.Error(err)
							return
						}
					}
				})
			}
			clients.Wait()
		})
	}
}

func ownerWithMappingNamed(c *storetest.Clinic, name string) *storetest.Account {
	asha := c.Owner(name)
	asha.Assign(asha.Patient("Arjun"), asha.Entry("Dr. "+name))
	return asha
}

// work makes one request of each kind.
func work(t *testing.T, s *store.Store, c *storetest.Clinic, asha *storetest.Account, nodes nameNodes, id string) error {
	loads := nodes.loads(t, asha.Viewer)
	if _, err := fetchConfirming(t.Context(), s, asha.Viewer, loads); err != nil {
		return fmt.Errorf("fetch: %w", err)
	}
	p, err := s.CreatePatient(t.Context(), asha.Viewer, c.NewPatient("Bina"))
	if err != nil {
		return fmt.Errorf("create: %w", err)
	}
	if _, err := s.UpdatePatient(t.Context(), asha.Viewer, p.ID, nil, []model.Change[model.Patient]{
		set("name", func(p *model.Patient) { p.Name = "Bina " + id }),
	}); err != nil {
		return fmt.Errorf("update: %w", err)
	}
	hash := "hash of " + asha.User.Username
	if _, err := s.CreateSession(t.Context(), storetest.Session(id, asha.UserID, "refresh"), hash); err != nil {
		return fmt.Errorf("sign in: %w", err)
	}
	if err := s.EndSession(t.Context(), asha.Viewer, id); err != nil {
		return fmt.Errorf("sign out: %w", err)
	}
	return nil
}

// TestPooler_LeavesNothingBehind: what one client promises ends with its transaction.
func TestPooler_LeavesNothingBehind(t *testing.T) {
	t.Parallel()
	pooler := (&storetest.Pooler{}).Start(t, storetest.Database(t))
	s := opened(t, pooler.URL, store.Options{Connections: 4, RequestTimeout: 15 * time.Second})
	wantPromises(t, s)
	other := connect(t, pooler.URL+"&default_query_exec_mode=exec")
	for range 10 {
		var isolation, readOnly, lockTimeout string
		row := other.QueryRowContext(t.Context(), "SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only'), current_setting('lock_timeout')")
		if err := row.Scan(&isolation, &readOnly, &lockTimeout); err != nil {
			t.Fatal(err)
		}
		testutil.Equal(t, "what another client finds", isolation+" "+readOnly+" "+lockTimeout, "read committed off 0")
	}
}

// TestPooler_CutsTheConnection: a connection that is reset after the row was locked is
// an outage.
func TestPooler_CutsTheConnection(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	arjun := asha.Patient("Arjun")
	var cutting atomic.Bool
	pooler := (&storetest.Pooler{Cut: func(sql string) bool { return cutting.Load() && strings.Contains(sql, "FOR NO KEY UPDATE") }}).Start(t, c.URL)
	seen := &failures{}
	s := opened(t, pooler.URL, store.Options{Connections: 2, OnFailure: seen.add})
	rename := func() error {
		_, err := s.UpdatePatient(t.Context(), asha.Viewer, arjun.ID, nil, []model.Change[model.Patient]{
			set("name", func(p *model.Patient) { p.Name = "Arjuna" }),
		})
		return err
	}
	cutting.Store(true)
	for range 10 {
		wantCode(t, rename(), model.CodeUnavailable)
		seen.want(t, store.Failure{Cause: store.CauseIO, Operation: "update Patient"})
	}
	cutting.Store(false)
	testutil.Equal(t, "afterwards", rename(), nil)
}

// silent accepts connections and never answers.
func silent(t *testing.T) (host string) {
	t.Helper()
	listener := ok((&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0"))(t)
	t.Cleanup(func() { _ = listener.Close() })
	return listener.Addr().String()
}

// TestOpen_SilentHostCostsItsTimeoutOnly: the one of the URL, or three seconds.
func TestOpen_SilentHostCostsItsTimeoutOnly(t *testing.T) {
	t.Parallel()
	pooler := (&storetest.Pooler{}).Start(t, storetest.Database(t))
	u := ok(url.Parse(pooler.URL))(t)
	u.Host = silent(t) + "," + u.Host
	start := time.Now()
	opened(t, u.String()+"&connect_timeout=1", store.Options{Connections: 2})
	if took := time.Since(start); took < time.Second || took > 9*time.Second { // three connections
		t.Errorf("with another host it took %s", took)
	}
	for query, limit := range map[string]time.Duration{"&connect_timeout=1": time.Second, "": 3 * time.Second} {
		u := ok(url.Parse(pooler.URL))(t)
		u.Host = silent(t)
		start := time.Now()
		if _, err := store.Open(t.Context(), u.String()+query, store.Options{Policy: storetest.Policy(t)}); err == nil {
			t.Error("a silent host is a database")
		}
		if took := time.Since(start); took < limit || took > limit+2*time.Second {
			t.Errorf("%q took %s, want %s", query, took, limit)
		}
	}
}

// TestPing_OneSilentConnectionEndsTheIdleOnes: a network that fails in silence does not
// cost each connection its time.
func TestPing_OneSilentConnectionEndsTheIdleOnes(t *testing.T) {
	t.Parallel()
	pooler := (&storetest.Pooler{}).Start(t, storetest.Database(t))
	s := opened(t, pooler.URL, store.Options{Connections: 8})
	pool := store.Reads(s)
	var conns []pgpipe.Conn
	for range 4 {
		conns = append(conns, ok(pool.Acquire(t.Context()))(t))
	}
	for _, conn := range conns[1:] {
		conn.Release()
	}
	isBroken := func() bool {
		return pool.Config().ShouldPing(t.Context(), pgxpool.ShouldPingParams{Conn: conns[0].Conn.Conn(), IdleDuration: time.Minute})
	}
	testutil.Equal(t, "a connection that answers is broken", isBroken(), false)
	pooler.Silence()
	start := time.Now()
	testutil.Equal(t, "a silent connection is broken", isBroken(), true)
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
	conns[0].Release()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second) // new connections work
	defer cancel()
	testutil.Equal(t, "the next request", errOf(s.SessionViewer(ctx, "x")), nil)
}
