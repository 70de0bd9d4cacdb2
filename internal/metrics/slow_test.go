package metrics

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
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

func TestLastBackup_IsThatOfTheFile(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	for text, want := range map[string]int64{
		`{"finished": "2026-11-29T18:30:00+05:30"}`: 1795957200, `{"finished": "yesterday"}`: 0, `{`: 0, `{}`: 0,
	} {
		testutil.Must(t, os.WriteFile(filepath.Join(data, "backup.state"), []byte(text), 0o600))
		got, _ := timestamp(LastBackup(data))
		testutil.Equal(t, text, int64(got), want)
	}
	if at := LastBackup(t.TempDir()); !at.IsZero() {
		t.Errorf("without a file it is %v", at)
	}
}
