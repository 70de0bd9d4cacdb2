package host

import (
	"fmt"
	"syscall"
)

// FreeDisk returns the bytes of the file system of dir that a service may still use.
func FreeDisk(dir string) (int64, error) {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(dir, &disk); err != nil {
		return 0, fmt.Errorf("free disk of %s: %w", dir, err)
	}
	return int64(disk.Bavail) * int64(disk.Bsize), nil //nolint:gosec,unconvert // the types differ between systems
}
