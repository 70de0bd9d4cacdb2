// Package pgserver runs a private PostgreSQL on a machine without a
// DATABASE_URL: it finds installed binaries, creates a cluster in the data
// directory, supervises the server and stops it. It never downloads anything,
// never opens a TCP port, and never re-initializes or upgrades an existing
// cluster. It runs on Linux and macOS.
package pgserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// superuser is the only role of the cluster; no other account exists.
const superuser = "caregraph"

// Options describe the cluster to run. Only DataDir is required.
type Options struct {
	// DataDir holds everything that must survive a restart. The cluster is in
	// DataDir/postgres; the rest of the directory belongs to the caller.
	DataDir string
	// Log receives PostgreSQL's messages about itself, never a statement or a
	// value. Nil discards them.
	Log *slog.Logger
	// Places are the places to look for binaries; the zero value is this
	// machine.
	Places Places
	// Throwaway creates a cluster for tests: no password, nothing is flushed to
	// disk, and a crash may lose all data.
	Throwaway bool
	// Settings are further settings of PostgreSQL, as "name=value". They hold for this
	// run only.
	Settings []string
	// Archive, if it is set, gets each segment of the log that PostgreSQL has filled.
	Archive *Archive
}

// Archive says where PostgreSQL puts its log for a point-in-time recovery.
type Archive struct {
	Dir string
	// Program archives one file. It and its arguments get the path of the file as one
	// more argument. The user that PostgreSQL runs as must be able to run it.
	Program []string
}

// Server is a running PostgreSQL.
type Server struct {
	dataDir   string
	log       *slog.Logger
	throwaway bool
	extra     []string // settings
	archive   *Archive

	lock      *dirLock
	socketDir string
	url       string
	process   *os.Process
	output    *logWriter

	done     chan struct{}
	err      error // written before done is closed
	stopping atomic.Bool
	release  sync.Once
}

// Start creates the cluster if there is none, and returns when the server
// answers. The data directory then belongs to this process until Stop. Start
// fails, with a message that says what to do, if another server uses the
// directory, if the cluster has another major version, or if the machine has no
// binaries. The end of ctx stops a start in progress; afterwards ctx has no
// effect.
//
// One goroutine waits for PostgreSQL to end, on a thread of its own. Another one warns
// once if its executable is deleted.
func Start(ctx context.Context, o Options) (*Server, error) {
	dir, err := filepath.Abs(o.DataDir)
	if err != nil {
		return nil, fmt.Errorf("data directory %s: %w", o.DataDir, err)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(dir, dirMode()); err != nil {
		return nil, fmt.Errorf("make the data directory: %w", err)
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	s := &Server{
		dataDir: dir, log: o.Log, throwaway: o.Throwaway, lock: lock,
		extra: o.Settings, archive: o.Archive, done: make(chan struct{}),
	}
	s.output = &logWriter{log: o.Log, stopping: s.stopping.Load}
	if err := s.start(ctx, o.Places); err != nil {
		return nil, errors.Join(err, s.cleanUp())
	}
	return s, nil
}

// start runs while the data directory is locked.
func (s *Server) start(ctx context.Context, places Places) error {
	c := cluster{dataDir: s.dataDir, log: s.log, throwaway: s.throwaway}
	bin, err := c.binaries(ctx, places)
	if err != nil {
		return err
	}
	as, err := pickAccount(ctx, c, bin)
	if err != nil {
		return err
	}
	if err := c.ensure(ctx, bin, as); err != nil {
		return err
	}
	if err := c.clearLeftovers(ctx, c.path()); err != nil {
		return err
	}
	if s.archive != nil {
		if err := s.archive.prepare(ctx, as); err != nil {
			return err
		}
		s.extra = append(s.extra, s.archive.settings()...)
	}
	if s.socketDir, err = makeSocketDir(c.socketParents(), as); err != nil {
		return err
	}
	if err := s.lock.write(s.socketDir); err != nil {
		return err
	}
	if s.url, err = c.url(s.socketDir); err != nil {
		return err
	}
	if err := s.launch(s.command(ctx, c, bin, as)); err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	if err := s.awaitReady(ctx, c); err != nil {
		return err
	}
	s.log.InfoContext(ctx, "PostgreSQL is running", "major", bin.Major, "data", c.path(), "pid", s.process.Pid)
	go s.watchExecutable(context.WithoutCancel(ctx))
	return nil
}

// command runs postgres itself and not pg_ctl: the process must be our child,
// so that we notice its end and our end stops it.
func (s *Server) command(ctx context.Context, c cluster, bin Installation, as account) *exec.Cmd {
	args := []string{"-D", c.path(), "-p", socketPort}
	for _, setting := range append(c.settings(s.socketDir, bin), s.extra...) {
		args = append(args, "-c", setting)
	}
	// Stop ends the server, not ctx: that is only the context of the start.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), bin.tool("postgres"), args...) //nolint:gosec // G204: the binary is the installation that was found
	cmd.Dir = c.path()
	cmd.Env = childEnv()
	cmd.Stderr = s.output
	// A backend that outlives the postmaster holds the pipe of its log; the end
	// of the postmaster counts anyway.
	cmd.WaitDelay = time.Second
	// A throwaway cluster needs no clean shutdown.
	onDeath := syscall.SIGINT
	if s.throwaway {
		onDeath = syscall.SIGQUIT
	}
	cmd.SysProcAttr = as.attr(onDeath)
	return cmd
}

// launch starts cmd and waits for its end in the background. On Linux the
// kernel ends the child when the thread that started it ends, so one locked
// thread starts the child and waits for it.
func (s *Server) launch(cmd *exec.Cmd) error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		s.process = cmd.Process
		started <- err
		if err != nil {
			return
		}
		err = cmd.Wait()
		if !s.stopping.Load() {
			s.err = endedByItself(err, s.output.fault)
		}
		close(s.done)
	}()
	return <-started
}

