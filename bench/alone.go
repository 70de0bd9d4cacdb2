package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// alone is the CPU of the parts of a request, each measured alone, in
// milliseconds. Together they are the limit: what a server costs that does
// nothing else and wakes nothing in vain.
type alone struct {
	// HTTP is net/http with a fixed answer of the same length, under the same load.
	HTTP float64 `json:"httpMs"`
	// RoundTrip is the client's part of a statement that does nothing. PostgreSQL's
	// part is in PostgreSQL.
	RoundTrip float64 `json:"roundTripMs"`
	// PostgreSQL is the statement of the tuned floor on one connection. Writes
	// share commits.
	PostgreSQL float64 `json:"postgresMs"`
	// Encoding is the JSON of the answer, made of rows in memory.
	Encoding float64 `json:"encodingMs"`
	Limit    float64 `json:"limitMs"`
}

const (
	aloneWarmUp = 250 * time.Millisecond
	aloneTime   = time.Second
)

// alone measures the parts of a call.
func (b *benchmark) alone(ctx context.Context, s *stage, load workload, c call) (a alone, err error) {
	p, err := newParts(ctx, s.dataset.url, load, c)
	if err != nil {
		return a, fmt.Errorf("the parts of %s: %w", load.name, err)
	}
	defer func() { err = errors.Join(err, p.close(ctx)) }()
	win := window{aloneWarmUp, min(aloneTime, b.plan.counted)}
	// The floor that wakes least answers.
	f, err := measure(ctx, s.floors[len(s.floors)-1].process, b.cluster.pid, p.onlyHTTP(), win)
	if err != nil {
		return a, err
	}
	a.HTTP = f.ServerCPU
	for _, part := range []struct {
		figure *float64
		pid    int
		do     func(context.Context) error
	}{
		{&a.RoundTrip, os.Getpid(), p.roundTrip},
		{&a.PostgreSQL, p.backend(), p.execute},
		{&a.Encoding, os.Getpid(), p.encode},
	} {
		if *part.figure, err = perCall(ctx, part.pid, win, part.do); err != nil {
			return a, err
		}
	}
	a.PostgreSQL /= float64(p.together())
	a.Limit = a.HTTP + a.RoundTrip + a.PostgreSQL + a.Encoding
	b.say(fmt.Sprintf("  %s %-14s %.3f ms", load.name, "limit", a.Limit))
	if load.writes {
		err = s.dataset.tidy(ctx)
	}
	return a, err
}

// perCall returns the CPU of a process, in milliseconds for each call of do.
func perCall(ctx context.Context, pid int, win window, do func(context.Context) error) (float64, error) {
	repeat := func(d time.Duration) (calls int, err error) {
		for end := time.Now().Add(d); calls == 0 || time.Now().Before(end); calls++ {
			if err := errors.Join(ctx.Err(), do(ctx)); err != nil {
				return 0, err
			}
		}
		return calls, nil
	}
	if _, err := repeat(win.warmUp); err != nil {
		return 0, err
	}
	before, err := processClock(pid)
	if err != nil {
		return 0, err
	}
	calls, err := repeat(win.counted)
	if err != nil {
		return 0, err
	}
	after, err := processClock(pid)
	return milliseconds(after-before) / float64(calls), err
}

// parts are what one call of a workload needs, on one connection of the tuned
// floor.
type parts struct {
	db        *pgx.Conn
	task      task
	arguments []any
	request   *http.Request
	body      []byte
	// scratch has the answer, rows those of which it is made.
	scratch *scratch
	rows    []flatRow
}

// newParts answers the call once and keeps the rows.
func newParts(ctx context.Context, url string, load workload, c call) (_ *parts, err error) {
	o := floorOptions{tuned: true}
	config, err := o.config(url)
	if err != nil {
		return nil, err
	}
	p := &parts{task: o.tasks()[load.name], scratch: newScratch()}
	if err := p.ask(load, c); err != nil {
		return nil, err
	}
	if p.db, err = pgx.ConnectConfig(ctx, config.ConnConfig); err != nil {
		return nil, err
	}
	rows, _ := p.db.Query(ctx, p.task.sql, p.arguments...) // the rows have the error
	kept := &keptRows{Rows: rows, row: &p.scratch.flatRow}
	if err := p.task.write(p.scratch, kept); err != nil {
		return nil, errors.Join(err, p.close(ctx))
	}
	p.rows = kept.rows
	return p, nil
}

// ask takes the arguments from the request as the floor does.
func (p *parts) ask(load workload, c call) error {
	text, err := floorRequest(load, c)
	if err != nil {
		return err
	}
	if p.request, err = http.ReadRequest(bufio.NewReader(bytes.NewReader(text))); err != nil {
		return err
	}
	_, p.body, _ = bytes.Cut(text, []byte("\r\n\r\n"))
	mux := http.NewServeMux()
	mux.HandleFunc(p.task.pattern, func(_ http.ResponseWriter, r *http.Request) {
		p.arguments, err = p.task.arguments(r)
	})
	mux.ServeHTTP(nil, p.request)
	return err
}

func (p *parts) close(ctx context.Context) error { return p.db.Close(ctx) }

func (p *parts) backend() int { return int(p.db.PgConn().PID()) }

// onlyHTTP asks for an answer of the same length.
func (p *parts) onlyHTTP() script {
	body := p.body
	if p.request.Method == http.MethodGet {
		body = nil
	}
	return always(httpRequest(p.request.Method, "/HTTP/"+strconv.Itoa(len(p.scratch.buf)), body))
}

func (p *parts) roundTrip(ctx context.Context) error {
	var n int64
	return p.db.QueryRow(ctx, "SELECT $1::bigint", 1).Scan(&n)
}

// together is how many statements share a round trip, and so a commit.
func (p *parts) together() int {
	if p.task.writes {
		return connections
	}
	return 1
}

func (p *parts) execute(ctx context.Context) error {
	batch := &pgx.Batch{}
	for range p.together() {
		batch.Queue(p.task.sql, p.arguments...)
	}
	return p.db.SendBatch(ctx, batch).Close()
}

func (p *parts) encode(context.Context) error {
	p.scratch.buf = p.scratch.buf[:0]
	return p.task.write(p.scratch, &memoryRows{rows: p.rows, row: &p.scratch.flatRow})
}

// keptRows keeps copies of the rows that are read.
type keptRows struct {
	pgx.Rows
	row  *flatRow // the target of every scan
	rows []flatRow
}

// Scan reads the row and keeps it.
func (k *keptRows) Scan(columns ...any) error {
	if err := k.Rows.Scan(columns...); err != nil {
		return err
	}
	for _, c := range columns {
		if t, isText := c.(*text); isText {
			*t = bytes.Clone(*t)
		}
	}
	k.rows = append(k.rows, *k.row)
	return nil
}

// memoryRows are kept rows to read again.
type memoryRows struct {
	pgx.Rows // has no methods besides those below
	row      *flatRow
	rows     []flatRow
	read     int
}

// Next goes to the next row.
func (m *memoryRows) Next() bool {
	m.read++
	return m.read <= len(m.rows)
}

// Scan copies the row to where it was read from.
func (m *memoryRows) Scan(...any) error {
	*m.row = m.rows[m.read-1]
	return nil
}

// Close does nothing.
func (m *memoryRows) Close() {}

// Err returns nil.
func (m *memoryRows) Err() error { return nil }

// CommandTag has the number of rows.
func (m *memoryRows) CommandTag() pgconn.CommandTag {
	return pgconn.NewCommandTag("SELECT " + strconv.Itoa(len(m.rows)))
}
