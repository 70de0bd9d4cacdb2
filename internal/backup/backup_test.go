package backup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/caregraph/caregraph/internal/testutil"
)

func TestBackup_RestoresOneMomentWhileOthersWrite(t *testing.T) {
	t.Parallel()
	c, key := newClinic(t, nil), newKey(t)
	file := filepath.Join(t.TempDir(), "b.age")
	stop := c.writeOn()
	written, err := Write(t.Context(), c.source(Physical, key.recipient), file, 1)
	rows := stop()
	testutil.Must(t, err)
	if n := written.Manifest.Rows["public.patients"]; n < 1 || n > rows {
		t.Errorf("the manifest has %d patients, and %d were written", n, rows)
	}
	info, err := os.Stat(file)
	testutil.Must(t, err)
	testutil.Equal(t, "mode", info.Mode(), fs.FileMode(0o600))
	content, err := os.ReadFile(file)
	testutil.Must(t, err)
	if bytes.Contains(content, []byte("Arjun")) || bytes.Contains(content, []byte("the keys")) {
		t.Error("the file shows what it holds")
	}
	m, err := Verify(file, key.identity)
	testutil.Must(t, err)
	testutil.Equal(t, "rows", m.Rows, written.Manifest.Rows)

	epoch := c.ask("SELECT epoch FROM feed_state")
	to := filepath.Join(openDir(t), "restored")
	done, err := Restore(t.Context(), Restoration{File: file, Identity: key.identity, Log: quiet()}, to)
	testutil.Must(t, err)
	testutil.Equal(t, "patients", done.Patients, m.Rows["public.patients"])
	testutil.Equal(t, "sessions ended", done.Sessions, int64(1))
	keys, err := os.ReadFile(filepath.Join(to, keysName))
	testutil.Must(t, err)
	testutil.Equal(t, "keys", string(keys), "the keys")
	restored := startClinic(t, to, nil)
	testutil.Equal(t, "patients", restored.ask("SELECT count(*) FROM patients"), fmt.Sprint(m.Rows["public.patients"]))
	testutil.Equal(t, "living sessions", restored.ask("SELECT count(*) FROM sessions WHERE ended_at IS NULL"), "0")
	if restored.ask("SELECT epoch FROM feed_state") == epoch {
		t.Error("devices do not notice that the database was restored")
	}
	restored.patient("Meera Iyer") // it is no standby
	wantNames(t, to, "keys.json", "postgres", "postgres.lock")
}

// writeOn inserts patients until stop is called, which returns their number.
func (c *clinic) writeOn() (stop func() int64) {
	ctx, cancel := context.WithCancel(c.t.Context())
	var writers sync.WaitGroup
	for range 2 {
		writers.Go(func() {
			for ctx.Err() == nil {
				if err := c.try(c.t.Context(), fmt.Sprintf(insertPatient, "Meera Iyer")); err != nil {
					c.t.Error("a writer noticed the backup:", err)
				}
			}
		})
	}
	return func() (n int64) {
		cancel()
		writers.Wait()
		_, err := fmt.Sscan(c.ask("SELECT count(*) FROM patients"), &n)
		testutil.Must(c.t, err)
		return n
	}
}

func TestBackup_VerifyStartFindsWhatHashesDoNot(t *testing.T) {
	t.Parallel()
	c, key := newClinic(t, nil), newKey(t)
	dir := t.TempDir()
	good, err := Write(t.Context(), c.source(Physical, key.recipient), dir, 1)
	testutil.Must(t, err)
	_, err = VerifyStart(t.Context(), Restoration{File: good.File, Identity: key.identity, Log: quiet()})
	testutil.Must(t, err)

	// A row without its account, as a bad disk or a hand with superuser rights leaves it.
	c.exec("SET session_replication_role = replica; DELETE FROM users")
	orphaned, err := Write(t.Context(), c.source(Physical, key.recipient), filepath.Join(dir, "orphaned"), 1)
	testutil.Must(t, err)
	_, err = Verify(orphaned.File, key.identity)
	testutil.Must(t, err)
	_, err = VerifyStart(t.Context(), Restoration{File: orphaned.File, Identity: key.identity, Log: quiet()})
	wantError(t, err, "foreign key ")
	damaged, ok := errors.AsType[*DamagedError](err)
	if !ok {
		t.Errorf("got %v, want a damaged part", damaged)
	}
}

