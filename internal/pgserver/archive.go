package pgserver

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
)

// prepare makes the directory, which then belongs to the account; one that exists keeps
// its owner. It fails unless the account can run the program and write to the directory:
// PostgreSQL itself would only try again and again, until its disk is full.
func (a *Archive) prepare(ctx context.Context, as account) error {
	err := os.Mkdir(a.Dir, 0o700)
	if err == nil {
		err = as.chown(a.Dir)
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("--archive-dir: %w: make the directory, and let the server write to it (with systemd, ReadWritePaths=)", err)
	}
	// PostgreSQL runs the program by the shell, too.
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", `test -x "$0" && test -w "$1"`, a.Program[0], a.Dir) //nolint:gosec // G204: the program is our own
	cmd.Dir, cmd.Env, cmd.SysProcAttr = "/", childEnv(), as.attr(syscall.SIGKILL)
	runtime.LockOSThread() // the child ends with its thread
	defer runtime.UnlockOSThread()
	if cmd.Run() != nil {
		return fmt.Errorf("--archive-dir %s: the user of PostgreSQL (%s) must be able to write to it (with systemd, ReadWritePaths=) and to run %s", a.Dir, as.describe(), a.Program[0])
	}
	return nil
}

// describe names the account for people.
func (a account) describe() string {
	if a.how == switched {
		return a.name
	}
	return "your own"
}

// settings switches the archive on. A segment that is not full is archived after a minute.
func (a *Archive) settings() []string {
	words := make([]string, 0, len(a.Program)+1)
	for _, word := range a.Program {
		// PostgreSQL replaces %p, and takes %% for a percent sign.
		words = append(words, "'"+strings.ReplaceAll(strings.ReplaceAll(word, "'", `'\''`), "%", "%%")+"'")
	}
	command := strings.Join(append(words, `"%p"`), " ")
	return []string{"archive_mode=on", "archive_timeout=60s", "archive_command=" + command}
}
