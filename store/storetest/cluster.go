// Package storetest gives each test its own database of a real PostgreSQL. It is for
// tests only and needs no TestMain, no variable and no running server. Without
// PostgreSQL binaries a test fails with instructions; it is never skipped.
//
// It imports store, so tests of store are in package store_test.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
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

// Database returns the URL of a new, migrated, empty database, which is dropped when the
// test ends. A benchmark must call it before its loop.
func Database(tb testing.TB) string {
	tb.Helper()
	c := running(tb)
	c.make(tb, template, "template1", migrate)
	return c.database(tb, template)
}

// Filled is Database after fill. Only the first test with this name calls fill, and all of
// them get copies of the result. So fill must not depend on the test, and no connection of
// it may stay open.
func Filled(tb testing.TB, name string, fill func(ctx context.Context, url string) error) string {
	tb.Helper()
	c := running(tb)
	c.make(tb, template, "template1", migrate)
	c.make(tb, name, template, fill)
	return c.database(tb, name)
}

// EmptyDatabase is Database before the first migration.
func EmptyDatabase(tb testing.TB) string {
	tb.Helper()
	return running(tb).database(tb, "template1")
}

// template is the migrated database that the tests copy.
const template = "migrated"

// shared is the cluster of this process, which the first test starts. It is the only
// thing that tests share, and so the only global.
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
	url       *url.URL
	admin     *pgxpool.Pool
	strategy  string   // of CREATE DATABASE
	templates sync.Map // by name: func() error, which creates it once
	count     atomic.Int64

	// These are open until the process ends.
	alive, watched *os.File
}

// start uses no context of a test, because the cluster outlives the first test. The
// kernel and the watcher stop it, even if the process is killed.
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
	return c, nil
}

// strategySQL selects the copying of files, which is the only way before PostgreSQL 15,
// and two to three times faster than the default without flushes.
const strategySQL = `SELECT CASE WHEN current_setting('server_version_num')::int >= 150000
	THEN ' STRATEGY FILE_COPY' ELSE '' END`

func migrate(ctx context.Context, url string) error {
	return store.Migrate(ctx, url, slog.New(slog.DiscardHandler))
}

// make copies the database from and fills the copy, unless it is there. It outlives the
// test.
func (c *cluster) make(tb testing.TB, name, from string, fill func(context.Context, string) error) {
	tb.Helper()
	once, _ := c.templates.LoadOrStore(name, sync.OnceValue(func() error {
		ctx := context.WithoutCancel(tb.Context())
		if _, err := c.admin.Exec(ctx, "CREATE DATABASE "+name+" TEMPLATE "+from+c.strategy); err != nil {
			return err
		}
		return fill(ctx, c.of(name))
	}))
	if err := once.(func() error)(); err != nil {
		tb.Fatalf("create the database %s: %v", name, err)
	}
}

// database copies the database from. The names need no quotes.
func (c *cluster) database(tb testing.TB, from string) string {
	tb.Helper()
	name := fmt.Sprintf("test_%d", c.count.Add(1))
	if _, err := c.admin.Exec(tb.Context(), "CREATE DATABASE "+name+" TEMPLATE "+from+c.strategy); err != nil {
		tb.Fatalf("create a test database: %v", err)
	}
	// The context of the test ends before the cleanup.
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

// newDir returns a directory that belongs to this process as long as the file is open. It
// first removes directories of processes that are gone, because their watcher may have
// been killed, too.
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
	// For root, PostgreSQL runs as another user, who needs to pass through.
	if err := os.Chmod(fresh, 0o711); err != nil { //nolint:gosec // G302: the cluster below it is closed
		return "", nil, err
	}
	alive, err := hold(fresh)
	if err != nil {
		return "", nil, err
	}
	// Others may sweep it only now, because it is locked now.
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

// ownDir creates a directory, or takes an existing one of this user. In a directory like
// /tmp, another user may have created one with this name.
func ownDir(path string) (string, error) {
	if err := os.Mkdir(path, 0o711); err != nil && !errors.Is(err, fs.ErrExist) { //nolint:gosec // G301: see newDir
		return "", err
	}
	info, err := os.Lstat(path)
	if err != nil {
		return "", err
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); !ok || !info.IsDir() || int(stat.Uid) != os.Geteuid() {
		return "", fmt.Errorf("%s does not belong to this user", path)
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

// sweep removes what it can. Leftovers only cost space.
func sweep(base string) {
	dirs, _ := filepath.Glob(filepath.Join(base, "cluster-*")) // the only error is a bad pattern
	for _, dir := range dirs {
		if lock, err := hold(dir); err == nil {
			_ = os.RemoveAll(dir)
			_ = lock.Close()
		}
	}
}

// hold locks the directory. It fails while another process has locked it.
func hold(dir string) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(dir, "alive"), os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // G304: a directory of this package
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// watcher waits until the process at the other end of the pipe is gone, then removes the
// directory. On Linux the kernel has then ended PostgreSQL, which may still write.
const watcher = `cat >/dev/null
kill -QUIT "$(head -n 1 "$1/postgres/postmaster.pid")"
for pause in 0.1 0.3 1 3; do rm -rf "$1" && exit; sleep $pause; done`

// watch starts the watcher in another process group, so that Ctrl-C does not end it. It
// acts when the file is closed.
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
