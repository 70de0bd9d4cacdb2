package model

import (
	"io"
	"time"
)

// KindPatient is the prefix of the ids of patients.
const KindPatient Kind = "pat"

// Patient is the record of a patient. The account that created it owns it.
type Patient struct {
	Visible
	Lifecycle

	ID               int64 `bun:"id,pk,autoincrement"`
	Name             string
	DateOfBirth      Date
	Gender           Gender
	Email            *EmailAddress
	Phone            PhoneNumber
	Address          string
	EmergencyContact PhoneNumber
	BloodGroup       *BloodGroup
	MedicalHistory   *string
	RecordNumber     *string
	AbhaNumber       *AbhaNumber
}

// NodeID returns pat_<number>.
func (p *Patient) NodeID() ID { return ID{KindPatient, p.ID} }

// IsNode marks the type as a Node.
func (*Patient) IsNode() {}

// TypeName is the type's name in the schema.
func (*Patient) TypeName() string { return "Patient" }

// FormatPhone returns the phone number in the format.
func (p *Patient) FormatPhone(format PhoneFormat) *string { return formatPhone(&p.Phone, format) }

// FormatEmergencyContact returns the emergency contact in the format.
func (p *Patient) FormatEmergencyContact(format PhoneFormat) *string {
	return formatPhone(&p.EmergencyContact, format)
}

// AgeAt returns the age in completed years at an instant, by the Indian day.
func (p *Patient) AgeAt(now time.Time) int { return p.DateOfBirth.AgeAt(now) }

const maxAge = 130 // years

// Validate trims the texts and returns all errors of the fields together. A
// birth date may not be after now, by the Indian day.
func (p *Patient) Validate(c Constraints, now time.Time) error {
	e := validator{constraints: c}
	e.name("name", &p.Name)
	e.birthDate("dateOfBirth", p.DateOfBirth, now)
	if p.Gender == "" {
		e.add("gender", CodeRequired, "This field may not be null.")
	}
	e.phone("phone", &p.Phone)
	e.email(p.Email)
	e.text("address", &p.Address)
	e.phone("emergencyContact", &p.EmergencyContact)
	e.text("medicalHistory", p.MedicalHistory)
	e.text("recordNumber", p.RecordNumber)
	if p.RecordNumber != nil && isBlank(*p.RecordNumber) {
		p.RecordNumber = nil // a blank number is none, and must not be taken
	}
	if p.AbhaNumber != nil && !p.AbhaNumber.Valid() {
		e.add("abhaNumber", CodeInvalid, "Enter a valid ABHA number: 14 digits, with or without hyphens.")
	}
	return e.err()
}

func (e *validator) birthDate(field string, date Date, now time.Time) {
	today := now.In(India)
	today = time.Date(today.Year(), today.Month(), today.Day(), 0, 0, 0, 0, time.UTC)
	switch {
	case date.IsZero():
		e.add(field, CodeRequired, "This field may not be null.")
	case !date.Valid():
		e.add(field, CodeInvalid, "Date has wrong format. Use one of these formats instead: YYYY-MM-DD.")
	case date.Day().After(today):
		e.add(field, CodeInvalid, "The date of birth cannot be in the future.")
	case date.Day().Before(today.AddDate(-maxAge, 0, 0)):
		e.add(field, CodeInvalid, "The date of birth cannot be more than 130 years ago.", IntParam("maxAge", maxAge))
	}
}

// PatientFilter narrows a list of patients. A nil field has no effect.
type PatientFilter struct {
	IDs          []*ID
	UpdatedSince *DateTime
	Mine         *bool
	HasDoctor    *bool
	Gender       *Gender
	Genders      []Gender
	BloodGroup   *BloodGroup
	BloodGroups  []BloodGroup
	BornFrom     *Date
	BornTo       *Date
	DoctorID     *ID
	OwnerID      *ID
	Deleted      *DeletedFilter
}

// PatientOrder is the order of a list of patients.
type PatientOrder struct{ OrderBy[PatientOrderField] }

// PatientOrderField is a sort key of patients.
type PatientOrderField string

// The orders of patients.
const (
	PatientsByCreatedAt   PatientOrderField = "CREATED_AT"
	PatientsByUpdatedAt   PatientOrderField = "UPDATED_AT"
	PatientsByName        PatientOrderField = "NAME"
	PatientsByDateOfBirth PatientOrderField = "DATE_OF_BIRTH"
)

// MarshalGQL writes the name of the value.
func (e PatientOrderField) MarshalGQL(w io.Writer) { writeText(w, string(e)) }

// UnmarshalGQL takes the name of a value.
func (e *PatientOrderField) UnmarshalGQL(v any) error {
	return readEnum(v, e, PatientsByCreatedAt, PatientsByUpdatedAt, PatientsByName, PatientsByDateOfBirth)
}

// The connections and edges whose nodes are patients.
type (
	PatientEdge       struct{ Edge[*Patient] }
	PatientConnection struct {
		Connection[*PatientEdge, *Patient]
	}
	DoctorPatientEdge       struct{ AssignmentEdge[*Patient] }
	DoctorPatientConnection struct {
		Connection[*DoctorPatientEdge, *Patient]
	}
)
