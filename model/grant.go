package model

import (
	"time"
)

// KindGrant is the prefix of the ids of grants.
const KindGrant Kind = "grt"

// Grant is access that one account has by the consent of another.
type Grant struct {
	Visible

	ID    int64 `bun:"id,pk,autoincrement"`
	Kind  GrantKind
	Level GrantLevel
	// PatientID is the record; nil for all patients of GranterID.
	PatientID *int64
	GranterID int64
	// AccountID is who has the access; nil for a claim code that no one has used.
	AccountID *int64
	CreatedAt DateTime `bun:"created_at,nullzero,default:now()"`
	// AcceptedAt is when the receiver agreed; nil: not in force yet.
	AcceptedAt *DateTime
	// ExpiresAt is when it ends by itself; nil: never.
	ExpiresAt *DateTime
	// EndedAt is when someone ended it.
	EndedAt *DateTime
}

// NodeID returns grt_<number>.
func (g *Grant) NodeID() ID { return ID{KindGrant, g.ID} }

// IsNode marks the type as a Node.
func (*Grant) IsNode() {}

// TypeName is the type's name in the schema.
func (*Grant) TypeName() string { return "Grant" }

// InForce reports whether the grant gives access at a time.
func (g *Grant) InForce(now time.Time) bool {
	return g.AcceptedAt != nil && g.EndedAt == nil && (g.ExpiresAt == nil || g.ExpiresAt.After(now))
}

// Gives returns the relations to a patient that the grant gives while it is in force.
func (g *Grant) Gives() (r Relations) {
	if g.Kind == GrantSelf {
		return Self
	}
	if g.Kind != GrantTeam {
		return 0
	}
	r = Team
	if g.Level == LevelClinical || g.Level == LevelFull {
		r |= TeamClinical
	}
	if g.Level == LevelDesk || g.Level == LevelFull {
		r |= TeamDesk
	}
	return r
}

// Accounts returns the accounts of both sides.
func (g *Grant) Accounts() []int64 {
	if g.AccountID == nil {
		return []int64{g.GranterID}
	}
	return []int64{g.GranterID, *g.AccountID}
}

// Joins reports whether one account gave the grant and the other received it.
func (g *Grant) Joins(one, other int64) bool {
	return g.AccountID != nil && (g.GranterID == one && *g.AccountID == other || g.GranterID == other && *g.AccountID == one)
}

// GrantKind is the kind of a grant.
type GrantKind string

// The kinds of grants.
const (
	GrantSelf GrantKind = "SELF"
	GrantTeam GrantKind = "TEAM"
)

// GrantLevel is how far a grant reaches.
type GrantLevel string

// The levels of grants.
const (
	LevelSee      GrantLevel = "SEE"
	LevelClinical GrantLevel = "CLINICAL"
	LevelDesk     GrantLevel = "DESK"
	LevelFull     GrantLevel = "FULL"
)

// GrantFilter narrows a list of grants. A nil field has no effect.
type GrantFilter struct {
	Kind    *GrantKind
	InForce *bool
}

// The connection and edge whose nodes are grants.
type (
	GrantEdge       struct{ Edge[*Grant] }
	GrantConnection struct {
		Connection[*GrantEdge, *Grant]
	}
)
