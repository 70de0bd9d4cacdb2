package store

import (
	"context"
	"errors"
	"sync"

	"github.com/uptrace/bun"

	"github.com/caregraph/caregraph/model"
)

// collected counts events that repeat, so that a flood of requests does not flood the
// table: WriteCollected stores one row for each kind and account.
type collected struct {
	mu     sync.Mutex
	events map[eventKey]*model.SecurityEvent
}

type eventKey struct {
	kind    model.SecurityEventKind
	account int64 // 0 without one
}

func (c *collected) add(event model.SecurityEvent) {
	key := eventKey{kind: event.Kind}
	if event.AccountID != nil {
		key.account = *event.AccountID
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if first, ok := c.events[key]; ok {
		first.Count += event.Count
		return
	}
	if c.events == nil {
		c.events = map[eventKey]*model.SecurityEvent{}
	}
	c.events[key] = &event
}

func (c *collected) take() (events []model.SecurityEvent) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, event := range c.events {
		events = append(events, *event)
	}
	clear(c.events)
	return events
}

// CountEvent counts an event of an account, nil for none, until the next WriteCollected. The
// time and the address are those of the first one.
func (s *Store) CountEvent(ctx context.Context, kind model.SecurityEventKind, account *int64) {
	_, address := s.origin(ctx)
	s.collected.add(model.SecurityEvent{Kind: kind, At: model.DateTime{Time: s.now()}, AccountID: account, Address: address, Count: 1})
}

// WriteCollected stores what CountEvent has counted, and when sessions were used. The server
// calls it each minute. What a database that cannot be reached does not store of the first
// stays for the next call.
func (s *Store) WriteCollected(ctx context.Context) error {
	return errors.Join(s.writeSeen(ctx), s.writeCounted(ctx))
}

// writeSeen writes a session once in a quarter of an hour. Those in use before that stay as
// they are.
func (s *Store) writeSeen(ctx context.Context) error {
	used := s.sessions.Used()
	if len(used) == 0 {
		return nil
	}
	err := s.writeReserved(func(p pool) error {
		return p.exec(ctx, `UPDATE sessions SET last_seen_at = now()
			WHERE id = ANY ($1) AND coalesce(last_seen_at, created_at) < now() - interval '14 minutes'`, used)
	})
	return s.translate(ctx, "write when sessions were used", err)
}

func (s *Store) writeCounted(ctx context.Context) error {
	events := s.collected.take()
	if len(events) == 0 {
		return nil
	}
	err := s.inTx(ctx, "write counted events", func(ctx context.Context, tx bun.Tx) error { return s.record(ctx, tx, events...) })
	if model.CodeOf(err) == model.CodeUnavailable {
		for _, event := range events {
			s.collected.add(event)
		}
	}
	return err
}
