package graph

import (
	"github.com/99designs/gqlgen/graphql"

	"github.com/caregraph/caregraph/graph/gen"
	"github.com/caregraph/caregraph/model"
)

// This file turns generated inputs into what the store understands, and does
// nothing else. In updates, absent means unchanged and null means cleared.

func newUser(in gen.RegisterInput) *model.User {
	return &model.User{Username: in.Username, Email: in.Email, Phone: in.Phone.Value(), Role: in.Role}
}

func newPatient(in gen.CreatePatientInput) *model.Patient {
	return &model.Patient{
		Name:             in.Name,
		DateOfBirth:      in.DateOfBirth,
		Gender:           in.Gender,
		Email:            in.Email.Value(),
		Phone:            in.Phone,
		Address:          in.Address,
		EmergencyContact: in.EmergencyContact,
		BloodGroup:       in.BloodGroup.Value(),
		MedicalHistory:   in.MedicalHistory.Value(),
	}
}

func newDoctor(in gen.CreateDoctorInput) *model.Doctor {
	return &model.Doctor{
		Name:            in.Name,
		Email:           in.Email,
		Phone:           in.Phone,
		Specialization:  in.Specialization,
		LicenseNumber:   in.LicenseNumber,
		ExperienceYears: in.ExperienceYears,
		Address:         in.Address,
		ConsultationFee: in.ConsultationFee,
		Availability:    in.Availability,
	}
}

func newMapping(in gen.AssignDoctorInput) *model.Mapping {
	return &model.Mapping{
		PatientID: in.PatientID.Of(model.KindPatient),
		DoctorID:  in.DoctorID.Of(model.KindDoctor),
		Notes:     in.Notes.Value(),
	}
}

func userChanges(in gen.UpdateMeInput) []model.Change[model.User] {
	var c changes[model.User]
	required(&c, "username", in.Username, func(u *model.User, v string) { u.Username = v })
	change(&c, "phone", in.Phone, func(u *model.User, v *model.PhoneNumber) { u.Phone = v })
	return c
}

func patientChanges(in gen.UpdatePatientInput) []model.Change[model.Patient] {
	var c changes[model.Patient]
	required(&c, "name", in.Name, func(p *model.Patient, v string) { p.Name = v })
	required(&c, "dateOfBirth", in.DateOfBirth, func(p *model.Patient, v model.Date) { p.DateOfBirth = v })
	required(&c, "gender", in.Gender, func(p *model.Patient, v model.Gender) { p.Gender = v })
	change(&c, "email", in.Email, func(p *model.Patient, v *model.EmailAddress) { p.Email = v })
	required(&c, "phone", in.Phone, func(p *model.Patient, v model.PhoneNumber) { p.Phone = v })
	required(&c, "address", in.Address, func(p *model.Patient, v string) { p.Address = v })
	required(&c, "emergencyContact", in.EmergencyContact, func(p *model.Patient, v model.PhoneNumber) { p.EmergencyContact = v })
	change(&c, "bloodGroup", in.BloodGroup, func(p *model.Patient, v *model.BloodGroup) { p.BloodGroup = v })
	change(&c, "medicalHistory", in.MedicalHistory, func(p *model.Patient, v *string) { p.MedicalHistory = v })
	return c
}

func doctorChanges(in gen.UpdateDoctorInput) []model.Change[model.Doctor] {
	var c changes[model.Doctor]
	required(&c, "name", in.Name, func(d *model.Doctor, v string) { d.Name = v })
	required(&c, "email", in.Email, func(d *model.Doctor, v model.EmailAddress) { d.Email = v })
	required(&c, "phone", in.Phone, func(d *model.Doctor, v model.PhoneNumber) { d.Phone = v })
	required(&c, "specialization", in.Specialization, func(d *model.Doctor, v string) { d.Specialization = v })
	required(&c, "licenseNumber", in.LicenseNumber, func(d *model.Doctor, v string) { d.LicenseNumber = v })
	required(&c, "experienceYears", in.ExperienceYears, func(d *model.Doctor, v int) { d.ExperienceYears = v })
	required(&c, "address", in.Address, func(d *model.Doctor, v string) { d.Address = v })
	required(&c, "consultationFee", in.ConsultationFee, func(d *model.Doctor, v model.Decimal) { d.ConsultationFee = v })
	required(&c, "availability", in.Availability, func(d *model.Doctor, v string) { d.Availability = v })
	return c
}

func mappingChanges(in gen.UpdateMappingInput) []model.Change[model.Mapping] {
	var c changes[model.Mapping]
	change(&c, "notes", in.Notes, func(m *model.Mapping, v *string) { m.Notes = v })
	return c
}

// linkedAccount is nil for an unchanged link, and points to nil for none.
func linkedAccount(in gen.VerifyDoctorInput) **int64 {
	id, set := in.AccountID.ValueOK()
	if !set {
		return nil
	}
	var account *int64
	if id != nil {
		num := id.Of(model.KindUser)
		account = &num
	}
	return &account
}

type changes[T any] []model.Change[T]

// change adds a change of a field that the input names.
func change[T, V any](c *changes[T], field string, in graphql.Omittable[*V], set func(*T, *V)) {
	if v, named := in.ValueOK(); named {
		*c = append(*c, model.Change[T]{Field: field, Apply: func(row *T) { set(row, v) }})
	}
}

// required is change for a field that cannot be cleared.
func required[T, V any](c *changes[T], field string, in graphql.Omittable[*V], set func(*T, V)) {
	switch v, named := in.ValueOK(); {
	case !named:
	case v == nil:
		*c = append(*c, model.Change[T]{Field: field})
	default:
		*c = append(*c, model.Change[T]{Field: field, Apply: func(row *T) { set(row, *v) }})
	}
}
