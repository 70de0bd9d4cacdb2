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
	equalJSON(t, "userErrors", rahul.Do(createDoctor, map[string]any{"input": bad}).UserErrorCodes("createDoctor"), []string{
		"input.name TOO_LONG", "input.email REQUIRED", "input.phone REQUIRED", "input.specialization REQUIRED", "input.licenseNumber TOO_LONG",
		"input.experienceYears INVALID", "input.address INVALID", "input.consultationFee INVALID", "input.availability TOO_LONG",
	})
	rahul.Entry("Dr. One")
	again := graphtest.DoctorInput("Dr. One")
	equalJSON(t, "the license", s.Account("Asha", model.RolePatient).Do(createDoctor, map[string]any{"input": again}).UserErrorCodes("createDoctor"),
		[]string{"input.licenseNumber TAKEN"})
}

func TestIsMe_LinksTheEntryToADoctorsAccountOnce(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	rahul, priya := s.Account("Rahul", model.RolePatient), s.Account("Priya", model.RoleDoctor)
	input := graphtest.DoctorInput("Dr. Priya Patel")
	input["isMe"] = true
	equalJSON(t, "no doctor", rahul.Do(createDoctor, map[string]any{"input": input}).UserErrorCodes("createDoctor"), []string{"input.isMe FORBIDDEN"})
	equalJSON(t, "before", priya.Do(`{ me { doctorProfile { id } } }`, nil).Body, `{"data":{"me":{"doctorProfile":null}}}`)
	made := priya.Must(createDoctor, map[string]any{"input": input}).At("createDoctor", "doctor")
	equalJSON(t, "the entry", made.Value, map[string]any{"id": "doc_1", "isVerified": false, "account": map[string]any{"username": "Priya"}})
	equalJSON(t, "after", priya.Do(`{ me { doctorProfile { id account { doctorProfile { id } } } } }`, nil).Body,
		`{"data":{"me":{"doctorProfile":{"id":"doc_1","account":{"doctorProfile":{"id":"doc_1"}}}}}}`)
	second := graphtest.DoctorInput("Dr. Priya Again")
	second["isMe"] = true
	equalJSON(t, "twice", priya.Do(createDoctor, map[string]any{"input": second}).UserErrorCodes("createDoctor"), []string{"input.isMe TAKEN"})
	priya.Must(`mutation { deleteDoctor(id: 1) { userErrors { code } } }`, nil)
	equalJSON(t, "a deleted entry", priya.Do(`{ me { doctorProfile { id } } }`, nil).Body, `{"data":{"me":{"doctorProfile":null}}}`)
	priya.Must(createDoctor, map[string]any{"input": second})
	equalJSON(t, "restore", priya.Do(`mutation { restoreDoctor(id: 1) { userErrors { field code } } }`, nil).UserErrorCodes("restoreDoctor"), []string{"TAKEN"})
}

