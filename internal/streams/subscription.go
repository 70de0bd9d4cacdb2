package streams

import (
	"context"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/caregraph/caregraph/graph"
	"github.com/caregraph/caregraph/internal/auth"
	"github.com/caregraph/caregraph/model"
)

const (
	// retryFirst and retryMost bound the time after which a failed read is tried again, and
	// giveUp is how long it may fail.
	retryFirst, retryMost = time.Second / 4, 5 * time.Second
	giveUp                = 30 * time.Second
)

// hashSeed is that of the hashes of answers.
var hashSeed = maphash.MakeSeed()

// client is the connection that a subscription pushes to.
type client interface {
	// context returns the context of one answer, or false if the token has expired, which
	// ends the stream.
	context() (ctx context.Context, end func(), ok bool)
	// viewer returns the viewer if the token has not expired and the session is certain to be
	// open, else nil.
	viewer() *model.Viewer
	// turn waits until the client has what its other subscriptions have sent, and keeps them
	// waiting until done: only one answer for a slow client is in memory.
	turn() (done func())
	// message returns the message with a response.
	message(response *graphql.Response) ([]byte, error)
	// push sends a message, and waits until it is written.
	push(message []byte)
	// refuse ends the subscription with errors.
	refuse(errs gqlerror.List)
	// leave ends the stream.
	leave(code int, reason string)
}

// subscription pushes answers to a client. It has no goroutine while nothing changes, and
// at most one answer in memory.
type subscription struct {
	*graph.Subscription

	streams *Streams
	exec    graph.Executor
	account int64
	to      client
	// isAdmin is whether the account was an administrator at the last answer.
	isAdmin atomic.Bool

	mu sync.Mutex
	// stale says that something may have changed since the last answer began. busy says that
	// the next answer is waiting for its time, or is being made or written.
	stale, busy, ended bool
	sum                uint64
	// named are the doctor entries and accounts in the last answer; nil if that is not known.
	named   map[model.ID]struct{}
	next    time.Time
	failing time.Time // zero: the last read was good
	retry   time.Duration
}

// wake says that something may have changed. The answer comes within spread, so that many
// subscriptions do not ask at the same time.
func (s *subscription) wake(spread time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stale = true
	s.schedule(spread)
}

// schedule must be called with the lock.
func (s *subscription) schedule(spread time.Duration) {
	if s.busy || s.ended || !s.stale {
		return
	}
	s.busy = true
	wait := max(time.Until(s.next), 0)
	if spread > 0 {
		wait += rand.N(spread) //nolint:gosec // G404: it is no secret
	}
	step := queryStep
	if s.IsBell {
		step = bellStep
	}
	time.AfterFunc(s.streams.together(wait, min(spread, step)), s.run)
}

// run makes one answer and pushes it.
func (s *subscription) run() {
	defer s.to.turn()()
	begin, text, every := time.Now(), s.bell(), graph.ChangedEvery
	if text == nil {
		var end func()
		if begin, text, every, end = s.read(); end == nil {
			return
		}
		defer end()
	}
	if text != nil {
		s.to.push(text)
		s.streams.pushed(s.IsBell)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy, s.next = false, begin.Add(every)
	s.schedule(0)
}

// begin reports whether the next answer is wanted.
func (s *subscription) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stale = false
	return !s.ended
}

