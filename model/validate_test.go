package model_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caregraph/caregraph/model"
)

// codesOf returns the fields of an error as "field CODE".
func codesOf(t *testing.T, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	apiErr, isRefusal := errors.AsType[*model.Error](err)
	if !isRefusal {
		t.Fatalf("%v is no model.Error", err)
	}
	var all []string
	for _, f := range apiErr.Fields {
		all = append(all, f.Field+" "+string(f.Code))
	}
	if apiErr.Code != apiErr.Fields[0].Code {
		t.Errorf("the code is %s, that of the first field %s", apiErr.Code, apiErr.Fields[0].Code)
	}
	return all
}

// The constraints of a record type, as the schema has them.

func patientConstraints() model.Constraints {
	return model.Constraints{
		"name": {Max: 100, Required: true}, "email": {Max: 254},
		"address": {Max: 20_000, Required: true}, "medicalHistory": {Max: 20_000},
	}
}

func doctorConstraints() model.Constraints {
	return model.Constraints{
		"name": {Max: 100, Required: true}, "email": {Max: 254, Required: true}, "specialization": {Max: 100, Required: true},
		"licenseNumber": {Max: 50, Required: true}, "experienceYears": {Max: 70}, "address": {Max: 20_000, Required: true},
		"consultationFee": {Max: 100_000}, "availability": {Max: 200, Required: true},
	}
}

func userConstraints() model.Constraints {
	return model.Constraints{"username": {Max: 150, Required: true}, "email": {Max: 254, Required: true}}
}

func mappingConstraints() model.Constraints { return model.Constraints{"notes": {Max: 20_000}} }

// rejection is a change of a valid record and the errors that follow.
type rejection[T any] struct {
	name   string
	change func(*T)
	want   []string
}

func (r rejection[T]) check(t *testing.T, valid func() *T, validate func(*T) error) {
	t.Helper()
	record := valid()
	r.change(record)
	if got := codesOf(t, validate(record)); !slices.Equal(got, r.want) {
		t.Errorf("%s: refused with %v, want %v", r.name, got, r.want)
	}
}

func TestPatient_Validate(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 20, 0, 0, 0, time.UTC) // in India, the second of March
	valid := func() *model.Patient {
		return &model.Patient{
			Name: "Arjun", DateOfBirth: model.ParseDate("1990-05-15"), Gender: model.GenderMale, Phone: "+919876543210",
			Address: "12 MG Road", EmergencyContact: "+918012345678",
		}
	}
	born := func(day string) func(*model.Patient) {
		return func(p *model.Patient) { p.DateOfBirth = model.ParseDate(day) }
	}
	for _, r := range []rejection[model.Patient]{
		{"as it is", func(*model.Patient) {}, nil},
		{"born today in India", born("2026-03-02"), nil},
		{"born tomorrow", born("2026-03-03"), []string{"dateOfBirth INVALID"}},
		{"born 130 years ago", born("1896-03-02"), nil},
		{"born a day before", born("1896-03-01"), []string{"dateOfBirth INVALID"}},
		{"born on no day", born("2025-02-29"), []string{"dateOfBirth INVALID"}},
		{"born never", born(""), []string{"dateOfBirth REQUIRED"}},
		{"blank texts", func(p *model.Patient) { p.Name, p.Address = " \t", "" }, []string{"name REQUIRED", "address REQUIRED"}},
		{"longest texts", func(p *model.Patient) { p.Name, p.Address = strings.Repeat("अ", 100), strings.Repeat("😀", 20_000) }, nil},
		{"longest texts and white space", func(p *model.Patient) { p.Name = " " + strings.Repeat("अ", 100) + " " }, nil},
		{"too long", func(p *model.Patient) {
			p.Name, p.MedicalHistory = strings.Repeat("a", 101), new(strings.Repeat("a", 20_001))
		}, []string{"name TOO_LONG", "medicalHistory TOO_LONG"}},
		{"null characters", func(p *model.Patient) { p.Name, p.MedicalHistory = "a\x00b", new("\x00") }, []string{"name INVALID", "medicalHistory INVALID"}},
		{"no UTF-8", func(p *model.Patient) { p.Address = "a\xffb" }, []string{"address INVALID"}},
		{"empty history", func(p *model.Patient) { p.MedicalHistory = new("") }, nil},
		{"phones", func(p *model.Patient) { p.Phone, p.EmergencyContact = "12", "" }, []string{"phone INVALID", "emergencyContact REQUIRED"}},
		{"e-mail", func(p *model.Patient) { p.Email = new(model.EmailAddress("arjun@home")) }, []string{"email INVALID"}},
		{"empty e-mail", func(p *model.Patient) { p.Email = new(model.EmailAddress("")) }, []string{"email REQUIRED"}},
		{"long e-mail", func(p *model.Patient) { p.Email = new(model.EmailAddress(strings.Repeat("a", 250) + "@b.in")) }, []string{"email TOO_LONG"}},
		{"no gender", func(p *model.Patient) { p.Gender = "" }, []string{"gender REQUIRED"}},
	} {
		r.check(t, valid, func(p *model.Patient) error { return p.Validate(patientConstraints(), now) })
	}
}

