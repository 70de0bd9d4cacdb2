package backup

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caregraph/caregraph/internal/testutil"
)

func TestPutLog_SameNameNeedsTheSameContent(t *testing.T) {
	t.Parallel()
	key, archive, name := newKey(t), t.TempDir(), "0000000100000000000000A3"
	segment := filepath.Join(t.TempDir(), name)
	testutil.Must(t, os.WriteFile(segment, []byte("log of Arjun"), 0o600))
	testutil.Must(t, PutLog(segment, archive, []string{key.recipient}))
	testutil.Must(t, PutLog(segment, archive, []string{key.recipient}))
	wantNames(t, archive, name+"-"+contentSum([]byte("log of Arjun"))+".age")
	testutil.Must(t, os.WriteFile(segment, []byte("other"), 0o600))
	wantError(t, PutLog(segment, archive, []string{key.recipient}), "the archive has another "+name)
	wantError(t, PutLog(segment, archive, nil), "--recipient")
	wantError(t, PutLog(filepath.Join(archive, "notes"), archive, []string{key.recipient}), "no file of PostgreSQL's log")
}

func TestSegments_GapIsNamed(t *testing.T) {
	t.Parallel()
	next, err := nextSegment("0000000100000002000000FF")
	testutil.Must(t, err)
	testutil.Equal(t, "next", next, "000000010000000300000000")
	first := "0000000100000002000000FE"
	testutil.Must(t, checkNoGap(nil, first))
	testutil.Must(t, checkNoGap([]string{next, "0000000100000002000000FF", first, "000000020000000300000000"}, first))
	wantError(t, checkNoGap([]string{next, first}, first), "segment 0000000100000002000000FF of the archive")
	wantError(t, checkNoGap([]string{next}, first), "segment "+first+" of the archive")
}

// program copies the test binary to a place where the user of PostgreSQL can run it.
func program(t *testing.T, dir string) string {
	t.Helper()
	binary, err := os.Open(os.Args[0])
	testutil.Must(t, err)
	defer func() { _ = binary.Close() }()
	path := filepath.Join(dir, "caregraph")
	copied, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o755)
	testutil.Must(t, err)
	_, err = io.Copy(copied, binary)
	testutil.Must(t, err)
	testutil.Must(t, copied.Close())
	return path
}

func TestRecovery_EndsAtTheTime(t *testing.T) {
	t.Parallel()
	key, dir := newKey(t), openDir(t)
	archive := filepath.Join(dir, "it's an archive of 100%")
	c := newClinic(t, Archive(program(t, dir), dir, archive, []string{key.recipient}))
	file := filepath.Join(t.TempDir(), "b.age")
	written, err := Write(t.Context(), c.source(Physical, key.recipient), file, 1)
	testutil.Must(t, err)
	c.patient("Before")
	at, err := time.Parse(time.RFC3339Nano, c.ask("SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"))
	testutil.Must(t, err)
	c.patient("After")
	c.exec("DELETE FROM patients WHERE name = 'Before'")
	last := c.ask("SELECT pg_walfile_name(pg_switch_wal())")
	c.waitFor("SELECT coalesce(last_archived_wal >= '" + last + "', false) FROM pg_stat_archiver")
	testutil.Equal(t, "failures", c.ask("SELECT failed_count FROM pg_stat_archiver"), "0")

	r := Restoration{File: file, Identity: key.identity, Archive: archive, To: at, Log: quiet()}
	to := filepath.Join(dir, "restored")
	_, err = Restore(t.Context(), r, to)
	testutil.Must(t, err)
	restored := startClinic(t, to, nil)
	testutil.Equal(t, "patients", restored.ask("SELECT string_agg(name, ', ' ORDER BY id) FROM patients"), "Arjun Deshpande, Before")
	wantNames(t, to, "keys.json", "postgres", "postgres.lock")

	r.To = written.Manifest.EndedAt.Add(-time.Minute)
	_, err = Restore(t.Context(), r, to+"2")
	wantError(t, err, "must be after the end of the backup")
	r.To = time.Now().Add(time.Hour)
	_, err = Restore(t.Context(), r, to+"2")
	wantError(t, err, "recovery ended before")
	segments, err := filepath.Glob(filepath.Join(archive, last+"-*.age"))
	testutil.Must(t, err)
	content, err := os.ReadFile(segments[0])
	testutil.Must(t, err)
	content[len(content)/2] ^= 1
	testutil.Must(t, os.WriteFile(segments[0], content, 0o600))
	r.To = at
	_, err = Restore(t.Context(), r, to+"2")
	wantError(t, err, "file "+filepath.Base(segments[0])+" of the archive")
	entries, err := os.ReadDir(dir)
	testutil.Must(t, err)
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), "restored2") {
			t.Errorf("a failed restore left %s", entry.Name())
		}
	}
}
