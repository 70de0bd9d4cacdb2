package graph_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/model"
)

const updatePatient = `mutation ($id: ID!, $input: UpdatePatientInput!, $version: Int) {
	updatePatient(id: $id, input: $input, expectedVersion: $version) {
		patient { name email bloodGroup medicalHistory version } userErrors { field code message } } }`

func TestCreatePatient_TellsEveryFaultAtOnce(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	answer := rahul.Do(`mutation { createPatient(input: {name: " ", dateOfBirth: "2999-01-01", gender: MALE, phone: "123", email: "x", address: "",
		emergencyContact: "abc", medicalHistory: "a\u0000b"}) { patient { id } userErrors { field code } } }`, nil)
	equalJSON(t, "userErrors", answer.UserErrorCodes("createPatient"), []string{
		"input.name REQUIRED", "input.dateOfBirth INVALID", "input.phone INVALID", "input.email INVALID", "input.address REQUIRED",
		"input.emergencyContact INVALID", "input.medicalHistory INVALID",
	})
	equalJSON(t, "patients", s.Row("SELECT count(*)::text FROM patients"), "0")

	rahul.Patient("Arjun Sharma")
	again := rahul.Do(`mutation ($input: CreatePatientInput!) { createPatient(input: $input) { userErrors { field code } } }`,
		map[string]any{"input": graphtest.PatientInput("Arjun Sharma")})
	equalJSON(t, "the same e-mail", again.UserErrorCodes("createPatient"), []string{"input.email TAKEN"})
	s.Account("Asha", model.RolePatient).Patient("Arjun Sharma") // of another owner
}

func TestUpdatePatient_AbsentStaysAndNullClears(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	id := rahul.Patient("Arjun Sharma")
	update := func(input map[string]any) graphtest.Answer {
		return rahul.Do(updatePatient, map[string]any{"id": id, "input": input})
	}
	equalJSON(t, "absent", update(map[string]any{"name": "Arjun S"}).Data["updatePatient"], map[string]any{
		"patient": map[string]any{
			"name": "Arjun S", "email": "arjun.sharma@mail.example", "bloodGroup": "B_POSITIVE",
			"medicalHistory": "Allergic to penicillin", "version": 2,
		}, "userErrors": []any{},
	})
	equalJSON(t, "null", update(map[string]any{"email": nil, "bloodGroup": nil, "medicalHistory": nil}).Data["updatePatient"], map[string]any{
		"patient": map[string]any{"name": "Arjun S", "email": nil, "bloodGroup": nil, "medicalHistory": nil, "version": 3}, "userErrors": []any{},
	})
	required := update(map[string]any{"name": nil, "dateOfBirth": nil, "gender": nil, "phone": nil, "address": nil, "emergencyContact": nil, "email": "x"})
	equalJSON(t, "null where there must be something", required.UserErrorCodes("updatePatient"), []string{
		"input.name REQUIRED", "input.dateOfBirth REQUIRED", "input.gender REQUIRED", "input.phone REQUIRED", "input.address REQUIRED",
		"input.emergencyContact REQUIRED", "input.email INVALID",
	})
	equalJSON(t, "after an error", rahul.Must(`query ($id: ID!) { patient(id: $id) { name version } }`, map[string]any{"id": id}).Value,
		map[string]any{"patient": map[string]any{"name": "Arjun S", "version": 3}})
}

