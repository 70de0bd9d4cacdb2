package graph_test

import (
	"testing"

	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/model"
)

// TestTaken_ShowsTheRecordThatHasTheValue to those who see it, also by the reference
// engine, which reads the records next to it.
func TestTaken_ShowsTheRecordThatHasTheValue(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	rahul, asha := s.Account("Rahul", model.RolePatient), s.Account("Asha", model.RolePatient)
	arjun, entry := rahul.Patient("Arjun Sharma"), rahul.Entry("Dr. Rao")
	for _, selection := range []string{"id name", "id name createdBy { username }"} {
		answer := rahul.Do(`mutation ($input: CreatePatientInput!) { createPatient(input: $input) {
			patient { id } existing { `+selection+` } userErrors { code } } }`, map[string]any{"input": graphtest.PatientInput("Arjun Sharma")})
		payload := answer.Data["createPatient"].(map[string]any)
		equalJSON(t, "the patient", []any{payload["patient"], payload["existing"].(map[string]any)["id"]}, []any{nil, arjun})
		answer = asha.Do(`mutation ($input: CreateDoctorInput!) { createDoctor(input: $input) {
			doctor { id } existing { id name } userErrors { code } } }`, map[string]any{"input": graphtest.DoctorInput("Dr. Rao")})
		payload = answer.Data["createDoctor"].(map[string]any)
		equalJSON(t, "the entry", []any{payload["doctor"], payload["existing"].(map[string]any)["id"]}, []any{nil, entry})
	}
	made := asha.Do(`mutation ($input: CreatePatientInput!) { createPatient(input: $input) { existing { id } userErrors { code } } }`,
		map[string]any{"input": graphtest.PatientInput("Arjun Sharma")})
	equalJSON(t, "another owner", made.Body, `{"data":{"createPatient":{"existing":null,"userErrors":[]}}}`)
}

// TestRefused_ShowsTheRecord with ALREADY_ASSIGNED and DELETED.
func TestRefused_ShowsTheRecord(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	again := c.Rahul.Do(`mutation ($p: ID!, $d: ID!) { assignDoctor(input: {patientId: $p, doctorId: $d}) { mapping { id isActive } userErrors { code } } }`,
		map[string]any{"p": c.Patient, "d": c.PriyasEntry})
	equalJSON(t, "assigned already", again.Body, `{"data":{"assignDoctor":{"mapping":{"id":"`+c.PriyasMapping+`","isActive":true},"userErrors":[{"code":"ALREADY_ASSIGNED"}]}}}`)
	gone := c.Rahul.Patient("Gone Person")
	c.Rahul.Delete(gone)
	const update = `mutation ($id: ID!) { updatePatient(id: $id, input: {name: "X"}) { patient { name } existing { id } userErrors { code } } }`
	equalJSON(t, "the owner", c.Rahul.Do(update, map[string]any{"id": gone}).Body,
		`{"data":{"updatePatient":{"patient":{"name":"Gone Person"},"existing":null,"userErrors":[{"code":"DELETED"}]}}}`)
	equalJSON(t, "the administrator", c.Admin.Do(update, map[string]any{"id": gone}).Body,
		`{"data":{"updatePatient":{"patient":null,"existing":null,"userErrors":[{"code":"NOT_FOUND"}]}}}`)
}
