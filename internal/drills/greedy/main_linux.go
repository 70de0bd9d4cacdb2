// Command greedy measures how much one hostile client hurts others. It starts the real
// server on a PostgreSQL of its own, sends one hostile document after the other, and
// measures what another account, the canary, notices: the median time of a read, a
// write, a sign-in and /ready, as a multiple of the quiet median of the same run. It
// prints the peak of the server's resident memory as well. Linux only.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"sort"
	"strings"
	"syscall"
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

type options struct {
	binary, log, only string
	repeats           int
	during            time.Duration
}

func main() {
	var o options
	flag.StringVar(&o.binary, "binary", "bin/caregraph", "the server")
	flag.StringVar(&o.log, "log", os.DevNull, "file for the server's log")
	flag.StringVar(&o.only, "only", "", "only documents whose name contains this text")
	flag.IntVar(&o.repeats, "repeats", 1, "runs of each document; the table has their median")
	flag.DurationVar(&o.during, "during", 10*time.Second, "time of each document")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "drills:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, out io.Writer) (err error) {
	dir, remove, err := process.Dir()
	if err != nil {
		return err
	}
	defer remove()
	database, err := pgserver.Start(ctx, pgserver.Options{DataDir: dir})
	if err != nil {
		return err
	}
	defer func() { _ = database.Stop(context.WithoutCancel(ctx)) }()
	log, err := os.Create(o.log)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	server, err := process.Start(ctx, o.binary, database.URL(), dir, log, "--log-level", "warn")
	if err != nil {
		return err
	}
	defer server.Stop()
	db, err := pgx.Connect(ctx, database.URL())
	if err != nil {
		return err
	}
	defer func() { _ = db.Close(context.WithoutCancel(ctx)) }()
	return drills(ctx, o, server, db, out)
}

func drills(ctx context.Context, o options, server *process.Server, db *pgx.Conn, out io.Writer) error {
	a := newAPI(server.Base)
	c, err := fill(ctx, a, db)
	if err != nil {
		return err
	}
	all := probes(a, c.canary, c.canaryPatient)
	_, _ = fmt.Fprintf(out, "%-38s %7s %7s %7s %7s %8s  %s\n", "document", "read", "write", "sign-in", "/ready", "peak MB", "answers")
	over := 0
	for _, h := range documents(c.big, c.bulky, c.writer, c.bulkyIDs) {
		if !strings.Contains(h.name, o.only) {
			continue
		}
		var runs []result
		for range o.repeats {
			r, err := drill(ctx, a, server, all, h, o.during)
			if err != nil {
				return fmt.Errorf("%s: %w", h.name, err)
			}
			runs = append(runs, r)
			if err := c.tidy(ctx, db); err != nil {
				return err
			}
		}
		middle := medianOf(runs)
		over += printLine(out, h.name, middle)
	}
	if over > 0 {
		return fmt.Errorf("%d figures are over x%d or %d MB", over, maxFactor, maxPeak)
	}
	return nil
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

// printLine prints a line of the table, and returns how many figures are over their
// limit. A canary without an answer counts as one.
func printLine(out io.Writer, name string, r result) (over int) {
	line := fmt.Sprintf("%-38s", name)
	for _, f := range r.factors {
		line += fmt.Sprintf(" %7s", fmt.Sprintf("x%.1f", f))
		if f > maxFactor {
			over++
		}
	}
	if r.peak > maxPeak {
		over++
	}
	var outcomes []string
	for outcome, n := range r.outcomes {
		outcomes = append(outcomes, fmt.Sprintf("%d %s", n, outcome))
	}
	sort.Strings(outcomes)
	for _, failure := range r.failures {
		outcomes = append(outcomes, "canary: "+failure)
		over++
	}
	_, _ = fmt.Fprintf(out, "%s %8d  %s\n", line, r.peak, strings.Join(outcomes, ", "))
	return over
}
