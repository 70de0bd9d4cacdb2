package store

import (
	"context"

	"github.com/caregraph/caregraph/internal/pgpipe"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store/query"
	"github.com/caregraph/caregraph/store/session"
)

// ViewerChangedError reports that the session acts for another viewer than the given
// one: nil if it has ended or expired or its account is not active.
type ViewerChangedError struct{ Viewer *model.Viewer }

func (*ViewerChangedError) Error() string { return "the session acts for another viewer" }

// Fetch reads the rows of a request for a viewer, in one round trip and one snapshot.
// With r.Confirm the same round trip confirms the session; if it acts for another
// viewer, Fetch returns no rows and a *ViewerChangedError. It returns no rows of a list
// that must be recorded and could not be.
func (s *Store) Fetch(ctx context.Context, v *model.Viewer, r *query.Request) error {
	if err := s.fetch(ctx, v, r); err != nil {
		return err
	}
	if err := s.recordList(ctx, v, r.Event()); err != nil {
		r.Release()
		return err
	}
	return nil
}

func (s *Store) fetch(ctx context.Context, v *model.Viewer, r *query.Request) error {
	switch {
	case v == nil:
		return unauthenticated()
	case !r.Confirm && len(r.Loads) == 0:
		return nil
	case !r.Confirm:
		return s.run(ctx, v, r)
	}
	epoch, lookup := s.sessions.Epoch(), session.Lookup(v.SessionID)
	if err := s.run(ctx, v, r, lookup); err != nil {
		return err
	}
	actual := s.confirmed(epoch, v.SessionID, lookup)
	if actual != nil && *actual == *v {
		return nil
	}
	r.Release()
	return &ViewerChangedError{actual}
}

// run sends the statements of a request, followed by more, and fills in the rows.
func (s *Store) run(ctx context.Context, v *model.Viewer, r *query.Request, more ...*pgpipe.Statement) error {
	statements, err := r.Statements(v, more...)
	if err != nil {
		return err
	}
	if r.Bounded(s.sessions.OwnDoctor(v.SessionID)) {
		err = s.reads.RunShared(ctx, statements...)
	} else {
		err = s.reads.Run(ctx, statements...)
	}
	if err == nil {
		r.Fill()
	}
	return s.translate(ctx, "read", err)
}

// confirmed caches the result of a session lookup and returns the viewer.
func (s *Store) confirmed(epoch session.Epoch, id string, lookup *pgpipe.Statement) *model.Viewer {
	result := session.Read(id, lookup.Rows)
	if v := result.Viewer; v != nil {
		v.NeedsTotp = !result.HasTotp && s.requiresTotp(v.Role)
	}
	s.sessions.Put(epoch, id, result)
	return result.Viewer
}

// SessionViewer looks up the viewer of a session. It returns nil without an error if
// the session has ended or expired or its account is not active.
func (s *Store) SessionViewer(ctx context.Context, sessionID string) (*model.Viewer, error) {
	epoch, lookup := s.sessions.Epoch(), session.Lookup(sessionID)
	if err := s.readReserved(func(p pool) error { return p.Run(ctx, lookup) }); err != nil {
		return nil, s.translate(ctx, "read session", err)
	}
	return s.confirmed(epoch, sessionID, lookup), nil
}

// CachedViewer returns the viewer of a session from the cache, or nil. It is certain
// if this server has not ended the session and no other server had, some seconds ago.
func (s *Store) CachedViewer(sessionID string) (v *model.Viewer, certain bool) {
	return s.sessions.Get(sessionID, session.Now())
}
