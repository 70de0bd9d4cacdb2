// Command faults runs the tests of docs/faults.md, and prints the result of each
// test for each fault. It fails when an id is missing, when a row names no test,
// and when a test is missing, skipped or red.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
)

const (
	faultsFile = "docs/faults.md"
	// lastID is the highest id of the list. No id below it may be missing.
	lastID = 97
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	// go run -C tools starts the command in tools.
	err := run(ctx, "..", os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run tests the faults with the given ids, or all, of the repository in dir.
func run(ctx context.Context, dir string, ids []string, out io.Writer) error {
	text, err := os.ReadFile(filepath.Join(dir, faultsFile)) //nolint:gosec // G304: a file of the repository
	if err != nil {
		return fmt.Errorf("read the faults: %w", err)
	}
	faults, err := parse(string(text))
	if err != nil {
		return err
	}
	if faults, err = choose(faults, ids); err != nil {
		return err
	}
	results, err := test(ctx, dir, faults)
	if err != nil {
		return err
	}
	return report(out, faults, results)
}
