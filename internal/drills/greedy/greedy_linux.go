// Package greedy measures how much one hostile client hurts others. It starts the real
// server on a PostgreSQL of its own, sends one hostile document after the other, and
// measures what another account, the canary, notices: the median time of a read, a
// write, a sign-in and /ready, as a multiple of the quiet median of the same run. It
// measures the peak of the server's resident memory as well. Linux only.
package greedy

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/caregraph/caregraph/internal/drills/process"
	"github.com/caregraph/caregraph/internal/pgserver"
)

// The limits of a factor and of the peak in MB.
const (
	maxFactor = 10
	maxPeak   = 400
)

// Options say what to run.
type Options struct {
	Binary string
	// Logs is the directory for the log of the server.
	Logs string
	// Document chooses the documents whose name contains the text.
	Document string
	// Repeats is the number of runs of each document. The table has their median.
	Repeats int
	// During is the time of each document.
	During time.Duration
	// Progress gets a line for each document.
	Progress io.Writer
}

// Run runs the drill and returns its table.
func Run(ctx context.Context, o Options) (*process.Report, error) {
	dir, remove, err := process.Dir()
	if err != nil {
		return nil, err
	}
	defer remove()
	database, err := pgserver.Start(ctx, pgserver.Options{DataDir: dir})
	if err != nil {
		return nil, err
	}
	defer func() { _ = database.Stop(context.WithoutCancel(ctx)) }()
	log, err := os.Create(filepath.Join(o.Logs, "server.log"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	server, err := process.Start(ctx, o.Binary, database.URL(), dir, log, "--log-level", "warn")
	if err != nil {
		return nil, err
	}
	defer server.Stop()
	db, err := pgx.Connect(ctx, database.URL())
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close(context.WithoutCancel(ctx)) }()
	return drills(ctx, o, server, db)
}

func drills(ctx context.Context, o Options, server *process.Server, db *pgx.Conn) (*process.Report, error) {
	a := newAPI(server.Base)
	c, err := fill(ctx, a, db)
	if err != nil {
		return nil, err
	}
	all := probes(a, c.canary, c.canaryPatient)
	report := &process.Report{Columns: []string{"document", "read", "write", "sign-in", "/ready", "peak MB", "answers"}}
	for _, h := range documents(c.big, c.bulky, c.writer, c.bulkyIDs) {
		if !strings.Contains(h.name, o.Document) {
			continue
		}
		_, _ = fmt.Fprintln(o.Progress, h.name)
		var runs []result
		for range o.Repeats {
			r, err := drill(ctx, a, server, all, h, o.During)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", h.name, err)
			}
			runs = append(runs, r)
			if err := c.tidy(ctx, db); err != nil {
				return nil, err
			}
		}
		medianOf(runs).add(report, h.name)
	}
	return report, nil
}

// medianOf returns the median of each figure, and the outcomes of the last run.
func medianOf(runs []result) result {
	r := result{factors: make([]float64, len(runs[0].factors)), outcomes: runs[len(runs)-1].outcomes}
	for _, run := range runs {
		r.failures = append(r.failures, run.failures...)
	}
	for i := range r.factors {
		var values []float64
		for _, run := range runs {
			values = append(values, run.factors[i])
		}
		slices.Sort(values)
		r.factors[i] = values[len(values)/2]
	}
	var peaks []int
	for _, run := range runs {
		peaks = append(peaks, run.peak)
	}
	slices.Sort(peaks)
	r.peak = peaks[len(peaks)/2]
	return r
}

// factor is a time as a multiple of the quiet one.
type factor float64

func (f factor) String() string { return fmt.Sprintf("x%.1f", float64(f)) }

// add adds the row of a document to the report. A canary without an answer breaks a
// promise as well.
func (r result) add(report *process.Report, name string) {
	row := []any{name}
	for i, f := range r.factors {
		row = append(row, factor(f))
		if f > maxFactor {
			report.Break("%s: %s takes %v, more than x%d", name, report.Columns[i+1], factor(f), maxFactor)
		}
	}
	if r.peak > maxPeak {
		report.Break("%s: %d MB, more than %d", name, r.peak, maxPeak)
	}
	var outcomes []string
	for outcome, n := range r.outcomes {
		outcomes = append(outcomes, fmt.Sprintf("%d %s", n, outcome))
	}
	slices.Sort(outcomes)
	report.Rows = append(report.Rows, append(row, r.peak, strings.Join(outcomes, ", ")))
	for _, failure := range r.failures {
		report.Break("%s: the canary: %s", name, failure)
	}
}
