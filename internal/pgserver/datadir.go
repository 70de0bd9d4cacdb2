package pgserver

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

// secretName is in the cluster's own directory, so that both are created, moved
// and copied together. PostgreSQL ignores files that it does not know.
const secretName = "caregraph.secret"

// UpgradeDir is the directory in a data directory where an upgrade makes the new cluster. If
// it is there, and no cluster, then the upgrade was interrupted when it exchanged them.
const UpgradeDir = "postgres.upgrade"

// DefaultDataDir returns the data directory when none is configured:
// /var/lib/caregraph for root, whose home is closed to the user that PostgreSQL
// runs as, and the XDG state directory for other users. It fails if neither
// XDG_STATE_HOME nor HOME is an absolute path.
func DefaultDataDir(getenv func(string) string) (string, error) {
	return defaultDataDir(os.Geteuid(), getenv)
}

func defaultDataDir(uid int, getenv func(string) string) (string, error) {
	if uid == 0 {
		return "/var/lib/caregraph", nil
	}
	if dir := getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "caregraph"), nil
	}
	if home := getenv("HOME"); filepath.IsAbs(home) {
		return filepath.Join(home, ".local", "state", "caregraph"), nil
	}
	return "", errors.New("no data directory: name one with --data, or set HOME")
}

// dirMode lets the user that PostgreSQL runs as pass through root's directory
// without listing it.
func dirMode() fs.FileMode {
	if os.Geteuid() == 0 {
		return 0o711
	}
	return 0o700
}

// cluster is the database directory inside a data directory.
type cluster struct {
	dataDir   string
	log       *slog.Logger
	throwaway bool
}

func (c cluster) path() string { return filepath.Join(c.dataDir, "postgres") }

// major returns the version that created the cluster, or 0 if there is none
// yet. It fails if the directory exists but is not a cluster: it belongs to
// someone else.
func (c cluster) major() (int, error) {
	if _, err := os.Lstat(c.path()); errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	text, err := os.ReadFile(filepath.Join(c.path(), "PG_VERSION"))
	if err != nil {
		return 0, fmt.Errorf("%s is not a PostgreSQL data directory: %w", c.path(), err)
	}
	whole, _, _ := strings.Cut(strings.TrimSpace(string(text)), ".")
	major, err := strconv.Atoi(whole)
	if err != nil {
		return 0, fmt.Errorf("%s is not a PostgreSQL data directory: PG_VERSION: %w", c.path(), err)
	}
	return major, nil
}

// binaries returns the best installation of the cluster's major version, or the
// best of all for a new cluster.
func (c cluster) binaries(ctx context.Context, places Places) (Installation, error) {
	major, err := c.major()
	if err != nil {
		return Installation{}, err
	}
	found, err := places.all(ctx)
	if err != nil {
		return Installation{}, err
	}
	for _, bin := range found {
		if major == 0 || bin.Major == major {
			c.warnWithoutTrigrams(ctx, bin)
			return bin, nil
		}
	}
	return Installation{}, fmt.Errorf("data directory %s was made by PostgreSQL %d, but only %d was found (%s): install PostgreSQL %d; with both, caregraph postgres upgrade moves it. Nothing was changed.", //nolint:staticcheck,revive // two sentences for people, one message
		c.dataDir, major, found[0].Major, found[0].Dir, major)
}

func (c cluster) warnWithoutTrigrams(ctx context.Context, bin Installation) {
	if !bin.Trigrams {
		c.log.WarnContext(ctx, "this PostgreSQL has no pg_trgm: install its contrib package", "bin", bin.Dir)
	}
}

// ensure creates the cluster if there is none. It creates the cluster under
// another name and renames it, so that an interrupted initdb never looks like a
// cluster.
func (c cluster) ensure(ctx context.Context, bin Installation, as account) error {
	if exists(c.path()) {
		return nil
	}
	if exists(filepath.Join(c.dataDir, UpgradeDir)) { // the database is in it
		return errors.New("an upgrade of PostgreSQL was interrupted: run caregraph postgres upgrade again")
	}
	fresh := c.path() + ".new"
	if err := c.clearLeftovers(ctx, fresh); err != nil {
		return err
	}
	secret := filepath.Join(c.dataDir, "postgres.secret.new")
	if err := as.writeSecret(secret); err != nil {
		return err
	}
	if err := c.initdb(ctx, bin, as, fresh, secret); err != nil {
		return fmt.Errorf("make a PostgreSQL cluster in %s: %w", c.dataDir, err)
	}
	if err := os.Rename(secret, filepath.Join(fresh, secretName)); err != nil {
		return err
	}
	if err := os.Rename(fresh, c.path()); err != nil {
		return err
	}
	return syncDir(c.dataDir)
}

