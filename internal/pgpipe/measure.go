package pgpipe

import (
	"sync"
	"time"
)

// Measure measures what a request asks of the database. A nil *Measure measures nothing,
// and costs nothing.
type Measure struct {
	mu         sync.Mutex
	statements int
	// active counts the connections that the request has or waits for, and since is when
	// it became positive.
	active int
	since  time.Time
	took   time.Duration
}

// Read returns how many statements the request has sent, those that share the round trip
// of others among them, and how long it waited for connections and used them. Times that
// overlap count once.
func (m *Measure) Read() (statements int, took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.statements, m.took
}

// count counts statements.
func (m *Measure) count(statements int) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.statements += statements
}

// begin begins the wait for a connection, and end ends its use.
func (m *Measure) begin() {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.active++; m.active == 1 {
		m.since = time.Now()
	}
}

func (m *Measure) end() {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.active--; m.active == 0 {
		m.took += time.Since(m.since)
	}
}
