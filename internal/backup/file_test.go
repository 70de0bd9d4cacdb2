package backup

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/caregraph/caregraph/internal/testutil"
)

func TestWriteFile_FileIsThereOnlyIfComplete(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "b.age")
	testutil.Must(t, os.WriteFile(path+partialSuffix, []byte("left by a run that was killed, and longer"), 0o644))
	wantError(t, writeFile(path, func(w io.Writer) error {
		return errors.Join(writes("half")(w), errors.New("disk full"))
	}), "disk full")
	wantNames(t, filepath.Dir(path))
	testutil.Must(t, os.WriteFile(path+partialSuffix, []byte("left by a run that was killed, and longer"), 0o644))
	testutil.Must(t, writeFile(path, writes("whole")))
	wantNames(t, filepath.Dir(path), "b.age")
	text, err := os.ReadFile(path)
	testutil.Must(t, err)
	testutil.Equal(t, "content", string(text), "whole")
	info, err := os.Stat(path)
	testutil.Must(t, err)
	testutil.Equal(t, "mode", info.Mode(), fs.FileMode(0o600))
}

func TestWriteFile_OneAtATime(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "b.age")
	testutil.Must(t, writeFile(path, func(w io.Writer) error {
		wantError(t, writeFile(path, writes("other")), "written by another process")
		return writes("first")(w)
	}))
	text, err := os.ReadFile(path)
	testutil.Must(t, err)
	testutil.Equal(t, "content", string(text), "first")
}

func TestWriteFile_ReadsBack(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "b.age")
	wantError(t, writeFile(path, func(w io.Writer) error {
		if err := writes("what was written")(w); err != nil {
			return err
		}
		return os.WriteFile(path+partialSuffix, []byte("what the disk kept"), 0o600)
	}), "other content than was written")
	wantNames(t, filepath.Dir(path))
}

func TestPrune_KeepsTheNewestAndWhatIsNotOurs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{
		"caregraph-20261126T183000Z.age", "caregraph-20261127T183000Z.age", "caregraph-20261128T183000Z.age",
		"caregraph-20261125T183000Z.age.partial", "caregraph-20261124T183000Z.age.partial", "notes.txt", "caregraph-old.age",
	} {
		testutil.Must(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
	}
	running, err := os.Open(filepath.Join(dir, "caregraph-20261124T183000Z.age.partial"))
	testutil.Must(t, err)
	defer func() { _ = running.Close() }()
	testutil.Must(t, syscall.Flock(int(running.Fd()), syscall.LOCK_EX))
	removed, err := prune(dir, 2)
	testutil.Must(t, err)
	testutil.Equal(t, "removed", removed, []string{"caregraph-20261126T183000Z.age"})
	wantNames(t, dir, "caregraph-20261124T183000Z.age.partial", "caregraph-20261127T183000Z.age",
		"caregraph-20261128T183000Z.age", "caregraph-old.age", "notes.txt")
}

func TestTarget_DirectoryGetsAFileWithTheTime(t *testing.T) {
	t.Parallel()
	dir, now := t.TempDir(), time.Date(2026, 11, 28, 24, 0, 0, 0, time.FixedZone("IST", 19_800))
	file, isDir := target(dir, now, true)
	testutil.Equal(t, "file", file, filepath.Join(dir, "caregraph-20261128T183000Z.age"))
	testutil.Equal(t, "is a directory", isDir, true)
	if !ours.MatchString(filepath.Base(file)) {
		t.Error("prune would not remove it")
	}
	file, isDir = target(filepath.Join(dir, "b"), now, true)
	testutil.Equal(t, "file", file, filepath.Join(dir, "b"))
	testutil.Equal(t, "is a directory", isDir, false)
}

func wantNames(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	testutil.Must(t, err)
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	testutil.Equal(t, "files", strings.Join(names, " "), strings.Join(want, " "))
}

func TestLast_IsThatOfTheFile(t *testing.T) {
	t.Parallel()
	data, at := t.TempDir(), time.Date(2026, 11, 28, 18, 30, 0, 0, time.UTC)
	testutil.Equal(t, "without a file", Last(data).IsZero(), true)
	testutil.Must(t, Note(data, Written{Manifest: Manifest{EndedAt: at}}))
	testutil.Equal(t, "after a backup", Last(data), at)
	info, err := os.Stat(filepath.Join(data, stateName))
	testutil.Must(t, err)
	testutil.Equal(t, "the mode, for a server that is not root", info.Mode().Perm(), 0o644)
	for _, text := range []string{`{"finished": "yesterday"}`, `{`, `{}`} {
		testutil.Must(t, os.WriteFile(filepath.Join(data, stateName), []byte(text), 0o600))
		testutil.Equal(t, text, Last(data).IsZero(), true)
	}
	testutil.Must(t, Note(filepath.Join(data, "missing"), Written{}))
	wantNames(t, data, stateName)
}
