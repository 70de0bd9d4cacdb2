package model

// ChangeKind is the letter of a kind of record in the change feed.
type ChangeKind string

// The kinds of records whose changes the feed has.
const (
	ChangedPatient ChangeKind = "P"
	ChangedMapping ChangeKind = "M"
	ChangedDoctor  ChangeKind = "D"
	ChangedUser    ChangeKind = "U"
)
