package pgserver

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// dirLock keeps a second server off a data directory. PostgreSQL's own lock,
// postmaster.pid, cannot distinguish a server from an unrelated process that
// has its number after a restart, nor from a zombie.
//
// The file contains the pid of the holder and its socket directory, one per
// line.
type dirLock struct{ file *os.File }

// lockName is the lock file in the data directory.
const lockName = "postgres.lock"

// lockDir fails at once if another process holds the lock. It removes the
// socket directory of a holder that was killed.
func lockDir(dataDir string) (*dirLock, error) {
	file, err := os.OpenFile(filepath.Join(dataDir, lockName), os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // G304: the data directory
	if err != nil {
		return nil, fmt.Errorf("lock the data directory: %w", err)
	}
	l := &dirLock{file}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		pid, _ := l.read()
		return nil, errors.Join(inUse(dataDir, pid), file.Close())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock the data directory: %w", err), file.Close())
	}
	if _, socketDir := l.read(); isSocketDir(socketDir) {
		err = os.RemoveAll(socketDir)
	}
	if err := errors.Join(err, l.write("")); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return l, nil
}

func inUse(dataDir, pid string) error {
	if pid == "" { // locked a moment ago, not written yet
		pid = "unknown"
	}
	return fmt.Errorf("data directory %s is in use by another server (pid %s): use --data OTHER, or DATABASE_URL to share one database", dataDir, pid)
}

func (l *dirLock) read() (pid, socketDir string) {
	text, err := io.ReadAll(io.NewSectionReader(l.file, 0, 4096))
	if err != nil {
		return "", ""
	}
	pid, rest, _ := strings.Cut(string(text), "\n")
	socketDir, _, _ = strings.Cut(rest, "\n")
	return pid, socketDir
}

// write records the holder of the lock and the socket directory to remove
// later.
func (l *dirLock) write(socketDir string) error {
	if err := l.file.Truncate(0); err != nil {
		return err
	}
	_, err := l.file.WriteAt(fmt.Appendf(nil, "%d\n%s\n", os.Getpid(), socketDir), 0)
	return err
}

// release keeps the file: if it were removed, two processes could hold locks on
// two files of the same name.
func (l *dirLock) release() error {
	return errors.Join(l.file.Truncate(0), unlock(l.file))
}

// unlock releases a lock and closes its file. Closing the file is not enough: a
// child process also holds it until its program starts.
func unlock(file *os.File) error {
	return errors.Join(syscall.Flock(int(file.Fd()), syscall.LOCK_UN), file.Close())
}
