package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/internal/testutil"
)

// reachable returns a copy of the binary that the user of PostgreSQL can run.
func reachable(t *testing.T) string {
	t.Helper()
	path, err := binary()
	testutil.Must(t, err)
	content, err := os.ReadFile(path)
	testutil.Must(t, err)
	copied := filepath.Join(filepath.Dir(dataDir(t)), "caregraph")
	testutil.Must(t, os.WriteFile(copied, content, 0o755))
	return copied
}

// TestBackup_PrunesTheArchiveWhenAsked, and says until when backups have what is erased now.
func TestBackup_PrunesTheArchiveWhenAsked(t *testing.T) {
	t.Parallel()
	data := dataDir(t)
	dir := filepath.Dir(data)
	archive, backups, recipients := filepath.Join(dir, "archive"), filepath.Join(dir, "backups"), filepath.Join(dir, "recipients")
	testutil.Must(t, os.Mkdir(backups, 0o700))
	testutil.Must(t, os.WriteFile(recipients, []byte(recipient+"\n"), 0o600))
	archiving := []string{"--archive-dir", archive, "--recipients-file", recipients}
	server := startBinary(t, reachable(t), nil, data, archiving...)
	backup := func(flags ...string) string {
		t.Helper()
		out, failure := run(t, "", append(append([]string{"backup", backups, "--keep", "1", "--data", data}, archiving...), flags...)...)
		if failure != "" {
			t.Fatal(out)
		}
		return out
	}
	if out := backup(); !regexp.MustCompile(`erased now stays in backups here until 1 more are made: with one a day until \d{4}-\d\d-\d\d\.`).MatchString(out) || strings.Contains(out, "archive") {
		t.Errorf("without the flag: %s", out)
	}
	if out := backup("--prune-archive"); !regexp.MustCompile(`Removed \d+ files of the archive that no backup needs\.`).MatchString(out) {
		t.Errorf("with the flag: %s", out)
	}
	server.stop()
	for want, args := range map[string][]string{
		"needs --archive-dir":               {"backup", backups, "--data", data, "--recipients-file", recipients},
		"needs a directory of backups":      append([]string{"backup", filepath.Join(dir, "b.age"), "--data", data}, archiving...),
		"for the archive of the private Po": append([]string{"backup", backups, "--database-url", "postgres://127.0.0.1:1/x"}, archiving...),
	} {
		if _, failure := run(t, "", append(args, "--prune-archive")...); !strings.Contains(failure, "--prune-archive: ") || !strings.Contains(failure, want) {
			t.Errorf("%q: %s", args, failure)
		}
	}
}
