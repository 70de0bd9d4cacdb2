package fill

import (
	"context"
	"fmt"
	"strings"
)

// account is a RegisterInput.
type account struct {
	Username string  `json:"username"`
	Email    string  `json:"email"`
	Password string  `json:"password"`
	Phone    *string `json:"phone"`
	Role     string  `json:"role"`
}

// patient is a CreatePatientInput.
type patient struct {
	Name             string  `json:"name"`
	DateOfBirth      string  `json:"dateOfBirth"`
	Gender           string  `json:"gender"`
	Phone            string  `json:"phone"`
	Email            string  `json:"email"`
	Address          string  `json:"address"`
	EmergencyContact string  `json:"emergencyContact"`
	BloodGroup       *string `json:"bloodGroup"`
	MedicalHistory   *string `json:"medicalHistory"`
}

// doctor is a CreateDoctorInput.
type doctor struct {
	Name            string `json:"name"`
	Email           string `json:"email"`
	Phone           string `json:"phone"`
	Specialization  string `json:"specialization"`
	LicenseNumber   string `json:"licenseNumber"`
	ExperienceYears int    `json:"experienceYears"`
	Address         string `json:"address"`
	ConsultationFee string `json:"consultationFee"`
	Availability    string `json:"availability"`
}

// kind is what ensure needs to know about a type of record.
type kind struct {
	create, find operation
	count        *count
}

func (f *filler) patientKind() kind { return kindOf("Patient", "email", &f.patients) }
func (f *filler) doctorKind() kind  { return kindOf("Doctor", "licenseNumber", &f.doctors) }

// kindOf returns the operations on a type, whose records have a unique key.
func kindOf(typ, key string, count *count) kind {
	field := strings.ToLower(typ)
	return kind{
		create: operation{"create" + typ, fmt.Sprintf(`mutation Fill($input: Create%[1]sInput!) {
			reply: create%[1]s(input: $input) { record: %[2]s { id } userErrors { field code } } }`, typ, field)},
		find: operation{field + "s", fmt.Sprintf(`query Fill($search: String!) {
			reply: %ss(search: $search, first: 100) { nodes { id key: %s } } }`, field, key)},
		count: count,
	}
}

// ensure creates a record, or finds the existing one with the same key, and
// returns its id.
func (f *filler) ensure(ctx context.Context, token string, k kind, input any, key string) (id string, err error) {
	made, err := f.client.do(ctx, token, k.create, map[string]any{"input": input})
	if err == nil && made.Record != nil {
		k.count.add(true)
		return made.Record.ID, nil
	}
	if !failedWith(err, "TAKEN") {
		return "", missingRecord(k.create, err)
	}
	found, err := f.client.do(ctx, token, k.find, map[string]any{"search": key})
	if err != nil {
		return "", err
	}
	for _, candidate := range found.Nodes {
		if candidate.Key == key {
			k.count.add(false)
			return candidate.ID, nil
		}
	}
	return "", fmt.Errorf("%s: the record exists, but %s does not find it", k.create.name, k.find.name)
}

func missingRecord(op operation, err error) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("%s: the response contains no record", op.name)
}

// assign assigns the doctor unless that is done already.
func (f *filler) assign(ctx context.Context, token, patientID, doctorID, notes string) error {
	_, err := f.client.do(ctx, token, operation{"assignDoctor", `mutation Fill($input: AssignDoctorInput!) {
		reply: assignDoctor(input: $input) { record: mapping { id } userErrors { field code } } }`},
		map[string]any{"input": map[string]any{"patientId": patientID, "doctorId": doctorID, "notes": notes}})
	if err != nil && !failedWith(err, "ALREADY_ASSIGNED") {
		return err
	}
	f.mappings.add(err == nil)
	return nil
}

// signIn registers the account, or signs in if it exists already, and returns
// an access token.
func (f *filler) signIn(ctx context.Context, a account) (token string, err error) {
	register := operation{"register", `mutation Fill($input: RegisterInput!) {
		reply: register(input: $input) { tokens { access } userErrors { field code } } }`}
	in, err := f.client.do(ctx, "", register, map[string]any{"input": a})
	made := err == nil
	if failedWith(err, "TAKEN") {
		login := operation{"login", `mutation Fill($input: LoginInput!) {
			reply: login(input: $input) { tokens { access } userErrors { field code } } }`}
		in, err = f.client.do(ctx, "", login, map[string]any{"input": map[string]any{"email": a.Email, "password": a.Password}})
	}
	switch {
	case failedWith(err, "INVALID_CREDENTIALS"):
		return "", fmt.Errorf("cannot sign in as %s: an account that has its username, e-mail or phone has another password", a.Email)
	case err != nil:
		return "", err
	case in.Tokens == nil:
		return "", missingRecord(register, nil)
	}
	f.accounts.add(made)
	return in.Tokens.Access, nil
}
