package backup

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// stateName is the file of the data directory with the time of the last backup.
const stateName = "backup.state"

type state struct {
	Finished time.Time `json:"finished"`
}

// Note keeps the time of a backup in the data directory, if there is one.
func Note(dataDir string, m Manifest) error {
	if _, err := os.Stat(dataDir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	err := writeFile(filepath.Join(dataDir, stateName), func(w io.Writer) error {
		return json.NewEncoder(w).Encode(state{m.EndedAt})
	})
	if err != nil {
		return fmt.Errorf("note the backup: %w", err)
	}
	return nil
}

// Last returns when the last backup of a data directory was finished: the zero time if
// there is none, or the file cannot be read.
func Last(dataDir string) time.Time {
	var s state
	text, err := os.ReadFile(filepath.Join(dataDir, stateName)) //nolint:gosec // G304: the data directory
	if err != nil || json.Unmarshal(text, &s) != nil {
		return time.Time{}
	}
	return s.Finished
}
