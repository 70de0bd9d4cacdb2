package store_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/query"
	"github.com/caregraph/caregraph/store/storetest"
)

// The stores here have one connection for reads. A read that does not release it
// blocks all others.
func oneConnection(o *store.Options) { o.Connections = 2 }

// beforeQuery is a tracer that does something before a statement is sent.
type beforeQuery struct {
	mu   sync.Mutex
	conn *pgx.Conn
	do   func(sql string)
}

func (w *beforeQuery) TraceQueryStart(ctx context.Context, conn *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conn = conn
	if w.do != nil {
		w.do(data.SQL)
	}
	return ctx
}

func (*beforeQuery) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// nameNodes are a node of patients with their names, and one of the mappings of each
// with their notes.
type nameNodes struct {
	patients, mappings *query.Node
	name, notes        int
}

func newNameNodes(t *testing.T, s *store.Store) nameNodes {
	t.Helper()
	n := nameNodes{patients: nodeOf(t, s, "Patient")}
	n.name = ok(n.patients.Record().Column("Name"))(t)
	n.mappings = mappingsOf(n.patients.Record())
	n.notes = ok(n.mappings.Record().Column("Notes"))(t)
	return n
}

// loads returns the patients of the viewer, and the mappings of each.
func (n nameNodes) loads(t *testing.T, v *model.Viewer) []*query.Load {
	t.Helper()
	patients := ok(n.patients.List(v, argsOf(PatientQuery{})))(t)
	return []*query.Load{patients, ok(n.mappings.ListOf(patients, listArgs(model.PageArgs{}, nil)))(t)}
}

// wantLoaded checks that the connection works and reads the data of ownerWithMapping.
func (n nameNodes) wantLoaded(t *testing.T, s *store.Store, v *model.Viewer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	loads := n.loads(t, v)
	if err := fetch(ctx, s, v, loads); err != nil {
		t.Fatal(err)
	}
	name, _ := loads[0].Rows.Value(0, n.name)
	testutil.Equal(t, "the name", string(name), "Arjun")
	testutil.Equal(t, "mappings", loads[1].Rows.Len(), 1)
}

// ownerWithMapping returns an owner with one patient, Arjun, who has one doctor.
func ownerWithMapping(c *storetest.Clinic) *storetest.Account {
	asha := c.Owner("Asha")
	asha.Assign(asha.Patient("Arjun"), asha.Entry("Dr. Rao"))
	return asha
}

// TestRead_ManyDifferentStatements, in one batch and one after the other: the
// connection keeps only the latest of them.
func TestRead_ManyDifferentStatements(t *testing.T) {
	t.Parallel()
	seen := &beforeQuery{}
	c := storetest.New(t, oneConnection, func(o *store.Options) { o.Tracer = seen })
	asha := ownerWithMapping(c)
	n := newNameNodes(t, c.Store)
	sized := func(size int, last bool) *query.Load {
		args := model.PageArgs{First: &size}
		if last {
			args = model.PageArgs{Last: &size}
		}
		return ok(n.patients.List(asha.Viewer, argsOf(PatientQuery{Page: args})))(t)
	}
	for range 2 {
		var all []*query.Load
		for size := range 100 {
			for _, last := range []bool{false, true} {
				all = append(all, sized(size, last))
			}
		}
		if err := fetch(t.Context(), c.Store, asha.Viewer, all); err != nil {
			t.Fatal(err)
		}
		for _, load := range all {
			testutil.Equal(t, "patients", load.Rows.Len(), 1)
		}
		n.wantLoaded(t, c.Store, asha.Viewer)
	}
	var prepared int
	if err := seen.conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_prepared_statements").Scan(&prepared); err != nil {
		t.Fatal(err)
	}
	if prepared > 100 {
		t.Errorf("PostgreSQL keeps %d statements", prepared)
	}
}

