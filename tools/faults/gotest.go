package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// test runs the tests of the faults, and returns pass, fail or skip for each
// test that ran.
func test(ctx context.Context, dir string, faults []fault) (map[testName]string, error) {
	tests := map[string][]string{}
	for _, f := range faults {
		for _, t := range f.tests {
			parent, _, _ := strings.Cut(t.name, "/")
			if !slices.Contains(tests[t.pkg], parent) {
				tests[t.pkg] = append(tests[t.pkg], parent)
			}
		}
	}
	results := map[testName]string{}
	for pkg, names := range tests {
		if err := testPackage(ctx, dir, pkg, names, results); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// event is one line of go test -json.
type event struct{ Action, Test string }

func testPackage(ctx context.Context, dir, pkg string, names []string, results map[testName]string) error {
	pattern := "^(" + strings.Join(names, "|") + ")$"
	//nolint:gosec // G204: names of tests in the repository
	command := exec.CommandContext(ctx, "go", "test", "-json", "-count=1", "-timeout=20m", "-run", pattern, "./"+pkg)
	command.Dir, command.Stderr = dir, os.Stderr
	output, err := command.StdoutPipe()
	if err != nil {
		return fmt.Errorf("test %s: %w", pkg, err)
	}
	if err := command.Start(); err != nil {
		return fmt.Errorf("test %s: %w", pkg, err)
	}
	readErr := read(output, pkg, results)
	err = command.Wait()
	if _, failed := errors.AsType[*exec.ExitError](err); failed && ctx.Err() == nil {
		err = nil // the results say so
	}
	return errors.Join(readErr, err)
}

func read(output io.Reader, pkg string, results map[testName]string) error {
	lines := bufio.NewScanner(output)
	const longest = 1 << 20
	lines.Buffer(nil, longest)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil || e.Test == "" {
			continue
		}
		if slices.Contains([]string{"pass", "fail", "skip"}, e.Action) {
			results[testName{pkg, e.Test}] = e.Action
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("test %s: %w", pkg, err)
	}
	return nil
}
