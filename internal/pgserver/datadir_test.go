package pgserver

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/internal/testutil"
)

func TestDefaultDataDir(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		uid             int
		state, home, is string
	}{
		{0, "/state", "/root", "/var/lib/caregraph"},
		{1000, "/state", "/home/asha", "/state/caregraph"},
		{1000, "", "/home/asha", "/home/asha/.local/state/caregraph"},
		{1000, "relative", "/home/asha", "/home/asha/.local/state/caregraph"},
		{1000, "", "", ""},
	} {
		env := map[string]string{"XDG_STATE_HOME": tc.state, "HOME": tc.home}
		got, err := defaultDataDir(tc.uid, func(key string) string { return env[key] })
		if got != tc.is || (err == nil) != (tc.is != "") {
			t.Errorf("%+v: got %q, %v", tc, got, err)
		}
	}
}

func TestStart_ClusterOfAnotherMajorIsLeftAlone(t *testing.T) {
	t.Parallel()
	root, dir := canonical(t, t.TempDir()), openDir(t)
	fakeInstallation(t, filepath.Join(root, "usr/pgsql-18/bin"), 18, "rm -rf "+dir+"/postgres\n")
	writeFile(t, filepath.Join(dir, "postgres", "base", "1", "2"))
	testutil.Must(t, os.WriteFile(filepath.Join(dir, "postgres", "PG_VERSION"), []byte("15\n"), 0o600))
	testutil.Must(t, os.WriteFile(filepath.Join(dir, "postgres", "postmaster.pid"), []byte("1\n"), 0o600))
	before := tree(t, filepath.Join(dir, "postgres"))

	_, err := Start(t.Context(), Options{DataDir: dir, Places: Places{Root: root, Getenv: noEnv}})
	want := "data directory " + dir + " was made by PostgreSQL 15, but only 18 was found (" + root + "/usr/pgsql-18/bin): install PostgreSQL 15; with both, caregraph postgres upgrade moves it. Nothing was changed."
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if after := tree(t, filepath.Join(dir, "postgres")); !slices.Equal(before, after) {
		t.Errorf("before %v\nafter  %v", before, after)
	}
}

// A new cluster uses the highest version; an old cluster uses its own.
func TestBinaries_OfTheClustersMajor(t *testing.T) {
	t.Parallel()
	root, dir := canonical(t, t.TempDir()), openDir(t)
	for _, major := range []string{"9.6", "15", "17"} {
		fakeInstallation(t, filepath.Join(root, "usr/lib/postgresql", major, "bin"), map[string]int{"9.6": 9, "15": 15, "17": 17}[major], "")
	}
	testutil.Must(t, os.Mkdir(filepath.Join(dir, "postgres"), 0o700))
	for _, major := range []string{"9.6", "15", "17"} {
		testutil.Must(t, os.WriteFile(filepath.Join(dir, "postgres", "PG_VERSION"), []byte(major+"\n"), 0o600))
		var log logBook
		got, err := cluster{dataDir: dir, log: log.logger()}.binaries(t.Context(), Places{Root: root, Getenv: noEnv})
		testutil.Must(t, err)
		if want := filepath.Join(root, "usr/lib/postgresql", major, "bin"); got.Dir != want {
			t.Errorf("for %s got %s", major, got.Dir)
		}
	}
}

func TestStart_DirectoryThatIsNoClusterIsLeftAlone(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	writeFile(t, filepath.Join(dir, "postgres", "letter"))
	before := tree(t, filepath.Join(dir, "postgres"))
	if _, err := Start(t.Context(), Options{DataDir: dir}); err == nil || !strings.Contains(err.Error(), "is not a PostgreSQL data directory") {
		t.Errorf("got %v", err)
	}
	if after := tree(t, filepath.Join(dir, "postgres")); !slices.Equal(before, after) {
		t.Errorf("before %v\nafter  %v", before, after)
	}
}

