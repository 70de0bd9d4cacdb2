//go:build !linux

package pgserver

import (
	"context"
	"os/exec"
	"strconv"
	"strings"
)

// live returns the postmasters that were started on dir, as their command line
// tells. Backends that outlive one do not show there; PostgreSQL finds them by
// their shared memory.
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
