package backup

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// stateName is the file of the data directory with the time of the last backup.
const stateName = "backup.state"

type state struct {
	Finished time.Time `json:"finished"`
	// Starts has the first segment of the log that each backup needs, by the path of its file:
	// "" for a dump, which needs none.
	Starts map[string]string `json:"starts,omitempty"`
}

// Note keeps the time of a backup in the data directory, if there is one, and from where on its
// recovery needs the log.
func Note(dataDir string, w Written) error {
	if _, err := os.Stat(dataDir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	file, err := filepath.Abs(w.File)
	if err != nil {
		return fmt.Errorf("note the backup: %w", err)
	}
	s := readState(dataDir)
	s.Finished = w.Manifest.EndedAt
	if s.Starts == nil {
		s.Starts = map[string]string{}
	}
	delete(s.Starts, file)
	if first := w.Manifest.firstSegment(); first != "" || w.Manifest.Format == Dump {
		s.Starts[file] = first
	}
	maps.DeleteFunc(s.Starts, func(path, _ string) bool {
		_, err := os.Stat(path)
		return errors.Is(err, fs.ErrNotExist)
	})
	name := filepath.Join(dataDir, stateName)
	err = writeFile(name, func(w io.Writer) error { return json.NewEncoder(w).Encode(s) })
	if err == nil {
		err = os.Chmod(name, 0o644) //nolint:gosec // G302: root may back up the server of another user, which reads the file
	}
	if err != nil {
		return fmt.Errorf("note the backup: %w", err)
	}
	return nil
}

// firstSegment returns the first segment of the log that a backup has, "" for none.
func (m Manifest) firstSegment() (first string) {
	for member := range m.Members {
		name, found := strings.CutPrefix(member, walDir)
		if found && segmentName.MatchString(name) && (first == "" || compareSegments(name, first) < 0) {
			first = name
		}
	}
	return first
}

// Last returns when the last backup of a data directory was finished: the zero time if
// there is none, or the file cannot be read.
func Last(dataDir string) time.Time { return readState(dataDir).Finished }

// readState returns the zero state if there is none.
func readState(dataDir string) (s state) {
	text, err := os.ReadFile(filepath.Join(dataDir, stateName)) //nolint:gosec // G304: the data directory
	if err != nil || json.Unmarshal(text, &s) != nil {
		return state{}
	}
	return s
}
