package store

import (
	"strconv"
	"strings"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/caregraph/caregraph/model"
)

// living remembers on whose behalf sessions acted when they were last asked
// for, by their ids, and whether they certainly still do: that is while the
// listener proves that it hears of those which end.
type living struct {
	mu       sync.Mutex
	sessions *lru.LRU[string, remembered]
	// changes counts what was forgotten, so that nobody learns of a session what
	// they asked before it ended.
	changes uint64
	// certainUntil is how long what is remembered can be relied on.
	certainUntil time.Time
	// recalled is not empty if somebody wanted to rely on it.
	recalled chan struct{}
}

// remembered is one session.
type remembered struct {
	viewer *model.Viewer
	// certainUntil is how long this one can be relied on, at most.
	certainUntil time.Time
	// entry is the verified doctor entry of the account, or 0. Rights never follow
	// from it: it says how long a read may take.
	entry int64
}

// mostCertain is how long a session is relied on before it is asked for again,
// should there be changes that nobody tells of, as where an operator has switched
// the triggers off.
const mostCertain = 30 * time.Second

// mostRemembered is how many sessions are remembered; one takes some 300 bytes.
const mostRemembered = 10_000

func newLiving() *living {
	sessions, _ := lru.NewLRU[string, remembered](mostRemembered, nil) // fails for a size below 1 only
	return &living{sessions: sessions, recalled: make(chan struct{}, 1)}
}

// Recall returns on whose behalf a session acted when it was last asked for, and
// whether it certainly acts so still: this server has not ended it, and no other
// had some seconds ago, else it would have been heard of. It returns nil when
// nothing is remembered.
func (s *Store) Recall(sessionID string) (v *model.Viewer, certain bool) {
	return s.living.recall(sessionID, time.Now())
}

func (l *living) recall(id string, now time.Time) (v *model.Viewer, certain bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case l.recalled <- struct{}{}:
	default:
	}
	known, ok := l.sessions.Get(id)
	if !ok {
		return nil, false
	}
	return known.viewer, now.Before(l.certainUntil) && now.Before(known.certainUntil)
}

// entryOf returns the doctor entry of a session's account as it was when the
// session was last asked for; 0 is none.
func (l *living) entryOf(id string) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	known, _ := l.sessions.Peek(id)
	return known.entry
}

// moment is when a session was asked for, or a little before.
type moment struct {
	at      time.Time
	changes uint64
}

func (l *living) moment() moment {
	l.mu.Lock()
	defer l.mu.Unlock()
	return moment{time.Now(), l.changes}
}

// learn notes what a session that was asked for was said to be: nobody's, with a
// nil viewer, or the viewer's for some time, with their doctor entry.
func (l *living) learn(asked moment, id string, v *model.Viewer, left time.Duration, entry int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case v == nil:
		l.sessions.Remove(id)
	case l.changes == asked.changes:
		l.sessions.Add(id, remembered{v, asked.at.Add(min(left, mostCertain)), entry})
	}
}

// forget is for sessions that have ended or act otherwise now.
func (l *living) forget(ids ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.changes++
	for _, id := range ids {
		l.sessions.Remove(id)
	}
}

// heard forgets what a message of the triggers is about: the id of a session,
// "user 42" or, for all, "".
func (l *living) heard(message string) {
	account, isAccount := strings.CutPrefix(message, "user ")
	id, err := strconv.ParseInt(account, 10, 64)
	switch {
	case isAccount && err == nil:
		l.forgetUser(id)
	case isAccount || message == "":
		l.forgetAll()
	default:
		l.forget(message)
	}
}

// forgetUser is for an account whose sessions act otherwise now.
func (l *living) forgetUser(id int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.changes++
	for _, key := range l.sessions.Keys() {
		if known, _ := l.sessions.Peek(key); known.viewer.UserID == id {
			l.sessions.Remove(key)
		}
	}
}

// forgetAll is for when nobody can say which sessions have ended.
func (l *living) forgetAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.changes++
	l.sessions.Purge()
	l.certainUntil = time.Time{}
}

// rely says that every end of a session is heard of until then.
func (l *living) rely(until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.certainUntil = until
}