func TestDoctor_Validate(t *testing.T) {
	t.Parallel()
	valid := func() *model.Doctor {
		return &model.Doctor{
			Name: "Dr. Rao", Email: "rao@practice.example", Phone: "+919876543210", Specialization: "Cardiology", LicenseNumber: "KMC-1",
			ExperienceYears: 12, Address: "4 Church Street", ConsultationFee: model.ParseDecimal("1500"), Availability: "Mon-Fri",
		}
	}
	fee := func(text string) func(*model.Doctor) {
		return func(d *model.Doctor) { d.ConsultationFee = model.ParseDecimal(text) }
	}
	years := func(n int) func(*model.Doctor) { return func(d *model.Doctor) { d.ExperienceYears = n } }
	for _, r := range []rejection[model.Doctor]{
		{"as it is", func(*model.Doctor) {}, nil},
		{"no fee", fee("0"), nil},
		{"highest fee", fee("100000.00"), nil},
		{"fee with zeros", fee("1500.5000"), nil},
		{"higher fee", fee("100000.01"), []string{"consultationFee INVALID"}},
		{"negative fee", fee("-0.01"), []string{"consultationFee INVALID"}},
		{"fee of three places", fee("1.005"), []string{"consultationFee INVALID"}},
		{"fee of many digits", fee("1e999999999"), []string{"consultationFee INVALID"}},
		{"tiny fee", fee("1e-999999999"), []string{"consultationFee INVALID"}},
		{"fee that is none", fee("cheap"), []string{"consultationFee INVALID"}},
		{"beginner", years(0), nil},
		{"veteran", years(70), nil},
		{"years to come", years(-1), []string{"experienceYears INVALID"}},
		{"too many years", years(71), []string{"experienceYears INVALID"}},
		{"license", func(d *model.Doctor) { d.LicenseNumber = strings.Repeat("1", 51) }, []string{"licenseNumber TOO_LONG"}},
		{"availability", func(d *model.Doctor) { d.Availability = strings.Repeat("1", 201) }, []string{"availability TOO_LONG"}},
		{"specialization", func(d *model.Doctor) { d.Specialization = strings.Repeat("1", 101) }, []string{"specialization TOO_LONG"}},
		{"e-mail", func(d *model.Doctor) { d.Email = "" }, []string{"email REQUIRED"}},
	} {
		r.check(t, valid, func(d *model.Doctor) error { return d.Validate(doctorConstraints()) })
	}
}

func TestUser_ValidateRegistration(t *testing.T) {
	t.Parallel()
	valid := func() *model.User {
		return &model.User{Username: "asha.rao+1@clinic", Email: "asha@clinic.example", Role: model.RolePatient}
	}
	name := func(text string) func(*model.User) { return func(u *model.User) { u.Username = text } }
	for _, r := range []rejection[model.User]{
		{"as it is", func(*model.User) {}, nil},
		{"doctor", func(u *model.User) { u.Role = model.RoleDoctor }, nil},
		{"administrator", func(u *model.User) { u.Role = model.RoleAdmin }, []string{"role INVALID"}},
		{"no role", func(u *model.User) { u.Role = "" }, []string{"role INVALID"}},
		{"Hindi name", name("अर्जुन"), nil},
		{"longest name", name(strings.Repeat("अ", 150)), nil},
		{"too long a name", name(strings.Repeat("a", 151)), []string{"username TOO_LONG"}},
		{"two words", name("asha rao"), []string{"username INVALID"}},
		{"markup", name("<b>"), []string{"username INVALID"}},
		{"blank name", name("  "), []string{"username REQUIRED"}},
		{"all at once", func(u *model.User) { *u = model.User{Phone: new(model.PhoneNumber("12"))} }, []string{"username REQUIRED", "email REQUIRED", "phone INVALID", "role INVALID"}},
	} {
		r.check(t, valid, func(u *model.User) error { return u.ValidateRegistration(userConstraints()) })
	}
	admin := valid()
	admin.Role = model.RoleAdmin
	if err := admin.Validate(userConstraints()); err != nil {
		t.Errorf("an administrator that exists is refused: %v", err)
	}
}

