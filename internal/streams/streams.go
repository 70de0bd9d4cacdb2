// Package streams serves GraphQL over connections that stay open: WebSockets that speak
// graphql-transport-ws, and server-sent events. Each operation is read, checked and executed as one over HTTP.
//
// A stream belongs to the session of its access token, and to its account. It ends with
// the token or with the session, whichever comes first. An idle WebSocket has one goroutine, and
// an idle stream of events has none.
package streams

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/caregraph/caregraph/internal/auth"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
)

const (
	// defaultInit is how long a socket may be open without a token.
	defaultInit = 10 * time.Second
	// defaultPing is the time between two pings, which find clients that are gone and keep
	// proxies from closing the connection.
	defaultPing = 25 * time.Second
	// defaultWrite is how long a client may take to receive a message or to answer a ping.
	defaultWrite = 10 * time.Second
	// maxOperations is how many operations of a stream run at the same time.
	maxOperations = 32
	// maxUpgrades is how many streams may begin in a second: after a restart all clients
	// come back at once.
	maxUpgrades = 200
	// maxRetryAfter is the longest time in seconds after which a refused client comes back.
	maxRetryAfter = 5
)

// Options configure Streams.
type Options struct {
	Store  *store.Store
	Tokens *auth.Tokens
	// Origins are other origins whose pages may connect, or "*" alone for all.
	Origins []string
	// MaxStreams is how many streams an account may have open.
	MaxStreams int
	// MaxBody bounds a message, and MaxAnonymousBody one before the token; in bytes.
	MaxBody, MaxAnonymousBody int64
	// RequestTimeout is the time of one operation. Zero: no limit.
	RequestTimeout time.Duration
	// Reads is how many answers of subscriptions are made at the same time: half of the
	// connections that read, so that the others stay for requests.
	Reads int
	// Now is the clock of the tokens.
	Now func() time.Time
	Log *slog.Logger
}

// Streams are the open streams of a server. It is safe for concurrent use.
type Streams struct {
	Options

	began    time.Time
	mu       sync.Mutex
	accounts map[int64]map[member]struct{} // account 0 has those without a token yet
	sessions map[string]map[member]struct{}
	stopping bool
	// The times of the constants; tests change them.
	initTimeout, pingEvery, writeTimeout time.Duration

	idle chan struct{} // closed when the last stream of a stopping server has ended
	// performing has the running operations, without subscriptions.
	performing sync.WaitGroup
	second     int64
	upgrades   int
	from       map[netip.Addr]int // the upgrades of each client address
	closes     map[int]int64

	subscriptions map[int64]map[*subscription]struct{}
	// followers are the subscriptions by all their topics: a change concerns those that have
	// one of its own.
	followers map[model.Topics]map[*subscription]struct{}
	// admins are the subscriptions of administrators: most changes concern these.
	admins map[*subscription]struct{}
	// follows says that the server has a position in the change feed.
	follows bool
	// reads has a place for each answer of a subscription that is being made, and turns one
	// for each account that has some.
	reads chan struct{}
	turns map[int64]*turn
	// bell is full when the change feed has grown. changes, lag and pushes are for metrics.
	bell          chan struct{}
	changes       int64
	lag           time.Duration
	pushes, bells int64

	// changed are the sessions to confirm, for which signal is full, and whether they may have
	// another viewer now.
	changed map[string]bool
	signal  chan struct{}
}

// member is an open stream.
type member interface {
	// owner returns the account and the session, which never change once they are known.
	owner() (account int64, session string)
	// leave closes the stream in the background.
	leave(code int, reason string)
	// transport is a label of a metric.
	transport() string
}

const transportSocket, transportEvents = "websocket", "sse"

// New returns the streams of a server, without any.
func New(o Options) *Streams {
	return &Streams{
		Options: o, began: time.Now(), accounts: map[int64]map[member]struct{}{}, sessions: map[string]map[member]struct{}{},
		initTimeout: defaultInit, pingEvery: defaultPing, writeTimeout: defaultWrite,
		idle: make(chan struct{}), closes: map[int]int64{},
		subscriptions: map[int64]map[*subscription]struct{}{}, followers: map[model.Topics]map[*subscription]struct{}{},
		admins: map[*subscription]struct{}{}, reads: make(chan struct{}, max(o.Reads, 1)), turns: map[int64]*turn{}, bell: make(chan struct{}, 1),
		changed: map[string]bool{}, signal: make(chan struct{}, 1),
	}
}

