// Package session looks up which viewer a session acts for. It has the statement, a
// cache of its results, and a listener that invalidates entries when PostgreSQL
// notifies it. It never ends a session and decides nothing about records.
package session

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/caregraph/caregraph/model"
)

// Cache caches the results of session lookups by session id. An entry is certain while
// the listener proves that it receives notifications. It is safe for concurrent use.
type Cache struct {
	mu      sync.Mutex
	entries *lru.LRU[string, entry]
	// epoch counts invalidations. A lookup that began before one is not stored after it.
	epoch uint64
	// validUntil is the time until which entries are certain.
	validUntil Instant
	// wanted is full after a Get.
	wanted chan struct{}
	// used are the sessions that were used since the last Used.
	used map[string]struct{}
	// unproven is when an entry was wanted first after the last proof that notifications
	// arrive; zero if none was.
	unproven time.Time
	// recalls counts the calls of Get whose result was certain, and the others.
	recalls struct{ certain, uncertain int64 }
	// listening is set while the listener is connected.
	listening atomic.Bool
	watcher   atomic.Pointer[func(Change)]
}

// Change is a change that invalidated sessions: those of the ids, all of an account, or all.
type Change struct {
	Sessions []string
	Account  int64
}

// IsAll reports whether the change is about all sessions.
func (c Change) IsAll() bool { return c.Sessions == nil && c.Account == 0 }

// Watch calls a function after each change, also of sessions that are not in the cache. The
// function must not wait. It replaces the one before.
func (c *Cache) Watch(changed func(Change)) { c.watcher.Store(&changed) }

func (c *Cache) changed(of Change) {
	if watcher := c.watcher.Load(); watcher != nil {
		(*watcher)(of)
	}
}

// IsListening reports whether the listener is connected.
func (c *Cache) IsListening() bool { return c.listening.Load() }

// entry is the result of one lookup.
type entry struct {
	viewer *model.Viewer
	// validUntil limits the time for which this entry is certain.
	validUntil Instant
	// ownDoctor is the verified doctor entry of the account, or 0. It only predicts the
	// cost of a read and gives no access.
	ownDoctor int64
}

// maxAge limits the time for which an entry is certain, in case a change sends no
// notification: it could not be sent, or an operator has disabled the triggers.
const maxAge = 30 * time.Second

// capacity is the number of cached sessions, of some 300 bytes each.
const capacity = 10_000

// NewCache returns an empty cache.
func NewCache() *Cache {
	entries, _ := lru.NewLRU[string, entry](capacity, nil) // fails for a size below 1 only
	return &Cache{entries: entries, wanted: make(chan struct{}, 1), used: map[string]struct{}{}}
}

// Get returns the viewer of the last lookup of a session, or nil. It is certain if this
// server has not ended the session and would know if another server had.
func (c *Cache) Get(id string, now Instant) (v *model.Viewer, certain bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case c.wanted <- struct{}{}:
	default:
	}
	if c.unproven.IsZero() {
		c.unproven = now.awake
	}
	cached, ok := c.entries.Get(id)
	certain = ok && now.Before(c.validUntil) && now.Before(cached.validUntil)
	if certain {
		c.recalls.certain++
	} else {
		c.recalls.uncertain++
	}
	if !ok {
		return nil, false
	}
	c.used[id] = struct{}{}
	return cached.viewer, certain
}

// Recalls returns how often the result of Get was certain, and how often it was not.
func (c *Cache) Recalls() (certain, uncertain int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.recalls.certain, c.recalls.uncertain
}

// Unproven returns for how long an entry has been wanted without a proof that notifications
// arrive. It is 0 if none was wanted since the last proof, and below two seconds while the
// listener works.
func (c *Cache) Unproven() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.unproven.IsZero() {
		return 0
	}
	return time.Since(c.unproven)
}

// Used returns the sessions that Get and Put found since the last call.
func (c *Cache) Used() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	ids := slices.Collect(maps.Keys(c.used))
	clear(c.used)
	return ids
}

// OwnDoctor returns the doctor entry of the account at the last lookup, or 0.
func (c *Cache) OwnDoctor(id string) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	cached, _ := c.entries.Peek(id)
	return cached.ownDoctor
}

// Epoch is a time before a lookup.
type Epoch struct {
	at    Instant
	count uint64
}

// Epoch returns the current time, for Put after a lookup.
func (c *Cache) Epoch() Epoch {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Epoch{Now(), c.epoch}
}

// Put stores the result of a session lookup. A nil viewer removes the entry.
func (c *Cache) Put(started Epoch, id string, r Result) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case r.Viewer == nil:
		c.entries.Remove(id)
		return
	case c.epoch == started.count:
		c.entries.Add(id, entry{r.Viewer, started.at.Add(min(r.Left, maxAge)), r.OwnDoctor})
	}
	c.used[id] = struct{}{}
}

// Remove invalidates sessions that have ended or changed.
func (c *Cache) Remove(ids ...string) {
	if len(ids) == 0 {
		return
	}
	defer c.changed(Change{Sessions: ids}) // after the unlock
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch++
	for _, id := range ids {
		c.entries.Remove(id)
	}
}

// RemoveUser invalidates all sessions of an account.
func (c *Cache) RemoveUser(id int64) {
	defer c.changed(Change{Account: id})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch++
	for _, key := range c.entries.Keys() {
		if cached, _ := c.entries.Peek(key); cached.viewer.UserID == id {
			c.entries.Remove(key)
		}
	}
}

// Clear invalidates all sessions.
func (c *Cache) Clear() {
	defer c.changed(Change{})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch++
	c.entries.Purge()
	c.validUntil = Instant{}
}

// invalidate handles a notification: the id of a session, AllOf an account, or "" for
// all.
func (c *Cache) invalidate(message string) {
	account, isAccount := strings.CutPrefix(message, "user ")
	id, err := strconv.ParseInt(account, 10, 64)
	switch {
	case isAccount && err == nil:
		c.RemoveUser(id)
	case isAccount || message == "":
		c.Clear()
	default:
		c.Remove(message)
	}
}

// setValidUntil makes entries certain until a time: there is a proof.
func (c *Cache) setValidUntil(until Instant) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.validUntil, c.unproven = until, time.Time{}
}
