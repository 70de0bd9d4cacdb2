package pgserver

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/caregraph/caregraph/internal/testutil"
)

// postmaster returns the process id of the cluster in the data directory.
func postmaster(t *testing.T, dir string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "postgres", "postmaster.pid"))
	testutil.Must(t, err)
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(first)
	testutil.Must(t, err)
	return pid
}

func TestWith_UsesAGivenAddressAndStartsNothing(t *testing.T) {
	t.Parallel()
	dir, failed := filepath.Join(openDir(t), "data"), errors.New("failed")
	err := With(t.Context(), Database{URL: "postgres://elsewhere/d", DataDir: dir}, func(_ context.Context, url string) error {
		if url != "postgres://elsewhere/d" {
			t.Errorf("url = %s", url)
		}
		return failed
	})
	if !errors.Is(err, failed) || exists(dir) {
		t.Errorf("%v; the data directory exists: %v", err, exists(dir))
	}
}

func TestWith_StopsItsClusterWhenDone(t *testing.T) {
	t.Parallel()
	d, failed := Database{DataDir: openDir(t), StopTimeout: time.Minute}, errors.New("failed")
	err := With(t.Context(), d, func(_ context.Context, url string) error {
		query(t, url, "CREATE TABLE kept AS SELECT 42 AS n")
		return failed
	})
	if !errors.Is(err, failed) {
		t.Errorf("got %v", err)
	}
	if _, running, err := Attach(d.DataDir); running || err != nil {
		t.Errorf("running: %v, %v", running, err)
	}
	testutil.Must(t, With(t.Context(), d, func(_ context.Context, url string) error {
		if got := query(t, url, "SELECT n FROM kept"); got != "42" {
			t.Errorf("n = %q", got)
		}
		return nil
	}))
}

func TestWith_AttachesOnlyWhenAllowed(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	s := start(t, Options{DataDir: dir})
	for _, attach := range []bool{true, false} {
		called := false
		err := With(t.Context(), Database{DataDir: dir, Attach: attach}, func(_ context.Context, url string) error {
			called = true
			query(t, url, "SELECT 1")
			return nil
		})
		refused := err != nil && strings.Contains(err.Error(), "is in use by another server")
		if called != attach || refused == attach {
			t.Errorf("attach %v: called %v, error %v", attach, called, err)
		}
	}
	if got := query(t, s.URL(), "SELECT 1"); got != "1" {
		t.Errorf("With stopped a cluster that it did not start: %q", got)
	}
}

func TestWith_EndsTheContextWhenPostgresDies(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	err := With(t.Context(), Database{DataDir: dir, StopTimeout: time.Minute}, func(ctx context.Context, _ string) error {
		testutil.Must(t, syscall.Kill(postmaster(t, dir), syscall.SIGKILL))
		<-ctx.Done()
		return nil
	})
	if err == nil || err.Error() != "PostgreSQL ended by itself: signal: killed" {
		t.Errorf("got %v", err)
	}
}
