package model

// Visible is what the store adds to a record that it reads for a viewer.
type Visible struct {
	// Relations is how the viewer stands to the record.
	Relations Relations `bun:"relations,scanonly"`
	// SortKey is the record's place in the list that it was read from.
	SortKey string `bun:"sort_key,scanonly"`
}

// ViewerRelations returns how the viewer, for whom the record was read, stands
// to it.
func (s *Visible) ViewerRelations() Relations { return s.Relations }

// SortKeyText returns the record's sort key in the list that it was read from.
func (s *Visible) SortKeyText() string { return s.SortKey }

// Record is a thing that has an owner, read for a viewer.
type Record interface {
	ViewerRelations() Relations
	// TypeName is the record's type in the schema.
	TypeName() string
}

// Node is the interface Node of the schema (Relay, Global Object Identification).
type Node interface {
	Record
	NodeID() ID
	IsNode()
}

// Change sets one field of a record, by its name in the schema.
type Change[T any] struct {
	Field string
	// Apply is nil when a field was cleared that cannot be empty.
	Apply func(*T)
}

// Lifecycle is what a record has that can be changed, deleted and restored.
type Lifecycle struct {
	// CreatedBy is the account that made the record: its owner.
	CreatedBy int64
	CreatedAt DateTime `bun:"created_at,nullzero,default:now()"`
	UpdatedAt DateTime `bun:"updated_at,nullzero,default:now()"`
	// Version goes up by one at each change.
	Version   int `bun:"version,nullzero,default:1"`
	DeletedAt *DateTime
}

// Life returns the lifecycle itself, to be changed in place.
func (l *Lifecycle) Life() *Lifecycle { return l }
