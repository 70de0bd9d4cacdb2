package check

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Server is a server that runs on a database.
type Server struct {
	ID, Version, Schema string
	Keys                []string // ids; the first one signs
	StartedAt           time.Time
}

// Servers lists the servers that run on a database, and compares their key files.
func Servers(running []Server) []Finding {
	list := make([]string, len(running))
	for i, s := range running {
		list[i] = fmt.Sprintf("%s (version %s, schema %s, since %s)", s.ID, s.Version, s.Schema, s.StartedAt.UTC().Format("2006-01-02 15:04"))
	}
	text := "none runs"
	if len(list) > 0 {
		text = fmt.Sprintf("%d: %s", len(list), strings.Join(list, ", "))
	}
	return []Finding{{"cluster", "servers", Good, text}, sameKeys(running)}
}

// sameKeys fails if a server refuses the tokens of another one.
func sameKeys(running []Server) Finding {
	f := Finding{"files", "keys of all servers", Good, "as it should be"}
	for _, s := range running {
		for _, other := range running {
			switch {
			case len(s.Keys) == 0:
				f.Level, f.Text = Failure, s.ID+" cannot read its key file"
			case !slices.Contains(other.Keys, s.Keys[0]):
				f.Level, f.Text = Failure, fmt.Sprintf("%s refuses the tokens of %s: copy the key file", other.ID, s.ID)
			case f.Level == Good && !slices.Equal(s.Keys, other.Keys):
				f.Level, f.Text = Warning, fmt.Sprintf("%s and %s have other ones: copy the key file", s.ID, other.ID)
			}
		}
	}
	return f
}
