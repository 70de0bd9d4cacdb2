package pgserver

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// Running returns the data directories whose private cluster runs on this machine,
// also for another user. Throwaway clusters do not count.
func Running(ctx context.Context) (dirs []string, err error) {
	lines, err := commandLines(ctx)
	if err != nil {
		return nil, fmt.Errorf("look for running servers: %w", err)
	}
	for _, line := range lines {
		if dir, found := runningOn(line); found && !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	return dirs, nil
}

// runningOn returns the data directory of a cluster that command started, from its
// command line.
func runningOn(line string) (dir string, found bool) {
	_, args, _ := strings.Cut(line, " -D ")
	path, settings, _ := strings.Cut(args, " -p "+socketPort+" -c ")
	ours := strings.Contains(settings, "/"+socketPrefix) && !strings.Contains(settings, "fsync=off")
	return filepath.Dir(path), ours
}
