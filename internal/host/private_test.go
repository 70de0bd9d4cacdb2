package host_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/internal/host"
)

func TestReadPrivate_RefusesWhatOthersCanRead(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte("hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for mode, allowed := range map[os.FileMode]bool{0o600: true, 0o400: true, 0o640: true, 0o644: false, 0o602: false, 0o604: false} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		got, err := host.ReadPrivate(path)
		if allowed && (err != nil || string(got) != "hunter2\n") {
			t.Errorf("%o: %q, %v", mode, got, err)
		}
		if !allowed && (err == nil || !strings.Contains(err.Error(), "other users can read or write "+path) || strings.Contains(err.Error(), "hunter2")) {
			t.Errorf("%o: %q, %v", mode, got, err)
		}
	}
}

func TestReadPrivate_RefusesALongFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, make([]byte, 1<<20+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := host.ReadPrivate(path); err == nil {
		t.Error("it was read")
	}
	if _, err := host.ReadPrivate(path + "-none"); !os.IsNotExist(err) {
		t.Errorf("no file: %v", err)
	}
}
