package pgserver

import (
	"context"
	"os"
	"testing"

	"github.com/caregraph/caregraph/internal/testutil"
)

func TestHolder_IsTheProcessThatRunsTheCluster(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	testutil.Equal(t, "before", Holder(dir), 0)
	s := start(t, Options{DataDir: dir, Throwaway: true})
	testutil.Equal(t, "while it runs", Holder(dir), os.Getpid())
	testutil.Must(t, s.Stop(context.WithoutCancel(t.Context())))
	testutil.Equal(t, "after its end", Holder(dir), 0)
}
