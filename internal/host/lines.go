package host

import (
	"bytes"
	"io"
	"sync/atomic"
	"time"
)

const (
	// queuedLines is how many lines wait while the writer blocks.
	queuedLines = 1024
	// flushTime is how long Close waits for them.
	flushTime = time.Second
)

// Lines passes what is written to it on to another writer, and never blocks: a log
// that nobody reads must not stop the server. Lines that do not fit are dropped and
// counted. It is safe for concurrent use.
type Lines struct {
	to      io.Writer
	queue   chan []byte
	closing chan struct{}
	done    chan struct{}
	dropped atomic.Int64
	report  func(dropped int64)
}

// NewLines returns the Lines of a writer. report is called with the number of dropped
// lines once lines fit again; it may write to the Lines.
func NewLines(to io.Writer, report func(dropped int64)) *Lines {
	l := &Lines{to: to, queue: make(chan []byte, queuedLines), closing: make(chan struct{}), done: make(chan struct{}), report: report}
	go l.pass()
	return l
}

// Write queues a copy of the line. It never fails.
func (l *Lines) Write(line []byte) (int, error) {
	select {
	case l.queue <- bytes.Clone(line):
	default:
		l.dropped.Add(1)
	}
	return len(line), nil
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
	for {
		select {
		case line := <-l.queue:
			l.write(line)
		case <-l.closing:
			for {
				select {
				case line := <-l.queue:
					l.write(line)
				default:
					return
				}
			}
		}
	}
}

func (l *Lines) write(line []byte) {
	_, _ = l.to.Write(line) // a log that cannot be written has nowhere to say so
	if len(l.queue) > cap(l.queue)/2 {
		return // the report must fit as well
	}
	if dropped := l.dropped.Swap(0); dropped > 0 {
		l.report(dropped)
	}
}