func TestMapping_Validate(t *testing.T) {
	t.Parallel()
	notes := func(text *string) func(*model.Mapping) { return func(m *model.Mapping) { m.Notes = text } }
	for _, r := range []rejection[model.Mapping]{
		{"no notes", notes(nil), nil},
		{"empty notes", notes(new(" ")), nil},
		{"longest notes", notes(new(strings.Repeat("अ", 20_000))), nil},
		{"too long", notes(new(strings.Repeat("a", 20_001))), []string{"notes TOO_LONG"}},
		{"null character", notes(new("a\x00")), []string{"notes INVALID"}},
	} {
		r.check(t, func() *model.Mapping { return &model.Mapping{} },
			func(m *model.Mapping) error { return m.Validate(mappingConstraints()) })
	}
}

func TestValidate_TrimsTexts(t *testing.T) {
	t.Parallel()
	m := &model.Mapping{Notes: new(" \n rest \t")}
	if err := m.Validate(mappingConstraints()); err != nil || *m.Notes != "rest" {
		t.Errorf("notes are %q, %v", *m.Notes, err)
	}
}

func TestValidate_TakesItsBoundsFromTheConstraints(t *testing.T) {
	t.Parallel()
	d := &model.Doctor{
		Name: "Dr. Rao", Email: "rao@practice.example", Phone: "+919876543210", Specialization: "ENT", LicenseNumber: "1",
		ExperienceYears: 4, ConsultationFee: model.ParseDecimal("21"), Availability: "",
	}
	err := d.Validate(model.Constraints{
		"name": {Max: 6}, "email": {Max: 19}, "specialization": {Max: 3}, "licenseNumber": {Max: 1},
		"experienceYears": {Min: 5, Max: 6}, "consultationFee": {Min: 10, Max: 20}, "availability": {Required: true},
	})
	want := []string{"name TOO_LONG", "email TOO_LONG", "experienceYears INVALID", "consultationFee INVALID", "availability REQUIRED"}
	if got := codesOf(t, err); !slices.Equal(got, want) {
		t.Errorf("refused with %v, want %v", got, want)
	}
	for _, message := range []string{"greater than or equal to 5.", "between 10 and 20.", "no more than 6 characters.", "no more than 19 characters."} {
		if !strings.Contains(err.Error(), message) {
			t.Errorf("%v does not say %q", err, message)
		}
	}
}

func TestValidate_TextWithoutAConstraintIsTooLong(t *testing.T) {
	t.Parallel()
	if got := codesOf(t, (&model.Mapping{Notes: new("x")}).Validate(nil)); !slices.Equal(got, []string{"notes TOO_LONG"}) {
		t.Errorf("refused with %v", got)
	}
}

func TestPatient_AgeAt(t *testing.T) {
	t.Parallel()
	for _, age := range []struct {
		born, now string
		want      int
	}{
		{"1990-05-15", "2026-05-14T18:29:59Z", 35}, // in India still the fourteenth
		{"1990-05-15", "2026-05-14T18:30:00Z", 36},
		{"2000-02-29", "2026-02-28T12:00:00Z", 25},
		{"2000-02-29", "2026-03-01T00:00:00Z", 26},
		{"2026-01-01", "2025-12-31T00:00:00Z", 0},
	} {
		now, err := time.Parse(time.RFC3339, age.now)
		if err != nil {
			t.Fatal(err)
		}
		p := model.Patient{DateOfBirth: model.ParseDate(age.born)}
		if got := p.AgeAt(now); got != age.want {
			t.Errorf("born %s, at %s: %d, want %d", age.born, age.now, got, age.want)
		}
	}
}
