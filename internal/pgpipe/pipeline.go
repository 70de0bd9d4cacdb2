// Package pgpipe is the wire layer under the store. It sends prepared statements to
// PostgreSQL in pipelines, caches them for each connection, coalesces small reads of
// concurrent requests into one round trip, and returns rows in PostgreSQL's binary
// format. It never contains SQL or knows a record type.
package pgpipe

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// AcquireError reports that the pool had no connection: all were in use until the
// context ended, or none could be opened.
type AcquireError struct{ Err error }

func (e *AcquireError) Error() string { return "acquire a connection: " + e.Err.Error() }

// Unwrap returns the error of the pool.
func (e *AcquireError) Unwrap() error { return e.Err }

// Run sends all statements in one round trip and fills in their rows. Each is
// prepared on its connection on first use. PostgreSQL runs everything before one
// Sync in one transaction: what was written is durable when Run returns.
func (p *Pool) Run(ctx context.Context, statements ...*Statement) error {
	r := requestOf(ctx)
	r.sends(len(statements))
	conn, err := p.acquire(ctx, r.client(), r)
	if err != nil {
		return err
	}
	defer conn.Release()
	return p.send(ctx, conn.Conn, statements)
}

// send is Run on a connection.
func (p *Pool) send(ctx context.Context, conn *pgxpool.Conn, statements []*Statement) error {
	if p.tracer != nil {
		for _, st := range statements {
			ended := p.tracer.TraceQueryStart(ctx, conn.Conn(), pgx.TraceQueryStartData{SQL: st.Text.Value()})
			defer p.tracer.TraceQueryEnd(ended, conn.Conn(), pgx.TraceQueryEndData{})
		}
	}
	began := p.begin()
	err := p.pipeline(ctx, conn.Conn().PgConn(), statements)
	p.ended(ctx, began, len(statements), statements)
	if err != nil && !violates(err) {
		// The cache of prepared statements may be wrong now, for example after a
		// migration. The next request gets another connection.
		_ = conn.Conn().Close(ctx)
	}
	return err
}

const violationClass = "23"

// violates reports whether only a constraint failed.
func violates(err error) bool {
	pgErr, ok := errors.AsType[*pgconn.PgError](err)
	return ok && strings.HasPrefix(pgErr.Code, violationClass)
}

var binaryFormat = []int16{pgx.BinaryFormatCode}

func (p *Pool) pipeline(ctx context.Context, conn *pgconn.PgConn, statements []*Statement) error {
	if len(p.Opening) > 0 {
		opened := make([]*Statement, 0, len(p.Opening)+len(statements))
		for _, text := range p.Opening {
			st := NewStatement(text)
			defer func() {
				if st.Rows != nil {
					st.Rows.Release()
				}
			}()
			opened = append(opened, st)
		}
		statements = append(opened, statements...)
	}
	if p.Unnamed {
		return unnamed(ctx, conn, statements)
	}
	return named(ctx, conn, statements)
}

func unnamed(ctx context.Context, conn *pgconn.PgConn, statements []*Statement) (err error) {
	p := conn.StartPipeline(ctx)
	defer func() { err = errors.Join(err, p.Close()) }()
	for _, st := range statements {
		p.SendQueryParams(st.Text.Value(), st.Args, nil, nil, binaryFormat)
	}
	return results(conn, p, statements, nil)
}

// named prepares each statement that the connection does not know.
func named(ctx context.Context, conn *pgconn.PgConn, statements []*Statement) (err error) {
	cache := preparedCache(conn)
	if len(statements) == 1 { // the usual case, which is cheaper without a pipeline
		st := statements[0]
		if description, ok := cache.Get(st.Text); ok && description.Fields != nil {
			return st.receive(conn, conn.ExecStatement(ctx, description, st.Args, nil, binaryFormat))
		}
	}
	var described []*pgconn.StatementDescription
	p := conn.StartPipeline(ctx)
	defer func() { err = errors.Join(err, p.Close()) }()
	for _, st := range statements {
		description, ok := cache.Get(st.Text)
		if ok && description.Fields != nil {
			p.SendQueryStatement(description, st.Args, nil, binaryFormat)
			continue
		}
		if !ok {
			description = cache.add(st.Text)
			described = append(described, description)
			for _, stale := range cache.takeEvicted() {
				p.SendDeallocate(stale)
			}
			p.SendPrepare(description.Name, description.SQL, nil)
		}
		p.SendQueryPrepared(description.Name, st.Args, nil, binaryFormat) // also describes the columns
	}
	return results(conn, p, statements, described)
}

// results sends a pipeline and receives its rows, and the columns of the statements
// that it describes.
func results(conn *pgconn.PgConn, p *pgconn.Pipeline, statements []*Statement, described []*pgconn.StatementDescription) error {
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
			if err := statements[0].receive(conn, result); err != nil {
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

// receive reads the rows of the statement.
func (st *Statement) receive(conn *pgconn.PgConn, result *pgconn.ResultReader) error {
	st.Rows = newRows()
	if st.Split != nil {
		st.Above = newRows()
	}
	counted := 0
	var whole [][]byte
	for result.NextRow() {
		values := result.Values()
		if len(st.Constants) > 0 {
			whole = insert(st.Constants, whole, values)
			values = whole
		}
		if st.Split != nil {
			st.Split.add(st.Above, st.Rows, values)
		} else {
			st.Rows.add(values)
		}
		if st.Meter != nil && st.Rows.Size()-counted > meterStep {
			if err := st.Meter.Add(st.Rows.Size() - counted); err != nil {
				_ = conn.Conn().Close() // the caller closes the rest
				return err
			}
			counted = st.Rows.Size()
		}
	}
	if _, err := result.Close(); err != nil {
		return fmt.Errorf("receive: %w", err)
	}
	if st.done != nil {
		st.done()
	}
	return nil
}
