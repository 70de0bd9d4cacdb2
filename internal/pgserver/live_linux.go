package pgserver

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// live returns the processes of PostgreSQL whose working directory is dir. A
// zombie has no working directory.
func live(_ context.Context, dir string) ([]int, error) {
	here, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	recorded := recordedPID(dir)
	var pids []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err == nil && isPostgres(pid) && hasWorkingDir(pid, here, recorded) {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// commandLines returns the command line of each process, with spaces between the
// arguments.
func commandLines(context.Context) (lines []string, err error) {
	names, err := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, name := range names {
		if text, err := os.ReadFile(name); err == nil { //nolint:gosec // G304: a process of /proc, unless it has ended
			lines = append(lines, string(bytes.ReplaceAll(text, []byte{0}, []byte{' '})))
		}
	}
	return lines, err
}

// isPostgres excludes a shell or an editor in the directory. Some systems wrap
// the binary, so it does not compare the whole name.
func isPostgres(pid int) bool {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return false
	}
	end := bytes.LastIndexByte(stat, ')') // end of the name; the state follows
	return end > 0 && bytes.Contains(stat[:end], []byte("postgres")) && !bytes.HasPrefix(stat[end:], []byte(") Z"))
}

// hasWorkingDir falls back to the pid file where a container forbids even root
// to inspect processes of other users.
func hasWorkingDir(pid int, here fs.FileInfo, recorded int) bool {
	cwd, err := os.Stat(filepath.Join("/proc", strconv.Itoa(pid), "cwd"))
	if errors.Is(err, fs.ErrPermission) {
		return pid == recorded
	}
	return err == nil && os.SameFile(cwd, here)
}
