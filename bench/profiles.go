package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// profileSeconds is the usual length of a profile.
const profileSeconds = 4

// profiles writes a CPU profile of our server for each workload and each other
// request that --only names. It returns their paths in dir.
func (b *benchmark) profiles(ctx context.Context, dir string) (paths []string, err error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, err
	}
	err = b.onStage(ctx, "bench", usualSize, func(s *stage) error {
		record := func(name string, next func() (script, error)) error {
			path := filepath.Join(dir, name+".pprof")
			if err := b.profile(ctx, s.dataset, next, path); err != nil {
				return fmt.Errorf("profile %s: %w", name, err)
			}
			paths = append(paths, path)
			_, _ = fmt.Fprintf(b.plan.progress, "  %s\n", path)
			return nil
		}
		for _, load := range workloads() {
			if !b.plan.wants(load) {
				continue
			}
			calls := s.dataset.calls(load, s.dataset.owners[0], usualPage)
			if err := record(load.name, func() (script, error) { return s.us.script(load, calls) }); err != nil {
				return err
			}
		}
		for _, o := range others() {
			if !b.plan.asks(o) {
				continue
			}
			if err := record(o.name, func() (script, error) { return o.script(ctx, s.dataset) }); err != nil {
				return err
			}
		}
		return nil
	})
	return paths, err
}

// profile writes a CPU profile of the server to the path, under the load of the
// scripts that next returns.
func (b *benchmark) profile(ctx context.Context, w *dataset, next func() (script, error), path string) error {
	run := func(win window) error {
		s, err := next()
		if err != nil {
			return err
		}
		_, err = measure(ctx, w.server, b.cluster.pid, s, win)
		return err
	}
	if err := run(window{firstWarmUp, 0}); err != nil {
		return err
	}
	if err := w.server.signal(syscall.SIGUSR1); err != nil {
		return err
	}
	if err := run(window{0, b.plan.counted}); err != nil {
		return err
	}
	if err := w.server.signal(syscall.SIGUSR2); err != nil {
		return err
	}
	if err := awaitFile(ctx, b.tools.profilePath()); err != nil {
		return err
	}
	if err := w.tidy(ctx); err != nil {
		return err
	}
	text, err := os.ReadFile(b.tools.profilePath())
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return err
	}
	return os.Remove(b.tools.profilePath())
}

// awaitFile waits until a file exists. The server gives a profile its name when
// the profile is complete.
func awaitFile(ctx context.Context, path string) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		_, err := os.Stat(path)
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return fmt.Errorf("no profile was written: %w", err)
		}
	}
}

// mergeProfiles makes one profile for the compiler of several.
func mergeProfiles(ctx context.Context, paths []string, into string) error {
	args := append([]string{"tool", "pprof", "-proto", "-output=" + into}, paths...)
	if out, err := exec.CommandContext(ctx, "go", args...).CombinedOutput(); err != nil { //nolint:gosec // G204: our own files
		return fmt.Errorf("merge the profiles: %w\n%s", err, out)
	}
	return nil
}
