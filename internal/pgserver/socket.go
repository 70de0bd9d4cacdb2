package pgserver

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const (
	socketPort   = "5432"
	socketPrefix = "caregraph-"
	// maxSocketPath is the limit of a socket address: 107 bytes on Linux, 103
	// on macOS.
	maxSocketPath = 103
)

// socketParents puts the short path first: TMPDIR can be long, and closed to
// the user that PostgreSQL runs as. Under systemd the directory of the service
// comes first: its /tmp can be its own, where other commands do not see the
// socket. The socket of a throwaway cluster goes into its directory if the path
// is short enough.
func (c cluster) socketParents() []string {
	if c.throwaway {
		return []string{c.dataDir, "/tmp", os.TempDir()}
	}
	parents := []string{"/tmp", os.TempDir()}
	if dir := os.Getenv("RUNTIME_DIRECTORY"); filepath.IsAbs(dir) {
		return append([]string{dir}, parents...)
	}
	return parents
}

// makeSocketDir creates a directory that only the account may enter, below the
// first parent where the path of the socket is short enough.
func makeSocketDir(parents []string, as account) (string, error) {
	var errs []error
	for _, parent := range parents {
		dir, err := os.MkdirTemp(parent, socketPrefix)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if socket := filepath.Join(dir, ".s.PGSQL."+socketPort); len(socket) > maxSocketPath {
			err := fmt.Errorf("%s is longer than the %d bytes a socket may have", socket, maxSocketPath)
			errs = append(errs, err, os.Remove(dir))
			continue
		}
		if err := as.chown(dir); err != nil {
			return "", errors.Join(err, os.Remove(dir))
		}
		return dir, nil
	}
	return "", fmt.Errorf("make a directory for PostgreSQL's socket: %w", errors.Join(errs...))
}

// isSocketDir guards the removal of a directory whose name was read from a
// file.
func isSocketDir(socketDir string) bool {
	return filepath.IsAbs(socketDir) && strings.HasPrefix(filepath.Base(socketDir), socketPrefix)
}
