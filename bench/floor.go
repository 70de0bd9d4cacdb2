package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// floorConnections is the default of our server's --database-connections.
const floorConnections = 10

// floor is the cheapest way to do the work in Go with net/http and pgx: one
// prepared flat query for each workload, its rows joined in Go, the JSON
// appended by hand. It has no GraphQL and checks no token. Its answers equal
// those of our server.
type floor struct {
	pool    *pgxpool.Pool
	queries floorQueries
	scratch sync.Pool // of *scratch
}

// scratch is the memory of a request, which the next one uses again.
type scratch struct {
	buf     []byte
	patient patientRow
	mapping mappingRow
	doctor  doctorRow
	// columns are the targets of a scan: patient, mapping, doctor.
	columns []any
}

// runFloor serves on the port that the environment names until ctx ends.
func runFloor(ctx context.Context) error {
	config, err := pgxpool.ParseConfig(os.Getenv("DATABASE_URL"))
	if err != nil {
		return errors.New("the floor server needs DATABASE_URL") // the text may hold a password
	}
	config.MaxConns = floorConnections
	// Otherwise a small LIMIT makes PostgreSQL plan the statement every time.
	config.ConnConfig.RuntimeParams["plan_cache_mode"] = "force_generic_plan"
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return err
	}
	defer pool.Close()
	f := &floor{pool: pool, queries: newFloorQueries(), scratch: sync.Pool{New: func() any {
		s := &scratch{}
		s.columns = append(append(s.patient.columns(), s.mapping.columns()...), s.doctor.columns()...)
		return s
	}}}
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", os.Getenv("PORT")))
	if err != nil {
		return err
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
	mux.Handle("GET /W1/{id}", f.answer(f.onePatient))
	mux.Handle("GET /W2/{id}/{first}", f.answer(f.patients))
	mux.Handle("GET /W3/{id}/{first}", f.answer(f.wholePatients))
	mux.Handle("POST /W4/{id}", f.answer(f.createPatient))
	mux.Handle("GET /W5/{id}/{first}", f.answer(f.patientsOfDoctor))
	return mux
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

// numbers returns those of the path /Wn/{id}/{first}.
func numbers(r *http.Request) (id, first int64, err error) {
	if id, err = number(r, "id"); err != nil {
		return 0, 0, err
	}
	first, err = number(r, "first")
	return id, first, err
}