func TestVerifyDoctor_IsForAdministratorsAndOpensThePatients(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	verify := func(client *graphtest.Client, entry, input string) graphtest.Answer {
		version := c.Row("SELECT coalesce(max(version), 1)::text FROM doctors WHERE id = $1", num(entry))
		return client.Do(fmt.Sprintf(`mutation { verifyDoctor(id: %q, input: {%s}, expectedVersion: %s) { doctor { isVerified account { username } } userErrors { field code } } }`, entry, input, version), nil)
	}
	sees := func() any {
		return c.Neha.Do(`{ patients { totalCount } }`, nil).Data["patients"].(map[string]any)["totalCount"]
	}
	for _, client := range []*graphtest.Client{c.Neha, c.Rahul, c.Asha} {
		equalJSON(t, "not an administrator", verify(client, c.NehasEntry, "isVerified: true").Codes(), []string{"verifyDoctor FORBIDDEN"})
	}
	equalJSON(t, "unverified", sees(), 0)
	equalJSON(t, "verified", verify(c.Admin, c.NehasEntry, "isVerified: true").Body,
		`{"data":{"verifyDoctor":{"doctor":{"isVerified":true,"account":{"username":"Neha"}},"userErrors":[]}}}`)
	equalJSON(t, "verified", sees(), 1)
	c.Neha.Must(fmt.Sprintf(`mutation { updateDoctor(id: %q, input: {licenseNumber: "NEW-1"}) { userErrors { code } } }`, c.NehasEntry), nil)
	equalJSON(t, "with another license", sees(), 0)

	equalJSON(t, "no entry", verify(c.Admin, "doc_999999", "isVerified: true").UserErrorCodes("verifyDoctor"), []string{"id NOT_FOUND"})
	equalJSON(t, "no account", verify(c.Admin, c.RahulsEntry, `isVerified: true, accountId: "usr_999999"`).UserErrorCodes("verifyDoctor"), []string{"input.accountId NOT_FOUND"})
	equalJSON(t, "no doctor", verify(c.Admin, c.RahulsEntry, `isVerified: true, accountId: "`+c.Asha.ID()+`"`).UserErrorCodes("verifyDoctor"), []string{"input.accountId INVALID"})
	equalJSON(t, "taken", verify(c.Admin, c.RahulsEntry, `isVerified: true, accountId: "`+c.Priya.ID()+`"`).UserErrorCodes("verifyDoctor"), []string{"input.accountId TAKEN"})
	equalJSON(t, "refused", c.Row("SELECT is_verified::text FROM doctors WHERE id = $1", num(c.RahulsEntry)), "false")
	equalJSON(t, "unlinked", verify(c.Admin, c.NehasEntry, "isVerified: true, accountId: null").Body,
		`{"data":{"verifyDoctor":{"doctor":{"isVerified":true,"account":null},"userErrors":[]}}}`)
	equalJSON(t, "unlinked", sees(), 0)
	c.Rahul.Must(fmt.Sprintf(`mutation { deleteDoctor(id: %q) { userErrors { code } } }`, c.RahulsEntry), nil)
	equalJSON(t, "deleted", verify(c.Admin, c.RahulsEntry, "isVerified: true").UserErrorCodes("verifyDoctor"), []string{"id DELETED"})
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
	equalJSON(t, "how many", out.Len("specializations"), 3)
	equalJSON(t, "order", []string{out.Text("specializations", 0, "name"), out.Text("specializations", 2, "name")}, []string{"Ärztin", "Neurology"})
	equalJSON(t, "count", out.At("specializations", 1, "doctorCount").Value, 2)
	name := out.Text("specializations", 1, "name")
	found := rahul.Must(`query ($name: String) { doctors(filter: {specialization: $name}) { totalCount } }`, map[string]any{"name": name})
	equalJSON(t, "in the filter", found.At("doctors", "totalCount").Value, 2)
}

func TestMappings_AreEndedForGoodAndMadeAnew(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	assign := fmt.Sprintf(`mutation { assignDoctor(input: {patientId: %q, doctorId: %q}) { mapping { id } userErrors { field code } } }`, c.Patient, c.PriyasEntry)
	equalJSON(t, "twice", c.Rahul.Do(assign, nil).UserErrorCodes("assignDoctor"), []string{"input.doctorId ALREADY_ASSIGNED"})
	equalJSON(t, "by the doctor", c.Priya.Do(assign, nil).UserErrorCodes("assignDoctor"), []string{"input.patientId FORBIDDEN"})
	equalJSON(t, "by the administrator", c.Admin.Do(assign, nil).UserErrorCodes("assignDoctor"), []string{"input.patientId FORBIDDEN"})
	both := c.Rahul.Do(`mutation { assignDoctor(input: {patientId: 77, doctorId: 77}) { userErrors { field code } } }`, nil)
	equalJSON(t, "neither", both.UserErrorCodes("assignDoctor"), []string{"input.patientId NOT_FOUND", "input.doctorId NOT_FOUND"})
	c.Rahul.Remove(c.PriyasMapping)
	equalJSON(t, "the doctor", c.Priya.Do(`{ patients { totalCount } mappings(filter: {isActive: null}) { totalCount } }`, nil).Body,
		`{"data":{"patients":{"totalCount":0},"mappings":{"totalCount":0}}}`)
	for _, root := range []string{`removeMapping(id: %q)`, `updateMapping(id: %q, input: {notes: "x"})`} {
		answer := c.Rahul.Do(fmt.Sprintf(`mutation { it: `+root+` { userErrors { field code } } }`, c.PriyasMapping), nil)
		equalJSON(t, root, answer.UserErrorCodes("it"), []string{"id DELETED"})
	}
	again := c.Rahul.Must(assign, nil).Text("assignDoctor", "mapping", "id")
	if again == c.PriyasMapping {
		t.Error("the ended mapping came back to life")
	}
	equalJSON(t, "the doctor again", c.Priya.Do(`{ patients { totalCount } mapping(id: "`+c.PriyasMapping+`") { isActive } }`, nil).Body,
		`{"data":{"patients":{"totalCount":1},"mapping":{"isActive":false}}}`)
}
