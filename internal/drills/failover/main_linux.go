// Command failover shows what clients notice when the database changes. It makes two
// PostgreSQL of its own, of which one follows the other synchronously, and a small
// failover manager. The real server knows both. While 8 clients write, the primary is
// killed, stopped in order, and frozen. No acknowledged write may be lost, no answer may
// be INTERNAL, and the log and /metrics must have every answer UNAVAILABLE. Linux only.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/caregraph/caregraph/internal/drills/process"
	"github.com/caregraph/caregraph/internal/pgserver"
)

const (
	writers = 8
	// quiet is the time of writes before and after each change.
	quiet       = 2 * time.Second
	unavailable = `caregraph_errors_total{code="UNAVAILABLE"}`
)

type options struct {
	binary, log string
	repeats     int
}

func main() {
	var o options
	flag.StringVar(&o.binary, "binary", "bin/caregraph", "the server")
	flag.StringVar(&o.log, "log", "", "file for the server's log; empty: a temporary file")
	flag.IntVar(&o.repeats, "repeats", 1, "how often all rounds run")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "failover:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, out io.Writer) error {
	dir, remove, err := process.Dir()
	if err != nil {
		return err
	}
	defer remove()
	found, err := pgserver.Places{}.Find(ctx)
	if err != nil {
		return err
	}
	// Next to links to some of the binaries, pg_basebackup may be missing.
	postgres, err := filepath.EvalSymlinks(filepath.Join(found.Dir, "postgres"))
	if err != nil {
		return err
	}
	m, err := newManager(ctx, dir, filepath.Dir(postgres))
	if err != nil {
		return err
	}
	defer m.stop()
	if o.log == "" {
		o.log = filepath.Join(dir, "server.log")
	}
	log, err := os.Create(o.log)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	s, err := startServer(ctx, o.binary, m.url(), dir, log)
	if err != nil {
		return err
	}
	defer s.Stop()
	rounds, err := drill(ctx, o, m, s)
	if err != nil {
		return err
	}
	stored, err := s.names(ctx)
	if err != nil {
		return err
	}
	s.Stop() // then the log is complete
	causes, err := explained(log)
	if err != nil {
		return err
	}
	return report(out, rounds, stored, causes)
}

// drill runs all rounds.
func drill(ctx context.Context, o options, m *manager, s *server) (rounds []*round, err error) {
	if err := s.register(ctx); err != nil {
		return nil, err
	}
	watching, stop := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() { m.watch(watching) })
	defer watch.Wait()
	defer stop()
	for range o.repeats {
		for _, change := range []struct {
			name string
			do   func() error
		}{
			{"kill", func() error { primary, _, _ := m.current(); primary.kill(); return nil }},
			{"switchover", func() error { return m.switchover(ctx) }},
			{"freeze", func() error { primary, _, _ := m.current(); primary.freeze(); return nil }},
		} {
			r := &round{name: fmt.Sprintf("%d %s", len(rounds)+1, change.name)}
			rounds = append(rounds, r)
			if err := r.run(ctx, m, s, change.do); err != nil {
				return nil, fmt.Errorf("%s: %w", r.name, err)
			}
		}
	}
	return rounds, nil
}

// report prints the table, and fails if a promise is broken.
func report(out io.Writer, rounds []*round, stored, causes map[string]bool) error {
	_, _ = fmt.Fprintf(out, "%-14s %9s %12s %5s %11s %8s %9s %9s %6s  %s\n",
		"round", "outage", "acknowledged", "lost", "UNAVAILABLE", "INTERNAL", "no answer", "explained", "others", unavailable)
	broken := 0
	for _, r := range rounds {
		lost, explained := 0, 0
		for _, name := range r.acknowledged {
			if !stored[name] {
				lost++
			}
		}
		for _, id := range r.unavailable {
			if causes[id] {
				explained++
			}
		}
		_, _ = fmt.Fprintf(out, "%-14s %7.1f s %12d %5d %11d %8d %9d %9d %6d  %d to %d\n", r.name, r.outage().Seconds(), len(r.acknowledged), lost,
			len(r.unavailable), r.internal, r.noAnswer, explained, len(r.others), r.counted[0], r.counted[1])
		for _, other := range r.others {
			_, _ = fmt.Fprintln(out, "  ", other)
		}
		counted := r.counted[1] - r.counted[0]
		if lost > 0 || r.internal > 0 || len(r.others) > 0 || explained < len(r.unavailable) || counted < len(r.unavailable) || counted == 0 {
			broken++
		}
	}
	if broken > 0 {
		return errors.New("a promise is broken in rounds: " + fmt.Sprint(broken))
	}
	return nil
}
