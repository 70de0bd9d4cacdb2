package pgserver

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// ExecutableDeleted reports whether the executable of the PostgreSQL that runs on the
// data directory was deleted or replaced, as an upgrade of the packages does. New
// connections may then fail to load libraries until a restart. It is always false on
// systems other than Linux.
func ExecutableDeleted(dataDir string) bool {
	pid := recordedPID(cluster{dataDir: dataDir}.path())
	path, err := os.Readlink(filepath.Join("/proc", strconv.Itoa(pid), "exe"))
	return err == nil && strings.HasSuffix(path, " (deleted)")
}

// watchExecutable warns once, within a minute.
func (s *Server) watchExecutable(ctx context.Context) {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for !s.warnIfDeleted(ctx) {
		select {
		case <-s.done:
			return
		case <-tick.C:
		}
	}
}

func (s *Server) warnIfDeleted(ctx context.Context) (deleted bool) {
	if !ExecutableDeleted(s.dataDir) {
		return false
	}
	s.log.WarnContext(ctx, "the executable of PostgreSQL was deleted or replaced: restart the server to use the new one", "data", s.dataDir)
	return true
}
