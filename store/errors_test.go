package store_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/caregraph/caregraph/internal/pgpipe"
	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/storetest"
)

func TestErrors_EveryUniqueIndexHasItsWords(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	var names []string
	err := c.DB.NewRaw(`SELECT indexrelid::regclass::text FROM pg_index
		WHERE indisunique AND NOT indisprimary AND indrelid::regclass::text IN ('users', 'sessions', 'patients', 'doctors', 'mappings')`).Scan(t.Context(), &names)
	if err != nil || len(names) == 0 {
		t.Fatalf("%d unique indexes, %v", len(names), err)
	}
	for _, name := range names {
		field, known := store.Constraints(name)
		if !known || field.Field == "" || field.Message == "" {
			t.Errorf("%s is translated to %+v", name, field)
		}
		if want := map[bool]model.Code{false: model.CodeTaken, true: model.CodeAlreadyAssigned}[strings.HasPrefix(name, "mappings")]; field.Code != want {
			t.Errorf("%s is translated to %s, want %s", name, field.Code, want)
		}
	}
}

// failures collects what a store reports.
type failures struct {
	mu  sync.Mutex
	all []store.Failure
}

func (f *failures) option(o *store.Options) { o.OnFailure = f.add }

func (f *failures) add(_ context.Context, one store.Failure) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = append(f.all, one)
}

// take returns what was reported since the last call.
func (f *failures) take() []store.Failure {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := f.all
	f.all = nil
	return all
}

// want checks that one failure was reported, with a detail or not.
func (f *failures) want(t *testing.T, want store.Failure) {
	t.Helper()
	got := f.take()
	for i := range got {
		got[i].Detail = ""
	}
	testutil.Equal(t, "what is reported", got, []store.Failure{want})
}

// failing returns a clinic in which every write of a patient fails with the SQLSTATE
// and a message that contains the row.
func failing(t *testing.T, state string, options ...func(*store.Options)) *storetest.Clinic {
	t.Helper()
	c := storetest.New(t, options...)
	c.Exec(fmt.Sprintf(`CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		RAISE EXCEPTION 'cannot write %%', NEW USING ERRCODE = '%s', DETAIL = NEW::text, HINT = NEW::text; END $$`, state))
	c.Exec("CREATE TRIGGER fail BEFORE INSERT OR UPDATE ON patients FOR EACH ROW EXECUTE FUNCTION fail()")
	return c
}

// TestErrors_OfTheDatabaseNeverHoldTheRow: neither the error nor what is logged about
// it. An outage is UNAVAILABLE and has a cause; everything else is an error in our SQL.
func TestErrors_OfTheDatabaseNeverHoldTheRow(t *testing.T) {
	t.Parallel()
	for state, cause := range map[string]store.Cause{
		"08006": store.CauseIO, "08P01": store.CauseIO,
		"25006": store.CauseReadOnly, "25P03": store.CauseTimeout, "25P04": store.CauseTimeout,
		"40001": store.CauseDeadlock, "40P01": store.CauseDeadlock,
		"53100": store.CauseResources, "53200": store.CauseResources, "53300": store.CauseResources,
		"55P03": store.CauseTimeout, "57014": store.CauseTimeout, "57P01": store.CauseShutdown,
		"57P02": store.CauseShutdown, "57P03": store.CauseShutdown, "57P04": store.CauseOther, "57P05": store.CauseTimeout,
		"22001": "", "22003": "", "23502": "", "23503": "", "23505": "", "23514": "", "25001": "", "54000": "", "55000": "",
		"P0001": "", "XX000": "",
	} {
		t.Run(state, func(t *testing.T) {
			t.Parallel()
			seen := &failures{}
			c := failing(t, state, seen.option)
			_, err := c.Store.CreatePatient(t.Context(), c.Owner("Asha").Viewer, c.NewPatient("Arjun"))
			wantNothingOf(t, err, "Arjun", "MG Road", "+91", "1990")
			if cause != "" {
				wantCode(t, err, model.CodeUnavailable)
				testutil.Equal(t, "what is reported", seen.take(), []store.Failure{{Cause: cause, Operation: "create patient", SQLState: state}})
				return
			}
			testutil.Equal(t, "code", model.CodeOf(err), model.CodeInternal)
			testutil.Equal(t, "what is reported", seen.take(), nil)
			if !strings.Contains(err.Error(), "create patient: SQLSTATE "+state) {
				t.Errorf("for our log it says only %q", err)
			}
		})
	}
}

