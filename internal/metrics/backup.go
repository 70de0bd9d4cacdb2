package metrics

import (
	"encoding/json"
	"os"
	"path/filepath"
	"time"
)

// backupState is the file of a data directory in which caregraph backup notes its last
// success, as {"finished": an RFC 3339 time}.
const backupState = "backup.state"

// LastBackup returns when the last backup of a data directory was finished: the zero time
// if there is none, or the file cannot be read.
func LastBackup(data string) time.Time {
	var state struct {
		Finished time.Time `json:"finished"`
	}
	text, err := os.ReadFile(filepath.Join(data, backupState)) //nolint:gosec // G304: of the operator's own data directory
	if err != nil || json.Unmarshal(text, &state) != nil {
		return time.Time{}
	}
	return state.Finished
}