// TestRead_EqualStatementsInOneBatch: each has its own result, also if none of them has
// been prepared.
func TestRead_EqualStatementsInOneBatch(t *testing.T) {
	t.Parallel()
	c := storetest.New(t, oneConnection)
	asha := c.Owner("Asha")
	node := nodeOf(t, c.Store, "Patient")
	var loads []*query.Load
	var ids []int64
	for _, name := range []string{"Arjun", "Bina", "Chandra"} {
		ids = append(ids, asha.Patient(name).ID)
		loads = append(loads, node.One(ids[len(ids)-1]))
	}
	for range 2 {
		if err := fetch(t.Context(), c.Store, asha.Viewer, loads); err != nil {
			t.Fatal(err)
		}
		for i, load := range loads {
			testutil.Equal(t, "the id", load.Rows.Int64(0, 0), ids[i])
		}
	}
}

// TestRead_AfterAnError: the connection is closed, and the next load has another one,
// with nothing prepared.
func TestRead_AfterAnError(t *testing.T) {
	t.Parallel()
	c := storetest.New(t, oneConnection)
	asha := ownerWithMapping(c)
	known, fresh := newNameNodes(t, c.Store), newNameNodes(t, c.Store)
	ok(fresh.mappings.Record().Column("EndedAt"))(t) // it is prepared in a batch that fails
	known.wantLoaded(t, c.Store, asha.Viewer)
	wantFailure := func(n nameNodes) {
		err := fetch(t.Context(), c.Store, asha.Viewer, n.loads(t, asha.Viewer))
		if err == nil || strings.Contains(err.Error(), "Arjun") || strings.Contains(err.Error(), "notes") {
			t.Errorf("error is %v", err)
		}
	}
	c.Exec("ALTER TABLE mappings RENAME COLUMN notes TO remarks")
	wantFailure(known)
	wantFailure(fresh)
	c.Exec("ALTER TABLE mappings RENAME COLUMN remarks TO notes")
	fresh.wantLoaded(t, c.Store, asha.Viewer)
	known.wantLoaded(t, c.Store, asha.Viewer)

	c.Exec("ALTER TABLE mappings ALTER COLUMN notes TYPE varchar") // what is prepared has another result now
	wantFailure(known)
	known.wantLoaded(t, c.Store, asha.Viewer)
}

// TestRead_StoppedInTheMiddle: if the client or PostgreSQL cancels the second of two
// statements, the next load still works.
func TestRead_StoppedInTheMiddle(t *testing.T) {
	t.Parallel()
	c := storetest.New(t, oneConnection)
	asha := ownerWithMapping(c)
	hasty := ok(store.Open(t.Context(), c.URL+separator(c.URL)+"statement_timeout=1s", store.Options{Policy: storetest.Policy(t), Connections: 2}))(t)
	t.Cleanup(hasty.Close)
	for s, patience := range map[*store.Store]time.Duration{
		c.Store: 200 * time.Millisecond, // the context ends
		hasty:   time.Minute,            // the statement takes too long
	} {
		n := newNameNodes(t, s)
		n.wantLoaded(t, s, asha.Viewer)
		tx := ok(c.DB.BeginTx(t.Context(), nil))(t)
		if _, err := tx.ExecContext(t.Context(), "LOCK TABLE mappings IN ACCESS EXCLUSIVE MODE"); err != nil {
			t.Fatal(err)
		}
		for _, confirming := range []bool{false, true} {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			loads := n.loads(t, asha.Viewer)
			var err error
			if confirming {
				_, err = fetchConfirming(ctx, s, asha.Viewer, loads)
			} else {
				err = fetch(ctx, s, asha.Viewer, loads)
			}
			cancel()
			wantCode(t, err, model.CodeUnavailable)
			testutil.Equal(t, "rows", loads[0].Rows, nil)
		}
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
		n.wantLoaded(t, s, asha.Viewer)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	n := newNameNodes(t, c.Store)
	if err := fetch(canceled, c.Store, asha.Viewer, n.loads(t, asha.Viewer)); !errors.Is(err, context.Canceled) && model.CodeOf(err) != model.CodeUnavailable {
		t.Errorf("error is %v", err)
	}
	n.wantLoaded(t, c.Store, asha.Viewer)
}

func separator(url string) string {
	if strings.Contains(url, "?") {
		return "&"
	}
	return "?"
}