// TestRecordNumber_IsTheClinicsOwn: unique among the live patients of one owner,
// found by search, and free again for others.
func TestRecordNumber_IsTheClinicsOwn(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	rahul, asha := s.Account("Rahul", model.RolePatient), s.Account("Asha", model.RolePatient)
	input := func(name string, number any) map[string]any {
		in := graphtest.PatientInput(name)
		in["recordNumber"] = number
		return map[string]any{"input": in}
	}
	create := func(by *graphtest.Client, name string, number any) []string {
		return by.Do(`mutation ($input: CreatePatientInput!) { createPatient(input: $input) { userErrors { field code } } }`,
			input(name, number)).UserErrorCodes("createPatient")
	}
	equalJSON(t, "a number", create(rahul, "Arjun", " OPD-2041 "), []string{})
	equalJSON(t, "the same in another case", create(rahul, "Bina", "opd-2041"), []string{"input.recordNumber TAKEN"})
	equalJSON(t, "of another owner", create(asha, "Chandra", "OPD-2041"), []string{})
	equalJSON(t, "none, twice", append(create(rahul, "Bina", nil), create(rahul, "Dev", "  ")...), []string{})
	equalJSON(t, "too long", create(rahul, "Esha", strings.Repeat("x", 51)), []string{"input.recordNumber TOO_LONG"})

	find := func(by *graphtest.Client) any {
		return by.Must(`{ patients(search: "pd-2041") { nodes { name recordNumber } } }`, nil).Value
	}
	equalJSON(t, "found by its owner", find(rahul), map[string]any{"patients": map[string]any{
		"nodes": []any{map[string]any{"name": "Arjun", "recordNumber": "OPD-2041"}},
	}})
	equalJSON(t, "and by no one else", find(s.Account("Mallory", model.RolePatient)), map[string]any{"patients": map[string]any{"nodes": []any{}}})

	id := rahul.Must(`{ patients(search: "pd-2041") { nodes { id } } }`, nil).At("patients", "nodes").Value.([]any)[0].(map[string]any)["id"].(string)
	rahul.Delete(id)
	equalJSON(t, "after a deletion", create(rahul, "Farah", "OPD-2041"), []string{})
	restored := rahul.Do(`mutation ($id: ID!) { restorePatient(id: $id) { userErrors { field code } } }`, map[string]any{"id": id})
	equalJSON(t, "restored", restored.UserErrors("restorePatient")[0].Code, "TAKEN")
}

// TestAbhaNumber_HasOneForm, however it is written; and no other number is taken.
func TestAbhaNumber_HasOneForm(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	const update = `mutation ($id: ID!, $number: AbhaNumber) { updatePatient(id: $id, input: {abhaNumber: $number}) {
		patient { abhaNumber } userErrors { field code } } }`
	for number, want := range map[any]any{"91-1234-5678-9013": "91-1234-5678-9013", " 91123456789014 ": "91-1234-5678-9014", nil: nil} {
		got := c.Rahul.Must(update, map[string]any{"id": c.Patient, "number": number})
		equalJSON(t, fmt.Sprint(number), got.At("updatePatient", "patient", "abhaNumber").Value, want)
	}
	for _, number := range []any{"", "9112345678901", "91-1234-5678-901x", "91_1234_5678_9012"} {
		answer := c.Rahul.Do(update, map[string]any{"id": c.Patient, "number": number})
		equalJSON(t, fmt.Sprint(number), answer.UserErrorCodes("updatePatient"), []string{"input.abhaNumber INVALID"})
	}
}

func TestVersionConflict_ComesWithTheRecordAsItIs(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	vars := func(version any) map[string]any {
		return map[string]any{"id": c.Patient, "input": map[string]any{"bloodGroup": "A_NEGATIVE"}, "version": version}
	}
	equalJSON(t, "the first", c.Rahul.Do(updatePatient, vars(1)).UserErrorCodes("updatePatient"), []string{})
	late := c.Priya.Do(updatePatient, vars(1))
	equalJSON(t, "the second", late.UserErrorCodes("updatePatient"), []string{"expectedVersion VERSION_CONFLICT"})
	equalJSON(t, "the record", late.Data["updatePatient"].(map[string]any)["patient"], map[string]any{
		"name": "Arjun Sharma", "email": "arjun.sharma@mail.example", "bloodGroup": "A_NEGATIVE", "medicalHistory": "Allergic to penicillin", "version": 2,
	})
	equalJSON(t, "no version", c.Priya.Do(updatePatient, vars(nil)).UserErrorCodes("updatePatient"), []string{})

	for _, root := range []string{"deletePatient", "deleteDoctor"} {
		id, payload := c.Patient, "patient"
		if root == "deleteDoctor" {
			id, payload = c.RahulsEntry, "doctor"
		}
		answer := c.Rahul.Do(fmt.Sprintf(`mutation { %s(id: %q, expectedVersion: 99) { %s { id deletedAt } userErrors { field code } } }`, root, id, payload), nil)
		equalJSON(t, root, answer.UserErrorCodes(root), []string{"expectedVersion VERSION_CONFLICT"})
		equalJSON(t, root, answer.Data[root].(map[string]any)[payload], map[string]any{"id": id, "deletedAt": nil})
	}
	// An error does not return a hidden record.
	stranger := c.Asha.Do(updatePatient, vars(1))
	equalJSON(t, "a stranger", stranger.Data["updatePatient"].(map[string]any)["patient"], nil)
}

