package failover

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/caregraph/caregraph/internal/drills/process"
)

// machine is one of the machines of the cluster: an address with etcd, Patroni (the
// agent) and PostgreSQL.
type machine struct {
	*cluster

	name, address, dir string
	etcd, agent        *daemon
}

// replacements returns the pairs for the files of this machine.
func (m *machine) replacements() []string {
	return append([]string{
		"@NAME@", m.name, "@ADDRESS@", m.address, "/var/lib/postgresql/15", m.dir, "/var/lib/etcd", m.dir + "/etcd",
	}, m.replace...)
}

func (m *machine) startEtcd(ctx context.Context) (err error) {
	if err := os.Mkdir(m.dir, 0o700); err != nil {
		return err
	}
	if err := m.own(m.dir); err != nil {
		return err
	}
	variables, err := m.environment("etcd.env", m.replacements())
	if err != nil {
		return err
	}
	m.etcd, err = m.daemon(ctx, "etcd-"+m.name, variables, "etcd")
	return err
}

// startAgent starts Patroni, which starts PostgreSQL.
func (m *machine) startAgent(ctx context.Context) error {
	file, err := m.file("patroni.yml", m.dir, m.replacements())
	if err != nil {
		return err
	}
	m.agent, err = m.daemon(ctx, "patroni-"+m.name, nil, "patroni", file)
	return err
}

// switchover lets Patroni stop the primary in order and promote the synchronous standby.
func (m *machine) switchover(ctx context.Context) error {
	cmd, err := m.command(ctx, nil, "patronictl", "-c", filepath.Join(m.dir, "patroni.yml"), "switchover", "--leader", m.name, "--force", "caregraph")
	if err != nil {
		return err
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("patronictl: %w: %s", err, out)
	}
	return nil
}

// postgres returns the numbers of all processes of PostgreSQL, the first one first, after
// it has sent them the signal. A first process that is stopped makes no new ones.
func (m *machine) postgres(signal syscall.Signal) (all []int) {
	text, err := os.ReadFile(filepath.Join(m.dir, "caregraph", "postmaster.pid"))
	if err != nil {
		return nil // it does not run
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		return nil
	}
	_ = syscall.Kill(pid, signal) // each may have ended
	all = []int{pid}
	text, _ = os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid)) // none if it has ended
	for _, field := range bytes.Fields(text) {
		child, err := strconv.Atoi(string(field))
		if err != nil {
			continue
		}
		_ = syscall.Kill(child, signal)
		all = append(all, child)
	}
	return all
}

// freeze stops the agent and PostgreSQL, as a machine that hangs, until resume.
func (m *machine) freeze() {
	m.agent.signal(syscall.SIGSTOP)
	m.postgres(syscall.SIGSTOP)
}

// resume ends freeze.
func (m *machine) resume() {
	m.postgres(syscall.SIGCONT)
	m.agent.signal(syscall.SIGCONT)
}

// kill ends the agent and PostgreSQL at once, as a machine that loses its power.
func (m *machine) kill() {
	m.agent.kill()
	for _, pid := range m.postgres(syscall.SIGSTOP) {
		_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended
	}
}

// stall stops the processes that send to the standbys, as a network that breaks first.
func (m *machine) stall(ctx context.Context) error {
	var senders []int
	if err := m.query(ctx, time.Second, "SELECT array_agg(pid) FROM pg_stat_replication", &senders); err != nil {
		return fmt.Errorf("find the senders: %w", err)
	}
	for _, pid := range senders {
		_ = syscall.Kill(pid, syscall.SIGSTOP) // it may have ended
	}
	return nil
}

// get asks Patroni. A status other than 200 is an error.
func (m *machine) get(ctx context.Context, path string, to any) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+m.address+":8008"+path, http.NoBody)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s of %s: %s", path, m.name, response.Status)
	}
	return json.NewDecoder(response.Body).Decode(to)
}

// isPrimary reports what HAProxy asks.
func (m *machine) isPrimary(ctx context.Context) bool {
	var anything map[string]any
	return m.get(ctx, "/primary", &anything) == nil
}

// hasSynchronousStandby reports whether Patroni knows a standby that it may promote.
func (m *machine) hasSynchronousStandby(ctx context.Context) bool {
	var known struct{ Members []struct{ Role string } }
	if m.get(ctx, "/cluster", &known) != nil {
		return false
	}
	for _, member := range known.Members {
		if member.Role == "sync_standby" {
			return true
		}
	}
	return false
}

func (m *machine) connect(ctx context.Context, database string) (*pgx.Conn, error) {
	return pgx.Connect(ctx, fmt.Sprintf("postgres://postgres:%s@%s:5432/%s?connect_timeout=2", m.superuser, m.address, database))
}

// query runs a statement. If to is not nil, it gets the only value of the result.
func (m *machine) query(ctx context.Context, limit time.Duration, statement string, to any) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	conn, err := m.connect(ctx, "postgres")
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

// names returns the names of all patients.
func (m *machine) names(ctx context.Context) (map[string]bool, error) {
	conn, err := m.connect(ctx, "caregraph")
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	rows, _ := conn.Query(ctx, "SELECT name FROM patients") // CollectRows has the error
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	names := make(map[string]bool, len(list))
	for _, name := range list {
		names[name] = true
	}
	return names, err
}

// promotion waits until the standby is a primary.
func (m *machine) promotion(ctx context.Context) (at time.Time, err error) {
	for ; ctx.Err() == nil; process.Pause(ctx, 20*time.Millisecond) {
		conn, err := m.connect(ctx, "postgres")
		if err != nil {
			continue
		}
		for standby := true; standby; process.Pause(ctx, 20*time.Millisecond) {
			if err = conn.QueryRow(ctx, "SELECT pg_is_in_recovery()").Scan(&standby); err != nil {
				break
			}
			at = time.Now()
		}
		_ = conn.Close(context.WithoutCancel(ctx))
		if err == nil {
			return at, nil
		}
	}
	return at, ctx.Err()
}
