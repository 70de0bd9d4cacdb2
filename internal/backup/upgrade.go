package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/caregraph/caregraph/internal/pgserver"
	"github.com/caregraph/caregraph/store"
)

// Upgraded is a cluster that was moved to another major version.
type Upgraded struct {
	From, To int
	// Old is the directory with the old cluster, as it was.
	Old  string
	Rows int64
}

// Upgrade moves the private cluster of the data directory to the newest PostgreSQL, or to
// that in the directory bin if it is not empty. The old version must be installed, too. It
// fills a new cluster in postgres.upgrade, compares the rows, and then exchanges the two. Until
// then the old cluster is as it was, also after a kill. It fails if a server runs.
func Upgrade(ctx context.Context, dataDir, bin string, log *slog.Logger) (Upgraded, error) {
	places := pgserver.Places{}
	if bin != "" {
		places.Getenv = func(key string) string {
			if key == "PG_BIN" {
				return bin
			}
			return os.Getenv(key)
		}
	}
	done, err := upgrade{dataDir, pgserver.Places{}, places, log}.run(ctx, true)
	if err != nil {
		return done, fmt.Errorf("postgres upgrade: %w", err)
	}
	return done, nil
}

type upgrade struct {
	dataDir  string
	from, to pgserver.Places // where PostgreSQL is
	log      *slog.Logger
}

func (u upgrade) current() string { return filepath.Join(u.dataDir, "postgres") }

// fresh is the data directory of the new cluster.
func (u upgrade) fresh() string { return filepath.Join(u.dataDir, pgserver.UpgradeDir) }

// run refuses a version that is not newer if onlyNewer is set.
func (u upgrade) run(ctx context.Context, onlyNewer bool) (done Upgraded, err error) {
	if interrupted, err := u.finishInterrupted(); interrupted || err != nil {
		return done, err
	}
	if done.From, err = pgserver.Major(u.dataDir); err != nil {
		return done, err
	}
	found, err := u.to.Find(ctx)
	if err != nil {
		return done, err
	}
	done.To, done.Old = found.Major, fmt.Sprintf("%s.%d", u.current(), done.From)
	switch _, err := os.Lstat(done.Old); {
	case done.From == 0:
		return done, fmt.Errorf("%s has no database", u.dataDir)
	case onlyNewer && done.To <= done.From:
		return done, fmt.Errorf("the database is of PostgreSQL %d, and the newest that was found is %d (%s): install a newer one, or name its directory with --bin", done.From, done.To, found.Dir)
	case !errors.Is(err, fs.ErrNotExist):
		return done, fmt.Errorf("%s exists: an earlier upgrade left it; remove it first", done.Old)
	}
	if done.Rows, err = u.copyAll(ctx, done.From, done.To); err != nil {
		return done, errors.Join(err, os.RemoveAll(u.fresh()))
	}
	return done, u.exchange(done.Old)
}

// copyAll fills a new cluster with everything that is in the old one. Both have stopped when
// it returns.
func (u upgrade) copyAll(ctx context.Context, from, to int) (rows int64, err error) {
	old, err := pgserver.Start(ctx, pgserver.Options{DataDir: u.dataDir, Log: u.log, Places: u.from})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, stop(ctx, old)) }()
	// We hold the lock of the data directory: only a run that was killed left this.
	if err := os.RemoveAll(u.fresh()); err != nil {
		return 0, err
	}
	fresh, err := pgserver.Start(ctx, pgserver.Options{DataDir: u.fresh(), Log: u.log, Places: u.to})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, stop(ctx, fresh)) }()
	if err := u.pump(ctx, from, to, old.URL(), fresh.URL()); err != nil {
		return 0, err
	}
	return u.compare(ctx, old.URL(), fresh.URL())
}

func stop(ctx context.Context, server *pgserver.Server) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	return server.Stop(ctx)
}

// tool prefers a program of the new version, which knows both.
func (u upgrade) tool(ctx context.Context, name string, from, to int) (string, error) {
	if path, err := u.to.Tool(ctx, name, to); err == nil {
		return path, nil
	}
	return u.from.Tool(ctx, name, from)
}

// pump lets pg_restore read what pg_dump writes.
func (u upgrade) pump(ctx context.Context, from, to int, old, fresh string) error {
	dump, err := u.tool(ctx, "pg_dump", from, to)
	if err != nil {
		return err
	}
	restore, err := u.tool(ctx, "pg_restore", from, to)
	if err != nil {
		return err
	}
	writer, err := newTool(ctx, dump, old, "--format=custom", "--compress=0")
	if err != nil {
		return err
	}
	return writer.read(func(out io.Reader) error { return restoreFrom(ctx, restore, fresh, out) })
}

// compare analyzes the new cluster, lets devices load everything again, and compares the rows.
func (u upgrade) compare(ctx context.Context, old, fresh string) (rows int64, err error) {
	conn, err := connect(ctx, old)
	if err != nil {
		return 0, err
	}
	defer closeConn(ctx, conn)
	names, err := tables(ctx, conn)
	if err != nil {
		return 0, err
	}
	counts, err := countRows(ctx, conn, names)
	if err != nil {
		return 0, err
	}
	if err := compareRows(ctx, fresh, counts); err != nil {
		return 0, err
	}
	to, err := connect(ctx, fresh)
	if err != nil {
		return 0, err
	}
	defer closeConn(ctx, to)
	if _, err := to.Exec(ctx, "ANALYZE"); err != nil {
		return 0, err
	}
	for _, n := range counts {
		rows += n
	}
	_, err = store.FinishRestore(ctx, fresh, true)
	return rows, err
}

// exchange puts the new cluster in the place of the old one.
func (u upgrade) exchange(old string) error {
	if err := os.Rename(u.current(), old); err != nil {
		return err
	}
	_, err := u.finishInterrupted()
	return err
}

// finishInterrupted puts the new cluster in its place if the old one has left it. A server
// does not start in between.
func (u upgrade) finishInterrupted() (was bool, err error) {
	fresh := filepath.Join(u.fresh(), "postgres")
	if _, err := os.Lstat(u.current()); !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	if _, err := os.Lstat(fresh); err != nil {
		return false, nil //nolint:nilerr // no upgrade has come this far
	}
	return true, errors.Join(os.Rename(fresh, u.current()), syncDir(u.dataDir), os.RemoveAll(u.fresh()))
}
