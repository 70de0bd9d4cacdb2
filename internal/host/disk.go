package host

import (
	"fmt"
	"syscall"
)

// FreeDisk returns the bytes of the file system of dir that a service may still use.
func FreeDisk(dir string) (int64, error) {
	free, _, err := Disk(dir)
	return free, err
}

// Disk returns what FreeDisk returns, and the bytes that all services may use together.
func Disk(dir string) (free, size int64, err error) {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(dir, &disk); err != nil {
		return 0, 0, fmt.Errorf("free disk of %s: %w", dir, err)
	}
	reserved := disk.Bfree - uint64(disk.Bavail)                      //nolint:unconvert // the types differ between systems
	free = int64(disk.Bavail) * int64(disk.Bsize)                     //nolint:gosec,unconvert // as above
	return free, int64(disk.Blocks-reserved) * int64(disk.Bsize), nil //nolint:gosec,unconvert // as above
}