// initdb looks for a character type with letters beyond ASCII: without one,
// neither ILIKE nor trigrams work for names in Indian scripts. Sorting is
// always by bytes, so an update of the C library cannot change the order under
// an index.
func (c cluster) initdb(ctx context.Context, bin Installation, as account, fresh, secret string) error {
	for _, ctype := range []string{"C.UTF-8", "en_US.UTF-8", "C"} {
		if err := as.makeEmptyDir(fresh); err != nil {
			return err
		}
		out, err := c.runInitdb(ctx, bin, as, fresh, secret, ctype)
		if err == nil {
			return nil
		}
		if !strings.Contains(out, "invalid locale name") {
			return initdbError(ctx, out, err)
		}
	}
	return errors.New("initdb knows no locale, not even C")
}

func (c cluster) runInitdb(ctx context.Context, bin Installation, as account, fresh, secret, ctype string) (string, error) {
	args := []string{
		"--pgdata=" + fresh, "--username=" + superuser, "--data-checksums",
		"--encoding=UTF8", "--locale=C", "--lc-ctype=" + ctype, "--text-search-config=simple",
	}
	if c.throwaway {
		args = append(args, "--auth=trust", "--no-sync")
	} else {
		// Not peer: in a user namespace the kernel reports another user.
		args = append(args, "--auth=scram-sha-256", "--pwfile="+secret)
	}
	cmd := exec.CommandContext(ctx, bin.tool("initdb"), args...) //nolint:gosec // G204: the binary is the installation that was found
	cmd.Dir = fresh
	cmd.Env = childEnv()
	cmd.SysProcAttr = as.attr(syscall.SIGKILL)
	// The child ends with the thread that started it: stay on that thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// initdbError keeps the messages that say why initdb failed, which may begin in the
// middle of a line. Its warnings and hints are about other things.
func initdbError(ctx context.Context, out string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var said []string
	for line := range strings.Lines(out) {
		for _, mark := range []string{"initdb: error: ", "initdb: could not look up ", "FATAL: ", "PANIC: "} {
			if _, text, ok := strings.Cut(line, mark); ok {
				said = append(said, mark+strings.TrimSpace(text))
			}
		}
	}
	if len(said) == 0 {
		return fmt.Errorf("initdb: %w", err)
	}
	text := strings.Join(said, "; ")
	if strings.Contains(text, "could not look up effective user ID") {
		text += " (run as a user that /etc/passwd knows, or set DATABASE_URL)"
	}
	return fmt.Errorf("%w: %s", err, text)
}

// writeSecret creates the cluster's password in a file that only the account
// can read.
func (a account) writeSecret(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.WriteFile(path, []byte(rand.Text()+"\n"), 0o600); err != nil {
		return err
	}
	return a.chown(path)
}

func (a account) makeEmptyDir(path string) error {
	if err := os.RemoveAll(path); err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		return err
	}
	return a.chown(path)
}

func syncDir(path string) error {
	dir, err := os.Open(path) //nolint:gosec // G304: the data directory
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// settings go to the command line, where no edit of postgresql.conf can undo
// them: no network, and no statement, parameter or row in the log. The libraries are
// loaded at the start: those of a newer package may not fit the running server. Without
// JIT, systemd can forbid memory that is writable and executable.
func (c cluster) settings(socketDir string, bin Installation) []string {
	libraries := "plpgsql"
	if bin.Trigrams {
		libraries += ",pg_trgm"
	}
	s := []string{
		"listen_addresses=", "unix_socket_directories=" + socketDir, "unix_socket_permissions=0700",
		"logging_collector=off", "log_destination=stderr", "log_line_prefix=",
		"log_min_messages=log", "log_min_error_statement=panic", "log_error_verbosity=terse",
		"log_checkpoints=off", "jit=off", "shared_preload_libraries=" + libraries,
	}
	if c.throwaway {
		// Shared memory in files of the directory is deleted with the
		// directory.
		s = append(s, "dynamic_shared_memory_type=mmap", "fsync=off", "synchronous_commit=off", "full_page_writes=off",
			"autovacuum=off", "max_connections=300", "wal_level=minimal", "max_wal_senders=0")
	}
	return s
}

// childEnv omits the server's own settings and secrets from the environment,
// and also PGDATA and similar variables, which the tools would obey.
func childEnv() []string {
	env := []string{"LC_ALL=C"}
	for _, key := range []string{"PATH", "HOME", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"} {
		if value, ok := os.LookupEnv(key); ok {
			env = append(env, key+"="+value)
		}
	}
	return env
}
