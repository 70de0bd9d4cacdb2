package model

// Mapping is a doctor assigned to a patient. Removing it ends it; assigning
// the pair again makes a new one.
type Mapping struct {
	Seen

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
}

// NodeID returns map_<number>.
func (m *Mapping) NodeID() ID { return ID{KindMapping, m.ID} }

// IsNode marks the type as a Node.
func (*Mapping) IsNode() {}

// TypeName is the type's name in the schema.
func (*Mapping) TypeName() string { return "Mapping" }

// Validate trims the notes and returns every fault at once.
func (m *Mapping) Validate() error {
	var p problems
	p.optionalText("notes", m.Notes, maxText)
	return p.err()
}

// Specialization is a field of medicine, with the number of doctors in it.
type Specialization struct {
	Name        string
	DoctorCount int
}
