package pgserver

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/internal/testutil"
)

// copyInstallation puts a copy of this machine's PostgreSQL below root. Its tools are
// files and its libraries are links, and a test can replace both.
func copyInstallation(t *testing.T, root string) (bin, lib string) {
	t.Helper()
	s := start(t, Options{DataDir: openDir(t), Throwaway: true})
	at := func(name string) string {
		return query(t, s.URL(), "SELECT setting FROM pg_config WHERE name = '"+name+"'")
	}
	bin, lib = at("BINDIR"), at("PKGLIBDIR")
	prefix, share := filepath.Dir(bin), at("SHAREDIR")
	testutil.Must(t, s.Stop(t.Context()))
	testutil.Must(t, filepath.WalkDir(prefix, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			return os.MkdirAll(root+path, 0o755)
		case filepath.Dir(path) != bin:
			return os.Symlink(path, root+path)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(root+path, content, 0o755)
	}))
	if !strings.HasPrefix(share, prefix+"/") {
		testutil.Must(t, os.MkdirAll(filepath.Dir(root+share), 0o755))
		testutil.Must(t, os.Symlink(share, root+share))
	}
	return root + bin, root + lib
}

// replace puts another file in the place of one, as a package manager does.
func replace(t *testing.T, path string) {
	t.Helper()
	testutil.Must(t, os.WriteFile(path+".dpkg-new", []byte("not for the server that runs"), 0o755))
	testutil.Must(t, os.Rename(path+".dpkg-new", path))
}

// TestStart_PackagesUpgradedUnderTheServer: new connections work although the libraries
// on the disk do not fit the running server. One warning says that it must be restarted.
func TestStart_PackagesUpgradedUnderTheServer(t *testing.T) {
	t.Parallel()
	bin, lib := copyInstallation(t, openDir(t))
	dir := openDir(t)
	var log logBook
	s := start(t, Options{DataDir: dir, Log: log.logger(), Places: Places{Getenv: func(key string) string {
		if key == "PG_BIN" {
			return bin
		}
		return os.Getenv(key)
	}}})
	query(t, s.URL(), "CREATE EXTENSION pg_trgm")
	if deleted := ExecutableDeleted(dir); deleted || s.warnIfDeleted(t.Context()) {
		t.Error("the executable is there")
	}
	for _, library := range []string{"plpgsql.so", "pg_trgm.so"} {
		replace(t, filepath.Join(lib, library))
	}
	replace(t, filepath.Join(bin, "postgres"))
	query(t, s.URL(), "DO $$ BEGIN PERFORM 1; END $$")
	if got := query(t, s.URL(), "SELECT similarity('Asha', 'asha')"); got != "1" {
		t.Errorf("similarity = %q", got)
	}
	if deleted := ExecutableDeleted(dir); !deleted {
		t.Error("the executable was replaced")
	}
	s.watchExecutable(t.Context()) // ends with the warning
	if got := strings.Count(log.String(), "level=WARN"); got != 1 || !strings.Contains(log.String(), "restart the server") {
		t.Errorf("%d warnings: %s", got, log.String())
	}
}
