package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
	"unique"

	lru "github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/caregraph/caregraph/model"
)

// ReadConfirming does the reads on behalf of a viewer, all in one round trip and
// one snapshot, if the viewer's session lives, and returns on whose behalf it
// acts now. The reads are filled in only if that is the viewer that was given.
// It returns nil, without an error, when the session has ended or expired or its
// account is not active.
func (s *Store) ReadConfirming(ctx context.Context, v *model.Viewer, reads []*Read) (*model.Viewer, error) {
	if v == nil {
		return nil, nil //nolint:nilnil // no viewer is an answer
	}
	asked, session := s.living.moment(), askSession(v.SessionID)
	results, err := s.results(ctx, v, reads, session)
	if err != nil {
		return nil, err
	}
	actual := s.learn(asked, v.SessionID, session.rows)
	session.rows.Release()
	if actual != nil && *actual == *v {
		return actual, fill(reads, results, nil)
	}
	for _, rows := range results {
		rows.Release()
	}
	return actual, nil
}

// SessionViewer asks on whose behalf a session acts: nil, without an error, when
// the session has ended or expired or its account is not active.
func (s *Store) SessionViewer(ctx context.Context, sessionID string) (*model.Viewer, error) {
	asked, session := s.living.moment(), askSession(sessionID)
	if err := s.batch(ctx, session); err != nil {
		return nil, translate("read session", err)
	}
	defer session.rows.Release()
	return s.learn(asked, sessionID, session.rows), nil
}

// askSession asks for the milliseconds that are left, too, by one clock; at most
// those of a day.
func askSession(id string) *statement {
	return &statement{
		text: unique.Make(`SELECT u.id, u.role, (extract(epoch FROM least(s.expires_at, now() + interval '1 day') - now()) * 1000)::bigint,
			(SELECT max(d.id) FROM doctors AS d WHERE d.account_id = u.id AND d.is_verified AND d.deleted_at IS NULL)
			FROM sessions AS s JOIN users AS u ON u.id = s.user_id
			WHERE s.id = $1 AND s.ended_at IS NULL AND s.expires_at > now() AND u.is_active`),
		args: [][]byte{[]byte(id)},
	}
}

// learn notes what askSession was answered.
func (s *Store) learn(asked moment, id string, rows *Rows) (v *model.Viewer) {
	var left time.Duration
	var entry int64
	if rows.Len() > 0 {
		role, _ := rows.Value(0, 1)
		v = &model.Viewer{UserID: rows.Int64(0, 0), Role: model.Role(role), SessionID: id}
		left = time.Duration(rows.Int64(0, 2)) * time.Millisecond
		if value, ok := rows.Value(0, 3); ok {
			entry = BigInt(value)
		}
	}
	s.living.learn(asked, id, v, left, entry)
	return v
}

// Read is ReadConfirming for a viewer that was confirmed a moment ago.
func (s *Store) Read(ctx context.Context, v *model.Viewer, reads []*Read) error {
	switch {
	case v == nil:
		return unauthenticated()
	case len(reads) == 0:
		return nil
	}
	results, err := s.results(ctx, v, reads)
	return fill(reads, results, err)
}

// fill gives the reads their results, unless there was an error.
func fill(reads []*Read, results []*Rows, err error) error {
	for i, rows := range results {
		reads[i].Rows = rows
	}
	return err
}

// byValues has PostgreSQL plan what follows in the same transaction for its
// values.
const byValues = "SELECT set_config('plan_cache_mode', 'auto', true)"

// results does the reads, and further statements after them, and returns the rows
// of each read. How to find the few rows that a search or a filter asks for
// depends on its values; everything else is found the same way each time, and
// planned once.
func (s *Store) results(ctx context.Context, v *model.Viewer, reads []*Read, more ...*statement) ([]*Rows, error) {
	foldAll(reads)
	statements := make([]*statement, 0, 1+len(reads)+len(more))
	if slices.ContainsFunc(reads, func(r *Read) bool { return r.selective }) {
		statements = append(statements, &statement{text: unique.Make(byValues)})
	}
	for _, r := range reads {
		if r.foldedInto != nil {
			continue
		}
		r.sent = r.statement(v)
		if r.sent.err != nil {
			return nil, r.sent.err
		}
		statements = append(statements, r.sent)
	}
	send := s.batch
	if s.lookups(v, reads) {
		send = s.share
	}
	if err := send(ctx, append(statements, more...)...); err != nil {
		return nil, translate("read", err)
	}
	rows := make([]*Rows, len(reads))
	for i, r := range reads {
		if r.foldedInto != nil {
			rows[i] = r.foldedInto.sent.above
		} else {
			rows[i] = r.sent.rows
		}
	}
	return rows, nil
}

