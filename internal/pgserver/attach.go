package pgserver

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// Attach returns the address of the cluster that another process runs on the
// data directory, so that a second command can use it at the same time. running
// is false if there is none. The address contains the password of the cluster:
// never log it. Attach fails while that process starts or stops.
func Attach(dataDir string) (url string, running bool, err error) {
	dir, err := filepath.Abs(dataDir)
	if err != nil {
		return "", false, fmt.Errorf("data directory %s: %w", dataDir, err)
	}
	file, err := os.Open(filepath.Join(dir, lockName)) //nolint:gosec // G304: the data directory
	if errors.Is(err, os.ErrNotExist) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("look at the data directory: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if syscall.Flock(int(file.Fd()), syscall.LOCK_SH|syscall.LOCK_NB) == nil {
		return "", false, syscall.Flock(int(file.Fd()), syscall.LOCK_UN) // no process holds it
	}
	pid, socketDir := (&dirLock{file}).read()
	if socketDir == "" {
		return "", false, fmt.Errorf("the server on data directory %s (pid %s) is starting or stopping: try again in a moment", dir, pid)
	}
	url, err = cluster{dataDir: dir}.url(socketDir)
	return url, err == nil, err
}

// Holder returns the process that runs the cluster of a data directory, 0 for none.
func Holder(dataDir string) int {
	file, err := os.Open(filepath.Join(dataDir, lockName)) //nolint:gosec // G304: the data directory
	if err != nil {
		return 0
	}
	defer func() { _ = file.Close() }() // that also unlocks it
	if syscall.Flock(int(file.Fd()), syscall.LOCK_SH|syscall.LOCK_NB) == nil {
		return 0
	}
	pid, _ := (&dirLock{file}).read()
	holder, _ := strconv.Atoi(pid) // 0 while it starts
	return holder
}
