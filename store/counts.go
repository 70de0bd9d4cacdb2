package store

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store/query"
)

// counts caches how many rows accounts have, about. Nothing keeps exact counts: a
// counter that each write changes would make all writes of an account wait for each
// other.
type counts struct {
	mu      sync.Mutex
	entries map[countKey]counted
}

// countKey is what was counted for an account; account 0 is for all accounts.
type countKey struct {
	what    string
	account int64
}

type counted struct {
	rows int
	at   time.Time
	// counting is set while a request counts again. The others use the old count.
	counting bool
}

const (
	maxCountAge = time.Minute
	// maxCounts is the number of cached counts. They take about a megabyte.
	maxCounts = 10_000
)

// get returns a count that is at most maxCountAge old, or what count returns.
func (c *counts) get(key countKey, now time.Time, count func() (int, error)) (int, error) {
	c.mu.Lock()
	entry, known := c.entries[key]
	if known && (entry.counting || now.Sub(entry.at) < maxCountAge) {
		c.mu.Unlock()
		return entry.rows, nil
	}
	if known {
		entry.counting = true
		c.entries[key] = entry
	}
	c.mu.Unlock()
	rows, err := count()
	if err != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.entries, key)
		return 0, err
	}
	c.put(key, rows, now)
	return rows, nil
}

// put caches a count.
func (c *counts) put(key countKey, rows int, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries == nil || len(c.entries) >= maxCounts {
		c.entries = map[countKey]counted{}
	}
	c.entries[key] = counted{rows: rows, at: now}
}

// drop forgets the counts of accounts whose rows have changed by many.
func (c *counts) drop(accounts ...int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.entries, func(key countKey, _ counted) bool { return slices.Contains(accounts, key.account) })
}

// Rows returns how many rows a list of Query has for the viewer, or the list that a
// group of Query counts: about, at most a minute old, and at most most. It counts none that
// the viewer cannot see, since what an operation costs shows the number. It is 0 for other
// fields.
func (s *Store) Rows(ctx context.Context, v *model.Viewer, field string, most int) (int, error) {
	if field == "changes" {
		field = "patients" // of which it asks for each one
	}
	t := s.records.Root(field)
	if t == nil {
		t, _ = s.records.Group(field)
	}
	if t == nil || v == nil {
		return 0, nil
	}
	scope, key, deleted := t.Scope(query.LiteralViewer(v)), countKey{field, v.UserID}, model.DeletedInclude
	if scope.IsWhole() { // all who see it share the count, but not who may restore what
		key.account, deleted = 0, model.DeletedExclude
	}
	return s.counts.get(key, s.now(), func() (int, error) {
		_, slice := newRows(t)
		rows := scope.Narrow(s.reads.db.NewSelect().Model(slice), query.Scan, deleted).ColumnExpr("1").Limit(int64(most))
		var n int
		err := s.reads.db.NewSelect().ColumnExpr("count(*)").TableExpr("(?) AS found", rows).Scan(ctx, &n)
		return n, s.translate(ctx, "count about "+field, err)
	})
}
