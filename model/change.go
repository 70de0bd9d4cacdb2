package model

import "io"

// ChangeKind is the letter of a kind of record in the change feed.
type ChangeKind string

// The kinds of records whose changes the feed has.
const (
	ChangedPatient ChangeKind = "P"
	ChangedMapping ChangeKind = "M"
	ChangedDoctor  ChangeKind = "D"
	ChangedUser    ChangeKind = "U"
)

// ChangeType is a kind of record whose changes a client can follow.
type ChangeType string

// The kinds of records that clients follow.
const (
	ChangesOfPatients ChangeType = "PATIENT"
	ChangesOfDoctors  ChangeType = "DOCTOR"
)

// MarshalGQL writes the name.
func (e ChangeType) MarshalGQL(w io.Writer) { writeText(w, string(e)) }

// UnmarshalGQL reads a name.
func (e *ChangeType) UnmarshalGQL(v any) error {
	return readEnum(v, e, ChangesOfPatients, ChangesOfDoctors)
}

// ChangeSet is one step from a state of the viewer's records to a later one.
type ChangeSet struct {
	// Cursor is where the step ends.
	Cursor string
	// Reset says that the device holds nothing that still counts.
	Reset bool
	// HasMore says that the next step is not empty.
	HasMore bool
	// Changed are the records that may have changed and that exist for the viewer, Gone
	// those that do not.
	Changed, Gone []ID
}
