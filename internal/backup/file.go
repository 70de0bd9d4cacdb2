package backup

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"syscall"
	"time"
)

const partialSuffix = ".partial"

// writeFile makes the file path, mode 0600, from what write writes. It writes to
// path.partial, syncs it, reads it back, compares the hashes, renames it and syncs the
// directory: path exists only if it is complete. A failed run removes path.partial; one
// that was killed leaves it to the next run. It fails while another one writes the file.
func writeFile(path string, write func(io.Writer) error) (err error) {
	partial := path + partialSuffix
	file, err := os.OpenFile(partial, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // G304: the operator names the file
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil || !isAt(file, partial) {
		return fmt.Errorf("%s is being written by another process", path)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(partial) // the next run would use it
		}
	}()
	sum := sha256.New()
	err = errors.Join(file.Chmod(0o600), file.Truncate(0))
	if err == nil {
		err = write(io.MultiWriter(file, sum))
	}
	if err == nil {
		err = file.Sync()
	}
	if err == nil {
		err = readBack(file, sum.Sum(nil))
	}
	if err == nil {
		err = os.Rename(partial, path)
	}
	if err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// isAt reports whether the file still has the name: another process may have renamed it
// before we locked it.
func isAt(file *os.File, path string) bool {
	mine, err := file.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(path)
	return err == nil && os.SameFile(mine, there)
}

func readBack(file *os.File, want []byte) error {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return fmt.Errorf("read %s back: %w", file.Name(), err)
	}
	if !bytes.Equal(sum.Sum(nil), want) {
		return fmt.Errorf("%s has other content than was written: do not trust this disk", file.Name())
	}
	return nil
}

func syncDir(path string) error {
	dir, err := os.Open(path) //nolint:gosec // G304: the operator names the directory
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// ours matches the names that target makes. They sort by time.
var ours = regexp.MustCompile(`^caregraph-\d{8}T\d{6}Z\.(?:age|zst)$`)

// target returns the file to write: path itself or, in a directory, a name with the time.
func target(path string, now time.Time, encrypted bool) (file string, isDir bool) {
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		return path, false
	}
	ending := ".age"
	if !encrypted {
		ending = ".zst"
	}
	return filepath.Join(path, now.UTC().Format("caregraph-20060102T150405Z")+ending), true
}

// prune removes from dir all but the newest keep backups, and what killed runs left. It
// touches only names that target makes.
func prune(dir string, keep int) (removed []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var backups []string
	for _, entry := range entries {
		name := entry.Name()
		switch stem, isPartial := cutPartial(name); {
		case isPartial && ours.MatchString(stem):
			err = errors.Join(err, removeUnlocked(filepath.Join(dir, name)))
		case ours.MatchString(name):
			backups = append(backups, name)
		}
	}
	slices.Sort(backups)
	for _, name := range backups[:max(0, len(backups)-keep)] {
		if failed := os.Remove(filepath.Join(dir, name)); failed != nil {
			err = errors.Join(err, failed)
			continue
		}
		removed = append(removed, name)
	}
	return removed, err
}

func cutPartial(name string) (stem string, found bool) {
	if filepath.Ext(name) != partialSuffix {
		return name, false
	}
	return name[:len(name)-len(partialSuffix)], true
}

// removeUnlocked removes a partial file that no process writes.
func removeUnlocked(path string) error {
	file, err := os.Open(path) //nolint:gosec // G304: a file in the operator's directory
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil && isAt(file, path) {
		err = os.Remove(path)
	}
	return errors.Join(err, file.Close())
}
