package pgserver

import (
	"syscall"
	"testing"
)

// TestLock_IsLetGoThoughAChildHasTheFile: between fork and exec a child has
// what its parent has open, whichever goroutine starts it.
func TestLock_IsLetGoThoughAChildHasTheFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	lock, err := lockDir(dir)
	must(t, err)
	held, err := syscall.Dup(int(lock.file.Fd()))
	must(t, err)
	defer func() { _ = syscall.Close(held) }()
	must(t, lock.release())
	again, err := lockDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	must(t, again.release())
}
