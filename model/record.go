package model

// Visible has what the store adds to a record that it reads for a viewer.
type Visible struct {
	// Relations are the viewer's relations to the record.
	Relations Relations `bun:"relations,scanonly"`
	// SortKey is the record's sort key in the list that it was read from.
	SortKey string `bun:"sort_key,scanonly"`
}

// ViewerRelations returns the relations of the viewer that the record was read for.
func (s *Visible) ViewerRelations() Relations { return s.Relations }

// SortKeyText returns SortKey.
func (s *Visible) SortKeyText() string { return s.SortKey }

// Record is a record that was read for a viewer.
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
	// Apply is nil if the client clears a field that cannot be empty.
	Apply func(*T)
}

// Lifecycle has the fields of a record that can be changed, deleted and restored.
type Lifecycle struct {
	// CreatedBy is the account that created the record: its owner.
	CreatedBy int64
	CreatedAt DateTime `bun:"created_at,nullzero,default:now()"`
	UpdatedAt DateTime `bun:"updated_at,nullzero,default:now()"`
	// Version increases by one with each change.
	Version   int `bun:"version,nullzero,default:1"`
	DeletedAt *DateTime
}

// Life returns a pointer to the lifecycle.
func (l *Lifecycle) Life() *Lifecycle { return l }
