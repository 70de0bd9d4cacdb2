package failover

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/caregraph/caregraph/internal/drills/process"
	"github.com/caregraph/caregraph/internal/pgserver"
)

// configuration is where the files are that operators use. The drill replaces
// addresses, directories and what stands between two @ in them.
const configuration = "packaging/patroni"

// cluster is three machines, and the HAProxy of a server.
type cluster struct {
	dir, logs   string
	as          *syscall.Credential // nil: our own user
	synchronous bool
	superuser   string   // its password
	replace     []string // pairs, for all machines
	machines    []*machine
	haproxy     *daemon
}

// newCluster returns a cluster whose programs do not run yet.
func newCluster(ctx context.Context, dir, logs string, synchronous bool) (*cluster, error) {
	found, err := pgserver.Places{}.Find(ctx)
	if err != nil {
		return nil, err
	}
	// Next to links to some of the binaries, pg_basebackup may be missing.
	postgres, err := filepath.EvalSymlinks(filepath.Join(found.Dir, "postgres"))
	if err != nil {
		return nil, err
	}
	balancer, err := process.FreeAddr(ctx)
	if err != nil {
		return nil, err
	}
	c := &cluster{dir: dir, logs: logs, synchronous: synchronous, superuser: rand.Text()}
	if c.as, err = unprivileged(); err != nil {
		return nil, err
	}
	// Another run at the same time has other addresses.
	network := fmt.Sprintf("127.%d.%d.", 1+os.Getpid()/250%250, os.Getpid()%250)
	c.replace = []string{
		"10.0.0.0/24", "127.0.0.0/8", "10.0.0.", network, "127.0.0.1:5000", balancer,
		"/usr/lib/postgresql/15/bin", filepath.Dir(postgres),
		// Only root can become another user.
		"global\n    user haproxy\n    group haproxy\n    chroot /var/lib/haproxy\n", "",
		"synchronous_mode: true", fmt.Sprint("synchronous_mode: ", synchronous),
		"@SUPERUSER_PASSWORD@", c.superuser,
	}
	for _, name := range []string{"RESTAPI", "REPLICATION", "DATABASE"} {
		c.replace = append(c.replace, "@"+name+"_PASSWORD@", rand.Text())
	}
	for i := range 3 {
		m := &machine{cluster: c, name: fmt.Sprint("pg", i+1), address: fmt.Sprint(network, 11+i)}
		m.dir = filepath.Join(dir, m.name)
		c.machines = append(c.machines, m)
	}
	return c, nil
}

// unprivileged returns the user of PostgreSQL, which does not run as root.
func unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil //nolint:nilnil // our own user
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL does not run as root: %w", err)
	}
	uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
	gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, errors.Join(uidErr, gidErr)
}

// start starts all programs, and returns the first primary once the others follow it.
func (c *cluster) start(ctx context.Context) (*machine, error) {
	for _, m := range c.machines {
		if err := m.startEtcd(ctx); err != nil {
			return nil, err
		}
	}
	for _, m := range c.machines {
		if err := m.startAgent(ctx); err != nil {
			return nil, err
		}
	}
	file, err := c.file("haproxy.cfg", c.dir, c.replace)
	if err != nil {
		return nil, err
	}
	if c.haproxy, err = c.daemon(ctx, "haproxy", nil, "haproxy", "-db", "-f", file); err != nil {
		return nil, err
	}
	var primary *machine
	err = process.Within(ctx, 2*time.Minute, "there is no primary with two standbys", func() bool {
		primary = c.leader(ctx)
		return primary != nil && c.isComplete(ctx, primary)
	})
	if err != nil {
		return nil, err
	}
	return primary, c.makeDatabase(ctx, primary)
}

