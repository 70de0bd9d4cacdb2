// Package storetest gives every test a real PostgreSQL database of its own. It
// is for tests only, and asks nothing of them: no TestMain, no variable, no
// running server. Where there are no PostgreSQL binaries the test fails with
// the way to get them; it is never skipped.
//
// It imports store, so tests of store are in package store_test.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/caregraph/caregraph/internal/pgserver"
	"github.com/caregraph/caregraph/store"
)

// Database returns the URL of a new, migrated, empty database, dropped when
// the test ends. Everything in it is real: commits, LISTEN, deferred
// constraints. It is dropped no sooner: a benchmark asks for one before its
// loop, not in it.
func Database(tb testing.TB) string {
	tb.Helper()
	c := running(tb)
	if err := c.migrated(); err != nil {
		tb.Fatal(err)
	}
	return c.database(tb, template)
}

// EmptyDatabase is Database before the first migration.
func EmptyDatabase(tb testing.TB) string {
	tb.Helper()
	return running(tb).database(tb, "template1")
}

// template is the database that each test gets a copy of.
const template = "migrated"

// shared is the one cluster of this process, started by the first test that
// asks. It is the only thing that tests share, hence the only global.
var shared = sync.OnceValues(start)

func running(tb testing.TB) *cluster {
	tb.Helper()
	c, err := shared()
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

type cluster struct {
	url      *url.URL
	admin    *pgxpool.Pool
	migrated func() error // runs once, whoever asks
	strategy string       // of CREATE DATABASE
	count    atomic.Int64

	// Open as long as the process lives; its end closes them.
	alive, watched *os.File
}

// start runs with no context of a test: the cluster outlives the one that
// happens to be first. Nobody stops it: the kernel and the watcher do, however
// the process ends.
func start() (*cluster, error) {
	ctx := context.Background()
	dir, alive, err := newDir()
	if err != nil {
		return nil, fmt.Errorf("test cluster: %w", err)
	}
	_, watched, err := watch(ctx, dir)
	if err != nil {
		return nil, fmt.Errorf("test cluster: %w", err)
	}
	server, err := pgserver.Start(ctx, pgserver.Options{DataDir: dir, Throwaway: true})
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(server.URL())
	if err != nil {
		return nil, err
	}
	admin, err := pgxpool.New(ctx, server.URL())
	if err != nil {
		return nil, err
	}
	c := &cluster{url: u, admin: admin, alive: alive, watched: watched}
	if err := admin.QueryRow(ctx, strategySQL).Scan(&c.strategy); err != nil {
		return nil, err
	}
	c.migrated = sync.OnceValue(func() error { return c.migrate(ctx) })
	return c, nil
}

// strategySQL asks for the copying of files, the only way before PostgreSQL 15
// and two to three times faster than the default where nothing is flushed.
const strategySQL = `SELECT CASE WHEN current_setting('server_version_num')::int >= 150000
	THEN ' STRATEGY FILE_COPY' ELSE '' END`

func (c *cluster) migrate(ctx context.Context) error {
	if _, err := c.admin.Exec(ctx, "CREATE DATABASE "+template); err != nil {
		return err
	}
	return store.Migrate(ctx, c.of(template))
}

// database copies from; the names are our own, so they need no quoting.
func (c *cluster) database(tb testing.TB, from string) string {
	tb.Helper()
	name := fmt.Sprintf("test_%d", c.count.Add(1))
	if _, err := c.admin.Exec(tb.Context(), "CREATE DATABASE "+name+" TEMPLATE "+from+c.strategy); err != nil {
		tb.Fatalf("create a test database: %v", err)
	}
	// The test's context has ended by the time of the clean-up.
	ctx := context.WithoutCancel(tb.Context())
	tb.Cleanup(func() {
		if _, err := c.admin.Exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			tb.Errorf("drop the test database: %v", err)
		}
	})
	return c.of(name)
}

// of returns the URL of one database of the cluster.
func (c *cluster) of(name string) string {
	u := *c.url
	u.Path = "/" + name
	return u.String()
}

// newDir returns a directory that is this process's own for as long as the
// file is open. Those of processes that are gone are removed first: their
// watcher may have been killed along with them.
func newDir() (string, *os.File, error) {
	base, err := baseDir()
	if err != nil {
		return "", nil, err
	}
	sweep(base)
	fresh, err := os.MkdirTemp(base, "new-")
	if err != nil {
		return "", nil, err
	}
	// When we are root, PostgreSQL runs as another user, who must get through.
	if err := os.Chmod(fresh, 0o711); err != nil { //nolint:gosec // G302: the cluster below it is closed
		return "", nil, err
	}
	alive, err := hold(fresh)
	if err != nil {
		return "", nil, err
	}
	// Only now may others sweep it, since only now it shows that it is alive.
	dir := filepath.Join(base, "cluster-"+strings.TrimPrefix(filepath.Base(fresh), "new-"))
	return dir, alive, os.Rename(fresh, dir)
}

// baseDir prefers memory: a test database is some 8 MB of small files.
func baseDir() (string, error) {
	var problems []error
	for _, parent := range []string{"/dev/shm", os.TempDir()} {
		if parent == "/dev/shm" && free(parent) <= 1<<30 {
			continue
		}
		base, err := ownDir(filepath.Join(parent, fmt.Sprintf("caregraph-test-%d", os.Geteuid())))
		if err == nil {
			return base, nil
		}
		problems = append(problems, err)
	}
	return "", errors.Join(problems...)
}

// ownDir makes a directory, or takes the one that we made before; anybody may
// have made one of that name where all may write.
func ownDir(path string) (string, error) {
	if err := os.Mkdir(path, 0o711); err != nil && !errors.Is(err, fs.ErrExist) { //nolint:gosec // G301: see newDir
		return "", err
	}
	info, err := os.Lstat(path)
	if err != nil {
		return "", err
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); !ok || !info.IsDir() || int(stat.Uid) != os.Geteuid() {
		return "", fmt.Errorf("%s is not a directory of ours", path)
	}
	return path, nil
}

func free(dir string) uint64 {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(dir, &stat); err != nil {
		return 0
	}
	return stat.Bavail * uint64(stat.Bsize) //nolint:gosec // G115: a block is never of negative size
}

// sweep does what it can; what it leaves costs space and nothing else.
func sweep(base string) {
	dirs, _ := filepath.Glob(filepath.Join(base, "cluster-*")) // the only error is a bad pattern
	for _, dir := range dirs {
		if lock, err := hold(dir); err == nil {
			_ = os.RemoveAll(dir)
			_ = lock.Close()
		}
	}
}

// hold fails while a living process holds the directory.
func hold(dir string) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(dir, "alive"), os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // G304: a directory of ours
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// watcher reads until the process at the other end of the pipe is gone, by
// whatever end, then clears up. On Linux the kernel has then ended PostgreSQL
// already; it may still be writing its last.
const watcher = `cat >/dev/null
kill -QUIT "$(head -n 1 "$1/postgres/postmaster.pid")"
for pause in 0.1 0.3 1 3; do rm -rf "$1" && exit; sleep $pause; done`

// watch starts the watcher, out of reach of a Ctrl-C that ends the tests. It
// goes to work when the file is closed.
func watch(ctx context.Context, dir string) (*exec.Cmd, *os.File, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	cmd := exec.CommandContext(ctx, "sh", "-c", watcher, "sh", dir) //nolint:gosec // G204: the script is a constant
	cmd.Stdin = read
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd, write, errors.Join(cmd.Start(), read.Close())
}
