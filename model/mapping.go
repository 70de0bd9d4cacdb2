package model

import "io"

// KindMapping is the prefix of the ids of mappings.
const KindMapping Kind = "map"

// Mapping assigns a doctor to a patient. Removing ends it; assigning the pair again
// creates a new mapping.
type Mapping struct {
	Visible

	ID         int64 `bun:"id,pk,autoincrement"`
	PatientID  int64
	DoctorID   int64
	Notes      *string
	IsActive   bool
	AssignedAt DateTime `bun:"assigned_at,nullzero,default:now()"`
	EndedAt    *DateTime
	CreatedBy  int64
	CreatedAt  DateTime `bun:"created_at,nullzero,default:now()"`
	UpdatedAt  DateTime `bun:"updated_at,nullzero,default:now()"`
	// Version increases by one with each change.
	Version int `bun:"version,nullzero,default:1"`
}

// NodeID returns map_<number>.
func (m *Mapping) NodeID() ID { return ID{KindMapping, m.ID} }

// IsNode marks the type as a Node.
func (*Mapping) IsNode() {}

// TypeName is the type's name in the schema.
func (*Mapping) TypeName() string { return "Mapping" }

// Validate trims the notes and returns all their errors together.
func (m *Mapping) Validate(c Constraints) error {
	e := validator{constraints: c}
	e.text("notes", m.Notes)
	return e.err()
}

// Specialization is a field of medicine, with the number of doctors in it.
type Specialization struct {
	Name        string
	DoctorCount int
}

// MappingFilter narrows a list of mappings. A nil field has no effect.
type MappingFilter struct {
	PatientID *ID
	DoctorID  *ID
	IsActive  *bool
}

// MappingOrder is the order of a list of mappings.
type MappingOrder struct{ OrderBy[MappingOrderField] }

// MappingOrderField is a sort key of mappings.
type MappingOrderField string

// The orders of mappings.
const (
	MappingsByAssignedAt MappingOrderField = "ASSIGNED_AT"
	MappingsByUpdatedAt  MappingOrderField = "UPDATED_AT"
)

// MarshalGQL writes the name of the value.
func (e MappingOrderField) MarshalGQL(w io.Writer) { writeText(w, string(e)) }

// UnmarshalGQL takes the name of a value.
func (e *MappingOrderField) UnmarshalGQL(v any) error {
	return readEnum(v, e, MappingsByAssignedAt, MappingsByUpdatedAt)
}

// The connection and edge whose nodes are mappings.
type (
	MappingEdge       struct{ Edge[*Mapping] }
	MappingConnection struct {
		Connection[*MappingEdge, *Mapping]
	}
)