func TestStart_InterruptedInitdbIsBegunAgain(t *testing.T) {
	t.Parallel()
	root, dir := openDir(t), openDir(t)
	// It answers --version, and fails in the middle of its work.
	fakeInstallation(t, filepath.Join(root, "usr/pgsql-18/bin"), 18, `case "$1" in
--pgdata=*) echo 18 >"${1#--pgdata=}/PG_VERSION"; echo "initdb: error: no space left" >&2; exit 1
esac
`)
	_, err := Start(t.Context(), Options{DataDir: dir, Places: Places{Root: root, Getenv: noEnv}})
	want := "make a PostgreSQL cluster in " + dir + ": exit status 1: initdb: error: no space left"
	if err == nil || err.Error() != want {
		t.Fatalf("got  %v\nwant %s", err, want)
	}
	if !exists(filepath.Join(dir, "postgres.new", "PG_VERSION")) || exists(filepath.Join(dir, "postgres")) {
		t.Fatalf("unexpected: %v", tree(t, dir))
	}
	s := start(t, Options{DataDir: dir})
	if got := query(t, s.URL(), "SELECT 1"); got != "1" {
		t.Errorf("SELECT 1 = %q", got)
	}
	for _, name := range []string{"postgres.new", "postgres.secret.new"} {
		if exists(filepath.Join(dir, name)) {
			t.Errorf("%s is still there", name)
		}
	}
}

// TestInitdb_ErrorIsTheCauseAndNotAWarning: the warning comes later than the cause.
func TestInitdb_ErrorIsTheCauseAndNotAWarning(t *testing.T) {
	t.Parallel()
	out := `creating subdirectories ... ok
running bootstrap script ... FATAL:  could not write to file "pg_wal/xlogtemp.9": No space left on device
child process exited with exit code 1
initdb: removing contents of data directory "/d"
initdb: warning: enabling "trust" authentication for local connections
initdb: hint: You can change this by editing pg_hba.conf
`
	err := initdbError(t.Context(), out, errors.New("exit status 1"))
	testutil.Equal(t, "the error", err.Error(), `exit status 1: FATAL: could not write to file "pg_wal/xlogtemp.9": No space left on device`)
}

// Not every C library has C.UTF-8.
func TestInitdb_FallsBackToALocaleThatIsThere(t *testing.T) {
	t.Parallel()
	root, dir := t.TempDir(), t.TempDir()
	fakeInstallation(t, root, 18, `case "$*" in *--lc-ctype=C\ *) touch "${1#--pgdata=}/made";; *) echo 'initdb: error: invalid locale name "x"'; exit 1;; esac
`)
	var log logBook
	c := cluster{dataDir: dir, log: log.logger()}
	testutil.Must(t, c.initdb(t.Context(), Installation{Dir: root, Major: 18}, account{}, c.path(), "secret"))
	if !exists(filepath.Join(c.path(), "made")) {
		t.Errorf("got %v", tree(t, dir))
	}
}

func TestSocketDir_PathFitsIntoAnAddress(t *testing.T) {
	t.Parallel()
	long := filepath.Join(t.TempDir(), strings.Repeat("x", 100))
	testutil.Must(t, os.Mkdir(long, 0o700))
	got, err := makeSocketDir([]string{filepath.Join(long, "missing"), long, "/tmp"}, account{})
	testutil.Must(t, err)
	t.Cleanup(func() { _ = os.Remove(got) })
	if filepath.Dir(got) != "/tmp" {
		t.Errorf("got %s", got)
	}
	if _, err := makeSocketDir([]string{long}, account{}); err == nil || !strings.Contains(err.Error(), "103 bytes") {
		t.Errorf("got %v", err)
	}
	if left := tree(t, long); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

// tree lists the files below dir, with modes, sizes and times.
func tree(t *testing.T, dir string) []string {
	t.Helper()
	var list []string
	testutil.Must(t, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := os.Lstat(path)
		if err != nil {
			return err
		}
		list = append(list, path+" "+info.Mode().String()+" "+info.ModTime().String())
		return nil
	}))
	return list
}
