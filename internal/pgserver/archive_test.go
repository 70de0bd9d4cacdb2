package pgserver

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/internal/testutil"
)

// TestArchive_RefusesADirectoryThatCannotBeWritten and names the setting.
func TestArchive_RefusesADirectoryThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	closed := filepath.Join(dir, "closed")
	testutil.Must(t, os.Mkdir(closed, 0o500))
	for _, archive := range []string{closed, filepath.Join(dir, "missing", "archive")} {
		s, err := Start(t.Context(), Options{DataDir: filepath.Join(dir, "data"), Throwaway: true, Archive: &Archive{Dir: archive, Program: []string{"/bin/sh"}}})
		if err == nil {
			_ = s.Stop(context.WithoutCancel(t.Context()))
		}
		if err == nil || !strings.Contains(err.Error(), "--archive-dir") || !strings.Contains(err.Error(), archive) || !strings.Contains(err.Error(), "ReadWritePaths=") {
			t.Errorf("%s: %v", archive, err)
		}
	}
}