// admit counts an upgrade. It returns after how many seconds the client may try again if
// there are too many in all, or half as many from one address, or if the server stops; else 0.
func (s *Streams) admit(addr netip.Addr) (retryAfter int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := time.Now().Unix(); s.second != now {
		s.second, s.upgrades, s.from = now, 0, map[netip.Addr]int{}
	}
	if s.stopping || s.upgrades >= maxUpgrades || s.from[addr] >= maxUpgrades/2 {
		return inSeconds()
	}
	s.upgrades++
	s.from[addr]++
	return 0
}

// inSeconds returns when a refused client may try again. Not all come back at the same time.
func inSeconds() int { return 1 + rand.IntN(maxRetryAfter) } //nolint:gosec // G404: it is no secret

// join adds a stream. It reports false if the account has too many, or the server stops.
func (s *Streams) join(m member) bool {
	account, session := m.owner()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping || account != 0 && len(s.accounts[account]) >= s.MaxStreams {
		return false
	}
	add(s.accounts, account, m)
	if session != "" {
		add(s.sessions, session, m)
	}
	return true
}

// part removes a stream that joined with the owner.
func (s *Streams) part(m member, account int64, session string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	remove(s.accounts, account, m)
	remove(s.sessions, session, m)
	if s.stopping && len(s.accounts) == 0 {
		s.finish()
	}
}

// closed counts a stream that has ended.
func (s *Streams) closed(code int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closes[code]++
}

// turn lets one answer of an account's subscriptions be made at a time, so that an account
// with many does not keep the others waiting.
type turn struct {
	sync.Mutex

	users int
}

// enter waits for the turn of an account and for a place among all, until leave is called.
func (s *Streams) enter(account int64) (leave func()) {
	s.mu.Lock()
	t := s.turns[account]
	if t == nil {
		t = &turn{}
		s.turns[account] = t
	}
	t.users++
	s.mu.Unlock()
	t.Lock()
	s.reads <- struct{}{}
	return func() {
		<-s.reads
		t.Unlock()
		s.mu.Lock()
		defer s.mu.Unlock()
		if t.users--; t.users == 0 {
			delete(s.turns, account)
		}
	}
}

func add[K, M comparable](to map[K]map[M]struct{}, key K, m M) {
	if to[key] == nil {
		to[key] = map[M]struct{}{}
	}
	to[key][m] = struct{}{}
}

func remove[K, M comparable](from map[K]map[M]struct{}, key K, m M) {
	if delete(from[key], m); len(from[key]) == 0 {
		delete(from, key)
	}
}

// count returns how many members all keys have together.
func count[K, M comparable](of map[K]map[M]struct{}) (n int64) {
	for _, members := range of {
		n += int64(len(members))
	}
	return n
}

// Count returns how many streams are open.
func (s *Streams) Count() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return count(s.accounts)
}

// Transports returns how many streams are open, by their transport: "websocket" or "sse". It
// is for metrics.
func (s *Streams) Transports() map[string]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	open := map[string]int64{transportSocket: 0, transportEvents: 0}
	for _, members := range s.accounts {
		for m := range members {
			open[m.transport()]++
		}
	}
	return open
}

// Closes returns how many streams have ended, by the code of WebSocket; "other" counts those
// with a code that a client made up.
func (s *Streams) Closes() map[string]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	counts := map[string]int64{"other": 0}
	for _, code := range codes() {
		counts[strconv.Itoa(code)] = 0
	}
	for code, n := range s.closes {
		if name := strconv.Itoa(code); slices.Contains(codes(), code) {
			counts[name] += n
		} else {
			counts["other"] += n
		}
	}
	return counts
}

// Subscriptions returns how many subscriptions are open, for metrics.
func (s *Streams) Subscriptions() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return count(s.subscriptions)
}

// Pushes returns how many answers of subscriptions were sent, by their field.
func (s *Streams) Pushes() map[string]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return map[string]int64{"live": s.pushes, "changed": s.bells}
}

// Feed returns how many changes were read, and how old the oldest of the last read was.
func (s *Streams) Feed() (changes int64, lag time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changes, s.lag
}

// Start follows changes and confirms sessions until ctx ends, and then closes all streams. The function that it
// returns does so, too, and waits for it.
func (s *Streams) Start(ctx context.Context) (stop func()) {
	s.Store.WatchSessions(s.sessionsChanged)
	s.Store.OnRing(s.ring)
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { s.followNews(ctx) })
	running.Go(func() {
		s.confirmSessions(ctx)
		s.stop()
	})
	return func() { cancel(); running.Wait() }
}