func TestBackup_WaitsForALongWriterAndHurtsNobody(t *testing.T) {
	t.Parallel()
	c := newClinic(t, nil)
	conn, err := connect(t.Context(), c.url)
	testutil.Must(t, err)
	defer closeConn(context.WithoutCancel(t.Context()), conn)
	_, err = conn.Exec(t.Context(), "BEGIN; UPDATE users SET phone = NULL", pgx.QueryExecModeSimpleProtocol)
	testutil.Must(t, err)
	done := make(chan error, 1)
	go func() {
		_, err := Write(t.Context(), c.source(Physical), filepath.Join(t.TempDir(), "b"), 1)
		done <- err
	}()
	c.waitFor("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'caregraph backup' AND wait_event_type = 'Lock')")
	c.patient("Meera Iyer") // others go on meanwhile
	_, err = conn.Exec(t.Context(), "COMMIT", pgx.QueryExecModeSimpleProtocol)
	testutil.Must(t, err)
	testutil.Must(t, <-done)
}

func TestRestore_RefusesAndLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	full := filepath.Join(dir, "full")
	testutil.Must(t, os.MkdirAll(filepath.Join(full, "x"), 0o700))
	file := inFile(t, sealedFile(t, "", map[string]string{"keys.json": "keys"}, func(m *Manifest) { m.Format, m.Major = Physical, 9 }))
	_, err := Restore(t.Context(), Restoration{File: file, Log: quiet()}, full)
	wantError(t, err, "is not empty")
	to := filepath.Join(dir, "new")
	_, err = Restore(t.Context(), Restoration{File: file, Log: quiet()}, to)
	wantError(t, err, "caregraph postgres upgrade")
	_, err = Restore(t.Context(), Restoration{File: inFile(t, []byte("no backup")), Log: quiet()}, to)
	wantError(t, err, "damaged")
	_, err = Restore(t.Context(), Restoration{File: file, To: time.Now(), Log: quiet()}, to)
	wantError(t, err, "need each other")
	wantNames(t, dir, "full")
	testutil.Must(t, os.Mkdir(to+partialSuffix, 0o700))
	_, err = Restore(t.Context(), Restoration{File: file, Log: quiet()}, to)
	wantError(t, err, "exists: another restore runs")
	wantNames(t, dir, "full", "new.partial")
}

func TestDump_RestoresToANewCluster(t *testing.T) {
	t.Parallel()
	c, key := newClinic(t, nil), newKey(t)
	file := filepath.Join(t.TempDir(), "d.age")
	stop := c.writeOn()
	written, err := Write(t.Context(), c.source(Dump, key.recipient), file, 1)
	stop()
	testutil.Must(t, err)
	_, err = VerifyStart(t.Context(), Restoration{File: file, Identity: key.identity, Log: quiet()})
	testutil.Must(t, err)
	to := filepath.Join(openDir(t), "restored")
	done, err := Restore(t.Context(), Restoration{File: file, Identity: key.identity, KeepSessions: true, Log: quiet()}, to)
	testutil.Must(t, err)
	testutil.Equal(t, "patients", done.Patients, written.Manifest.Rows["public.patients"])
	restored := startClinic(t, to, nil)
	testutil.Equal(t, "living sessions", restored.ask("SELECT count(*) FROM sessions WHERE ended_at IS NULL"), "1")
	restored.patient("Rohan Gupta")
	wantNames(t, to, "keys.json", "postgres", "postgres.lock")
}
