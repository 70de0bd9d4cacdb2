package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/caregraph/caregraph/internal/host"
)

// floorOptions tell the floors apart.
type floorOptions struct {
	// tuned gives the floor what our server has: no sort of sorted rows, answers
	// in one piece, a pool for reads and one for writes. Without it, it is the
	// floor of version 0.1, to which the goals refer.
	tuned bool
	// half leaves half of the processors to PostgreSQL, as our server does.
	half bool
}

// floors lists all floors; the first one is that of the goals.
func floors() []floorOptions {
	return []floorOptions{{}, {tuned: true}, {half: true}, {tuned: true, half: true}}
}

func (o floorOptions) name() string {
	name := "floor-0.1"
	if o.tuned {
		name = "floor"
	}
	if o.half {
		name += " half"
	}
	return name
}

// floorConnections is the size of a pool. The tuned floor reads with
// readConnections, which is enough to keep PostgreSQL busy.
const floorConnections = 10

func readConnections() int { return 2*runtime.NumCPU() + 1 }

// config has the settings of the floor's connections. The URL is not in an
// error, because it may hold a password.
func (o floorOptions) config(url string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errors.New("the floor needs the address of a database")
	}
	settings := config.ConnConfig.RuntimeParams
	// Otherwise a small LIMIT makes PostgreSQL plan the statement every time.
	settings["plan_cache_mode"] = "force_generic_plan"
	if o.tuned {
		// Nested loops keep the order of their outer rows, so nothing needs a
		// sort. A cache of inner rows costs more than it saves.
		for _, other := range []string{"enable_hashjoin", "enable_mergejoin", "enable_memoize"} {
			settings[other] = "off"
		}
		settings["max_parallel_workers_per_gather"] = "0"
	}
	return config, nil
}

// pool returns a pool that closes when ctx ends.
func (o floorOptions) pool(ctx context.Context, url string, connections int) (*pgxpool.Pool, error) {
	config, err := o.config(url)
	if err != nil {
		return nil, err
	}
	config.MaxConns = int32(connections) //nolint:gosec // G115: a few for each processor
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, pool.Close)
	return pool, nil
}

// floor is the cheapest way to do the work in Go with net/http and pgx: one
// prepared flat query for each workload, its rows joined in Go, the JSON
// appended by hand. It has no GraphQL and checks no token. Its answers equal
// those of our server.
type floor struct {
	reads, writes *pgxpool.Pool // the same one, unless the floor is tuned
	tasks         map[string]task
	scratch       sync.Pool // of *scratch
}

// newFloor returns a floor, which uses its pools until ctx ends.
func newFloor(ctx context.Context, o floorOptions, url string) (*floor, error) {
	writes, err := o.pool(ctx, url, floorConnections)
	if err != nil {
		return nil, err
	}
	reads := writes
	if o.tuned {
		if reads, err = o.pool(ctx, url, readConnections()); err != nil {
			return nil, err
		}
	}
	return &floor{reads: reads, writes: writes, tasks: o.tasks(), scratch: sync.Pool{New: func() any { return newScratch() }}}, nil
}

// scratch is the memory of a request, which the next one uses again.
type scratch struct {
	buf []byte
	flatRow
	// columns are the targets of a scan: patient, mapping, doctor.
	columns []any
}

// flatRow is a row of a join. A statement sets some of its fields.
type flatRow struct {
	patient patientRow
	mapping mappingRow
	doctor  doctorRow
}

func newScratch() *scratch {
	s := &scratch{}
	s.columns = append(append(s.patient.columns(), s.mapping.columns()...), s.doctor.columns()...)
	return s
}

// runFloor serves on the port that the environment names until ctx ends.
func runFloor(ctx context.Context, name string) error {
	all := floors()
	i := slices.IndexFunc(all, func(o floorOptions) bool { return o.name() == name })
	if i < 0 {
		return fmt.Errorf("there is no floor %q", name)
	}
	o := all[i]
	if o.half {
		new(host.Processors).Halve()
	}
	f, err := newFloor(ctx, o, os.Getenv("DATABASE_URL"))
	if err != nil {
		return err
	}
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", os.Getenv("PORT")))
	if err != nil {
		return err
	}
	if o.tuned {
		listener = wholeAnswers{listener}
	}
	server := &http.Server{Handler: f.handler(), ReadHeaderTimeout: 5 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the floor: %w", err)
	}
	return nil
}

func (f *floor) handler() http.Handler {
	mux := http.NewServeMux()
	for _, t := range f.tasks {
		mux.Handle(t.pattern, f.answer(f.do(t)))
	}
	mux.Handle("/HTTP/{bytes}", f.answer(onlyHTTP))
	return mux
}

// onlyHTTP answers with so many bytes and does nothing else.
func onlyHTTP(r *http.Request, s *scratch) error {
	n, err := number(r, "bytes")
	if err != nil {
		return err
	}
	s.buf = slices.Grow(s.buf, int(n))[:n]
	_, err = io.Copy(io.Discard, r.Body)
	return err
}

func (f *floor) do(t task) func(*http.Request, *scratch) error {
	pool := f.reads
	if t.writes {
		pool = f.writes
	}
	return func(r *http.Request, s *scratch) error {
		arguments, err := t.arguments(r)
		if err != nil {
			return err
		}
		rows, _ := pool.Query(r.Context(), t.sql, arguments...) // the rows have the error
		return t.write(s, rows)
	}
}

// answer sends what a function appends to the buffer.
func (f *floor) answer(do func(*http.Request, *scratch) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := f.scratch.Get().(*scratch)
		defer f.scratch.Put(s)
		s.buf = s.buf[:0]
		if err := do(r, s); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(s.buf)))
		_, _ = w.Write(s.buf) // fails only if the client has gone
	})
}

func number(r *http.Request, name string) (int64, error) {
	return strconv.ParseInt(r.PathValue(name), 10, 64)
}
