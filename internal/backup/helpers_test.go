package backup

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/jackc/pgx/v5"

	"github.com/caregraph/caregraph/internal/pgserver"
	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/store"
)

// TestMain lets PostgreSQL run the test binary as the program that archives its log.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "wal" {
		os.Exit(putFromArgs(os.Args[3:]))
	}
	os.Exit(m.Run())
}

// putFromArgs takes the arguments of Archive.
func putFromArgs(args []string) int {
	flags := map[string]string{}
	for i := 0; i+1 < len(args); i += 2 {
		flags[args[i]] = args[i+1]
	}
	if err := PutLog(args[len(args)-1], flags["--archive-dir"], []string{flags["--recipient"]}); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// openDir returns a directory that the user of PostgreSQL may enter.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "backup-test-") //nolint:usetesting // TMPDIR may be closed to others
	testutil.Must(t, err)
	t.Cleanup(func() { testutil.Must(t, os.RemoveAll(dir)) })
	testutil.Must(t, os.Chmod(dir, 0o711))
	return dir
}

// clinic is a private cluster with the schema, an account, its session and a patient.
type clinic struct {
	t    *testing.T
	dir  string // the data directory
	url  string
	stop func()
}

func newClinic(t *testing.T, archive *pgserver.Archive) *clinic {
	t.Helper()
	c := startClinic(t, filepath.Join(openDir(t), "data"), archive)
	testutil.Must(t, store.Migrate(t.Context(), c.url, quiet()))
	testutil.Must(t, os.WriteFile(filepath.Join(c.dir, keysName), []byte("the keys"), 0o600))
	c.exec(`INSERT INTO users (username, email, role, password_hash) VALUES ('asha', 'asha@clinic.example', 'PATIENT', '!');
		INSERT INTO sessions (id, user_id, refresh_id, expires_at) SELECT 'session', id, 'refresh', now() + interval '1 day' FROM users`)
	c.patient("Arjun Deshpande")
	return c
}

func startClinic(t *testing.T, dir string, archive *pgserver.Archive) *clinic {
	t.Helper()
	server, err := pgserver.Start(t.Context(), pgserver.Options{DataDir: dir, Archive: archive})
	testutil.Must(t, err)
	stop := func() { testutil.Must(t, server.Stop(context.WithoutCancel(t.Context()))) }
	t.Cleanup(stop)
	return &clinic{t, dir, server.URL(), stop}
}

func (c *clinic) exec(sql string) { testutil.Must(c.t, c.try(c.t.Context(), sql)) }

func (c *clinic) try(ctx context.Context, sql string) error {
	conn, err := pgx.Connect(ctx, c.url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	_, err = conn.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol)
	return err
}

const insertPatient = `INSERT INTO patients (name, date_of_birth, gender, phone, address, emergency_contact, created_by)
	SELECT '%s', '1990-05-15', 'MALE', '9876543210', 'Bengaluru', '9876543211', min(id) FROM users`

func (c *clinic) patient(name string) { c.exec(fmt.Sprintf(insertPatient, name)) }

// ask returns the first column of the first row as text.
func (c *clinic) ask(sql string) (text string) {
	c.t.Helper()
	conn, err := pgx.Connect(c.t.Context(), c.url)
	testutil.Must(c.t, err)
	defer func() { _ = conn.Close(context.WithoutCancel(c.t.Context())) }()
	testutil.Must(c.t, conn.QueryRow(c.t.Context(), "SELECT ("+sql+")::text").Scan(&text))
	return text
}

// waitFor returns when the query is true, or fails the test after a minute.
func (c *clinic) waitFor(sql string) {
	c.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(time.Minute); c.ask(sql) != "true"; {
		select {
		case <-tick.C:
		case <-end:
			c.t.Fatalf("not true after a minute: %s", sql)
		}
	}
}

// key is a pair of age keys, and a file with the identity.
type key struct{ recipient, identity string }

func newKey(t *testing.T) key {
	t.Helper()
	made, err := age.GenerateX25519Identity()
	testutil.Must(t, err)
	file := filepath.Join(t.TempDir(), "key")
	testutil.Must(t, os.WriteFile(file, []byte("# a key\n"+made.String()+"\n"), 0o600))
	return key{made.Recipient().String(), file}
}

// source is the backup of the clinic to the recipients.
func (c *clinic) source(format string, recipients ...string) Source {
	return Source{
		URL: c.url, Format: format, Keys: filepath.Join(c.dir, keysName),
		Version: "0.1.0", Revision: "0123abc", Recipients: recipients,
	}
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// wantError reports an error that does not contain the text.
func wantError(t *testing.T, err error, text string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("got error %v, want one with %q", err, text)
	}
}

// sealedFile returns the bytes of a backup with these members and the manifest, which change
// may falsify before it is written.
func sealedFile(t *testing.T, recipient string, contents map[string]string, change func(*Manifest)) []byte {
	t.Helper()
	var out strings.Builder
	var recipients []string
	if recipient != "" {
		recipients = []string{recipient}
	}
	stream, err := seal(&out, recipients)
	testutil.Must(t, err)
	m := newMembers(stream)
	for name, content := range contents {
		testutil.Must(t, m.addFile(name, []byte(content)))
	}
	manifest := Manifest{Format: Dump, Members: m.hashes}
	if change != nil {
		change(&manifest)
	}
	testutil.Must(t, m.end(manifest))
	testutil.Must(t, stream.Close())
	return []byte(out.String())
}

// inFile writes the bytes to a file.
func inFile(t *testing.T, content []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "b.age")
	testutil.Must(t, os.WriteFile(file, content, 0o600))
	return file
}

func writes(text string) func(io.Writer) error {
	return func(w io.Writer) error { _, err := io.WriteString(w, text); return err }
}
