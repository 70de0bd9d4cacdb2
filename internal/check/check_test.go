package check

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/caregraph/caregraph/internal/pgserver"
	"github.com/caregraph/caregraph/internal/testutil"
)

// cluster returns the address of a PostgreSQL of its own.
func cluster(t *testing.T) (url string) {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "check-test-") //nolint:usetesting // the user of PostgreSQL may enter it
	testutil.Must(t, err)
	testutil.Must(t, os.Chmod(dir, 0o711))
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	server, err := pgserver.Start(t.Context(), pgserver.Options{DataDir: dir, Throwaway: true})
	testutil.Must(t, err)
	t.Cleanup(func() { _ = server.Stop(context.WithoutCancel(t.Context())) })
	return server.URL()
}

func execute(t *testing.T, url, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	testutil.Must(t, err)
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	for statement := range strings.SplitSeq(sql, ";") {
		_, err = conn.Exec(t.Context(), statement, pgx.QueryExecModeSimpleProtocol)
		testutil.Must(t, err)
	}
}

// bad returns the findings that are not good, by name.
func bad(all []Finding) map[string]Finding {
	found := map[string]Finding{}
	for _, f := range all {
		if f.Level > Good {
			found[f.Name] = f
		}
	}
	return found
}

// Each fault is found by the check for it, by name.
func TestDatabase_FindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	url := cluster(t)
	execute(t, url, `CREATE EXTENSION pg_trgm; CREATE TABLE patients (id int PRIMARY KEY); CREATE TABLE mappings (p int REFERENCES patients);
		CREATE ROLE guest LOGIN; GRANT SELECT, INSERT, UPDATE ON patients, mappings TO guest; CREATE SCHEMA other`)
	// A cluster for tests flushes nothing.
	expected := []string{"durability", "synchronous_commit"}
	for name := range bad(Database(t.Context(), url, 23, 1)) {
		if !strings.Contains(strings.Join(expected, " "), name) {
			t.Errorf("a new cluster has a fault: %s", name)
		}
	}
	for name, test := range map[string]struct {
		fault, text string
		level       Level
	}{
		"durability":               {"SELECT 1", "fsync is off", Failure},
		"synchronous_commit":       {"SELECT 1", "off", Warning},
		"extensions":               {"DROP EXTENSION pg_trgm", "pg_trgm", Failure},
		"triggers":                 {"ALTER TABLE mappings DISABLE TRIGGER ALL", "mappings", Failure},
		"indexes":                  {"UPDATE pg_index SET indisvalid = false WHERE indrelid = 'patients'::regclass", "patients_pkey", Warning},
		"log_statement":            {"ALTER SYSTEM SET log_statement = 'all'; SELECT pg_reload_conf()", "log_statement is all", Warning},
		"log_parameter_max_length": {"ALTER SYSTEM SET log_statement = 'all'; SELECT pg_reload_conf()", "log_parameter_max_length is -1", Warning},
		"log_min_duration_sample":  {"ALTER SYSTEM SET log_min_duration_sample = 5; SELECT pg_reload_conf()", "log_min_duration_sample is 5", Warning},
	} {
		execute(t, url, test.fault)
		// The reload reaches new connections in an instant, not at once.
		waitFor(t, func() bool { return bad(Database(t.Context(), url, 23, 1))[name].Text != "" }, name)
		f := bad(Database(t.Context(), url, 23, 1))[name]
		if f.Level != test.level || !strings.Contains(f.Text, test.text) {
			t.Errorf("%s: got %+v, want %s with %q", name, f, test.level, test.text)
		}
	}
	if f := bad(Database(t.Context(), url, 1000, 1))["connections"]; f.Level != Warning || !strings.Contains(f.Text, "opens 1000") {
		t.Errorf("too many connections: %+v", f)
	}
	if f := bad(Database(t.Context(), url, 23, 99))["connections"]; f.Level != Warning || !strings.Contains(f.Text, "for 99 of them") {
		t.Errorf("too many servers: %+v", f)
	}
	asGuest := strings.Replace(url, "caregraph@", "guest@", 1)
	if f := bad(Database(t.Context(), asGuest, 23, 1))["privileges"]; f.Level != Failure || !strings.Contains(f.Text, "DELETE on patients") {
		t.Errorf("without rights: %+v", f)
	}
}

