package graph

import (
	"context"

	"github.com/caregraph/caregraph/graph/gen"
	"github.com/caregraph/caregraph/model"
)

func (m mutation) AddTeamMember(ctx context.Context, input gen.TeamMemberInput) (*gen.GrantPayload, error) {
	g, err := m.Accounts.AddTeamMember(ctx, viewer(ctx), input.Username, input.Level, input.Days.Value(), m.ClientAddr(ctx))
	return m.grantPayload(ctx, g, err)
}

func (m mutation) AcceptGrant(ctx context.Context, id model.ID) (*gen.GrantPayload, error) {
	g, err := m.Store.AcceptGrant(ctx, viewer(ctx), id.Of(model.KindGrant))
	return m.grantPayload(ctx, g, err)
}

func (m mutation) EndGrant(ctx context.Context, id model.ID, reason *string) (*gen.GrantPayload, error) {
	g, err := m.Store.EndGrant(ctx, viewer(ctx), id.Of(model.KindGrant), reason)
	return m.grantPayload(ctx, g, err)
}

func (m mutation) CreateClaimCode(ctx context.Context, patientID model.ID) (*gen.ClaimCodePayload, error) {
	code, g, err := m.Store.CreateClaimCode(ctx, viewer(ctx), patientID.Of(model.KindPatient))
	userErrs, err := userErrors(ctx, err)
	if g == nil {
		return &gen.ClaimCodePayload{UserErrors: userErrs}, err
	}
	return &gen.ClaimCodePayload{Code: &code, ExpiresAt: g.ExpiresAt, UserErrors: userErrs}, err
}

func (m mutation) ClaimPatient(ctx context.Context, code, name string, dateOfBirth model.Date) (*gen.GrantPayload, error) {
	g, err := m.Accounts.ClaimPatient(ctx, viewer(ctx), code, name, dateOfBirth, m.ClientAddr(ctx))
	return m.grantPayload(ctx, g, err)
}

// grantPayload looks the viewer up again: a grant changes what the payload and the next
// fields of the operation see.
func (m mutation) grantPayload(ctx context.Context, g *model.Grant, err error) (*gen.GrantPayload, error) {
	userErrs, err := userErrors(ctx, err)
	if g == nil || err != nil {
		return &gen.GrantPayload{UserErrors: userErrs}, err
	}
	v, err := m.Store.SessionViewer(ctx, viewer(ctx).SessionID)
	current(ctx).setViewer(v)
	return &gen.GrantPayload{Grant: g, UserErrors: userErrs}, err
}
