package model

import (
	"fmt"
	"io"
	"strings"
)

// KindDoctor is the prefix of the ids of doctor entries.
const KindDoctor Kind = "doc"

// Doctor is an entry of the directory of doctors.
type Doctor struct {
	Visible
	Lifecycle

	ID              int64 `bun:"id,pk,autoincrement"`
	Name            string
	Email           EmailAddress
	Phone           PhoneNumber
	Specialization  string
	LicenseNumber   string
	ExperienceYears int
	Address         string
	ConsultationFee Decimal
	Availability    string
	IsVerified      bool
	// AccountID is the doctor's own account; nil if no account is linked.
	AccountID *int64
	// VerifiedName and VerifiedLicense are the Identity of the entry when it was last
	// verified; nil for an entry that never was.
	VerifiedName, VerifiedLicense *string
}

// NodeID returns doc_<number>.
func (d *Doctor) NodeID() ID { return ID{KindDoctor, d.ID} }

// IsNode marks the type as a Node.
func (*Doctor) IsNode() {}

// TypeName is the type's name in the schema.
func (*Doctor) TypeName() string { return "Doctor" }

// WasVerified reports whether the entry is verified or was so once.
func (d *Doctor) WasVerified() bool { return d.IsVerified || d.VerifiedLicense != nil }

// Identity returns the name and the license number without the differences that do not
// change who a doctor is: letter case, white space and the encoding of the same letters.
func (d *Doctor) Identity() (name, license string) {
	return caselessWords(d.Name), caseless(LicenseKey(d.LicenseNumber))
}

func caselessWords(text string) string { return strings.Join(strings.Fields(caseless(text)), " ") }

// SameProfile reports whether a verification of the entry covers the other one: name,
// license number and specialization have the same identity.
func (d *Doctor) SameProfile(other *Doctor) bool {
	name, license := d.Identity()
	otherName, otherLicense := other.Identity()
	return name == otherName && license == otherLicense && caselessWords(d.Specialization) == caselessWords(other.Specialization)
}

// FormatPhone returns the phone number in the format.
func (d *Doctor) FormatPhone(format PhoneFormat) string { return d.Phone.Format(format) }

const feePlaces = 2

// Validate trims the texts and returns all errors of the fields together.
func (d *Doctor) Validate(c Constraints) error {
	e := validator{constraints: c}
	e.name("name", &d.Name)
	e.email(&d.Email)
	e.phone("phone", &d.Phone)
	e.name("specialization", &d.Specialization)
	e.text("licenseNumber", &d.LicenseNumber)
	e.experience("experienceYears", d.ExperienceYears)
	e.text("address", &d.Address)
	e.fee("consultationFee", d.ConsultationFee)
	e.text("availability", &d.Availability)
	return e.err()
}

func (e *validator) experience(field string, years int) {
	limit := e.constraints[field]
	switch {
	case years < limit.Min:
		e.add(field, CodeInvalid, fmt.Sprintf("Ensure this value is greater than or equal to %d.", limit.Min), limit.params()...)
	case years > limit.Max:
		e.add(field, CodeInvalid, "Experience years seems unrealistic.", limit.params()...)
	}
}

func (e *validator) fee(field string, fee Decimal) {
	limit := e.constraints[field]
	switch {
	case !fee.Valid():
		e.add(field, CodeInvalid, "A valid number is required.")
	case !fee.Between(limit.Min, limit.Max):
		e.add(field, CodeInvalid, fmt.Sprintf("The consultation fee must lie between %d and %d.", limit.Min, limit.Max), limit.params()...)
	case fee.Places() > feePlaces:
		e.add(field, CodeInvalid, "Ensure that there are no more than 2 decimal places.", IntParam("maxDecimals", feePlaces))
	}
}

// DoctorFilter narrows a list of doctors. A nil field has no effect.
type DoctorFilter struct {
	IDs                []*ID
	UpdatedSince       *DateTime
	NotAssignedTo      *ID
	Specialization     *string
	Specializations    []string
	MinExperienceYears *int
	MaxExperienceYears *int
	MinConsultationFee *Decimal
	MaxConsultationFee *Decimal
	IsVerified         *bool
	Mine               *bool
	Deleted            *DeletedFilter
}

// DoctorOrder is the order of a list of doctors.
type DoctorOrder struct{ OrderBy[DoctorOrderField] }

// DoctorOrderField is a sort key of doctors.
type DoctorOrderField string

// The orders of doctors.
const (
	DoctorsByName            DoctorOrderField = "NAME"
	DoctorsByExperienceYears DoctorOrderField = "EXPERIENCE_YEARS"
	DoctorsByConsultationFee DoctorOrderField = "CONSULTATION_FEE"
	DoctorsByCreatedAt       DoctorOrderField = "CREATED_AT"
	DoctorsByUpdatedAt       DoctorOrderField = "UPDATED_AT"
)

// MarshalGQL writes the name of the value.
func (e DoctorOrderField) MarshalGQL(w io.Writer) { writeText(w, string(e)) }

// UnmarshalGQL takes the name of a value.
func (e *DoctorOrderField) UnmarshalGQL(v any) error {
	return readEnum(v, e, DoctorsByName, DoctorsByExperienceYears, DoctorsByConsultationFee, DoctorsByCreatedAt, DoctorsByUpdatedAt)
}

// The connections and edges whose nodes are doctors.
type (
	DoctorEdge       struct{ Edge[*Doctor] }
	DoctorConnection struct {
		Connection[*DoctorEdge, *Doctor]
	}
	PatientDoctorEdge       struct{ AssignmentEdge[*Doctor] }
	PatientDoctorConnection struct {
		Connection[*PatientDoctorEdge, *Doctor]
	}
)