func waitFor(t *testing.T, done func() bool, what string) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(10 * time.Second); !done(); {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("not found: %s", what)
		}
	}
}

func TestDatabase_UnreachableNamesNoAddress(t *testing.T) {
	t.Parallel()
	all := Database(t.Context(), "postgres://asha:secret@127.0.0.1:1/clinic", 23, 1)
	testutil.Equal(t, "findings", all, []Finding{{"database", "connection", Failure, "cannot be reached"}})
}

func TestMachine_LevelsFollowFilesAndTimes(t *testing.T) {
	t.Parallel()
	dir, now := t.TempDir(), time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	keys := filepath.Join(dir, "keys.json")
	testutil.Must(t, os.WriteFile(keys, nil, 0o600))
	testutil.Must(t, os.Chmod(dir, 0o711))
	good := Machine{DataDir: dir, Keys: keys, Free: 100, MinFree: 50, LastBackup: now.Add(-25 * time.Hour), Now: now, Addr: "127.0.0.1:8080", OpenFiles: 65536, Pools: 23, Streams: 20}
	full := filepath.Join(dir, "archive")
	testutil.Must(t, os.MkdirAll(filepath.Join(full, "segment"), 0o700))
	archiving := good
	archiving.ArchiveDir = full
	socket, encrypted := good, good
	socket.Addr, encrypted.Addr, encrypted.Encrypted = "unix:/run/caregraph/http.sock", "0.0.0.0:8443", true
	for _, m := range []Machine{good, socket, encrypted, archiving} {
		if found := bad(m.Check()); len(found) > 0 {
			t.Errorf("a good machine on %s: %v", m.Addr, found)
		}
	}
	for name, test := range map[string]struct {
		change func(*Machine)
		level  Level
	}{
		"free disk":      {func(m *Machine) { m.Free = 49 }, Failure},
		"backup":         {func(m *Machine) { m.LastBackup = now.Add(-27 * time.Hour) }, Warning},
		"PostgreSQL":     {func(m *Machine) { m.ExecutableDeleted = true }, Failure},
		"address":        {func(m *Machine) { m.Addr = ":8080" }, Warning},
		"open files":     {func(m *Machine) { m.OpenFiles = 1024 }, Warning},
		"archive":        {func(m *Machine) { m.ArchiveDir = filepath.Join(full, "segment") }, Warning},
		"keys":           {func(m *Machine) { m.Keys = filepath.Join(dir, "missing") }, Warning},
		"data directory": {func(*Machine) { testutil.Must(t, os.Chmod(dir, 0o777)) }, Failure},
	} {
		m := good
		test.change(&m)
		if f := bad(m.Check())[name]; f.Level != test.level {
			t.Errorf("%s: got %+v, want %s", name, f, test.level)
		}
		testutil.Must(t, os.Chmod(dir, 0o711))
	}
	few, missing := good, good
	few.OpenFiles, missing.ArchiveDir = 74, filepath.Join(dir, "missing")
	if f := bad(few.Check())["open files"]; f.Level != Failure || !strings.Contains(f.Text, "of 74 leaves 19 sockets") {
		t.Errorf("few open files: %+v", f)
	}
	if f := bad(missing.Check())["archive"]; f.Level != Failure || !strings.Contains(f.Text, "--archive-dir") {
		t.Errorf("a missing archive: %+v", f)
	}
	if os.Geteuid() == 0 {
		testutil.Must(t, os.Chown(keys, 1, -1))
		if f := bad(good.Check())["owner"]; f.Level != Failure {
			t.Errorf("the keys of another user: %+v", f)
		}
	}
	testutil.Must(t, os.Chmod(keys, 0o640))
	found := good.Check()
	if f := bad(found)["keys"]; f.Level != Failure || Worst(found) != Failure {
		t.Errorf("keys that others read: %+v", f)
	}
}