// endedByItself returns the error of PostgreSQL's end, with the last fault that it
// logged, such as a full disk.
func endedByItself(err error, fault string) error {
	text := "PostgreSQL ended by itself"
	if fault != "" {
		text += " after " + fault
	}
	if err == nil {
		return errors.New(text)
	}
	return fmt.Errorf("%s: %w", text, err)
}

// awaitReady returns when postmaster.pid says that connections are accepted:
// the socket exists long before recovery is complete.
func (s *Server) awaitReady(ctx context.Context, c cluster) error {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !c.ready(s.process.Pid) {
		select {
		case <-s.done:
			return fmt.Errorf("start PostgreSQL: %w: %s", s.err, s.output.lastLines())
		case <-ctx.Done():
			_ = s.end(context.WithoutCancel(ctx), syscall.SIGQUIT) // the failed start is the error to return
			return fmt.Errorf("start PostgreSQL: %w", ctx.Err())
		case <-tick.C:
		}
	}
	if err := s.awaitRecovery(ctx, c); err != nil {
		_ = s.end(context.WithoutCancel(ctx), syscall.SIGINT) // the failed start is the error to return
		return err
	}
	return nil
}

// URL returns the address for clients such as pgx. It contains the password of
// the cluster: never log it.
func (s *Server) URL() string { return s.url }

// Done is closed when PostgreSQL has ended, by Stop or by itself.
func (s *Server) Done() <-chan struct{} { return s.done }

// Stop cancels open transactions, shuts down cleanly and releases the data
// directory. If ctx ends first, Stop ends PostgreSQL at once and returns the
// error of ctx; no committed data is lost, because the next start replays the
// log. If PostgreSQL has already ended by itself, Stop returns why. It may be
// called again.
func (s *Server) Stop(ctx context.Context) error {
	err := s.end(ctx, syscall.SIGINT)
	return errors.Join(err, s.err, s.cleanUp())
}

// end sends the signal and waits. It returns an error only if ctx ends first;
// then it ends PostgreSQL with stronger signals.
func (s *Server) end(ctx context.Context, first syscall.Signal) error {
	s.stopping.Store(true)
	// An error means that the process has ended, which done shows anyway.
	_ = s.process.Signal(first)
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
	}
	_ = s.process.Signal(syscall.SIGQUIT)
	select {
	case <-s.done:
	case <-time.After(5 * time.Second):
		_ = s.process.Kill()
		<-s.done
	}
	return fmt.Errorf("stop PostgreSQL: %w", ctx.Err())
}

// cleanUp removes what outlives the process: the socket and the lock.
func (s *Server) cleanUp() error {
	var err error
	s.release.Do(func() {
		if s.socketDir != "" {
			err = os.RemoveAll(s.socketDir)
		}
		err = errors.Join(err, s.lock.release())
	})
	return err
}

// url returns the address for clients. It sets every part that the environment
// could otherwise fill in (PGPORT, PGSSLMODE).
func (c cluster) url(socketDir string) (string, error) {
	user := url.User(superuser)
	if !c.throwaway {
		secret, err := os.ReadFile(filepath.Join(c.path(), secretName))
		if err != nil {
			return "", fmt.Errorf("read the password of the cluster: %w", err)
		}
		user = url.UserPassword(superuser, strings.TrimSpace(string(secret)))
	}
	query := url.Values{"host": {socketDir}, "port": {socketPort}, "sslmode": {"disable"}}
	u := url.URL{Scheme: "postgres", User: user, Path: "/postgres", RawQuery: query.Encode()}
	return u.String(), nil
}
