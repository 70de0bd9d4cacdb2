package pgserver

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/caregraph/caregraph/internal/testutil"
)

func TestFind(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		files map[string]int // bin directory below the root: major version
		trgm  []string       // extension directories that have pg_trgm
		bare  []string       // extension directories that do not
		env   map[string]string
		want  string
	}{
		"highest version of Debian":       {files: map[string]int{"usr/lib/postgresql/9/bin": 9, "usr/lib/postgresql/15/bin": 15, "usr/lib/postgresql/17/bin": 17}, want: "usr/lib/postgresql/17/bin"},
		"Red Hat's PGDG":                  {files: map[string]int{"usr/pgsql-16/bin": 16}, want: "usr/pgsql-16/bin"},
		"Alpine":                          {files: map[string]int{"usr/libexec/postgresql17": 17}, want: "usr/libexec/postgresql17"},
		"Homebrew on Apple silicon":       {files: map[string]int{"opt/homebrew/opt/postgresql@17/bin": 17}, want: "opt/homebrew/opt/postgresql@17/bin"},
		"Homebrew on Intel":               {files: map[string]int{"usr/local/opt/postgresql@17/bin": 17}, want: "usr/local/opt/postgresql@17/bin"},
		"MacPorts":                        {files: map[string]int{"opt/local/lib/postgresql17/bin": 17}, want: "opt/local/lib/postgresql17/bin"},
		"Postgres.app":                    {files: map[string]int{"Applications/Postgres.app/Contents/Versions/17/bin": 17}, want: "Applications/Postgres.app/Contents/Versions/17/bin"},
		"PATH":                            {files: map[string]int{"fedora/bin": 16}, env: map[string]string{"PATH": "/fedora/bin"}, want: "fedora/bin"},
		"highest, PATH or not":            {files: map[string]int{"some/bin": 14, "usr/lib/postgresql/17/bin": 17}, env: map[string]string{"PATH": "/some/bin"}, want: "usr/lib/postgresql/17/bin"},
		"PG_BIN against higher ones":      {files: map[string]int{"mine": 14, "usr/pgsql-17/bin": 17}, env: map[string]string{"PG_BIN": "/mine"}, want: "mine"},
		"the cache comes last":            {files: map[string]int{"usr/pgsql-15/bin": 15, "c/caregraph/pg/18.4.0/bin": 18}, env: map[string]string{"XDG_CACHE_HOME": "/c"}, want: "usr/pgsql-15/bin"},
		"the cache when there is no else": {files: map[string]int{"c/caregraph/pg/18.4.0/bin": 18}, env: map[string]string{"XDG_CACHE_HOME": "/c"}, want: "c/caregraph/pg/18.4.0/bin"},
		"pg_trgm before a higher version": {
			files: map[string]int{"usr/lib/postgresql/15/bin": 15, "usr/lib/postgresql/17/bin": 17},
			trgm:  []string{"usr/share/postgresql/15/extension"}, bare: []string{"usr/share/postgresql/17/extension"},
			want: "usr/lib/postgresql/15/bin",
		},
		"pg_trgm in the cache before an installation without": {
			files: map[string]int{"usr/pgsql-17/bin": 17, "c/caregraph/pg/18.4.0/bin": 18}, env: map[string]string{"XDG_CACHE_HOME": "/c"},
			trgm: []string{"c/caregraph/pg/18.4.0/share/postgresql/extension"}, bare: []string{"usr/pgsql-17/share/extension"},
			want: "c/caregraph/pg/18.4.0/bin",
		},
		"without pg_trgm rather than nothing": {files: map[string]int{"usr/pgsql-17/bin": 17}, bare: []string{"usr/pgsql-17/share/extension"}, want: "usr/pgsql-17/bin"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := canonical(t, t.TempDir())
			for dir, major := range tc.files {
				fakeInstallation(t, filepath.Join(root, dir), major, "")
			}
			for _, dir := range append(tc.bare, tc.trgm...) {
				writeFile(t, filepath.Join(root, dir, "plpgsql.control"))
			}
			for _, dir := range tc.trgm {
				writeFile(t, filepath.Join(root, dir, "pg_trgm.control"))
			}
			got, err := Places{Root: root, Getenv: below(root, tc.env)}.Find(t.Context())
			testutil.Must(t, err)
			if want := filepath.Join(root, tc.want); got.Dir != want {
				t.Errorf("found %s, want %s", got.Dir, want)
			}
			if wantTrigrams := len(tc.bare) == 0 || len(tc.trgm) > 0; got.Trigrams != wantTrigrams {
				t.Errorf("Trigrams = %v", got.Trigrams)
			}
		})
	}
}

