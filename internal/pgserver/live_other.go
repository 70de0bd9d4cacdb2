//go:build !linux

package pgserver

import (
	"context"
	"os/exec"
	"strconv"
	"strings"
)

// live returns the postmasters that were started on dir, according to their
// command lines. It does not see backends that outlive their postmaster;
// PostgreSQL finds those by their shared memory.
func live(ctx context.Context, dir string) ([]int, error) {
	out, err := exec.CommandContext(ctx, "ps", "-axo", "pid=,stat=,command=").Output()
	if err != nil {
		return nil, err
	}
	var pids []int
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		if len(fields) < 3 || strings.HasPrefix(fields[1], "Z") || !strings.Contains(fields[2], "postgres") {
			continue
		}
		if pid, err := strconv.Atoi(fields[0]); err == nil && strings.Contains(line, " -D "+dir+" -p ") {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// commandLines returns the command line of each process.
func commandLines(ctx context.Context) ([]string, error) {
	out, err := exec.CommandContext(ctx, "ps", "-axwwo", "command=").Output()
	return strings.Split(string(out), "\n"), err
}
