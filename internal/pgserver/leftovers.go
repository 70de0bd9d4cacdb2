package pgserver

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// clearLeftovers removes what a killed server left in dir: it stops the
// processes that still work there, then removes the pid file. PostgreSQL would
// refuse to start because of that file as long as any process has its number,
// even an unrelated process or a zombie.
func (c cluster) clearLeftovers(ctx context.Context, dir string) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for asked := false; ; asked = true {
		pids, err := live(ctx, dir)
		if err != nil {
			return fmt.Errorf("look for an old PostgreSQL in %s: %w", dir, err)
		}
		if len(pids) == 0 {
			break
		}
		if !asked {
			c.log.InfoContext(ctx, "stopping the PostgreSQL that a killed server left", "pids", pids)
			interrupt(pids)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("an old PostgreSQL (pid %d) is still stopping in %s: %w", pids[0], dir, ctx.Err())
		case <-tick.C:
		}
	}
	err := os.Remove(pidFile(dir))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil
	}
	return err
}

// interrupt sends SIGINT: a fast shutdown for a postmaster, and the end of the
// query for an orphaned backend, which then notices that the postmaster is
// gone.
func interrupt(pids []int) {
	for _, pid := range pids {
		_ = syscall.Kill(pid, syscall.SIGINT) // it may have ended meanwhile
	}
}

func pidFile(dir string) string { return filepath.Join(dir, "postmaster.pid") }

// recordedPID returns the postmaster in the pid file, or 0 if there is none.
func recordedPID(dir string) int {
	lines := pidFileLines(dir)
	pid, err := strconv.Atoi(lines[0])
	if err != nil {
		return 0
	}
	return pid
}

// ready reports whether line 8 of the pid file says that the postmaster is
// ready.
func (c cluster) ready(pid int) bool {
	lines := pidFileLines(c.path())
	return lines[0] == strconv.Itoa(pid) && lines[7] == "ready"
}

// pidFileLines returns eight lines; missing ones are empty.
func pidFileLines(dir string) [8]string {
	var lines [8]string
	text, err := os.ReadFile(pidFile(dir))
	if err != nil {
		return lines
	}
	copy(lines[:], strings.Split(string(text), "\n"))
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return lines
}
