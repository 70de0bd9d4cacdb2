package metrics

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/store"
)

// TestLogSlow_WarnsOnlyOfSlowTrips, and counts all of them.
func TestLogSlow_WarnsOnlyOfSlowTrips(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	counted := 0
	count := func(context.Context, store.Trip) { counted++ }
	watch := LogSlow(slog.New(slog.NewTextHandler(&log, nil)), time.Second, count)
	ctx := context.WithValue(t.Context(), store.RequestKey{}, &store.Request{})
	watch(ctx, store.Trip{Pool: "reads", Count: 1, Took: 999 * time.Millisecond})
	testutil.Equal(t, "log", log.String(), "")
	watch(ctx, store.Trip{Pool: "writes", Count: 1, Took: 1500 * time.Millisecond})
	_, line, _ := strings.Cut(log.String(), " ")
	testutil.Equal(t, "log", line, `level=WARN msg="a round trip to the database was slow" request_id="" pool=writes statements=1 duration_ms=1500 pool_wait_ms=0`+"\n")
	testutil.Equal(t, "counted", counted, 2)
	if LogSlow(nil, 0, nil) != nil {
		t.Error("something is called for each round trip")
	}
}
