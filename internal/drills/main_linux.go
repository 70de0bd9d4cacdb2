// Command drills runs the drills: what the server does to its clients when something
// goes wrong. It prints a table for each, writes all to bin/drills.json, and fails if a
// promise is broken. It runs at the top of the repository. Linux only.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/caregraph/caregraph/internal/drills/backup"
	"github.com/caregraph/caregraph/internal/drills/failover"
	"github.com/caregraph/caregraph/internal/drills/greedy"
	"github.com/caregraph/caregraph/internal/drills/process"
)

const (
	binary  = "bin/caregraph"
	results = "bin/drills.json"
	// logs has a directory for each drill.
	logs = "bin/drills"
	// kills is how many backups D12 kills.
	kills = 10
)

// drill is one drill. run gets the directory for its logs.
type drill struct {
	id, about string
	run       func(ctx context.Context, logs string) (*process.Report, error)
}

func main() {
	o := greedy.Options{Binary: binary, Progress: os.Stderr}
	only := flag.String("only", "", "ids of drills, separated by commas; empty: all")
	flag.StringVar(&o.Document, "document", "", "greedy: only documents whose name contains this text")
	flag.IntVar(&o.Repeats, "repeats", 1, "greedy: runs of each document; the table has their median")
	flag.DurationVar(&o.During, "during", 10*time.Second, "greedy: time of each document")
	flag.Parse()
	all := []drill{
		{"greedy", "hostile documents of one account, and what another one notices", func(ctx context.Context, logs string) (*process.Report, error) {
			o.Logs = logs
			return greedy.Run(ctx, o)
		}},
		{"D1", "the primary of a cluster is killed, switched over and frozen", func(ctx context.Context, logs string) (*process.Report, error) {
			return failover.Run(ctx, failover.Options{Binary: binary, Logs: logs, Progress: os.Stderr})
		}},
		{"D2", "the kills without synchronous replication, which must lose writes", func(ctx context.Context, logs string) (*process.Report, error) {
			return failover.Run(ctx, failover.Options{Binary: binary, Logs: logs, Progress: os.Stderr, Control: true})
		}},
		{"D12", "backups are killed, verified, restored and recovered to a second while clients write", func(ctx context.Context, logs string) (*process.Report, error) {
			return backup.Run(ctx, backup.Options{Binary: binary, Logs: logs, Kills: kills})
		}},
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, all, *only, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "drills:", err)
		os.Exit(1)
	}
}

// chosen returns the drills with the ids.
func chosen(all []drill, only string) ([]drill, error) {
	if only == "" {
		return all, nil
	}
	var some []drill
	for id := range strings.SplitSeq(only, ",") {
		i := slices.IndexFunc(all, func(d drill) bool { return d.id == id })
		if i < 0 {
			return nil, fmt.Errorf("there is no drill %q", id)
		}
		some = append(some, all[i])
	}
	return some, nil
}

// outcome is a drill in the file of results.
type outcome struct {
	ID      string          `json:"id"`
	About   string          `json:"about"`
	Seconds int             `json:"seconds"`
	Error   string          `json:"error,omitempty"` // why it did not run to its end
	Report  *process.Report `json:"report"`
}

// run runs the chosen drills. One that fails does not stop the others.
func run(ctx context.Context, all []drill, only string, out io.Writer) error {
	all, err := chosen(all, only)
	if err != nil {
		return err
	}
	var outcomes []outcome
	var failed []string
	for _, d := range all {
		_, _ = fmt.Fprintf(out, "%s: %s\n", d.id, d.about)
		o := d.outcome(ctx)
		if o.Report != nil {
			o.Report.Print(out)
		}
		if o.Error != "" {
			_, _ = fmt.Fprintln(out, "FAILED:", o.Error)
		}
		_, _ = fmt.Fprintf(out, "%d s\n\n", o.Seconds)
		if o.Error != "" || len(o.Report.Broken) > 0 {
			failed = append(failed, d.id)
		}
		outcomes = append(outcomes, o)
	}
	text, err := json.MarshalIndent(outcomes, "", "\t")
	if err != nil {
		return err
	}
	if err := os.WriteFile(results, append(text, '\n'), 0o644); err != nil { //nolint:gosec // G306: figures, for all to read
		return err
	}
	if len(failed) > 0 {
		return fmt.Errorf("failed: %s; the logs are in %s", strings.Join(failed, ", "), logs)
	}
	return nil
}

// outcome runs the drill.
func (d drill) outcome(ctx context.Context) outcome {
	began := time.Now()
	dir := filepath.Join(logs, d.id)
	err := os.RemoveAll(dir)
	if err == nil {
		err = os.MkdirAll(dir, 0o755) //nolint:gosec // G301: as the rest of bin
	}
	o := outcome{ID: d.id, About: d.about}
	if err == nil {
		o.Report, err = d.run(ctx, dir)
	}
	if err != nil {
		o.Error = err.Error()
	}
	o.Seconds = int(time.Since(began).Seconds())
	return o
}
