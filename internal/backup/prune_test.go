package backup

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caregraph/caregraph/internal/testutil"
)

// archived ends the present segment of the log, and waits until it is in the archive.
func (c *clinic) archived() {
	c.t.Helper()
	last := c.ask("SELECT pg_walfile_name(pg_switch_wal())")
	c.waitFor("SELECT coalesce(last_archived_wal >= '" + last + "', false) FROM pg_stat_archiver")
}

// noted makes a backup as the command does.
func (c *clinic) noted(path string, keep int, k key) Written {
	c.t.Helper()
	written, err := Write(c.t.Context(), c.source(Physical, k.recipient), path, keep)
	testutil.Must(c.t, err)
	testutil.Must(c.t, Note(c.dir, written))
	return written
}

func TestPruneArchive_TheOldestBackupRecovers(t *testing.T) {
	t.Parallel()
	k, dir := newKey(t), openDir(t)
	archive, backups := filepath.Join(dir, "archive"), filepath.Join(dir, "backups")
	testutil.Must(t, os.Mkdir(backups, 0o700))
	c := newClinic(t, Archive(program(t, dir), dir, archive, []string{k.recipient}))
	first := c.noted(filepath.Join(backups, "caregraph-20260101T000000Z.age"), 2, k)
	c.patient("One")
	c.archived()
	oldest := c.noted(filepath.Join(backups, "caregraph-20260102T000000Z.age"), 2, k)
	c.patient("Before")
	at, err := time.Parse(time.RFC3339Nano, c.ask("SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"))
	testutil.Must(t, err)
	c.patient("After")
	c.archived()
	third := c.noted(backups, 2, k)
	testutil.Equal(t, "removed backups", strings.Join(third.Removed, " "), filepath.Base(first.File))
	c.archived()

	stranger := filepath.Join(backups, "caregraph-20260103T000000Z.age")
	testutil.Must(t, os.WriteFile(stranger, nil, 0o600))
	removed, unknown, err := PruneArchive(c.dir, backups, archive)
	testutil.Must(t, err)
	testutil.Equal(t, "removed with an unknown backup", removed, 0)
	testutil.Equal(t, "the unknown backup", unknown, filepath.Base(stranger))
	testutil.Must(t, os.Remove(stranger))
	removed, unknown, err = PruneArchive(c.dir, backups, archive)
	testutil.Must(t, err)
	testutil.Equal(t, "the unknown backup", unknown, "")
	if removed == 0 {
		t.Error("nothing was removed")
	}
	entries, err := os.ReadDir(archive)
	testutil.Must(t, err)
	needed := oldest.Manifest.firstSegment()
	if !slices.ContainsFunc(entries, func(e os.DirEntry) bool { return strings.HasPrefix(e.Name(), needed+"-") }) {
		t.Errorf("the archive lacks %s, with which the oldest backup begins", needed)
	}
	for _, entry := range entries {
		if entry.Name() < needed {
			t.Errorf("%s is still there, and the oldest backup begins with %s", entry.Name(), needed)
		}
	}
	to := filepath.Join(dir, "restored")
	_, err = Restore(t.Context(), Restoration{File: oldest.File, Identity: k.identity, Archive: archive, To: at, Log: quiet()}, to)
	testutil.Must(t, err)
	restored := startClinic(t, to, nil)
	testutil.Equal(t, "patients", restored.ask("SELECT string_agg(name, ', ' ORDER BY id) FROM patients"), "Arjun Deshpande, One, Before")
}

func TestPruneBefore_TouchesOnlyWhatIsBefore(t *testing.T) {
	t.Parallel()
	dir, hash := t.TempDir(), "-"+strings.Repeat("0", 32)+".age"
	gone := []string{
		"0000000100000001000000A2" + hash, "0000000200000001000000A1" + hash, "0000000100000000000000FF" + hash,
		"0000000100000001000000A2.00000028.backup" + hash, "0000000100000001000000A2.partial" + hash,
	}
	kept := []string{
		"0000000100000001000000A3" + hash, "0000000100000001000000A3.00000028.backup" + hash, "000000010000000200000000" + hash,
		"00000002.history" + hash, "0000000100000001000000A2", "0000000100000001000000A2" + hash + ".partial", "notes.txt",
	}
	for _, name := range slices.Concat(gone, kept) {
		testutil.Must(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
	}
	removed, err := pruneBefore(dir, "0000000100000001000000A3")
	testutil.Must(t, err)
	testutil.Equal(t, "removed", removed, len(gone))
	slices.Sort(kept)
	wantNames(t, dir, kept...)
}

// A backup elsewhere counts, and a dump needs no log.
func TestPruneArchive_CountsAllBackupsThatAreThere(t *testing.T) {
	t.Parallel()
	data, dir, other, archive, hash := t.TempDir(), t.TempDir(), t.TempDir(), t.TempDir(), "-"+strings.Repeat("0", 32)+".age"
	note := func(path, segment string) {
		t.Helper()
		testutil.Must(t, os.WriteFile(path, nil, 0o600))
		m := Manifest{Format: Physical, Members: map[string]string{walDir + segment: "", clusterPrefix + "PG_VERSION": ""}}
		if segment == "" {
			m = Manifest{Format: Dump, Members: map[string]string{dumpPrefix + "00000001": ""}}
		}
		testutil.Must(t, Note(data, Written{File: path, Manifest: m}))
	}
	segments := []string{"000000010000000000000005", "000000010000000000000006", "000000010000000000000007", "000000010000000000000008"}
	for _, name := range segments {
		testutil.Must(t, os.WriteFile(filepath.Join(archive, name+hash), nil, 0o600))
	}
	prune := func(what string, want int) {
		t.Helper()
		removed, unknown, err := PruneArchive(data, dir, archive)
		testutil.Must(t, err)
		testutil.Equal(t, what, removed, want)
		testutil.Equal(t, "unknown", unknown, "")
	}
	note(filepath.Join(dir, "caregraph-20260101T000000Z.age"), "")
	prune("with a dump", 0)
	note(filepath.Join(other, "monthly.age"), segments[1])
	note(filepath.Join(dir, "caregraph-20260102T000000Z.age"), segments[2])
	prune("with a backup elsewhere", 1)
	testutil.Must(t, os.Remove(filepath.Join(other, "monthly.age")))
	note(filepath.Join(dir, "caregraph-20260103T000000Z.age"), segments[3])
	prune("without it", 1)

	path := filepath.Join(dir, "caregraph-20260104T000000Z.age")
	testutil.Must(t, os.WriteFile(path, nil, 0o600))
	testutil.Must(t, Note(data, Written{File: path, Manifest: Manifest{Format: Physical}}))
	_, unknown, err := PruneArchive(data, dir, archive)
	testutil.Must(t, err)
	testutil.Equal(t, "a backup without its log", unknown, filepath.Base(path))
}
