package host

import (
	"io"
	"sync"
	"time"
)

const (
	// queuedLines is how many lines wait while the writer blocks.
	queuedLines = 1024
	// flushTime is how long Close waits for them.
	flushTime = time.Second
)

// Lines passes what is written to it on to another writer, and never blocks: a log
// that nobody reads must not stop the server. Lines that came together are passed on in
// one write. Lines that do not fit are dropped and counted. It is safe for concurrent
// use.
type Lines struct {
	to     io.Writer
	report func(dropped int64)

	mu      sync.Mutex
	text    []byte // the waiting lines
	waiting int    // lines that were not passed on
	dropped int64  // since the last report
	lost    int64  // dropped ever

	wake    chan struct{} // full if lines may wait
	closing chan struct{}
	done    chan struct{}
}

// NewLines returns the Lines of a writer. report is called with the number of dropped
// lines once lines fit again; it may write to the Lines.
func NewLines(to io.Writer, report func(dropped int64)) *Lines {
	l := &Lines{to: to, report: report, wake: make(chan struct{}, 1), closing: make(chan struct{}), done: make(chan struct{})}
	go l.pass()
	return l
}

// Write queues a copy of the line. It never fails.
func (l *Lines) Write(line []byte) (int, error) {
	l.mu.Lock()
	if l.waiting < queuedLines {
		l.text = append(l.text, line...)
		l.waiting++
	} else {
		l.dropped++
		l.lost++
	}
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default:
	}
	return len(line), nil
}

// Dropped returns how many lines were dropped.
func (l *Lines) Dropped() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lost
}

// Close passes on what is queued. It waits a second at most.
func (l *Lines) Close() {
	close(l.closing)
	select {
	case <-l.done:
	case <-time.After(flushTime):
	}
}

func (l *Lines) pass() {
	defer close(l.done)
	var text []byte
	for open := true; open; {
		select {
		case <-l.wake:
		case <-l.closing:
			open = false
		}
		for n := 0; ; {
			var dropped int64
			text, n, dropped = l.take(text, n)
			if dropped > 0 {
				l.report(dropped)
				continue
			}
			if n == 0 {
				break
			}
			_, _ = l.to.Write(text) // a log that cannot be written has nowhere to say so
		}
	}
}

// take returns all waiting lines after the last ones were passed on, and the number of
// lines that were dropped since the last report. The buffer of the last ones is used
// again.
func (l *Lines) take(last []byte, passed int) (text []byte, n int, dropped int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting -= passed
	if l.waiting <= queuedLines/2 { // the report must fit as well
		dropped, l.dropped = l.dropped, 0
		if dropped > 0 {
			return last, 0, dropped
		}
	}
	text, l.text = l.text, last[:0]
	return text, l.waiting, 0
}
