package store_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/storetest"
)

// requestOf returns the context of a request of the account.
func requestOf(ctx context.Context, v *model.Viewer) context.Context {
	return context.WithValue(ctx, store.RequestKey{}, &store.Request{Client: store.AccountClient(v.UserID)})
}

// locked locks a table, or rows, until the returned function is called.
func locked(t *testing.T, c *storetest.Clinic, statement string) (unlock func()) {
	t.Helper()
	tx := ok(c.DB.BeginTx(t.Context(), nil))(t)
	if _, err := tx.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
	return sync.OnceFunc(func() { _ = tx.Rollback() })
}

// waitBlocked waits until a number of statements wait for locks.
func waitBlocked(t *testing.T, c *storetest.Clinic, want int) {
	t.Helper()
	for until := time.Now().Add(20 * time.Second); ; <-time.After(5 * time.Millisecond) {
		var n int
		err := c.DB.NewRaw("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'").Scan(t.Context(), &n)
		if err != nil {
			t.Fatal(err)
		}
		if n >= want {
			return
		}
		if time.Now().After(until) {
			t.Fatalf("%d statements wait for locks, not %d", n, want)
		}
	}
}

// soon fails if f waits or returns an error.
func soon(t *testing.T, what string, f func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := f(ctx); err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

// signIn does what a sign-in needs of the store.
func signIn(ctx context.Context, c *storetest.Clinic, a *storetest.Account, session string) error {
	credential, err := c.Store.Credential(ctx, a.User.Email)
	if err != nil {
		return err
	}
	_, err = c.Store.CreateSession(ctx, store.Session{
		ID: session, UserID: a.UserID, RefreshID: "refresh", ExpiresAt: time.Now().Add(time.Hour),
	}, credential.PasswordHash)
	return err
}

// readsOf returns the reads of both engines.
func readsOf(t *testing.T, c *storetest.Clinic, a *storetest.Account) map[string]func(context.Context) error {
	t.Helper()
	n, v := newNameNodes(t, c.Store), a.Viewer
	patients, mappings := argsOf(PatientQuery{}), listArgs(model.PageArgs{}, nil)
	return map[string]func(context.Context) error{
		"Fetch": func(ctx context.Context) error { return fetch(ctx, c.Store, v, n.loads(t, v)) },
		"Get":   func(ctx context.Context) error { return errOf(c.Store.Get(ctx, v, "Patient", 1)) },
		"Related": func(ctx context.Context) error {
			return errOf(c.Store.Related(ctx, v, "Mapping", "patient", []int64{1}))
		},
		"Page":            func(ctx context.Context) error { return errOf(c.Store.Page(ctx, v, "patients", patients)) },
		"Count":           func(ctx context.Context) error { return errOf(c.Store.Count(ctx, v, "patients", patients)) },
		"Specializations": func(ctx context.Context) error { return errOf(c.Store.Specializations(ctx, v)) },
		"PagesOf": func(ctx context.Context) error {
			return errOf(c.Store.PagesOf(ctx, v, "Patient", "mappings", []int64{1}, mappings))
		},
		"CountsOf": func(ctx context.Context) error {
			return errOf(c.Store.CountsOf(ctx, v, "Patient", "mappings", []int64{1}, mappings))
		},
	}
}

// TestPools_ReadsUseNoConnectionForWrites, whichever engine reads.
func TestPools_ReadsUseNoConnectionForWrites(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	asha.Patient("Arjun")
	for name, read := range readsOf(t, c, asha) {
		reads, writes := store.RoundTrips(c.Store)
		if err := read(t.Context()); err != nil && model.CodeOf(err) != model.CodeNotFound {
			t.Errorf("%s: %v", name, err)
		}
		nowReads, nowWrites := store.RoundTrips(c.Store)
		if nowWrites != writes || nowReads == reads {
			t.Errorf("%s: %d connections for reads, %d for writes", name, nowReads-reads, nowWrites-writes)
		}
	}
}

// TestPools_ReadsLeaveWritesAndSignInAlone: every kind of read waits for a table, from
// more requests than there are connections.
func TestPools_ReadsLeaveWritesAndSignInAlone(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha, rao := c.Owner("Asha"), c.Owner("Rao")
	unlock := locked(t, c, "LOCK TABLE patients IN ACCESS EXCLUSIVE MODE")
	var reads sync.WaitGroup
	for range 3 {
		for name, read := range readsOf(t, c, asha) {
			if name == "Specializations" {
				continue // it reads another table
			}
			reads.Go(func() {
				if err := read(requestOf(t.Context(), asha.Viewer)); err != nil && model.CodeOf(err) != model.CodeNotFound {
					t.Error(err)
				}
			})
		}
	}
	waitBlocked(t, c, c.Store.Stats()[0].Max)

	soon(t, "updateMe", func(ctx context.Context) error {
		_, err := c.Store.UpdateMe(ctx, rao.Viewer, []model.Change[model.User]{set("phone", func(*model.User) {})})
		return err
	})
	soon(t, "sign-in", func(ctx context.Context) error { return signIn(ctx, c, rao, "second") })
	soon(t, "a session", func(ctx context.Context) error { _, err := c.Store.SessionViewer(ctx, rao.SessionID); return err })
	soon(t, "refreshToken", func(ctx context.Context) error {
		from := store.Session{ID: "second", UserID: rao.UserID, RefreshID: "refresh"}
		to := store.Session{ID: "second", UserID: rao.UserID, RefreshID: "next", ExpiresAt: time.Now().Add(time.Hour)}
		_, err := c.Store.RotateSession(ctx, from, to)
		return err
	})
	soon(t, "logout", func(ctx context.Context) error { return c.Store.EndSession(ctx, rao.Viewer, "second") })
	soon(t, "Ping", c.Store.Ping)
	testutil.Equal(t, "connections for writes in use", c.Store.Stats()[1].InUse, 0)
	unlock()
	reads.Wait()
}

// TestPools_WritesLeaveReadsAndSignInAlone: all connections for writes wait for rows, one
// each.
func TestPools_WritesLeaveReadsAndSignInAlone(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha, rao := c.Owner("Asha"), c.Owner("Rao")
	arjun := asha.Patient("Arjun")
	patients := []*model.Patient{arjun}
	for i := range 4 {
		patients = append(patients, asha.Patient(fmt.Sprintf("Arjun %d", i)))
	}
	unlock := locked(t, c, "SELECT FROM patients FOR UPDATE")
	var writes sync.WaitGroup
	for _, p := range patients {
		writes.Go(func() {
			_, err := c.Store.UpdatePatient(requestOf(t.Context(), asha.Viewer), asha.Viewer, p.ID, nil, []model.Change[model.Patient]{
				set("name", func(p *model.Patient) { p.Name = "Arjun K" }),
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	waitBlocked(t, c, c.Store.Stats()[1].Max)
	soon(t, "a read", func(ctx context.Context) error {
		_, err := c.Store.Get(ctx, asha.Viewer, "Patient", arjun.ID)
		return err
	})
	soon(t, "sign-in", func(ctx context.Context) error { return signIn(ctx, c, rao, "second") })
	soon(t, "logout", func(ctx context.Context) error { return c.Store.EndSession(ctx, rao.Viewer, "second") })
	soon(t, "Ping", c.Store.Ping)
	unlock()
	writes.Wait()
}

// TestPools_SignInOfALockedAccountHoldsUpNoOther: a reserved connection does not wait
// for a row that someone else has locked. The sign-in waits elsewhere.
func TestPools_SignInOfALockedAccountHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha, rao := c.Owner("Asha"), c.Owner("Rao")
	unlock := locked(t, c, fmt.Sprintf("SELECT FROM users WHERE id = %d FOR UPDATE", asha.UserID))
	var waiting sync.WaitGroup
	waiting.Go(func() {
		if err := signIn(t.Context(), c, asha, "second of Asha"); err != nil {
			t.Error(err)
		}
	})
	waitBlocked(t, c, 1)
	soon(t, "another sign-in", func(ctx context.Context) error { return signIn(ctx, c, rao, "second") })
	soon(t, "Ping", c.Store.Ping)
	unlock()
	waiting.Wait()
}

// TestPools_AccountsTakeTurns: of two accounts, one sends 100 slow reads, and the other
// one read. The other one is the next.
func TestPools_AccountsTakeTurns(t *testing.T) {
	t.Parallel()
	c := storetest.New(t, oneConnection, func(o *store.Options) { o.MaxWaiting = 200 })
	asha, rao := c.Owner("Asha"), c.Owner("Rao")
	unlock := locked(t, c, "LOCK TABLE patients IN ACCESS EXCLUSIVE MODE")
	var mu sync.Mutex
	var served []string
	var reads sync.WaitGroup
	read := func(a *storetest.Account, name string) {
		waits := c.Store.Stats()[0].Waits
		reads.Go(func() {
			_, err := c.Store.Count(requestOf(t.Context(), a.Viewer), a.Viewer, "patients", argsOf(PatientQuery{}))
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			served = append(served, name)
		})
		for until := time.Now().Add(10 * time.Second); len(name) > 1 && c.Store.Stats()[0].Waits == waits; <-time.After(time.Millisecond) {
			if time.Now().After(until) {
				t.Fatal("the read does not wait")
			}
		}
	}
	read(asha, "-") // it has the connection
	waitBlocked(t, c, 1)
	for range 100 {
		read(asha, "asha")
	}
	read(rao, "rao")
	unlock()
	reads.Wait()
	if at := slices.Index(served, "rao"); at > 4 { // those who were served note it in any order
		t.Errorf("the other account was served after %d reads", at)
	}
}

// TestPools_TooManyRequestsOfOneAccount get RATE_LIMITED, from reads and from writes.
func TestPools_TooManyRequestsOfOneAccount(t *testing.T) {
	t.Parallel()
	c := storetest.New(t, oneConnection, func(o *store.Options) { o.MaxWaiting = 1 })
	asha, rao := c.Owner("Asha"), c.Owner("Rao")
	unlock := locked(t, c, "LOCK TABLE patients IN ACCESS EXCLUSIVE MODE")
	read := func(a *storetest.Account) error {
		_, err := c.Store.Count(requestOf(t.Context(), a.Viewer), a.Viewer, "patients", argsOf(PatientQuery{}))
		return err
	}
	create := func(a *storetest.Account) error {
		_, err := c.Store.CreatePatient(requestOf(t.Context(), a.Viewer), a.Viewer, c.NewPatient("Arjun"))
		return err
	}
	restore := func(a *storetest.Account) error {
		_, err := c.Store.RestorePatient(requestOf(t.Context(), a.Viewer), a.Viewer, 1)
		return err
	}
	var running sync.WaitGroup
	start := func(do func(*storetest.Account) error, a *storetest.Account) {
		running.Go(func() {
			if err := do(a); err != nil {
				t.Error(err)
			}
		})
	}
	for pool, cases := range [][]func(*storetest.Account) error{{read}, {create, restore}} {
		for waits := range int64(2) { // one has the connection, one waits
			start(cases[0], asha)
			for until := time.Now().Add(10 * time.Second); c.Store.Stats()[pool].InUse == 0 || c.Store.Stats()[pool].Waits < waits; <-time.After(time.Millisecond) {
				if time.Now().After(until) {
					t.Fatal("the request does not wait")
				}
			}
		}
		for _, refused := range cases {
			err := refused(asha)
			wantCode(t, err, model.CodeRateLimited)
			if refusal, _ := errors.AsType[*model.Error](err); refusal.RetryAfter < 1 {
				t.Error("it does not say when to come back")
			}
		}
		start(cases[0], rao)
	}
	unlock()
	running.Wait()
}

// TestPools_SubscriberHasOnePlace: an IPv6 subscriber has very many addresses.
func TestPools_SubscriberHasOnePlace(t *testing.T) {
	t.Parallel()
	of := func(text string) store.Client { return store.AddressClient(netip.MustParseAddr(text)) }
	testutil.Equal(t, "two of one network", of("2001:db8::1") == of("2001:db8::2:3"), true)
	testutil.Equal(t, "two networks", of("2001:db8::1") == of("2001:db8:0:1::1"), false)
	testutil.Equal(t, "two of IPv4", of("192.0.2.1") == of("192.0.2.2"), false)
}

// TestPools_PostgreSQLStopsStatements before the request ends, in every pool.
func TestPools_PostgreSQLStopsStatements(t *testing.T) {
	t.Parallel()
	for request, want := range map[time.Duration]string{
		15 * time.Second: "14s", 1500 * time.Millisecond: "750ms", 0: "0",
	} {
		seen := map[string]string{}
		tracer := &beforeQuery{}
		c := storetest.New(t, func(o *store.Options) { o.RequestTimeout, o.Tracer = request, tracer })
		for pool, limit := range store.StatementTimeouts(t.Context(), c.Store) {
			seen[pool] = limit
		}
		testutil.Equal(t, "pools", len(seen), 4)
		for pool, limit := range seen {
			testutil.Equal(t, fmt.Sprintf("%s with a timeout of %s", pool, request), limit, want)
		}
	}
}

// TestPing_BusyIsNotGone: locked tables and locked rows do not matter.
func TestPing_BusyIsNotGone(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	unlock := locked(t, c, "LOCK TABLE patients, users, sessions IN ACCESS EXCLUSIVE MODE")
	ctx, cancel := context.WithCancel(t.Context())
	var signIns sync.WaitGroup
	for n := range 20 {
		signIns.Go(func() { _ = signIn(ctx, c, asha, fmt.Sprint("session ", n)) })
	}
	waitBlocked(t, c, 1)
	for range 3 {
		testutil.Must(t, c.Store.Ping(t.Context()))
	}
	cancel()
	unlock()
	signIns.Wait()
}

func TestPing_ReadOnlyServer(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	testutil.Must(t, c.Store.Ping(t.Context()))
	asDatabase(t, c, "ALTER DATABASE %s SET default_transaction_read_only = on")
	c.Exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
	err := c.Store.Ping(t.Context())
	for range 3 { // connections that ended are replaced
		err = c.Store.Ping(t.Context())
	}
	if err == nil || !strings.Contains(err.Error(), "read-only") {
		t.Errorf("error is %v", err)
	}
}

// TestPing_ReadsAreRefused while the connection for writes still works.
func TestPing_ReadsAreRefused(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	pids := map[bool]uint32{}
	tracer := &connections{seen: func(conn *pgx.Conn) {
		mu.Lock()
		defer mu.Unlock()
		pids[len(pids) == 0] = conn.PgConn().PID()
	}}
	c := storetest.New(t, func(o *store.Options) { o.Tracer = tracer })
	asDatabase(t, c, "ALTER DATABASE %s ALLOW_CONNECTIONS false")
	c.Exec(fmt.Sprintf("SELECT pg_terminate_backend(%d)", pids[true])) // Open asked on it first
	var err error
	for range 3 {
		err = c.Store.Ping(t.Context())
	}
	if err == nil || !strings.Contains(err.Error(), "to read") {
		t.Errorf("error is %v", err)
	}
}

// connections is a tracer that sees the connections.
type connections struct{ seen func(*pgx.Conn) }

func (c *connections) TraceQueryStart(ctx context.Context, conn *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	c.seen(conn)
	return ctx
}

func (*connections) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// asDatabase runs a statement about the clinic's database from another one.
func asDatabase(t *testing.T, c *storetest.Clinic, statement string) {
	t.Helper()
	var name string
	if err := c.DB.NewRaw("SELECT current_database()").Scan(t.Context(), &name); err != nil {
		t.Fatal(err)
	}
	config := ok(pgx.ParseConfig(c.URL))(t)
	config.Database = "postgres"
	conn := ok(pgx.ConnectConfig(t.Context(), config))(t)
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	if _, err := conn.Exec(t.Context(), fmt.Sprintf(statement, name)); err != nil {
		t.Fatal(err)
	}
}

// hung returns a store whose connections to the database get no more answers, but are not
// broken: its machine is frozen, and another one has taken over. New connections lead there.
func hung(t *testing.T) *store.Store {
	t.Helper()
	pooler := (&storetest.Pooler{}).Start(t, storetest.Database(t))
	s := opened(t, pooler.URL, store.Options{Connections: 2, RequestTimeout: time.Second})
	soon(t, "a session before", func(ctx context.Context) error { return errOf(s.SessionViewer(ctx, "x")) })
	pooler.Silence()
	return s
}

// Work in the background has no deadline. It must not keep the only connection for
// sessions for ever.
func TestPools_BackgroundWorkOnAFrozenDatabaseEnds(t *testing.T) {
	t.Parallel()
	s := hung(t)
	_, err := s.DeliverMail(t.Context(), nil) // hung without a limit
	if err == nil {
		t.Error("a frozen database has answered")
	}
	soon(t, "a session", func(ctx context.Context) error { return errOf(s.SessionViewer(ctx, "x")) })
}

// To close a connection to a frozen database takes 15 seconds. The next request does not
// wait for that.
func TestPools_NextRequestDoesNotWaitForTheEndOfAConnection(t *testing.T) {
	t.Parallel()
	s := hung(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
	defer cancel()
	wantCode(t, errOf(s.SessionViewer(ctx, "x")), model.CodeUnavailable)
	soon(t, "a session", func(ctx context.Context) error { return errOf(s.SessionViewer(ctx, "x")) })
}

// After a failover the idle connections to the former primary are closed. If it is frozen,
// each would cost a request the time of a ping.
func TestPools_ForgetTheFormerPrimary(t *testing.T) {
	t.Parallel()
	database := storetest.Database(t)
	former, next := (&storetest.Pooler{}).Start(t, database), (&storetest.Pooler{}).Start(t, database)
	u, v := ok(url.Parse(former.URL))(t), ok(url.Parse(next.URL))(t)
	u.Host += "," + v.Host
	s := opened(t, u.String(), store.Options{Connections: 2, RequestTimeout: time.Second})
	ok(store.Reads(s).Acquire(t.Context()))(t).Release()
	idle := func() int32 { return store.Reads(s).Stat().IdleConns() }
	testutil.Equal(t, "idle connections before", idle(), 1)
	soon(t, "a session before", func(ctx context.Context) error { return errOf(s.SessionViewer(ctx, "x")) })
	former.Demote()
	former.Silence()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
	defer cancel()
	wantCode(t, errOf(s.SessionViewer(ctx, "x")), model.CodeUnavailable)
	soon(t, "a session", func(ctx context.Context) error { return errOf(s.SessionViewer(ctx, "x")) })
	testutil.Equal(t, "idle connections to the former primary", idle(), 0)
}
