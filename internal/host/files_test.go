package host

import (
	"math"
	"os"
	"testing"

	"github.com/caregraph/caregraph/internal/testutil"
)

func TestOpenFiles_IsThatOfTheProcess(t *testing.T) {
	t.Parallel()
	own := OpenFiles(os.Getpid())
	if own < 64 {
		t.Errorf("this process may open %d files", own)
	}
	testutil.Equal(t, "of a process that is not there", OpenFiles(math.MaxInt32), own)
	testutil.Equal(t, "without a process", OpenFiles(0), own)
}