// TestErrors_OfTheDriverAreOutages: errors that PostgreSQL did not send.
func TestErrors_OfTheDriverAreOutages(t *testing.T) {
	t.Parallel()
	seen := &failures{}
	c := storetest.New(t, seen.option)
	refused := func(state string) error {
		_, err := pgconn.Connect(t.Context(), "postgres://127.0.0.1:1/db")
		return fmt.Errorf("%w: %w", err, &pgconn.PgError{Code: state})
	}
	for i, row := range []struct {
		err   error
		cause store.Cause
		state string
	}{
		{driver.ErrBadConn, store.CauseIO, ""},
		{fmt.Errorf("in a transaction: %w", driver.ErrBadConn), store.CauseIO, ""},
		{sql.ErrConnDone, store.CauseIO, ""},
		{io.ErrUnexpectedEOF, store.CauseIO, ""},
		{net.ErrClosed, store.CauseIO, ""},
		{&net.OpError{Op: "read", Err: syscall.ECONNRESET}, store.CauseIO, ""},
		{context.DeadlineExceeded, store.CauseTimeout, ""},
		{os.ErrDeadlineExceeded, store.CauseIO, ""}, // of the connection, not of the request
		{&pgpipe.AcquireError{Err: context.DeadlineExceeded}, store.CausePool, ""},
		{&pgpipe.AcquireError{Err: refused("28P01")}, store.CauseConnect, "28P01"},
		{refused("53300"), store.CauseResources, "53300"},
		{refused("57P03"), store.CauseShutdown, "57P03"},
		{refused("08P01"), store.CauseConnect, "08P01"},
	} {
		wantCode(t, store.Translate(t.Context(), c.Store, row.err), model.CodeUnavailable)
		seen.want(t, store.Failure{Cause: row.cause, Operation: "x", SQLState: row.state})
		if t.Failed() {
			t.Fatalf("row %d: %v", i, row.err)
		}
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	if err := store.Translate(gone, c.Store, driver.ErrBadConn); !errors.Is(err, context.Canceled) {
		t.Errorf("for a client that has gone: %v", err)
	}
	testutil.Equal(t, "reported about a client that has gone", seen.take(), nil)
}

// TestErrors_RealOutagesSayWhy: each is UNAVAILABLE, and the store reports the cause.
func TestErrors_RealOutagesSayWhy(t *testing.T) {
	t.Parallel()
	seen := &failures{}
	c := storetest.New(t, seen.option, func(o *store.Options) { o.Connections = 2 })
	asha := c.Owner("Asha")
	arjun := asha.Patient("Arjun")
	rename := func(s *store.Store, timeout time.Duration, apply func()) error {
		ctx, cancel := context.WithTimeout(t.Context(), timeout)
		defer cancel()
		_, err := s.UpdatePatient(ctx, asha.Viewer, arjun.ID, nil, []model.Change[model.Patient]{
			set("name", func(p *model.Patient) { apply(); p.Name = "Arjuna" }),
		})
		return err
	}
	kill := func() {
		c.Exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'")
	}
	t.Run("the connection ends between two statements", func(t *testing.T) {
		wantCode(t, rename(c.Store, time.Minute, kill), model.CodeUnavailable)
		got := seen.take() // PostgreSQL's last message arrives in time, or it does not
		if len(got) != 1 || got[0].Operation != "update Patient" || got[0].Cause != store.CauseShutdown && got[0].Cause != store.CauseIO {
			t.Errorf("reported is %v", got)
		}
	})
	t.Run("no connection is free", func(t *testing.T) {
		wantCode(t, rename(c.Store, time.Minute, func() {
			wantCode(t, errOf(c.Store.UpdateMe(late(t), asha.Viewer, nil)), model.CodeUnavailable)
			seen.want(t, store.Failure{Cause: store.CausePool, Operation: "update User"})
			kill()
		}), model.CodeUnavailable)
		seen.take()
	})
	t.Run("a row is locked", func(t *testing.T) {
		testutil.Must(t, rename(c.Store, time.Minute, func() {})) // so that there is a connection
		tx := ok(c.DB.BeginTx(t.Context(), nil))(t)
		defer func() { _ = tx.Rollback() }()
		ok(tx.ExecContext(t.Context(), "SELECT FROM patients FOR UPDATE"))(t)
		wantCode(t, rename(c.Store, time.Second, func() {}), model.CodeUnavailable)
		seen.want(t, store.Failure{Cause: store.CauseTimeout, Operation: "update Patient"})
	})
	t.Run("the server is read-only", func(t *testing.T) {
		c.Exec("ALTER DATABASE " + databaseOf(t, c.URL) + " SET default_transaction_read_only = on")
		s := ok(store.Open(t.Context(), c.URL, store.Options{Policy: storetest.Policy(t), Connections: 2, OnFailure: seen.add}))(t)
		defer s.Close()
		wantCode(t, rename(s, time.Minute, func() {}), model.CodeUnavailable)
		seen.want(t, store.Failure{Cause: store.CauseReadOnly, Operation: "update Patient", SQLState: "25006"})
		wantCode(t, errOf(s.CreatePatient(t.Context(), asha.Viewer, c.NewPatient("Bina"))), model.CodeUnavailable)
		seen.want(t, store.Failure{Cause: store.CauseReadOnly, Operation: "create patient", SQLState: "25006"})
	})
}

// late returns a context that ends very soon.
func late(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

// wantNothingOf checks that there is an error without any of the texts.
func wantNothingOf(t *testing.T, err error, texts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, text := range texts {
		if strings.Contains(fmt.Sprintf("%v %+v", err, err), text) {
			t.Errorf("the error holds %q: %v", text, err)
		}
	}
}

// The constraints hold without validation, too, and their errors reveal nothing.
func TestErrors_OfConstraintsNeverHoldTheRow(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	p := c.NewPatient("Arjun")
	p.Gender = "SECRET"
	_, err := c.Store.CreatePatient(t.Context(), asha.Viewer, p)
	wantNothingOf(t, err, "Arjun", "SECRET")
	testutil.Equal(t, "code", model.CodeOf(err), model.CodeInternal)

	arjun := asha.Patient("Arjun")
	_, err = c.Store.UpdatePatient(t.Context(), asha.Viewer, arjun.ID, nil, []model.Change[model.Patient]{
		set("gender", func(p *model.Patient) { p.Gender = "SECRET" }),
	})
	wantNothingOf(t, err, "Arjun", "SECRET")
	_, err = c.Store.CreatePatient(t.Context(), &model.Viewer{UserID: 999}, c.NewPatient("Banu"))
	wantNothingOf(t, err, "Banu", "999")
}

func TestErrors_WithoutTheDatabaseAreUnavailable(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	late, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	_, err := Patients(late, c.Store, asha.Viewer, PatientQuery{})
	wantCode(t, err, model.CodeUnavailable)
	_, err = c.Store.SessionViewer(late, asha.SessionID)
	wantCode(t, err, model.CodeUnavailable)
	_, err = c.Store.CreatePatient(late, asha.Viewer, c.NewPatient("Arjun"))
	wantCode(t, err, model.CodeUnavailable)

	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Patients(gone, c.Store, asha.Viewer, PatientQuery{})
	wantNothingOf(t, err, "SELECT")
}

func TestOpen_TellsNoPassword(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"postgres://caregraph:s3cret@[bad/db", "postgres://caregraph:s3cret@localhost:x/db", "host=localhost password=s3cret port=x",
		"postgres://caregraph:s3cret@127.0.0.1:1/db", "postgres://caregraph:s3cret@127.0.0.1:1/db?sslmode=s3cret",
	} {
		_, err := store.Open(t.Context(), url, store.Options{Policy: storetest.Policy(t)})
		wantNothingOf(t, err, "s3cret")
		wantNothingOf(t, store.Migrate(t.Context(), url, slog.New(slog.DiscardHandler)), "s3cret")
	}
}