func TestDeletePatient_EndsMappingsAndRestoreBringsBackThePatientAlone(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	do := func(root string) graphtest.Answer {
		return c.Rahul.Do(`mutation ($id: ID!) { `+root+`(id: $id) { patient { deletedAt } userErrors { field code } } }`, map[string]any{"id": c.Patient})
	}
	equalJSON(t, "delete", do("deletePatient").UserErrorCodes("deletePatient"), []string{})
	equalJSON(t, "twice", do("deletePatient").UserErrorCodes("deletePatient"), []string{"id DELETED"})
	equalJSON(t, "update", c.Rahul.Do(updatePatient, map[string]any{"id": c.Patient, "input": map[string]any{"name": "X"}}).UserErrorCodes("updatePatient"), []string{"id DELETED"})
	equalJSON(t, "its query", c.Rahul.Do(`{ patient(id: 1) { id } mappings(filter: {isActive: null}) { totalCount } }`, nil).Body,
		`{"data":{"patient":null,"mappings":{"totalCount":0}}}`)
	equalJSON(t, "assign", c.Rahul.Do(`mutation { assignDoctor(input: {patientId: 1, doctorId: 1}) { userErrors { field code } } }`, nil).UserErrorCodes("assignDoctor"),
		[]string{"input.patientId DELETED"})
	equalJSON(t, "restore", do("restorePatient").Body, `{"data":{"restorePatient":{"patient":{"deletedAt":null},"userErrors":[]}}}`)
	equalJSON(t, "the doctor", c.Priya.Do(`{ patient(id: 1) { id } }`, nil).Body, `{"data":{"patient":null}}`)
	equalJSON(t, "the history", c.Rahul.Do(`{ patient(id: 1) { doctors { totalCount } mappings(isActive: false) { totalCount } } }`, nil).Body,
		`{"data":{"patient":{"doctors":{"totalCount":0},"mappings":{"totalCount":3}}}}`)

	c.Rahul.Delete(c.Patient)
	c.Rahul.Patient(graphtest.PatientName) // takes the e-mail address
	equalJSON(t, "restore", do("restorePatient").UserErrorCodes("restorePatient"), []string{"TAKEN"})
}

// TestAge_GoesUpAtMidnightInIndia by the clock of the server.
func TestAge_GoesUpAtMidnightInIndia(t *testing.T) {
	t.Parallel()
	now := newClock()
	s := graphtest.New(t, graphtest.Options{Now: now.Now})
	rahul := s.Account("Rahul", model.RolePatient)
	y, m, d := now.Now().In(model.India).Date()
	birthday := time.Date(y, m, d+1, 0, 0, 0, 0, model.India)
	input := graphtest.PatientInput("Arjun Sharma")
	input["dateOfBirth"] = birthday.AddDate(-28, 0, 0).Format(time.DateOnly)
	rahul.Must(`mutation ($input: CreatePatientInput!) { createPatient(input: $input) { userErrors { code } } }`, map[string]any{"input": input})
	age := func() any {
		return rahul.NewSession().Must(`{ patient(id: 1) { age } }`, nil).At("patient", "age").Value
	}
	now.advance(birthday.Sub(now.Now()) - time.Second)
	equalJSON(t, "a second before", age(), 27)
	now.advance(time.Second)
	equalJSON(t, "at midnight", age(), 28)
}

func TestPhones_AreWrittenAsAsked(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	c.Rahul.Must(`mutation { updatePatient(id: 1, input: {emergencyContact: "+1 650 253 0000"}) { userErrors { code } } }`, nil)
	answer := c.Rahul.Do(`query ($national: PhoneFormat!) { patient(id: 1) { phone e: phone(format: E164) n: phone(format: NATIONAL)
		emergencyContact abroad: emergencyContact(format: $national) } doctor(id: 1) { phone(format: $national) } me { phone(format: NATIONAL) } }`,
		map[string]any{"national": "NATIONAL"})
	equalJSON(t, "phones", answer.Data, map[string]any{
		"patient": map[string]any{
			"phone": "+918765432109", "e": "+918765432109", "n": "8765432109",
			"emergencyContact": "+16502530000", "abroad": "+16502530000",
		},
		"doctor": map[string]any{"phone": "7654321098"}, "me": map[string]any{"phone": nil},
	})
}
