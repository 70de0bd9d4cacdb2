package pgserver

import (
	"syscall"
	"testing"
)

// Between fork and exec a child has all files that its parent has open,
// regardless of the goroutine that starts it.
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
