package auth

import (
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
)

// ring has the keys in use. It reads their file again when a token names a key
// that it does not know, if the file has changed: another server may have
// rotated it. A stranger with a made-up key causes no read.
type ring struct {
	set  atomic.Pointer[keySet]
	mu   sync.Mutex  // reads the file
	seen fs.FileInfo // the file at the latest read; nil: unknown
}

// keySet is a set of keys with the tokens that it has verified.
type keySet struct {
	keys  *Keys
	cache *tokenCache
}

func newRing(keys *Keys, cache *tokenCache) *ring {
	r := &ring{}
	r.set.Store(&keySet{keys, cache})
	return r
}

// latest returns the keys in the file, or those in use if it has not changed or
// cannot be read.
func (r *ring) latest() *keySet {
	r.mu.Lock()
	defer r.mu.Unlock()
	set := r.set.Load()
	file, err := os.Stat(set.keys.path)
	if err != nil || r.seen != nil && os.SameFile(file, r.seen) && file.ModTime().Equal(r.seen.ModTime()) && file.Size() == r.seen.Size() {
		return set
	}
	r.seen = file
	keys, err := LoadKeys(set.keys.path, set.keys.alg.String())
	if err != nil || string(keys.jwks) == string(set.keys.jwks) {
		return set
	}
	set = &keySet{keys, newTokenCache(maxCachedTokens)}
	r.set.Store(set)
	return set
}
