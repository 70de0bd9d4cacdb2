package graph_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/model"
)

const createDoctor = `mutation ($input: CreateDoctorInput!) { createDoctor(input: $input) {
	doctor { id isVerified account { username } } userErrors { field code } } }`

func TestCreateDoctor_TellsEveryFaultAtOnce(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	bad := map[string]any{
		"name": strings.Repeat("é", 101), "email": "", "phone": "", "specialization": " ", "licenseNumber": strings.Repeat("1", 51),
		"experienceYears": 71, "address": "a\x00", "consultationFee": "1.005", "availability": strings.Repeat("x", 201),
	}
	equal(t, "faults", rahul.Do(createDoctor, map[string]any{"input": bad}).Faults("createDoctor"), []string{
		"input.name TOO_LONG", "input.email REQUIRED", "input.phone REQUIRED", "input.specialization REQUIRED", "input.licenseNumber TOO_LONG",
		"input.experienceYears INVALID", "input.address INVALID", "input.consultationFee INVALID", "input.availability TOO_LONG",
	})
	rahul.DoctorEntry("Dr. One")
	again := graphtest.DoctorInput("Dr. One")
	equal(t, "the license", s.Account("Asha", model.RolePatient).Do(createDoctor, map[string]any{"input": again}).Faults("createDoctor"),
		[]string{"input.licenseNumber TAKEN"})
}

func TestIsMe_LinksTheEntryToADoctorsAccountOnce(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	rahul, priya := s.Account("Rahul", model.RolePatient), s.Account("Priya", model.RoleDoctor)
	input := graphtest.DoctorInput("Dr. Priya Patel")
	input["isMe"] = true
	equal(t, "no doctor", rahul.Do(createDoctor, map[string]any{"input": input}).Faults("createDoctor"), []string{"input.isMe FORBIDDEN"})
	equal(t, "before", priya.Do(`{ me { doctorProfile { id } } }`, nil).Body, `{"data":{"me":{"doctorProfile":null}}}`)
	made := priya.Must(createDoctor, map[string]any{"input": input}).At("createDoctor", "doctor")
	equal(t, "the entry", made.Value, map[string]any{"id": "doc_1", "isVerified": false, "account": map[string]any{"username": "Priya"}})
	equal(t, "after", priya.Do(`{ me { doctorProfile { id account { doctorProfile { id } } } } }`, nil).Body,
		`{"data":{"me":{"doctorProfile":{"id":"doc_1","account":{"doctorProfile":{"id":"doc_1"}}}}}}`)
	second := graphtest.DoctorInput("Dr. Priya Again")
	second["isMe"] = true
	equal(t, "twice", priya.Do(createDoctor, map[string]any{"input": second}).Faults("createDoctor"), []string{"input.isMe TAKEN"})
	priya.Must(`mutation { deleteDoctor(id: 1) { userErrors { code } } }`, nil)
	equal(t, "a deleted entry", priya.Do(`{ me { doctorProfile { id } } }`, nil).Body, `{"data":{"me":{"doctorProfile":null}}}`)
	priya.Must(createDoctor, map[string]any{"input": second})
	equal(t, "restore", priya.Do(`mutation { restoreDoctor(id: 1) { userErrors { field code } } }`, nil).Faults("restoreDoctor"), []string{"TAKEN"})
}

func TestVerifyDoctor_IsForAdministratorsAndOpensThePatients(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	verify := func(client *graphtest.Client, entry, input string) graphtest.Answer {
		return client.Do(fmt.Sprintf(`mutation { verifyDoctor(id: %q, input: {%s}) { doctor { isVerified account { username } } userErrors { field code } } }`, entry, input), nil)
	}
	sees := func() any {
		return c.Neha.Do(`{ patients { totalCount } }`, nil).Data["patients"].(map[string]any)["totalCount"]
	}
	for _, client := range []*graphtest.Client{c.Neha, c.Rahul, c.Asha} {
		equal(t, "not an administrator", verify(client, c.NehasEntry, "isVerified: true").Codes(), []string{"verifyDoctor FORBIDDEN"})
	}
	equal(t, "unverified", sees(), 0)
	equal(t, "verified", verify(c.Admin, c.NehasEntry, "isVerified: true").Body,
		`{"data":{"verifyDoctor":{"doctor":{"isVerified":true,"account":{"username":"Neha"}},"userErrors":[]}}}`)
	equal(t, "verified", sees(), 1)
	c.Neha.Must(fmt.Sprintf(`mutation { updateDoctor(id: %q, input: {licenseNumber: "NEW-1"}) { userErrors { code } } }`, c.NehasEntry), nil)
	equal(t, "with another license", sees(), 0)

	equal(t, "no entry", verify(c.Admin, "doc_999999", "isVerified: true").Faults("verifyDoctor"), []string{"id NOT_FOUND"})
	equal(t, "no account", verify(c.Admin, c.RahulsEntry, `isVerified: true, accountId: "usr_999999"`).Faults("verifyDoctor"), []string{"input.accountId NOT_FOUND"})
	equal(t, "no doctor", verify(c.Admin, c.RahulsEntry, `isVerified: true, accountId: "`+c.Asha.ID()+`"`).Faults("verifyDoctor"), []string{"input.accountId INVALID"})
	equal(t, "taken", verify(c.Admin, c.RahulsEntry, `isVerified: true, accountId: "`+c.Priya.ID()+`"`).Faults("verifyDoctor"), []string{"input.accountId TAKEN"})
	equal(t, "refused", c.Row("SELECT is_verified::text FROM doctors WHERE id = $1", num(c.RahulsEntry)), "false")
	equal(t, "unlinked", verify(c.Admin, c.NehasEntry, "isVerified: true, accountId: null").Body,
		`{"data":{"verifyDoctor":{"doctor":{"isVerified":true,"account":null},"userErrors":[]}}}`)
	equal(t, "unlinked", sees(), 0)
	c.Rahul.Must(fmt.Sprintf(`mutation { deleteDoctor(id: %q) { userErrors { code } } }`, c.RahulsEntry), nil)
	equal(t, "deleted", verify(c.Admin, c.RahulsEntry, "isVerified: true").Faults("verifyDoctor"), []string{"id DELETED"})
}

