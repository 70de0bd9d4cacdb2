package model

import "time"

// Patient is a person under care, kept by the account that created the record.
type Patient struct {
	Seen
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

const oldest = 130 // years

// Validate trims the texts and returns every fault at once. Now says which
// birth dates lie in the future.
func (p *Patient) Validate(now time.Time) error {
	var faults problems
	faults.text("name", &p.Name, maxName, true)
	faults.birthDate("dateOfBirth", p.DateOfBirth, now)
	if p.Gender == "" {
		faults.add("gender", CodeRequired, "This field may not be null.")
	}
	faults.phone("phone", &p.Phone)
	faults.email(p.Email)
	faults.text("address", &p.Address, maxText, true)
	faults.phone("emergencyContact", &p.EmergencyContact)
	faults.optionalText("medicalHistory", p.MedicalHistory, maxText)
	return faults.err()
}

func (p *problems) birthDate(field string, date Date, now time.Time) {
	today := now.In(India)
	today = time.Date(today.Year(), today.Month(), today.Day(), 0, 0, 0, 0, time.UTC)
	switch {
	case date.IsZero():
		p.add(field, CodeRequired, "This field may not be null.")
	case !date.Valid():
		p.add(field, CodeInvalid, "Date has wrong format. Use one of these formats instead: YYYY-MM-DD.")
	case date.Day().After(today):
		p.add(field, CodeInvalid, "The date of birth cannot be in the future.")
	case date.Day().Before(today.AddDate(-oldest, 0, 0)):
		p.add(field, CodeInvalid, "The date of birth cannot be more than 130 years ago.")
	}
}
