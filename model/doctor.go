package model

import (
	"fmt"
	"io"
)

// KindDoctor is the prefix of the ids of doctors.
const KindDoctor Kind = "doc"

// Doctor is an entry of the directory of doctors.
type Doctor struct {
	Seen
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
	// AccountID is the account that the entry is about, once linked.
	AccountID *int64
}

// NodeID returns doc_<number>.
func (d *Doctor) NodeID() ID { return ID{KindDoctor, d.ID} }

// IsNode marks the type as a Node.
func (*Doctor) IsNode() {}

// TypeName is the type's name in the schema.
func (*Doctor) TypeName() string { return "Doctor" }

// FormatPhone returns the phone number in the format.
func (d *Doctor) FormatPhone(format PhoneFormat) string { return d.Phone.Format(format) }

const (
	mostExperience = 70
	mostFee        = 100_000
	feePlaces      = 2
)

// Validate trims the texts and returns every fault at once.
func (d *Doctor) Validate() error {
	var p problems
	p.text("name", &d.Name, maxName, true)
	p.email(&d.Email)
	p.phone("phone", &d.Phone)
	p.text("specialization", &d.Specialization, maxSpecialization, true)
	p.text("licenseNumber", &d.LicenseNumber, maxLicense, true)
	p.experience("experienceYears", d.ExperienceYears)
	p.text("address", &d.Address, maxText, true)
	p.fee("consultationFee", d.ConsultationFee)
	p.text("availability", &d.Availability, maxAvailability, true)
	return p.err()
}

func (p *problems) experience(field string, years int) {
	switch {
	case years < 0:
		p.add(field, CodeInvalid, "Ensure this value is greater than or equal to 0.")
	case years > mostExperience:
		p.add(field, CodeInvalid, "Experience years seems unrealistic.")
	}
}

func (p *problems) fee(field string, fee Decimal) {
	switch {
	case !fee.Valid():
		p.add(field, CodeInvalid, "A valid number is required.")
	case !fee.Between(0, mostFee):
		p.add(field, CodeInvalid, fmt.Sprintf("The consultation fee must lie between 0 and %d.", mostFee))
	case fee.Places() > feePlaces:
		p.add(field, CodeInvalid, "Ensure that there are no more than 2 decimal places.")
	}
}

// DoctorFilter narrows a list of doctors. A nil condition asks for nothing.
type DoctorFilter struct {
	Specialization     *string
	MinExperienceYears *int
	MaxConsultationFee *Decimal
	IsVerified         *bool
	Mine               *bool
	Deleted            *DeletedFilter
}

// DoctorOrder is the order of a list of doctors.
type DoctorOrder struct{ OrderBy[DoctorOrderField] }

// DoctorOrderField is what doctors can be ordered by.
type DoctorOrderField string

// The orders of doctors.
const (
	DoctorsByName            DoctorOrderField = "NAME"
	DoctorsByExperienceYears DoctorOrderField = "EXPERIENCE_YEARS"
	DoctorsByConsultationFee DoctorOrderField = "CONSULTATION_FEE"
	DoctorsByCreatedAt       DoctorOrderField = "CREATED_AT"
)

// MarshalGQL writes the name of the value.
func (e DoctorOrderField) MarshalGQL(w io.Writer) { writeText(w, string(e)) }

// UnmarshalGQL takes the name of a value.
func (e *DoctorOrderField) UnmarshalGQL(v any) error {
	return readEnum(v, e, DoctorsByName, DoctorsByExperienceYears, DoctorsByConsultationFee, DoctorsByCreatedAt)
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
