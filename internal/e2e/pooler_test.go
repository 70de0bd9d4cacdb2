package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/caregraph/caregraph/internal/pgserver"
	"github.com/caregraph/caregraph/internal/testutil"
)

// cluster is a PostgreSQL that lasts, so that caregraph check has nothing to say about it.
func cluster(t *testing.T) (address string) {
	t.Helper()
	server, err := pgserver.Start(t.Context(), pgserver.Options{DataDir: dataDir(t)})
	testutil.Must(t, err)
	ctx := context.WithoutCancel(t.Context())
	t.Cleanup(func() { testutil.Must(t, server.Stop(ctx)) })
	conn, err := pgx.Connect(t.Context(), server.URL())
	testutil.Must(t, err)
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(t.Context(), "CREATE DATABASE clinic")
	testutil.Must(t, err)
	return strings.Replace(server.URL(), "/postgres?", "/clinic?", 1)
}

// pgBouncer starts Debian's PgBouncer with what operations.md says, and returns its address. It
// skips the test without the program; .ci/run installs it.
func pgBouncer(t *testing.T, database, mode string) (address string) {
	t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		t.Skip("PgBouncer is not installed; .ci/run installs it")
	}
	to, err := url.Parse(database)
	testutil.Must(t, err)
	socket, password := to.Query().Get("host"), ""
	if secret, ok := to.User.Password(); ok {
		password = " password=" + secret
	}
	config := filepath.Join(filepath.Dir(dataDir(t)), "pgbouncer.ini")
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	testutil.Must(t, err)
	port := listener.Addr().(*net.TCPAddr).Port
	testutil.Must(t, listener.Close())
	testutil.Must(t, os.WriteFile(config, fmt.Appendf(nil, `[databases]
clinic = host=%s port=%s user=%s%s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = any
pool_mode = %s
default_pool_size = 30
max_client_conn = 1000
query_wait_timeout = 10
`, socket, to.Query().Get("port"), to.User.Username(), password, port, mode), 0o644))
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), program, config)
	if os.Geteuid() == 0 { // it refuses to run as root
		info, err := os.Stat(socket)
		testutil.Must(t, err)
		owner, err := user.LookupId(strconv.Itoa(int(info.Sys().(*syscall.Stat_t).Uid)))
		testutil.Must(t, err)
		cmd = exec.CommandContext(context.WithoutCancel(t.Context()), program, "-u", owner.Username, config)
	}
	var said bytes.Buffer
	cmd.Stderr = &said
	testutil.Must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(said.String())
		}
	})
	address = fmt.Sprintf("postgres://caregraph@127.0.0.1:%d/clinic?sslmode=disable", port)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for tick := time.NewTicker(20 * time.Millisecond); ; {
		conn, err := pgx.Connect(ctx, address)
		if err == nil {
			testutil.Must(t, conn.Close(ctx))
			tick.Stop()
			return address
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("pgbouncer does not answer: %v", err)
		}
	}
}

// exitCode runs a command of the binary.
func exitCode(t *testing.T, args ...string) (code int, out string) {
	t.Helper()
	path, err := binary()
	testutil.Must(t, err)
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Env = cleanEnv()
	text, err := cmd.CombinedOutput()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		return failed.ExitCode(), string(text)
	}
	testutil.Must(t, err)
	return 0, string(text)
}

// TestPgBouncer_KeepsThePromises: migrations twice, a server with several clients, and a check
// without a warning.
func TestPgBouncer_KeepsThePromises(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"session", "transaction"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			address := pgBouncer(t, cluster(t), mode)
			data := dataDir(t)
			flags := []string{"--database-url", address, "--data", data}
			for range 2 {
				if code, out := exitCode(t, append([]string{"migrate"}, flags...)...); code != 0 {
					t.Fatalf("migrate: %s", out)
				}
			}
			server := start(t, data, "--database-url", address)
			var clients sync.WaitGroup
			for i := range 8 {
				token := server.register(fmt.Sprint("asha", i))
				clients.Go(func() {
					for n := range 30 {
						name := fmt.Sprint("Patient ", n)
						if _, err := server.ask(token, createDocument, map[string]any{"name": name}); err != nil {
							t.Error(err)
						}
						if _, err := server.ask(token, "{ patients(first: 5) { totalCount nodes { name mappings(first: 1) { totalCount } } } }", nil); err != nil {
							t.Error(err)
						}
					}
				})
			}
			clients.Wait()
			code, out := exitCode(t, append([]string{"check"}, flags...)...)
			const want = "pooler transaction: isolation repeatable read, read-only on, plan mode force_generic_plan"
			if code != 0 || !strings.Contains(out, want) {
				t.Errorf("check ends with %d, and without %q:\n%s", code, want, out)
			}
			server.stop()
		})
	}
}

// TestCheck_FindsSettingsThatDoNotHold, in session mode and in transaction mode. No server
// starts then.
func TestCheck_FindsSettingsThatDoNotHold(t *testing.T) {
	t.Parallel()
	address := cluster(t)
	flags := []string{"--database-url", address, "--data", dataDir(t), "--addr", "127.0.0.1:0"}
	if code, out := exitCode(t, append([]string{"migrate"}, flags...)...); code != 0 {
		t.Fatalf("migrate: %s", out)
	}
	conn, err := pgx.Connect(t.Context(), address)
	testutil.Must(t, err)
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	for _, statement := range []string{
		"CREATE SCHEMA ignored", `CREATE FUNCTION ignored.set_config(text, text, boolean) RETURNS text LANGUAGE sql AS 'SELECT $2'`,
		"ALTER DATABASE clinic SET search_path = ignored, pg_catalog, public",
	} {
		_, err := conn.Exec(t.Context(), statement)
		testutil.Must(t, err)
	}
	for pooler, setting := range map[string]string{"none": "transaction_isolation", "transaction": "transaction_read_only"} {
		more := append([]string{"--database-pooler", pooler}, flags...)
		code, out := exitCode(t, append([]string{"check"}, more...)...)
		if code != 2 || !strings.Contains(out, " promises: "+setting+" is ") {
			t.Errorf("%s: check ends with %d:\n%s", pooler, code, out)
		}
		code, out = exitCode(t, append([]string{"serve"}, more...)...)
		if code != 1 || !strings.Contains(out, setting+" is ") {
			t.Errorf("%s: serve ends with %d:\n%s", pooler, code, out)
		}
	}
}
