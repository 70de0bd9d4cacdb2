package pgserver

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/internal/testutil"
)

// TestStart_WaitsForRecoveryToATime: a copy of the cluster and its later WAL give the
// state of a moment in between, and the server can write then.
func TestStart_WaitsForRecoveryToATime(t *testing.T) {
	t.Parallel()
	dir, target := recoverable(t)
	configure(t, dir, target, "promote")
	restored := start(t, Options{DataDir: dir})
	testutil.Equal(t, "rows", query(t, restored.URL(), "SELECT string_agg(n::text, ',' ORDER BY n) FROM kept"), "1,2")
	query(t, restored.URL(), "INSERT INTO kept VALUES (4) RETURNING n")
}

func TestStart_SaysWhatToSetWhenRecoveryIsPaused(t *testing.T) {
	t.Parallel()
	dir, target := recoverable(t)
	configure(t, dir, target, "pause")
	_, err := Start(t.Context(), Options{DataDir: dir})
	if err == nil || !strings.Contains(err.Error(), "recovery_target_action = 'promote'") {
		t.Errorf("got %v", err)
	}
}

func TestStart_RefusesAStandby(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	testutil.Must(t, start(t, Options{DataDir: dir}).Stop(t.Context()))
	configure(t, dir, "", "promote")
	postgres := filepath.Join(dir, "postgres")
	testutil.Must(t, os.Rename(filepath.Join(postgres, "recovery.signal"), filepath.Join(postgres, "standby.signal")))
	_, err := Start(t.Context(), Options{DataDir: dir})
	if err == nil || !strings.Contains(err.Error(), "standby.signal") {
		t.Errorf("got %v", err)
	}
}

// recoverable returns a directory with a copy of a cluster, the WAL that came later,
// and a moment after its second of three rows.
func recoverable(t *testing.T) (dir, target string) {
	t.Helper()
	dir = openDir(t)
	origin := start(t, Options{DataDir: dir})
	query(t, origin.URL(), "CREATE TABLE kept (n int)")
	query(t, origin.URL(), "INSERT INTO kept VALUES (1) RETURNING n")
	testutil.Must(t, origin.Stop(t.Context()))
	postgres := filepath.Join(dir, "postgres")
	shell(t, `cp -a "$1" "$1.base"`, postgres)

	origin = start(t, Options{DataDir: dir})
	query(t, origin.URL(), "INSERT INTO kept VALUES (2) RETURNING n")
	target = query(t, origin.URL(), "SELECT clock_timestamp()::text")
	query(t, origin.URL(), "INSERT INTO kept VALUES (3) RETURNING n")
	testutil.Must(t, origin.Stop(t.Context()))
	shell(t, `mv "$1/pg_wal" "$2/wal" && rm -r "$1" && mv "$1.base" "$1"`, postgres, dir)
	return dir, target
}

// configure asks for a recovery to the time.
func configure(t *testing.T, dir, target, action string) {
	t.Helper()
	settings := "restore_command = 'cp \"" + filepath.Join(dir, "wal") + "/%f\" \"%p\"'\n" +
		"recovery_target_action = '" + action + "'\n"
	if target != "" {
		settings += "recovery_target_time = '" + target + "'\n"
	}
	shell(t, `printf %s "$2" >>"$1/postgresql.auto.conf" && cp -p "$1/postgresql.auto.conf" "$1/recovery.signal" && : >"$1/recovery.signal"`,
		filepath.Join(dir, "postgres"), settings)
}

// shell keeps the owners of files, which are those of PostgreSQL.
func shell(t *testing.T, script string, args ...string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "sh", append([]string{"-c", script, "sh"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}
