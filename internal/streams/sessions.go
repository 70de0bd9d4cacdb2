package streams

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/caregraph/caregraph/internal/auth"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/session"
)

const (
	// confirmEvery is how often the sessions of all streams are confirmed, in case the
	// message about an end was lost.
	confirmEvery = 30 * time.Second
	// confirmAtOnce is how many sessions one statement confirms.
	confirmAtOnce = 1000
	// confirmAgain is the time until sessions that could not be confirmed are tried again.
	confirmAgain = time.Second
)

// The codes of graphql-transport-ws and WebSocket with which the server closes a socket.
const (
	codeBadMessage     = 4400
	codeUnauthorized   = 4401 // the client stops
	codeForbidden      = 4403 // the client comes back with a new token
	codeNoSubprotocol  = 4406
	codeNoInit         = 4408
	codeIDInUse        = 4409
	codeTooManyInits   = 4429
	codeGoingAway      = 1001
	codeDone           = 1000 // never sent to a socket
	codeTryAgain       = 1013
	codeGone           = 1006 // never sent: the connection is lost
	codeMessageTooLong = 1009
)

// codes returns all of them.
func codes() []int {
	return []int{
		codeDone, codeGoingAway, codeGone, codeMessageTooLong, codeTryAgain, codeBadMessage, codeUnauthorized, codeForbidden,
		codeNoSubprotocol, codeNoInit, codeIDInUse, codeTooManyInits,
	}
}

// sessionsChanged has the sessions of streams confirmed that a change is about.
func (s *Streams) sessionsChanged(change session.Change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case change.IsAll():
		for id := range s.sessions {
			s.changed[id] = s.changed[id] || !change.IsAll()
		}
	case change.Account != 0:
		for m := range s.accounts[change.Account] {
			_, id := m.owner()
			s.changed[id] = true
		}
	default:
		for _, id := range change.Sessions {
			if len(s.sessions[id]) > 0 {
				s.changed[id] = true
			}
		}
	}
	s.wakeConfirming()
}

// wakeConfirming must be called with the lock.
func (s *Streams) wakeConfirming() {
	if len(s.changed) == 0 {
		return
	}
	select {
	case s.signal <- struct{}{}:
	default:
	}
}

// confirmSessions ends the streams of sessions that are over, until ctx ends.
func (s *Streams) confirmSessions(ctx context.Context) {
	ticker := time.NewTicker(confirmEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			s.sessionsChanged(session.Change{})
		case <-s.signal:
			changed := s.takeChanged()
			for batch := range slices.Chunk(slices.Collect(maps.Keys(changed)), confirmAtOnce) {
				s.confirm(ctx, batch, changed)
			}
		}
	}
}

func (s *Streams) takeChanged() map[string]bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := s.changed
	s.changed = map[string]bool{}
	return taken
}

// confirm ends the streams of those sessions that are over. The subscriptions of the others
// answer again if their viewer may have changed.
func (s *Streams) confirm(ctx context.Context, ids []string, changed map[string]bool) {
	live, err := s.Store.LiveSessions(ctx, ids)
	if err != nil {
		time.AfterFunc(confirmAgain, func() { s.sessionsChanged(session.Change{Sessions: ids}) })
		return
	}
	isLive := map[string]bool{}
	for _, id := range live {
		isLive[id] = true
	}
	news := &store.News{Accounts: map[int64]model.Topics{}}
	for _, id := range ids {
		for _, m := range s.membersOf(id) {
			switch account, _ := m.owner(); {
			case !isLive[id]:
				m.leave(codeUnauthorized, auth.SessionEnded)
			case changed[id]:
				news.Accounts[account] = model.AllTopics
			}
		}
	}
	s.Tell(news)
}

func (s *Streams) membersOf(session string) (members []member) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for m := range s.sessions[session] {
		members = append(members, m)
	}
	return members
}
