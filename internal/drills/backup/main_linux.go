// Command backup shows that a backup is complete or not there. It starts the real server
// with its private PostgreSQL and an archive. While clients write, it kills caregraph backup
// at ten random moments, then makes a backup, verifies it, restores it, and recovers to a
// second. It also breaks a backup and an archive, which must be refused. Linux only.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/caregraph/caregraph/internal/drills/process"
)

type options struct {
	binary, log string
	kills       int
}

func main() {
	var o options
	flag.StringVar(&o.binary, "binary", "bin/caregraph", "the server")
	flag.StringVar(&o.log, "log", "", "file for the server's log; empty: a temporary file")
	flag.IntVar(&o.kills, "kills", 10, "how many backups are killed")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "backup:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, out io.Writer) error {
	dir, remove, err := process.Dir()
	if err != nil {
		return err
	}
	defer remove()
	d, err := newDrill(ctx, o, dir)
	if err != nil {
		return err
	}
	defer func() { _ = d.close() }() // the drill is over
	broken := 0
	for _, step := range []struct {
		name string
		do   func(context.Context) (string, error)
	}{
		{"killed at random moments", d.killed},
		{"verify and restore", d.restored},
		{"recovery to a second", d.recovered},
		{"what is damaged is refused", d.refused},
	} {
		said, err := step.do(ctx)
		result := "good"
		if err != nil {
			result, said = "BROKEN", err.Error()
			broken++
		}
		if _, err := fmt.Fprintf(out, "%-28s %-7s %s\n", step.name, result, said); err != nil {
			return err
		}
	}
	if broken > 0 {
		return errors.New("promises are broken")
	}
	return nil
}
