package pgserver

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/caregraph/caregraph/internal/testutil"
)

// helperRole, if set, makes the test binary act as a server that a test can
// kill.
const helperRole = "PGSERVER_TEST_ROLE"

func TestMain(m *testing.M) {
	if role := os.Getenv(helperRole); role != "" {
		os.Exit(helperMain(role, os.Args[len(os.Args)-1]))
	}
	os.Exit(m.Run())
}

// helperMain starts a server, prints the result in one line, and stops the
// server when its standard input ends.
func helperMain(role, dir string) int {
	if err := becomeRole(role); err != nil {
		_, _ = fmt.Fprintf(os.Stdout, "cannot become %s: %v\n", role, err)
		return 1
	}
	s, err := Start(context.Background(), Options{DataDir: dir})
	if err != nil {
		_, _ = fmt.Fprintln(os.Stdout, err)
		return 1
	}
	_, _ = fmt.Fprintln(os.Stdout, s.URL())
	_, _ = io.Copy(io.Discard, os.Stdin)
	if err := s.Stop(context.Background()); err != nil {
		return 1
	}
	return 0
}

type helper struct {
	cmd  *exec.Cmd
	said string
	stop func()
}

// startHelper returns when the helper has printed its line. Its environment is that of
// the test, and env.
func startHelper(t *testing.T, role, dir string, env ...string) *helper {
	t.Helper()
	// The test's context ends before the clean-up, which stops the helper in
	// order.
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), os.Args[0], dir)
	cmd.Env = append(append(os.Environ(), env...), helperRole+"="+role)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	testutil.Must(t, err)
	out, err := cmd.StdoutPipe()
	testutil.Must(t, err)
	testutil.Must(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	testutil.Must(t, err)
	h := &helper{cmd: cmd, said: strings.TrimSpace(line)}
	h.stop = func() { _ = in.Close(); _ = cmd.Wait() }
	t.Cleanup(h.stop)
	return h
}

// start starts a server and stops it at the end of the test, if the test has
// not.
func start(t *testing.T, o Options) *Server {
	t.Helper()
	s, err := Start(t.Context(), o)
	testutil.Must(t, err)
	t.Cleanup(func() { _ = s.Stop(context.WithoutCancel(t.Context())) })
	return s
}

// openDir returns a directory that any user may enter, which is not always true
// for TMPDIR.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "pgserver-test-") //nolint:usetesting // see above
	testutil.Must(t, err)
	t.Cleanup(func() { testutil.Must(t, os.RemoveAll(dir)) })
	testutil.Must(t, os.Chmod(dir, 0o711))
	return dir
}

// query returns the first column of the first row as text, or fails the test.
func query(t *testing.T, url, sql string) string {
	t.Helper()
	got, err := tryQuery(t, url, sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return got
}

func tryQuery(t *testing.T, url, sql string) (string, error) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	rows, err := conn.Query(t.Context(), sql, pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	got := ""
	for rows.Next() {
		got = string(rows.RawValues()[0])
	}
	return got, rows.Err()
}

func socketDirOf(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	testutil.Must(t, err)
	return u.Query().Get("host")
}

// logBook keeps all log records.
type logBook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBook) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func (b *logBook) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(b, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// fakeInstallation writes initdb and postgres as scripts below root.
func fakeInstallation(t *testing.T, dir string, major int, initdb string) {
	t.Helper()
	testutil.Must(t, os.MkdirAll(dir, 0o755))
	version := fmt.Sprintf("#!/bin/sh\necho 'postgres (PostgreSQL) %d.4 (Fake)'\n", major)
	testutil.Must(t, os.WriteFile(filepath.Join(dir, "postgres"), []byte(version), 0o755))
	testutil.Must(t, os.WriteFile(filepath.Join(dir, "initdb"), []byte("#!/bin/sh\n"+initdb), 0o755))
}

func noEnv(string) string { return "" }
