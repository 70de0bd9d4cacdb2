package host

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// blocked is a writer that blocks until it is opened.
type blocked struct {
	open chan struct{}

	mu   sync.Mutex
	text strings.Builder
}

func (b *blocked) Write(p []byte) (int, error) {
	<-b.open
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func TestLines_NeverBlockAndReportWhatWasDropped(t *testing.T) {
	t.Parallel()
	to := &blocked{open: make(chan struct{})}
	var lines *Lines
	lines = NewLines(to, func(dropped int64) { _, _ = fmt.Fprintf(lines, "dropped %d\n", dropped) })
	const written = 3 * queuedLines
	for i := range written {
		if n, err := fmt.Fprintf(lines, "line %d\n", i); n == 0 || err != nil {
			t.Fatal(n, err)
		}
	}
	close(to.open)
	lines.Close()
	text := to.text.String()
	passed := strings.Count(text, "line ")
	if !strings.HasPrefix(text, "line 0\nline 1\n") || passed < queuedLines || passed > queuedLines+1 {
		t.Errorf("%d lines were passed on, the first are %.30q", passed, text)
	}
	if report := fmt.Sprintf("dropped %d\n", written-passed); !strings.Contains(text, report) {
		t.Errorf("no %q in the end of the log: %q", report, text[len(text)-100:])
	}
}

func TestLines_CloseDoesNotWaitForAWriterThatBlocks(t *testing.T) {
	t.Parallel()
	to := &blocked{open: make(chan struct{})}
	lines := NewLines(to, func(int64) {})
	_, _ = lines.Write([]byte("line\n"))
	lines.Close() // the test would time out
	close(to.open)
}
