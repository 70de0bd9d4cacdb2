package documents

import (
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// cache holds texts by their hashes. It forgets those that were not used for the longest
// time.
type cache struct {
	mu              sync.Mutex
	texts           *simplelru.LRU[string, string]
	bytes, maxBytes int
}

func newCache(documents, bytes int) *cache {
	c := &cache{maxBytes: bytes}
	c.texts, _ = simplelru.NewLRU(documents, func(_, text string) { c.bytes -= len(text) }) // fails for a size below 1 only
	return c
}

func (c *cache) get(hash string) (text string, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.texts.Get(hash)
}

func (c *cache) add(hash, text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(text) > c.maxBytes || c.texts.Contains(hash) {
		return
	}
	c.texts.Add(hash, text)
	for c.bytes += len(text); c.bytes > c.maxBytes; {
		c.texts.RemoveOldest()
	}
}
