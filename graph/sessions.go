package graph

import (
	"context"

	"github.com/caregraph/caregraph/graph/gen"
	"github.com/caregraph/caregraph/model"
)

func (m mutation) EndSession(ctx context.Context, id model.ID) (*gen.LogoutPayload, error) {
	return m.signedOut(ctx, m.Store.EndSessionNumber(ctx, viewer(ctx), id.Of(model.KindSession)))
}

func (r resolver) Session() gen.SessionResolver { return sessions{} }

// sessions has the field of Session that is not generated.
type sessions struct{}

func (sessions) IsCurrent(ctx context.Context, of *model.LiveSession) (bool, error) {
	return of.SessionID == viewer(ctx).SessionID, nil
}
