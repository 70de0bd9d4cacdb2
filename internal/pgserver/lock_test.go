package pgserver

import (
	"syscall"
	"testing"

	"github.com/caregraph/caregraph/internal/testutil"
)

// Between fork and exec a child has all files that its parent has open,
// regardless of the goroutine that starts it.
func TestLock_IsLetGoThoughAChildHasTheFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	lock, err := lockDir(dir)
	testutil.Must(t, err)
	held, err := syscall.Dup(int(lock.file.Fd()))
	testutil.Must(t, err)
	defer func() { _ = syscall.Close(held) }()
	testutil.Must(t, lock.release())
	again, err := lockDir(dir)
	testutil.Must(t, err)
	testutil.Must(t, again.release())
}
