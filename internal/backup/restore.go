package backup

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"filippo.io/age"

	"github.com/caregraph/caregraph/internal/pgserver"
	"github.com/caregraph/caregraph/store"
)

// stopTimeout is the time for a clean shutdown of the restored cluster.
const stopTimeout = 10 * time.Minute

// Restoration says what to restore.
type Restoration struct {
	File string
	// Identity is a file of age-keygen; "" for a backup that is not encrypted.
	Identity string
	// Archive is the directory of the archived log, To the time to recover to. Without
	// them the copy is the restore point of the backup.
	Archive string
	To      time.Time
	// KeepSessions leaves people signed in.
	KeepSessions bool
	// Log gets what PostgreSQL says. It must not be nil.
	Log *slog.Logger
	// Places are where PostgreSQL's programs are; the zero value is this machine.
	Places pgserver.Places
}

// Restored is a database that was restored.
type Restored struct {
	Manifest Manifest
	store.Restored
}

// Restore makes dir the data directory of the backup. dir must be missing or empty. It works
// in dir.partial, which it removes if it fails, and renames it at the end: dir is complete
// or untouched. Unless KeepSessions is set, all sessions end: some may have been ended after
// the backup.
func Restore(ctx context.Context, r Restoration, dir string) (Restored, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return Restored{}, fmt.Errorf("restore: %w", err)
	}
	entries, err := os.ReadDir(dir)
	switch {
	case err == nil && len(entries) > 0:
		return Restored{}, fmt.Errorf("restore: %s is not empty: name another directory, or move this one away", dir)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return Restored{}, fmt.Errorf("restore: %w", err)
	}
	partial := dir + partialSuffix
	restored, err := r.into(ctx, partial, nil)
	if err != nil {
		return Restored{}, fmt.Errorf("restore: %w", err)
	}
	if err := os.Rename(partial, dir); err != nil {
		return Restored{}, fmt.Errorf("restore: %w", err)
	}
	return restored, syncDir(filepath.Dir(dir))
}

// into restores into dir, which must not exist, and calls inspect while PostgreSQL runs on
// the copy. It removes dir if it fails.
func (r Restoration) into(ctx context.Context, dir string, inspect func(ctx context.Context, m Manifest, url string) error) (done Restored, err error) {
	if r.Archive != "" && r.To.IsZero() || r.Archive == "" && !r.To.IsZero() {
		return done, errors.New("--archive and --to need each other")
	}
	identities, err := readIdentities(r.Identity)
	if err != nil {
		return done, err
	}
	give, err := pgserver.MakeDataDir(ctx, dir, r.Places)
	if errors.Is(err, fs.ErrExist) {
		return done, fmt.Errorf("%s exists: another restore runs, or one was interrupted; then remove it", dir)
	}
	if err != nil {
		return done, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	root, err := os.OpenRoot(dir)
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	if done.Manifest, err = extract(r.File, identities, root, give); err != nil {
		return done, err
	}
	err = r.finish(ctx, dir, root, identities, give, &done, inspect)
	return done, err
}

// extract writes the members of a backup below root. Those of the cluster belong to the
// user of PostgreSQL.
func extract(file string, identities []age.Identity, root *os.Root, give func(string) error) (Manifest, error) {
	return readFile(file, identities, func(header *tar.Header, content io.Reader) (err error) {
		name := path.Clean(header.Name)
		if header.Typeflag == tar.TypeDir {
			err = root.MkdirAll(name, 0o700)
		} else {
			err = errors.Join(root.MkdirAll(path.Dir(name), 0o700), writeMember(root, name, content))
		}
		if err != nil || !strings.HasPrefix(name+"/", clusterPrefix) {
			return err
		}
		// The directories above were made by an earlier member, except the first one.
		if dir := path.Dir(name); dir+"/" == clusterPrefix {
			err = give(filepath.Join(root.Name(), dir))
		}
		return errors.Join(err, give(filepath.Join(root.Name(), name)))
	})
}

func writeMember(root *os.Root, name string, content io.Reader) error {
	file, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, content)
	return errors.Join(err, file.Sync(), file.Close())
}

// readFile calls use for each member of a backup; see readMembers.
func readFile(path string, identities []age.Identity, use func(*tar.Header, io.Reader) error) (m Manifest, err error) {
	file, err := os.Open(path) //nolint:gosec // G304: the operator names the file
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	plain, release, err := unseal(file, identities)
	if err != nil {
		return m, err
	}
	defer release()
	return readMembers(plain, use)
}

// finish starts PostgreSQL on the copy, which recovers, and brings it to the state in which
// a server may use it.
func (r Restoration) finish(ctx context.Context, dir string, root *os.Root, identities []age.Identity, give func(string) error, done *Restored,
	inspect func(ctx context.Context, m Manifest, url string) error,
) error {
	m := done.Manifest
	if m.Format == Dump && r.Archive != "" {
		return errors.New("--archive: a point-in-time recovery needs a backup of the format physical")
	}
	options := pgserver.Options{DataDir: dir, Log: r.Log, Places: r.Places}
	if m.Format == Physical {
		if err := r.checkMajor(ctx, m); err != nil {
			return err
		}
		recovery, err := r.recovery(m, dir, root, identities, give)
		if err != nil {
			return err
		}
		options.Settings = recovery
	}
	server, err := pgserver.Start(ctx, options)
	if err != nil {
		return err
	}
	err = r.complete(ctx, server.URL(), root, done)
	if err == nil && inspect != nil {
		err = inspect(ctx, m, server.URL())
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	return errors.Join(err, server.Stop(stopping), root.RemoveAll(path.Clean(dumpPrefix)), root.RemoveAll(spoolName))
}

// checkMajor refuses a backup of another major version, whose files PostgreSQL cannot read.
func (r Restoration) checkMajor(ctx context.Context, m Manifest) error {
	if _, err := r.Places.Tool(ctx, "postgres", m.Major); err != nil {
		return fmt.Errorf("the backup is of PostgreSQL %d: install that version, restore, then run caregraph postgres upgrade: %w", m.Major, err)
	}
	return nil
}

// complete fills a new cluster from a dump, compares the rows, ends sessions and renews the
// change feed.
func (r Restoration) complete(ctx context.Context, url string, root *os.Root, done *Restored) error {
	if done.Manifest.Format == Dump {
		tool, err := r.Places.Tool(ctx, "pg_restore", 0)
		if err != nil {
			return err
		}
		if err := restoreDump(ctx, tool, url, root); err != nil {
			return err
		}
	}
	if r.To.IsZero() {
		if err := compareRows(ctx, url, done.Manifest.Rows); err != nil {
			return err
		}
	}
	var err error
	done.Restored, err = store.FinishRestore(ctx, url, r.KeepSessions)
	return err
}

// compareRows refuses a copy that has other numbers of rows than the manifest.
func compareRows(ctx context.Context, url string, want map[string]int64) error {
	conn, err := connect(ctx, url)
	if err != nil {
		return err
	}
	defer closeConn(ctx, conn)
	names := slices.Sorted(maps.Keys(want))
	found, err := countRows(ctx, conn, names)
	if err != nil {
		return err
	}
	for _, name := range names {
		if found[name] != want[name] {
			return &DamagedError{Part: "table " + name, Err: fmt.Errorf("it has %d rows, and the manifest says %d", found[name], want[name])}
		}
	}
	return nil
}