// On some machines Debian links only postgres into PATH; initdb is where the
// link points.
func TestFind_FollowsALinkOnPath(t *testing.T) {
	t.Parallel()
	root := canonical(t, t.TempDir())
	place := filepath.Join(root, "opt", "pg", "bin")
	fakeInstallation(t, place, 16, "")
	testutil.Must(t, os.Mkdir(filepath.Join(root, "bin"), 0o700))
	testutil.Must(t, os.Symlink(filepath.Join(place, "postgres"), filepath.Join(root, "bin", "postgres")))
	got, err := Places{Root: root, Getenv: below(root, map[string]string{"PATH": "/bin"})}.Find(t.Context())
	testutil.Must(t, err)
	if got.Dir != place || got.Major != 16 {
		t.Errorf("got %+v", got)
	}
}

// An incomplete installation does not count: Debian's postgresql-client, a
// binary for another machine, a directory with the right name.
func TestFind_NothingFoundSaysWhatToDo(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	fakeInstallation(t, filepath.Join(root, "usr/pgsql-16/bin"), 16, "")
	testutil.Must(t, os.Remove(filepath.Join(root, "usr/pgsql-16/bin/initdb")))
	fakeInstallation(t, filepath.Join(root, "usr/pgsql-17/bin"), 17, "")
	testutil.Must(t, os.WriteFile(filepath.Join(root, "usr/pgsql-17/bin/postgres"), []byte("#!/bin/sh\nexit 1\n"), 0o700))
	fakeInstallation(t, filepath.Join(root, "usr/pgsql-18/bin"), 18, "")
	testutil.Must(t, os.Chmod(filepath.Join(root, "usr/pgsql-18/bin/initdb"), 0o600))
	testutil.Must(t, os.MkdirAll(filepath.Join(root, "usr/pgsql-19/bin/postgres"), 0o700))
	testutil.Must(t, os.MkdirAll(filepath.Join(root, "usr/pgsql-19/bin/initdb"), 0o700))

	want := `no PostgreSQL found. Do one of:
  Debian/Ubuntu  sudo apt-get install -y postgresql
  Fedora         sudo dnf install -y postgresql-server
  macOS          brew install postgresql@17
  with Node      make pg          (puts PostgreSQL 18 in the project cache, no root)
  any server     DATABASE_URL=postgres://user:pass@host/db make run
looked in: PG_BIN (not set), PATH, ` + root + `/usr/lib/postgresql/*/bin, ` + root + `/usr/pgsql-*/bin, ` + root + `/usr/libexec/postgresql*, ` +
		root + `/opt/homebrew/opt/postgresql*/bin, ` + root + `/usr/local/opt/postgresql*/bin, ` + root + `/opt/local/lib/postgresql*/bin, ` +
		root + `/Applications/Postgres.app/Contents/Versions/*/bin, /c/caregraph/pg/*/bin`
	_, err := Places{Root: root, Getenv: func(key string) string {
		return map[string]string{"XDG_CACHE_HOME": "/c"}[key]
	}}.Find(t.Context())
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// A wrong PG_BIN is an error and not ignored.
func TestFind_WrongPGBIN(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	fakeInstallation(t, filepath.Join(root, "usr/pgsql-16/bin"), 16, "")
	_, err := Places{Root: root, Getenv: below(root, map[string]string{"PG_BIN": "/nowhere"})}.Find(t.Context())
	want := (&NotFoundError{Looked: []string{"PG_BIN=" + root + "/nowhere"}}).Error()
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

// below returns an environment whose paths start with root.
func below(root string, env map[string]string) func(string) string {
	return func(key string) string {
		if env[key] == "" {
			return ""
		}
		return filepath.Join(root, env[key])
	}
}

func canonical(t *testing.T, dir string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(dir)
	testutil.Must(t, err)
	return dir
}

func writeFile(t *testing.T, path string) {
	t.Helper()
	testutil.Must(t, os.MkdirAll(filepath.Dir(path), 0o700))
	testutil.Must(t, os.WriteFile(path, nil, 0o600))
}
