// Package session knows which sessions are live and on whose behalf they act. It
// has the statement that looks a session up, a cache of the results, and a
// listener that invalidates entries when PostgreSQL notifies it. It never ends a
// session and decides nothing about records.
package session

import (
	"strconv"
	"strings"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/caregraph/caregraph/model"
)

// Cache holds the results of session lookups by session id. An entry is certain
// while the listener proves that it receives notifications. It is safe for
// concurrent use.
type Cache struct {
	mu      sync.Mutex
	entries *lru.LRU[string, entry]
	// epoch counts invalidations, so that a lookup that began before one is not
	// stored after it.
	epoch uint64
	// validUntil is how long entries are certain.
	validUntil time.Time
	// wanted is not empty if a request asked for an entry.
	wanted chan struct{}
}

// entry is the result of one lookup.
type entry struct {
	viewer *model.Viewer
	// validUntil is how long this entry is certain, at most.
	validUntil time.Time
	// ownDoctor is the verified doctor entry of the account, or 0. No right ever
	// follows from it: it says how long a read may take.
	ownDoctor int64
}

// maxAge is how long an entry is certain before the session is looked up again,
// in case a change sends no notification, as where an operator has switched the
// triggers off.
const maxAge = 30 * time.Second

// capacity is how many sessions are cached; one takes some 300 bytes.
const capacity = 10_000

// NewCache returns an empty cache.
func NewCache() *Cache {
	entries, _ := lru.NewLRU[string, entry](capacity, nil) // fails for a size below 1 only
	return &Cache{entries: entries, wanted: make(chan struct{}, 1)}
}

// Get returns the viewer on whose behalf the session acted at its last lookup,
// nil if there is no entry. The entry is certain if this server has not ended the
// session, and would have been notified if another one had.
func (c *Cache) Get(id string, now time.Time) (v *model.Viewer, certain bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case c.wanted <- struct{}{}:
	default:
	}
	cached, ok := c.entries.Get(id)
	if !ok {
		return nil, false
	}
	return cached.viewer, now.Before(c.validUntil) && now.Before(cached.validUntil)
}

// OwnDoctor returns the doctor entry of the session's account at its last lookup,
// or 0.
func (c *Cache) OwnDoctor(id string) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	cached, _ := c.entries.Peek(id)
	return cached.ownDoctor
}

// Epoch is the moment at which a lookup began, or a little earlier.
type Epoch struct {
	at    time.Time
	count uint64
}

// Epoch returns the present moment, to be taken before a lookup.
func (c *Cache) Epoch() Epoch {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Epoch{time.Now(), c.epoch}
}

// Put stores the result of a session lookup. A nil viewer removes the entry.
func (c *Cache) Put(started Epoch, id string, r Result) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case r.Viewer == nil:
		c.entries.Remove(id)
	case c.epoch == started.count:
		c.entries.Add(id, entry{r.Viewer, started.at.Add(min(r.Left, maxAge)), r.OwnDoctor})
	}
}

// Remove invalidates sessions that have ended or changed.
func (c *Cache) Remove(ids ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch++
	for _, id := range ids {
		c.entries.Remove(id)
	}
}

// RemoveUser invalidates all sessions of an account.
func (c *Cache) RemoveUser(id int64) {
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
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch++
	c.entries.Purge()
	c.validUntil = time.Time{}
}

// invalidate handles a notification of the triggers: the id of a session,
// "user 42" or, for all, "".
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

// setValidUntil makes entries certain: until then every notification arrives.
func (c *Cache) setValidUntil(until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.validUntil = until
}
