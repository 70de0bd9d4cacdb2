package pgserver

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

// account is the user that PostgreSQL runs as. The zero value is our own user.
type account struct {
	name     string
	uid, gid int
	how      identity
}

type identity int

const (
	ourOwn identity = iota
	// switched changes the user by setuid, which only root can do.
	switched
	// mapped keeps our own user for files, and uses a user namespace so that
	// PostgreSQL sees the account.
	mapped
)

// chown gives a file that we created to the account.
func (a account) chown(path string) error {
	if a.how != switched {
		return nil
	}
	return os.Lchown(path, a.uid, a.gid)
}

// pickAccount returns a user that PostgreSQL agrees to run as and that can
// reach both the binaries and the data. Existing files keep their owner:
// PostgreSQL then starts as that user.
func pickAccount(ctx context.Context, c cluster, bin Installation) (account, error) {
	dir := c.dataDir
	info, err := os.Stat(c.path())
	if err == nil {
		dir = c.path()
	} else if !errors.Is(err, fs.ErrNotExist) {
		return account{}, err
	}
	if os.Geteuid() != 0 {
		return pickForUser(ctx, bin, dir, info)
	}
	return pickForRoot(ctx, c, bin, dir, info)
}

// pickForUser returns our own user, unless initdb would refuse it because
// /etc/passwd has no entry for it and a user namespace can provide one.
func pickForUser(ctx context.Context, bin Installation, dir string, existing fs.FileInfo) (account, error) {
	if existing != nil || !hasUserNamespaces {
		return account{}, nil
	}
	if !isNameless(ctx) {
		return account{}, nil
	}
	lent, err := serviceAccount()
	if err != nil {
		return account{}, nil //nolint:nilerr // initdb then reports what it lacks
	}
	lent.how = mapped
	if lent.canRun(ctx, bin, dir) != nil {
		return account{}, nil //nolint:nilerr // same as above
	}
	return lent, nil
}

// isNameless reports that the system has no name for our own user. It asks the
// system's own command: without cgo, package user makes up a name from $USER.
func isNameless(ctx context.Context) bool {
	_, nameless := errors.AsType[*exec.ExitError](exec.CommandContext(ctx, "id", "-un").Run())
	return nameless
}

// pickForRoot returns another user, because PostgreSQL refuses to run as root.
// It switches to that user if it can. Below a directory that is closed to
// others, only a user namespace works.
func pickForRoot(ctx context.Context, c cluster, bin Installation, dir string, existing fs.FileInfo) (account, error) {
	as, err := serviceAccount()
	owner := -1
	if existing != nil {
		owner = int(existing.Sys().(*syscall.Stat_t).Uid)
	}
	if owner > 0 {
		as, err = accountOf(existing), nil
	}
	if err != nil {
		return account{}, err
	}
	as.how = switched
	refused := as.canRun(ctx, bin, dir)
	if refused == nil && owner != 0 {
		return as, nil
	}
	if owner <= 0 && hasUserNamespaces {
		as.how = mapped
		if as.canRun(ctx, bin, dir) == nil {
			return as, nil
		}
	}
	if ctx.Err() != nil {
		return account{}, ctx.Err()
	}
	return account{}, as.explain(c, bin, dir, refused)
}

// serviceAccount returns the user that distributions create for PostgreSQL, or
// else the user nobody, who owns nothing.
func serviceAccount() (account, error) {
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.Atoi(u.Uid)
		if err != nil || uid == os.Geteuid() { // made up from $USER, see isNameless
			continue
		}
		if gid, err := strconv.Atoi(u.Gid); err == nil {
			return account{name: name, uid: uid, gid: gid}, nil
		}
	}
	return account{}, errors.New("PostgreSQL does not run as root, and there is neither a user postgres nor nobody: run as a normal user, or set DATABASE_URL")
}

// accountOf returns the owner of a file. The owner needs no name: only initdb
// asks for one.
func accountOf(info fs.FileInfo) account {
	stat := info.Sys().(*syscall.Stat_t)
	a := account{name: strconv.Itoa(int(stat.Uid)), uid: int(stat.Uid), gid: int(stat.Gid)}
	if u, err := user.LookupId(a.name); err == nil {
		a.name = u.Username
	}
	return a
}

// canRun runs a harmless command as the account, in the directory. That is more
// reliable than evaluating mode bits, access lists and capabilities.
func (a account) canRun(ctx context.Context, bin Installation, dir string) error {
	cmd := exec.CommandContext(ctx, bin.tool("initdb"), "--version") //nolint:gosec // G204: the binary is the installation that was found
	cmd.Dir = dir
	cmd.Env = childEnv()
	cmd.SysProcAttr = a.attr(syscall.SIGKILL)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return cmd.Run()
}

// explain returns the error for root when it can run PostgreSQL as no other
// user.
func (a account) explain(c cluster, bin Installation, dir string, refused error) error {
	if errors.Is(refused, syscall.EPERM) {
		return errors.New("running as root and cannot switch user (CAP_SETUID is dropped): run as a normal user, or set DATABASE_URL")
	}
	if closed := a.firstClosedDir(dir); closed != "" {
		return fmt.Errorf("data directory %s cannot be reached by user %s (%s is closed): use --data /var/lib/caregraph, or run as a normal user", c.dataDir, a.name, closed)
	}
	if closed := a.firstClosedDir(bin.Dir); closed != "" {
		return fmt.Errorf("PostgreSQL in %s cannot be run by user %s (%s is closed): set PG_BIN to another, or run as a normal user", bin.Dir, a.name, closed)
	}
	return fmt.Errorf("run PostgreSQL as user %s: %w", a.name, refused)
}

// firstClosedDir returns the first directory on the way to path that the
// account may not enter, or "" if the mode bits let it through.
func (a account) firstClosedDir(path string) string {
	if resolved, err := filepath.EvalSymlinks(path); err == nil {
		path = resolved
	}
	way := "/"
	for _, name := range strings.Split(strings.Trim(path, "/"), "/") {
		way = filepath.Join(way, name)
		info, err := os.Stat(way)
		if err != nil || !a.mayEnter(info) {
			return way
		}
	}
	return ""
}

func (a account) mayEnter(info fs.FileInfo) bool {
	stat := info.Sys().(*syscall.Stat_t)
	switch {
	case int(stat.Uid) == a.uid:
		return info.Mode()&0o100 != 0
	case int(stat.Gid) == a.gid:
		return info.Mode()&0o010 != 0
	default:
		return info.Mode()&0o001 != 0
	}
}
