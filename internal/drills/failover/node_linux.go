package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/caregraph/caregraph/internal/drills/process"
)

// node is one PostgreSQL.
type node struct {
	name, dir, bin, password string
	port                     int
	as                       *syscall.Credential // nil: our own user
	cmd                      *exec.Cmd
	done                     chan struct{}
}

// newNode returns a node that has no files yet. As root, PostgreSQL runs as the user
// postgres.
func newNode(ctx context.Context, name, parent, bin, password string) (*node, error) {
	addr, err := process.FreeAddr(ctx)
	if err != nil {
		return nil, err
	}
	n := &node{name: name, dir: filepath.Join(parent, name), bin: bin, password: password}
	_, port, _ := net.SplitHostPort(addr)
	if n.port, err = strconv.Atoi(port); err != nil || os.Geteuid() != 0 {
		return n, err
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL does not run as root: %w", err)
	}
	uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
	gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
	n.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return n, errors.Join(uidErr, gidErr)
}

// makeDir creates the empty directory of the cluster, and removes an old one.
func (n *node) makeDir() error {
	if err := os.RemoveAll(n.dir); err != nil {
		return err
	}
	if err := os.Mkdir(n.dir, 0o700); err != nil {
		return err
	}
	return n.own(n.dir)
}

// own gives a file to the user of PostgreSQL.
func (n *node) own(path string) error {
	if n.as == nil {
		return nil
	}
	return os.Chown(path, int(n.as.Uid), int(n.as.Gid))
}

func (n *node) command(ctx context.Context, tool string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(n.bin, tool), args...) //nolint:gosec // G204: the installation that was found
	cmd.Dir = n.dir
	cmd.Env = append(os.Environ(), "PGPASSWORD="+n.password, "LC_ALL=C")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: n.as, Setpgid: true, Pdeathsig: syscall.SIGQUIT}
	return cmd
}

func (n *node) run(ctx context.Context, tool string, args ...string) error {
	cmd := n.command(ctx, tool, args...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", tool, err, out)
	}
	return nil
}

// initialize makes a cluster. The password is in a file, where no other user sees it.
func (n *node) initialize(ctx context.Context) error {
	if err := n.makeDir(); err != nil {
		return err
	}
	secret := n.dir + ".secret"
	if err := os.WriteFile(secret, []byte(n.password), 0o600); err != nil {
		return err
	}
	if err := n.own(secret); err != nil {
		return err
	}
	return n.run(ctx, "initdb", "--no-sync", "-D", n.dir, "-U", "postgres", "-E", "UTF8", "--locale=C", "-A", "scram-sha-256", "--pwfile="+secret)
}

// copyOf makes the cluster a standby of another node.
func (n *node) copyOf(ctx context.Context, primary *node) error {
	if err := n.makeDir(); err != nil {
		return err
	}
	from := fmt.Sprintf("host=127.0.0.1 port=%d user=postgres application_name=%s", primary.port, n.name)
	return n.run(ctx, "pg_basebackup", "--no-sync", "-D", n.dir, "-X", "stream", "-c", "fast", "-R", "-d", from)
}

// start starts PostgreSQL, and returns when it answers. It need not survive a crash of
// the machine, so it does not wait for disks. A standby may wait for
// wal_retrieve_retry_interval before it notices its promotion.
func (n *node) start(ctx context.Context) error {
	log, err := os.OpenFile(n.dir+".log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	cmd := n.command(context.WithoutCancel(ctx), "postgres", "-D", n.dir, "-p", strconv.Itoa(n.port), "-h", "127.0.0.1",
		"-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "max_connections=60", "-c", "shared_buffers=32MB", "-c", "max_wal_senders=5", "-c", "wal_retrieve_retry_interval=200ms")
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = cmd.Wait() // a signal ends it
	}()
	n.cmd, n.done = cmd, done
	return process.Within(ctx, fmt.Sprintf("node %s did not start; see %s.log", n.name, n.dir), func() bool {
		return n.query(ctx, time.Second, "SELECT 1", nil) == nil
	})
}

// stop ends PostgreSQL in order: a standby has everything afterwards.
func (n *node) stop(ctx context.Context) {
	_ = n.cmd.Process.Signal(syscall.SIGINT) // it may have ended
	select {
	case <-n.done:
	case <-ctx.Done():
		n.kill()
	case <-time.After(30 * time.Second):
		n.kill()
	}
}

// freeze stops all processes, as a machine that hangs.
func (n *node) freeze() []int {
	pid := n.cmd.Process.Pid
	_ = syscall.Kill(pid, syscall.SIGSTOP) // from now on it has no more children
	all := []int{pid}
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid)) // none if it has ended
	for _, field := range bytes.Fields(text) {
		child, err := strconv.Atoi(string(field))
		if err != nil {
			continue
		}
		_ = syscall.Kill(child, syscall.SIGSTOP)
		all = append(all, child)
	}
	return all
}

// kill ends all processes at once, as a machine that loses its power.
func (n *node) kill() {
	select {
	case <-n.done:
		return
	default:
	}
	for _, pid := range n.freeze() {
		_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended
	}
	<-n.done
}

// query runs a statement. If to is not nil, it gets the only value of the result.
func (n *node) query(ctx context.Context, limit time.Duration, statement string, to any) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	conn, err := pgx.Connect(ctx, fmt.Sprintf("postgres://postgres:%s@127.0.0.1:%d/postgres", n.password, n.port))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	if to == nil {
		_, err := conn.Exec(ctx, statement)
		return err
	}
	return conn.QueryRow(ctx, statement).Scan(to)
}