// bell returns the message of a bell whose rights the server knows for certain. It returns nil
// if the answer needs a read, or is another one.
func (s *subscription) bell() []byte {
	defer s.recoverPanic(context.Background())
	if !s.IsBell || !s.begin() {
		return nil
	}
	v := s.to.viewer()
	if v == nil {
		return nil
	}
	s.setAdmin(v.Role == model.RoleAdmin)
	response := s.Bell(v)
	if response == nil {
		return nil
	}
	text, err := s.to.message(response)
	if err != nil {
		return nil // the answer tells why
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failing = time.Time{}
	return text
}

// read returns what answer returns, and when the answer began. The caller must call end after
// the push; it is nil if the subscription has ended.
func (s *subscription) read() (begin time.Time, text []byte, every time.Duration, end func()) {
	defer s.streams.enter(s.account)()
	begin = time.Now()
	if !s.begin() {
		return begin, nil, 0, nil
	}
	ctx, end, ok := s.to.context()
	if !ok {
		return begin, nil, 0, nil
	}
	text, every = s.answer(ctx)
	return begin, text, every, end
}

// answer returns the message to push, nil if there is nothing to push, and the time until
// the next answer.
func (s *subscription) answer(ctx context.Context) (text []byte, every time.Duration) {
	defer s.recoverPanic(ctx)
	if v, _, err := auth.CallerFrom(ctx).CachedViewer(ctx); err == nil && v != nil { // before what is read, for news that come meanwhile
		s.setAdmin(v.Role == model.RoleAdmin)
	}
	response := s.Answer(ctx)
	failed := failureOf(response.Errors)
	switch {
	case failed == model.CodeUnauthenticated:
		reason := fmt.Sprint(response.Errors[0].Extensions["reason"])
		s.to.leave(codeOf(reason), reason)
		return nil, 0
	case failed != "":
		return nil, s.failed(response.Errors)
	case len(response.Data) == 0:
		s.refuse(response.Errors)
		return nil, 0
	}
	text, err := s.to.message(response)
	if err != nil {
		s.refuse(gqlerror.List{s.exec.Recovered(ctx, err)})
		return nil, 0
	}
	v, _, err := auth.CallerFrom(ctx).CachedViewer(ctx)
	if err != nil {
		return nil, s.failed(nil)
	}
	sum := maphash.Bytes(hashSeed, text)
	s.mu.Lock()
	defer s.mu.Unlock()
	isSame := !s.IsBell && s.sum == sum
	s.sum, s.failing = sum, time.Time{}
	if isSame {
		return nil, s.Every(v)
	}
	if s.Named != 0 {
		s.named = namedIn(text)
	}
	return text, s.Every(v)
}

// recoverPanic must be deferred: it ends the subscription instead of the process.
func (s *subscription) recoverPanic(ctx context.Context) {
	if value := recover(); value != nil {
		s.refuse(gqlerror.List{s.exec.Recovered(ctx, value)})
	}
}

// setAdmin notes whether the account is an administrator.
func (s *subscription) setAdmin(isAdmin bool) {
	if s.isAdmin.Swap(isAdmin) == isAdmin {
		return
	}
	s.streams.mu.Lock()
	defer s.streams.mu.Unlock()
	if _, isOpen := s.streams.subscriptions[s.account][s]; isOpen && isAdmin {
		s.streams.admins[s] = struct{}{}
	} else {
		delete(s.streams.admins, s)
	}
}

// failureOf returns the code of an answer that is not worth sending: it may succeed later,
// or there is no session any more.
func failureOf(errs gqlerror.List) model.Code {
	for _, err := range errs {
		switch code, _ := err.Extensions["code"].(string); model.Code(code) {
		case model.CodeUnauthenticated, model.CodeUnavailable, model.CodeRateLimited:
			return model.Code(code)
		}
	}
	return ""
}

// failed returns when a failed read is tried again. It ends the subscription after a while.
func (s *subscription) failed(errs gqlerror.List) time.Duration {
	s.mu.Lock()
	now := time.Now()
	if s.failing.IsZero() {
		s.failing, s.retry = now, retryFirst
	}
	s.stale, s.retry = true, min(2*s.retry, retryMost)
	retry, isOver := s.retry, now.Sub(s.failing) > giveUp
	s.mu.Unlock()
	if isOver {
		s.refuse(errs)
	}
	return retry
}

// refuse ends the subscription with errors.
func (s *subscription) refuse(errs gqlerror.List) {
	if s.end() {
		s.to.refuse(errs)
	}
}

// end reports whether the subscription had not ended.
func (s *subscription) end() bool {
	s.mu.Lock()
	ended := s.ended
	s.ended = true
	s.mu.Unlock()
	if !ended {
		s.streams.forget(s)
	}
	return !ended
}

// remember adds a subscription, which answers for the first time. The first one waits until
// the server follows the feed.
func (s *Streams) remember(sub *subscription) {
	s.mu.Lock()
	ended, follows := sub.hasEnded(), s.follows // later, it is forgotten
	if !ended {
		add(s.subscriptions, sub.account, sub)
		add(s.followers, sub.Topics, sub)
	}
	s.mu.Unlock()
	switch {
	case ended:
	case follows:
		sub.wake(0)
	default:
		s.ring()
	}
}

func (s *subscription) hasEnded() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

func (s *Streams) forget(sub *subscription) {
	s.mu.Lock()
	defer s.mu.Unlock()
	remove(s.subscriptions, sub.account, sub)
	remove(s.followers, sub.Topics, sub)
	delete(s.admins, sub)
}

// pushed counts an answer that was pushed.
func (s *Streams) pushed(isBell bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if isBell {
		s.bells++
	} else {
		s.pushes++
	}
}
