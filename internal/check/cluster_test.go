package check

import (
	"context"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/caregraph/caregraph/internal/pgserver"
	"github.com/caregraph/caregraph/internal/testutil"
)

// lastingDir returns a data directory that the user of PostgreSQL may enter.
func lastingDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "check-test-") //nolint:usetesting // the user of PostgreSQL may enter it
	testutil.Must(t, err)
	testutil.Must(t, os.Chmod(dir, 0o711))
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// standbyOf starts a standby of the primary in dir, and returns its address.
func standbyOf(t *testing.T, primary, dir string) (standby string) {
	t.Helper()
	copied := lastingDir(t)
	conn, err := pgx.Connect(t.Context(), primary)
	testutil.Must(t, err)
	var major int
	testutil.Must(t, conn.QueryRow(t.Context(), "SELECT current_setting('server_version_num')::int / 10000").Scan(&major))
	testutil.Must(t, conn.Close(t.Context()))
	tool, err := pgserver.Places{}.Tool(t.Context(), "pg_basebackup", major)
	testutil.Must(t, err)
	out, err := exec.CommandContext(t.Context(), tool, "--dbname="+primary, "--pgdata="+filepath.Join(copied, "postgres"), "--write-recovery-conf", "--checkpoint=fast").CombinedOutput()
	if err != nil {
		t.Fatalf("pg_basebackup: %v, %s", err, out)
	}
	info, err := os.Stat(filepath.Join(dir, "postgres"))
	testutil.Must(t, err)
	owner := info.Sys().(*syscall.Stat_t)
	testutil.Must(t, filepath.WalkDir(copied, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(path, int(owner.Uid), int(owner.Gid)))
	}))
	if tool, err = (pgserver.Places{}).Tool(t.Context(), "postgres", major); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), tool, "-D", filepath.Join(copied, "postgres"), "-p", "5432", "-c", "listen_addresses=", "-c", "unix_socket_directories="+copied)
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: owner.Uid, Gid: owner.Gid}}
	}
	testutil.Must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGQUIT)
		_ = cmd.Wait()
	})
	u, err := url.Parse(primary)
	testutil.Must(t, err)
	query := u.Query()
	query.Set("host", copied)
	u.RawQuery = query.Encode()
	return u.String()
}

func TestHosts_SaysWhoFollowsThePrimary(t *testing.T) {
	t.Parallel()
	dir := lastingDir(t)
	server, err := pgserver.Start(t.Context(), pgserver.Options{DataDir: dir})
	testutil.Must(t, err)
	t.Cleanup(func() { _ = server.Stop(context.WithoutCancel(t.Context())) })
	primary := server.URL()
	conn, err := pgx.Connect(t.Context(), primary)
	testutil.Must(t, err)
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	testutil.Equal(t, "without a standby", standbys(t.Context(), conn), Finding{"cluster", "standbys of the primary", Good, "none"})
	standby := standbyOf(t, primary, dir)
	both := list(t, primary, standby)
	waits := func(want string) {
		t.Helper()
		defer func() {
			if t.Failed() {
				t.Logf("got %+v", hosts(t.Context(), both, time.Now))
			}
		}()
		waitFor(t, func() bool { return hosts(t.Context(), both, time.Now).Text == want }, want)
	}
	waits("1 is the primary on timeline 1; 2 is a standby on timeline 1, hot_standby_feedback off")
	testutil.Equal(t, "the level", hosts(t.Context(), both, time.Now).Level, Good)
	testutil.Equal(t, "standbys", standbys(t.Context(), conn).Text, "walreceiver (async, hot_standby_feedback off)")
	execute(t, standby, "ALTER SYSTEM SET hot_standby_feedback = on; SELECT pg_reload_conf()")
	waits("1 is the primary on timeline 1; 2 is a standby on timeline 1, hot_standby_feedback on")
	waitFor(t, func() bool { return standbys(t.Context(), conn).Text == "walreceiver (async, hot_standby_feedback on)" }, "the feedback")

	f := hosts(t.Context(), both, func() time.Time { return time.Now().Add(-5 * time.Second) })
	if f.Level != Warning || !strings.Contains(f.Text, "2 is a standby on timeline 1, hot_standby_feedback on: its clock differs by 5s from this one") {
		t.Errorf("with another clock: %+v", f)
	}
	f = hosts(t.Context(), list(t, primary, standby, "postgres:///x?host=/nowhere&port=5432"), time.Now)
	if f.Level != Warning || !strings.Contains(f.Text, "3 is out of reach: start it, or correct the URL") || strings.Contains(f.Text, "/nowhere") {
		t.Errorf("with a host that is not there: %+v", f)
	}
}

// list returns the address of the first one with the hosts of all.
func list(t *testing.T, addresses ...string) string {
	t.Helper()
	var hosts, ports []string
	for _, address := range addresses {
		u, err := url.Parse(address)
		testutil.Must(t, err)
		hosts, ports = append(hosts, u.Query().Get("host")), append(ports, u.Query().Get("port"))
	}
	u, err := url.Parse(addresses[0])
	testutil.Must(t, err)
	query := u.Query()
	query.Set("host", strings.Join(hosts, ","))
	query.Set("port", strings.Join(ports, ","))
	u.RawQuery = query.Encode()
	return u.String()
}

func TestNode_SaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for want, n := range map[string]*node{
		"":                                {standby: true, timeline: new(3)},
		"it gets no log from the primary": {standby: true},
		"it does not follow the primary":  {standby: true, timeline: new(2)},
		"start it, or correct the URL":    nil,
		"its clock differs by -3s from this one: synchronize both": {timeline: new(3), ahead: -3 * time.Second},
	} {
		testutil.Equal(t, n.String(), n.wrong(3), want)
	}
	testutil.Equal(t, "a timeline that is not shown", (&node{standby: true, timeline: new(0)}).wrong(3), "")
}
