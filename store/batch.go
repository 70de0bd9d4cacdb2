package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	lru "github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/caregraph/caregraph/model"
)

// sessionQuery asks on whose behalf a session acts.
const sessionQuery = `SELECT u.id, u.role FROM sessions AS s JOIN users AS u ON u.id = s.user_id
	WHERE s.id = $1 AND s.ended_at IS NULL AND s.expires_at > now() AND u.is_active`

// ReadConfirming does the reads on behalf of a viewer, all in one round trip and
// one snapshot, and returns on whose behalf the viewer's session acts now. It
// fills in the reads only if that is the viewer that was given: if not, what
// they read is thrown away. It returns nil, without an error, when the session
// has ended or expired or its account is not active.
func (s *Store) ReadConfirming(ctx context.Context, v *model.Viewer, reads []*Read) (*model.Viewer, error) {
	if v == nil {
		return nil, nil //nolint:nilnil // no viewer is an answer
	}
	session := &statement{text: []byte(sessionQuery), args: [][]byte{[]byte(v.SessionID)}}
	results, err := s.results(ctx, v, []*statement{session}, reads)
	if err != nil {
		return nil, err
	}
	actual := sessionViewer(results[0], v.SessionID)
	results[0].Release()
	if actual != nil && *actual == *v {
		fill(reads, results[1:])
		return actual, nil
	}
	for _, rows := range results[1:] {
		rows.Release()
	}
	return actual, nil
}

// Read is ReadConfirming for a viewer that was confirmed a moment ago.
func (s *Store) Read(ctx context.Context, v *model.Viewer, reads []*Read) error {
	switch {
	case v == nil:
		return unauthenticated()
	case len(reads) == 0:
		return nil
	}
	results, err := s.results(ctx, v, nil, reads)
	if err == nil {
		fill(reads, results)
	}
	return err
}

func fill(reads []*Read, results []*Rows) {
	for i, rows := range results {
		reads[i].Rows = rows
	}
}

func (s *Store) results(ctx context.Context, v *model.Viewer, statements []*statement, reads []*Read) ([]*Rows, error) {
	for _, r := range reads {
		st := r.statement(v)
		if st.err != nil {
			return nil, st.err
		}
		statements = append(statements, st)
	}
	results, err := s.batch(ctx, statements)
	return results, translate("read", err)
}

func sessionViewer(rows *Rows, sessionID string) *model.Viewer {
	if rows.Len() == 0 {
		return nil
	}
	role, _ := rows.Value(0, 1)
	return &model.Viewer{UserID: rows.Int64(0, 0), Role: model.Role(role), SessionID: sessionID}
}

// batch sends all statements at once, each prepared on its connection when it
// is met for the first time. PostgreSQL runs what comes before one Sync in one
// transaction, here with one snapshot.
func (s *Store) batch(ctx context.Context, statements []*statement) ([]*Rows, error) {
	conn, err := s.reads.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("acquire a connection: %w", err)
	}
	defer conn.Release()
	if s.tracer != nil {
		for _, st := range statements {
			ended := s.tracer.TraceQueryStart(ctx, conn.Conn(), pgx.TraceQueryStartData{SQL: string(st.text)})
			defer s.tracer.TraceQueryEnd(ended, conn.Conn(), pgx.TraceQueryEndData{})
		}
	}
	results, err := pipeline(ctx, conn.Conn().PgConn(), statements)
	if err != nil {
		// What is prepared on the connection is uncertain now, as after a
		// migration: the next read gets another connection.
		_ = conn.Conn().Close(ctx)
		return nil, err
	}
	return results, nil
}

var binaryFormat = []int16{pgx.BinaryFormatCode}

func pipeline(ctx context.Context, conn *pgconn.PgConn, statements []*statement) (results []*Rows, err error) {
	known := preparedOn(conn)
	var described []*pgconn.StatementDescription
	p := conn.StartPipeline(ctx)
	defer func() { err = errors.Join(err, p.Close()) }()
	for _, st := range statements {
		description, ok := known.Get(string(st.text))
		if ok && description.Fields != nil {
			p.SendQueryStatement(description, st.args, nil, binaryFormat)
			continue
		}
		if !ok {
			description = known.add(string(st.text))
			described = append(described, description)
			for _, stale := range known.takeEvicted() {
				p.SendDeallocate(stale)
			}
			p.SendPrepare(description.Name, description.SQL, nil)
		}
		p.SendQueryPrepared(description.Name, st.args, nil, binaryFormat) // tells of its columns, too
	}
	if err := p.Sync(); err != nil {
		return nil, fmt.Errorf("send: %w", err)
	}
	results = make([]*Rows, 0, len(statements))
	for {
		result, err := p.GetResults()
		if err != nil {
			return nil, fmt.Errorf("receive: %w", err)
		}
		switch result := result.(type) {
		case *pgconn.StatementDescription:
			described[0].Fields, described = result.Fields, described[1:]
		case *pgconn.ResultReader:
			rows := newRows()
			for result.NextRow() {
				rows.add(result.Values())
			}
			if _, err := result.Close(); err != nil {
				return nil, fmt.Errorf("receive: %w", err)
			}
			results = append(results, rows)
		case *pgconn.PipelineSync:
			return results, nil
		case nil:
			return nil, errors.New("receive: the results broke off")
		}
	}
}

// prepared is the statements of one connection, by their texts: the latest that
// were used, so that PostgreSQL does not keep whatever anybody ever asked for.
type prepared struct {
	*lru.LRU[string, *pgconn.StatementDescription]

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
		known.LRU, _ = lru.NewLRU(mostPrepared, func(_ string, d *pgconn.StatementDescription) { // fails for a size below 1 only
			known.evicted = append(known.evicted, d.Name)
		})
		conn.CustomData()[preparedKey] = known
	}
	return known
}

// add gives the statement its name.
func (p *prepared) add(text string) *pgconn.StatementDescription {
	p.made++
	d := &pgconn.StatementDescription{Name: "read" + strconv.Itoa(p.made), SQL: text}
	p.Add(text, d)
	return d
}

func (p *prepared) takeEvicted() []string {
	taken := p.evicted
	p.evicted = nil
	return taken
}
