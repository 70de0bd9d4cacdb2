package storetest

import (
	"os"
	"path/filepath"
	"testing"
)

func TestSweep_RemovesOnlyWhatIsDead(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	dead, living, newborn := filepath.Join(base, "cluster-1"), filepath.Join(base, "cluster-2"), filepath.Join(base, "new-3")
	for _, dir := range []string{dead, living, newborn} {
		makeDir(t, filepath.Join(dir, "postgres", "base"))
	}
	lock, err := hold(living)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = lock.Close() })
	sweep(base)
	for dir, want := range map[string]bool{dead: false, living: true, newborn: true} {
		if _, err := os.Stat(dir); (err == nil) != want {
			t.Errorf("%s: %v, want there: %v", filepath.Base(dir), err, want)
		}
	}
}

func TestWatcher_ClearsUpWhenTheProcessEnds(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "cluster")
	makeDir(t, filepath.Join(dir, "postgres"))
	cmd, watched, err := watch(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := watched.Close(); err != nil { // as the kernel does
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("watcher: %v", err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the directory is still there: %v", err)
	}
}

// Another user may have created a directory of this name in /tmp.
func TestOwnDir_RefusesALink(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	link := filepath.Join(base, "link")
	if err := os.Symlink(base, link); err != nil {
		t.Fatal(err)
	}
	if _, err := ownDir(link); err == nil {
		t.Error("no error")
	}
	if _, err := ownDir(base); err != nil {
		t.Errorf("our own: %v", err)
	}
}

func makeDir(t *testing.T, path string) {
	t.Helper()
	if err := os.MkdirAll(path, 0o700); err != nil {
		t.Fatal(err)
	}
}
