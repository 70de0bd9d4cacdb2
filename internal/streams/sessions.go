package streams

import (
	"context"
	"slices"
	"time"

	"github.com/caregraph/caregraph/internal/auth"
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
	codeTryAgain       = 1013
	codeGone           = 1006 // never sent: the connection is lost
	codeMessageTooLong = 1009
)

// sessionsChanged has the sessions of streams confirmed that a change is about.
func (s *Streams) sessionsChanged(change session.Change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case change.IsAll():
		for id := range s.sessions {
			s.changed[id] = struct{}{}
		}
	case change.Account != 0:
		for m := range s.accounts[change.Account] {
			_, id := m.owner()
			s.changed[id] = struct{}{}
		}
	default:
		for _, id := range change.Sessions {
			if len(s.sessions[id]) > 0 {
				s.changed[id] = struct{}{}
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
			for batch := range slices.Chunk(s.takeChanged(), confirmAtOnce) {
				s.confirm(ctx, batch)
			}
		}
	}
}

func (s *Streams) takeChanged() (ids []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range s.changed {
		ids = append(ids, id)
	}
	clear(s.changed)
	return ids
}

// confirm ends the streams of those sessions that are over.
func (s *Streams) confirm(ctx context.Context, ids []string) {
	live, err := s.Store.LiveSessions(ctx, ids)
	if err != nil {
		time.AfterFunc(confirmAgain, func() { s.sessionsChanged(session.Change{Sessions: ids}) })
		return
	}
	isLive := map[string]bool{}
	for _, id := range live {
		isLive[id] = true
	}
	for _, id := range ids {
		if isLive[id] {
			continue
		}
		for _, m := range s.membersOf(id) {
			m.leave(codeUnauthorized, auth.SessionEnded)
		}
	}
}

func (s *Streams) membersOf(session string) (members []member) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for m := range s.sessions[session] {
		members = append(members, m)
	}
	return members
}
