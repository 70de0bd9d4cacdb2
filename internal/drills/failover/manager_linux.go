package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"github.com/caregraph/caregraph/internal/drills/process"
)

const (
	// checkEvery is the time between two checks of the primary, and patience the time
	// without an answer after which the standby takes over.
	checkEvery = 500 * time.Millisecond
	patience   = 2 * time.Second
)

// manager replaces a primary that does not answer by its standby.
type manager struct {
	nodes [2]*node

	mu sync.Mutex
	// primary is the index of the primary. synced is true while the other node has all
	// acknowledged writes.
	primary int
	synced  bool
	// takeovers counts how often the primary changed.
	takeovers int
	failure   error
}

// newManager makes and starts a primary and its synchronous standby.
func newManager(ctx context.Context, dir, bin string) (m *manager, err error) {
	m = &manager{}
	defer func() {
		if err != nil {
			m.stop()
		}
	}()
	password := rand.Text()
	for i, name := range []string{"a", "b"} {
		if m.nodes[i], err = newNode(ctx, name, dir, bin, password); err != nil {
			return m, err
		}
	}
	if err := m.nodes[0].initialize(ctx); err != nil {
		return m, err
	}
	if err := m.nodes[0].start(ctx); err != nil {
		return m, err
	}
	return m, m.rebuild(ctx)
}

func (m *manager) stop() {
	for _, n := range m.nodes {
		if n != nil && n.cmd != nil {
			n.kill()
		}
	}
}

// url names both nodes.
func (m *manager) url() string {
	a, b := m.nodes[0], m.nodes[1]
	return fmt.Sprintf("postgres://postgres:%s@127.0.0.1:%d,127.0.0.1:%d/postgres", a.password, a.port, b.port)
}

// current returns the primary, how often it changed, and why that failed.
func (m *manager) current() (primary *node, takeovers int, failure error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.nodes[m.primary], m.takeovers, m.failure
}

// watch checks the primary until ctx ends.
func (m *manager) watch(ctx context.Context) {
	answered := time.Now()
	for ; ctx.Err() == nil; process.Pause(ctx, checkEvery) {
		primary, before, _ := m.current()
		if primary.query(ctx, time.Second, "SELECT 1", nil) == nil {
			answered = time.Now()
			continue
		}
		if time.Since(answered) < patience {
			continue
		}
		m.mu.Lock()
		if m.takeovers == before && m.synced && ctx.Err() == nil {
			m.failure = m.takeOver(ctx)
			answered = time.Now()
		}
		m.mu.Unlock()
	}
}

// switchover stops the primary in order, and makes the standby the primary.
func (m *manager) switchover(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.nodes[m.primary].stop(ctx)
	return m.takeOver(ctx)
}

// takeOver fences the primary and promotes the standby, which waits for no standby
// until rebuild has made one.
func (m *manager) takeOver(ctx context.Context) error {
	m.nodes[m.primary].kill()
	standby := m.nodes[1-m.primary]
	for _, statement := range []string{"ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()", "SELECT pg_promote(true, 30)"} {
		if err := standby.query(ctx, 40*time.Second, statement, nil); err != nil {
			return fmt.Errorf("promote: %w", err)
		}
	}
	m.primary, m.synced = 1-m.primary, false
	m.takeovers++
	return nil
}

// rebuild makes the other node a standby of the primary. From then on the primary
// acknowledges what both have.
func (m *manager) rebuild(ctx context.Context) error {
	primary, _, _ := m.current()
	standby := m.nodes[0]
	if standby == primary {
		standby = m.nodes[1]
	}
	if err := standby.copyOf(ctx, primary); err != nil {
		return err
	}
	if err := standby.start(ctx); err != nil {
		return err
	}
	for _, statement := range []string{"ALTER SYSTEM SET synchronous_standby_names = '" + standby.name + "'", "SELECT pg_reload_conf()"} {
		if err := primary.query(ctx, 10*time.Second, statement, nil); err != nil {
			return fmt.Errorf("ask for a synchronous standby: %w", err)
		}
	}
	err := process.Within(ctx, "the standby does not follow", func() bool {
		var synced bool
		err := primary.query(ctx, time.Second, "SELECT EXISTS (SELECT FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = 'sync')", &synced)
		return err == nil && synced
	})
	m.mu.Lock()
	defer m.mu.Unlock()
	m.synced = err == nil
	return err
}