func TestSpecializations_AreListedOnceWithTheirDoctors(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	for i, field := range []string{"Cardiology", "cardiology", "Ärztin", "Neurology", "Gone"} {
		input := graphtest.DoctorInput(fmt.Sprintf("Dr. Number %d", i))
		input["specialization"] = field
		rahul.Must(createDoctor, map[string]any{"input": input})
	}
	rahul.Must(`mutation { deleteDoctor(id: 5) { userErrors { code } } }`, nil)
	out := rahul.Must(`{ specializations { name doctorCount } }`, nil)
	equal(t, "how many", out.Len("specializations"), 3)
	equal(t, "order", []string{out.Text("specializations", 0, "name"), out.Text("specializations", 2, "name")}, []string{"Ärztin", "Neurology"})
	equal(t, "count", out.At("specializations", 1, "doctorCount").Value, 2)
	name := out.Text("specializations", 1, "name")
	found := rahul.Must(`query ($name: String) { doctors(filter: {specialization: $name}) { totalCount } }`, map[string]any{"name": name})
	equal(t, "in the filter", found.At("doctors", "totalCount").Value, 2)
}

func TestMappings_AreEndedForGoodAndMadeAnew(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	assign := fmt.Sprintf(`mutation { assignDoctor(input: {patientId: %q, doctorId: %q}) { mapping { id } userErrors { field code } } }`, c.Patient, c.PriyasEntry)
	equal(t, "twice", c.Rahul.Do(assign, nil).Faults("assignDoctor"), []string{"input.doctorId ALREADY_ASSIGNED"})
	equal(t, "by the doctor", c.Priya.Do(assign, nil).Faults("assignDoctor"), []string{"input.patientId FORBIDDEN"})
	equal(t, "by the administrator", c.Admin.Do(assign, nil).Faults("assignDoctor"), []string{"input.patientId FORBIDDEN"})
	both := c.Rahul.Do(`mutation { assignDoctor(input: {patientId: 77, doctorId: 77}) { userErrors { field code } } }`, nil)
	equal(t, "neither", both.Faults("assignDoctor"), []string{"input.patientId NOT_FOUND", "input.doctorId NOT_FOUND"})
	c.Rahul.End(c.PriyasMapping)
	equal(t, "the doctor", c.Priya.Do(`{ patients { totalCount } mappings(filter: {isActive: null}) { totalCount } }`, nil).Body,
		`{"data":{"patients":{"totalCount":0},"mappings":{"totalCount":0}}}`)
	for _, root := range []string{`removeMapping(id: %q)`, `updateMapping(id: %q, input: {notes: "x"})`} {
		answer := c.Rahul.Do(fmt.Sprintf(`mutation { it: `+root+` { userErrors { field code } } }`, c.PriyasMapping), nil)
		equal(t, root, answer.Faults("it"), []string{"id DELETED"})
	}
	again := c.Rahul.Must(assign, nil).Text("assignDoctor", "mapping", "id")
	if again == c.PriyasMapping {
		t.Error("the ended mapping came back to life")
	}
	equal(t, "the doctor again", c.Priya.Do(`{ patients { totalCount } mapping(id: "`+c.PriyasMapping+`") { isActive } }`, nil).Body,
		`{"data":{"patients":{"totalCount":1},"mapping":{"isActive":false}}}`)
}