// makeDatabase makes the database, and returns when all machines have it.
func (c *cluster) makeDatabase(ctx context.Context, primary *machine) error {
	text, err := c.text("database.sql", c.replace)
	if err != nil {
		return err
	}
	for statement := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		if err := primary.query(ctx, 10*time.Second, statement, nil); err != nil {
			return fmt.Errorf("database.sql: %w", err)
		}
	}
	return process.Within(ctx, time.Minute, "the standbys do not have the database", func() bool {
		for _, m := range c.machines {
			var has bool
			err := m.query(ctx, time.Second, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = 'caregraph')", &has)
			if err != nil || !has {
				return false
			}
		}
		return true
	})
}

// stop ends all programs.
func (c *cluster) stop() {
	c.haproxy.kill()
	for _, m := range c.machines {
		m.kill()
		m.etcd.kill()
	}
}

// leader returns the machine that has the primary, or nil.
func (c *cluster) leader(ctx context.Context) *machine {
	for _, m := range c.machines {
		if m.isPrimary(ctx) {
			return m
		}
	}
	return nil
}

// isComplete reports whether two standbys follow the primary, and whether Patroni may
// promote one of them.
func (c *cluster) isComplete(ctx context.Context, primary *machine) bool {
	var streaming int
	err := primary.query(ctx, time.Second, "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'", &streaming)
	return err == nil && streaming == 2 && (!c.synchronous || primary.hasSynchronousStandby(ctx))
}

// text returns a file of the configuration with the values of this cluster.
func (c *cluster) text(name string, replace []string) (string, error) {
	template, err := os.ReadFile(filepath.Join(configuration, name)) //nolint:gosec // G304: our own files
	if err != nil {
		return "", err
	}
	return strings.NewReplacer(replace...).Replace(string(template)), nil
}

// file writes text to a directory, where only the user of the programs reads it, and
// returns its path.
func (c *cluster) file(name, dir string, replace []string) (string, error) {
	text, err := c.text(name, replace)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return "", err
	}
	return path, c.own(path)
}

// environment returns the variables of a file for an environment.
func (c *cluster) environment(name string, replace []string) ([]string, error) {
	text, err := c.text(name, replace)
	if err != nil {
		return nil, err
	}
	var variables []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "#") {
			variables = append(variables, line)
		}
	}
	return variables, nil
}

// own gives a file to the user of the programs.
func (c *cluster) own(path string) error {
	if c.as == nil {
		return nil
	}
	return os.Chown(path, int(c.as.Uid), int(c.as.Gid))
}

// program returns the path of a program of Debian's packages.
func program(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	path := filepath.Join("/usr/sbin", name) // not in the PATH of every user
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("there is no %s: apt-get install --no-install-recommends --no-upgrade patroni etcd-server haproxy", name)
	}
	return path, nil
}

// command returns a command that runs as the user of PostgreSQL, and ends with the
// drill.
func (c *cluster) command(ctx context.Context, env []string, name string, args ...string) (*exec.Cmd, error) {
	path, err := program(name)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, path, args...) //nolint:gosec // G204: programs of packages
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.as, Setpgid: true, Pdeathsig: syscall.SIGTERM}
	return cmd, nil
}

// daemon is a program that runs until it is killed.
type daemon struct {
	cmd  *exec.Cmd
	done chan struct{}
}

// daemon starts a program, whose log has the name.
func (c *cluster) daemon(ctx context.Context, log string, env []string, name string, args ...string) (*daemon, error) {
	cmd, err := c.command(context.WithoutCancel(ctx), env, name, args...)
	if err != nil {
		return nil, err
	}
	file, err := os.OpenFile(filepath.Join(c.logs, log+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600) //nolint:gosec // G304: our own file
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	cmd.Stdout, cmd.Stderr = file, file
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	d := &daemon{cmd, make(chan struct{})}
	go func() {
		defer close(d.done)
		_ = cmd.Wait() // a signal ends it
	}()
	return d, nil
}

// signal sends a signal, unless the program has ended or never began.
func (d *daemon) signal(signal syscall.Signal) {
	if d != nil {
		_ = d.cmd.Process.Signal(signal)
	}
}

// kill ends the program at once.
func (d *daemon) kill() {
	if d != nil {
		d.signal(syscall.SIGKILL)
		<-d.done
	}
}
