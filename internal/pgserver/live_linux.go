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
