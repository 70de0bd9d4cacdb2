package pgserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/caregraph/caregraph/internal/testutil"
)

func TestStart_DataOutlivesACleanStop(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(openDir(t), "made", "by", "start")
	first := start(t, Options{DataDir: dir})
	query(t, first.URL(), "CREATE TABLE kept AS SELECT 42 AS n")
	testutil.Must(t, first.Stop(t.Context()))
	testutil.Must(t, first.Stop(t.Context())) // a second call does no harm
	if exists(socketDirOf(t, first.URL())) {
		t.Error("the socket directory is still there")
	}
	var log logBook
	second := start(t, Options{DataDir: dir, Log: log.logger()})
	if got := query(t, second.URL(), "SELECT n FROM kept"); got != "42" {
		t.Errorf("n = %q", got)
	}
	testutil.Must(t, second.Stop(t.Context()))
	if text := log.String(); strings.Contains(text, "not properly shut down") || !strings.Contains(text, "ready to accept connections") {
		t.Errorf("the stop before was not clean: %s", text)
	}
}

func TestStart_ClusterIsClosedAndChecked(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	s := start(t, Options{DataDir: dir})
	for sql, want := range map[string]string{
		"SHOW listen_addresses":          "",
		"SHOW data_checksums":            "on",
		"SHOW server_encoding":           "UTF8",
		"SHOW fsync":                     "on",
		"SHOW jit":                       "off",
		"SELECT upper('é')":              "É",
		"SELECT 'a' < 'B' COLLATE \"C\"": "f",
		"SELECT 'a' < 'B'":               "f",
	} {
		if got := query(t, s.URL(), sql); got != want {
			t.Errorf("%s = %q, want %q", sql, got, want)
		}
	}
	for path, want := range map[string]os.FileMode{
		filepath.Join(dir, "postgres"):             0o700,
		filepath.Join(dir, "postgres", secretName): 0o600,
		filepath.Join(dir, "postgres.lock"):        0o600,
		socketDirOf(t, s.URL()):                    0o700,
	} {
		info, err := os.Stat(path)
		testutil.Must(t, err)
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", path, got, want)
		}
	}
	if pgid, err := syscall.Getpgid(s.process.Pid); err != nil || pgid != s.process.Pid {
		t.Errorf("process group %d of %d, %v: Ctrl-C would reach it", pgid, s.process.Pid, err)
	}
}

func TestStart_WrongPasswordIsRefused(t *testing.T) {
	t.Parallel()
	s := start(t, Options{DataDir: openDir(t)})
	u, err := url.Parse(s.URL())
	testutil.Must(t, err)
	u.User = url.UserPassword(superuser, "guess")
	if _, err := tryQuery(t, u.String(), "SELECT 1"); err == nil || !strings.Contains(err.Error(), "28P01") {
		t.Errorf("got %v, want 28P01", err)
	}
}

func TestStart_SecondServerIsRefused(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	s := start(t, Options{DataDir: dir})
	_, err := Start(t.Context(), Options{DataDir: dir})
	want := fmt.Sprintf("data directory %s is in use by another server (pid %d): use --data OTHER, or DATABASE_URL to share one database", dir, os.Getpid())
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if got := query(t, s.URL(), "SELECT 1"); got != "1" {
		t.Errorf("the first server was disturbed: %q", got)
	}
}

func TestStart_EndedContextLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	testutil.Must(t, start(t, Options{DataDir: dir}).Stop(t.Context()))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Start(ctx, Options{DataDir: dir}); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want context.Canceled", err)
	}
	start(t, Options{DataDir: dir})
}

func TestStop_EndedContextStillEndsPostgres(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	s := start(t, Options{DataDir: dir})
	query(t, s.URL(), "CREATE TABLE kept AS SELECT 42 AS n")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Stop(ctx); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("Stop: %v", err)
	}
	<-s.Done()
	again := start(t, Options{DataDir: dir})
	if got := query(t, again.URL(), "SELECT n FROM kept"); got != "42" {
		t.Errorf("n = %q", got)
	}
}

func TestServer_TellsWhenPostgresDies(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	s := start(t, Options{DataDir: dir})
	testutil.Must(t, s.process.Kill())
	<-s.Done()
	if err := s.Stop(t.Context()); err == nil || err.Error() != "PostgreSQL ended by itself: signal: killed" {
		t.Errorf("Stop = %v", err)
	}
	again := start(t, Options{DataDir: dir})
	if got := query(t, again.URL(), "SELECT 1"); got != "1" {
		t.Errorf("SELECT 1 = %q", got)
	}
}

// TestServer_TellsWhyPostgresEnded: the last fault in its log, such as a full disk.
func TestServer_TellsWhyPostgresEnded(t *testing.T) {
	t.Parallel()
	w := &logWriter{log: slog.New(slog.DiscardHandler), stopping: func() bool { return false }}
	_, err := w.Write([]byte("LOG:  all is well\nPANIC:  could not write to file \"pg_wal/xlogtemp.7\": No space left on device\nLOG:  aborting\n" +
		"FATAL:  the database system is in recovery mode\n")) // what a client hears meanwhile
	testutil.Must(t, err)
	testutil.Equal(t, "the cause", endedByItself(errors.New("exit status 1"), w.fault).Error(),
		`PostgreSQL ended by itself after PANIC:  could not write to file "pg_wal/xlogtemp.7": No space left on device: exit status 1`)
}

func TestStart_FailureTellsWhatPostgresSaid(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	testutil.Must(t, start(t, Options{DataDir: dir}).Stop(t.Context()))
	conf := filepath.Join(dir, "postgres", "postgresql.conf")
	testutil.Must(t, os.WriteFile(conf, []byte("no_such_setting = 1\n"), 0o600))
	_, err := Start(t.Context(), Options{DataDir: dir})
	if err == nil || !strings.Contains(err.Error(), "no_such_setting") {
		t.Errorf("got %v", err)
	}
}

func TestLog_HasNoValueOfAStatement(t *testing.T) {
	t.Parallel()
	var log logBook
	s := start(t, Options{DataDir: openDir(t), Log: log.logger()})
	query(t, s.URL(), "CREATE TABLE patients (name text UNIQUE)")
	query(t, s.URL(), "INSERT INTO patients VALUES ('Arjun')")
	for _, sql := range []string{
		"INSERT INTO patients VALUES ('Arjun')", "SELECT 'Arjun'::int", "SELEKT 'Arjun'",
		"DO $$ BEGIN RAISE WARNING 'Arjun'; END $$",
	} {
		_, _ = tryQuery(t, s.URL(), sql)
	}
	testutil.Must(t, s.Stop(t.Context()))
	if text := log.String(); strings.Contains(text, "Arjun") || !strings.Contains(text, "PostgreSQL says") {
		t.Errorf("log: %s", text)
	}
	for line := range strings.Lines(log.String()) {
		if secret, _, _ := strings.Cut(strings.TrimPrefix(s.URL(), "postgres://"+superuser+":"), "@"); strings.Contains(line, secret) {
			t.Error("the password is in the log")
		}
	}
}

func TestStart_ThrowawayNeedsNoPasswordAndNoDisk(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	s := start(t, Options{DataDir: dir, Throwaway: true})
	if got := filepath.Dir(socketDirOf(t, s.URL())); got != dir {
		t.Errorf("the socket is below %s", got)
	}
	if got := query(t, s.URL(), "SHOW fsync"); got != "off" {
		t.Errorf("fsync = %s", got)
	}
	if u, err := url.Parse(s.URL()); err != nil || u.User.String() != superuser {
		t.Errorf("URL %s, %v", s.URL(), err)
	}
}
