package pgserver

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/caregraph/caregraph/internal/testutil"
)

func TestRunning_FindsTheServersOfOthers(t *testing.T) {
	t.Parallel()
	kept, throwaway := openDir(t), openDir(t)
	s := start(t, Options{DataDir: kept})
	start(t, Options{DataDir: throwaway, Throwaway: true})
	dirs, err := Running(t.Context())
	testutil.Must(t, err)
	if !slices.Contains(dirs, kept) || slices.Contains(dirs, throwaway) {
		t.Errorf("got %q, want %s and not %s", dirs, kept, throwaway)
	}
	testutil.Must(t, s.Stop(t.Context()))
	dirs, err = Running(t.Context())
	testutil.Must(t, err)
	if slices.Contains(dirs, kept) {
		t.Errorf("%s has stopped: %q", kept, dirs)
	}
}

func TestRunningOn_ReadsOnlyItsOwnCommandLines(t *testing.T) {
	t.Parallel()
	c := cluster{dataDir: "/srv/my data"}
	line := "/usr/lib/postgresql/17/bin/postgres -D " + c.path() + " -p " + socketPort
	for _, setting := range c.settings("/tmp/"+socketPrefix+"123", Installation{}) {
		line += " -c " + setting
	}
	if dir, found := runningOn(line); !found || dir != filepath.FromSlash("/srv/my data") {
		t.Errorf("got %q, %v from %s", dir, found, line)
	}
	for _, line := range []string{
		"", "postgres: checkpointer ", "/usr/lib/postgresql/17/bin/postgres -D /var/lib/postgresql/17/main -c config_file=/etc/postgresql.conf",
		"tar -C /tmp/caregraph-1", "cc -D X -p 5432",
	} {
		if dir, found := runningOn(line); found {
			t.Errorf("%q runs on %q", line, dir)
		}
	}
}