// batch sends all statements at once, each prepared on its connection when it
// is met for the first time, and gives them their rows. PostgreSQL runs what
// comes before one Sync in one transaction, here with one snapshot.
func (s *Store) batch(ctx context.Context, statements ...*statement) error {
	return s.batchOn(ctx, s.reads, statements...)
}

// batchOn is batch on a connection of one of the pools. What was written is
// durable then.
func (s *Store) batchOn(ctx context.Context, pool *pgxpool.Pool, statements ...*statement) error {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("acquire a connection: %w", err)
	}
	defer conn.Release()
	return s.send(ctx, conn, statements)
}

// send is batchOn on a connection.
func (s *Store) send(ctx context.Context, conn *pgxpool.Conn, statements []*statement) error {
	if s.tracer != nil {
		for _, st := range statements {
			ended := s.tracer.TraceQueryStart(ctx, conn.Conn(), pgx.TraceQueryStartData{SQL: st.text.Value()})
			defer s.tracer.TraceQueryEnd(ended, conn.Conn(), pgx.TraceQueryEndData{})
		}
	}
	err := pipeline(ctx, conn.Conn().PgConn(), statements)
	if err != nil && !violates(err) {
		// What is prepared on the connection is uncertain now, as after a
		// migration: who comes next gets another connection.
		_ = conn.Conn().Close(ctx)
	}
	return err
}

var binaryFormat = []int16{pgx.BinaryFormatCode}

func pipeline(ctx context.Context, conn *pgconn.PgConn, statements []*statement) (err error) {
	known := preparedOn(conn)
	if len(statements) == 1 { // as most are, which costs less without a pipeline
		st := statements[0]
		if description, ok := known.Get(st.text); ok && description.Fields != nil {
			return st.receive(conn.ExecStatement(ctx, description, st.args, nil, binaryFormat))
		}
	}
	var described []*pgconn.StatementDescription
	p := conn.StartPipeline(ctx)
	defer func() { err = errors.Join(err, p.Close()) }()
	for _, st := range statements {
		description, ok := known.Get(st.text)
		if ok && description.Fields != nil {
			p.SendQueryStatement(description, st.args, nil, binaryFormat)
			continue
		}
		if !ok {
			description = known.add(st.text)
			described = append(described, description)
			for _, stale := range known.takeEvicted() {
				p.SendDeallocate(stale)
			}
			p.SendPrepare(description.Name, description.SQL, nil)
		}
		p.SendQueryPrepared(description.Name, st.args, nil, binaryFormat) // tells of its columns, too
	}
	if err := p.Sync(); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	for {
		result, err := p.GetResults()
		if err != nil {
			return fmt.Errorf("receive: %w", err)
		}
		switch result := result.(type) {
		case *pgconn.StatementDescription:
			described[0].Fields, described = result.Fields, described[1:]
		case *pgconn.ResultReader:
			if err := statements[0].receive(result); err != nil {
				return err
			}
			statements = statements[1:]
		case *pgconn.PipelineSync:
			return nil
		case nil:
			return errors.New("receive: the results broke off")
		}
	}
}

// receive takes the rows of the statement.
func (st *statement) receive(result *pgconn.ResultReader) error {
	st.rows = newRows()
	if st.fold != nil {
		st.above = newRows()
	}
	for result.NextRow() {
		if st.fold != nil {
			st.fold.add(st.above, st.rows, result.Values())
		} else {
			st.rows.add(result.Values())
		}
	}
	if _, err := result.Close(); err != nil {
		return fmt.Errorf("receive: %w", err)
	}
	if st.then != nil {
		st.then()
	}
	return nil
}

// prepared is the statements of one connection, by their texts: the latest that
// were used, so that PostgreSQL does not keep whatever anybody ever asked for.
type prepared struct {
	*lru.LRU[unique.Handle[string], *pgconn.StatementDescription]

	made    int
	evicted []string
}

// mostPrepared is how many statements a connection keeps; one takes some 50 KB
// of PostgreSQL's memory.
const mostPrepared = 100

const preparedKey = "caregraph prepared"

func preparedOn(conn *pgconn.PgConn) *prepared {
	known, ok := conn.CustomData()[preparedKey].(*prepared)
	if !ok {
		known = &prepared{}
		known.LRU, _ = lru.NewLRU(mostPrepared, func(_ unique.Handle[string], d *pgconn.StatementDescription) { // fails for a size below 1 only
			known.evicted = append(known.evicted, d.Name)
		})
		conn.CustomData()[preparedKey] = known
	}
	return known
}

// add gives the statement its name.
func (p *prepared) add(text unique.Handle[string]) *pgconn.StatementDescription {
	p.made++
	d := &pgconn.StatementDescription{Name: "read" + strconv.Itoa(p.made), SQL: text.Value()}
	p.Add(text, d)
	return d
}

func (p *prepared) takeEvicted() []string {
	taken := p.evicted
	p.evicted = nil
	return taken
}
