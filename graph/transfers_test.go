package graph_test

import (
	"fmt"
	"testing"

	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/model"
)

const (
	offerTransfer = `mutation ($from: ID!, $to: ID!, $patients: [ID!]) { transferPatients(input: {fromId: $from, toId: $to, patientIds: $patients, reason: "moves to Pune"}) {
		transfer { id sender patientCount reason needsApproval from { username } to { username } offeredBy { username } acceptedAt } userErrors { field code } } }`
	acceptTransfer = `mutation ($id: ID!) { acceptTransfer(id: $id) { transfer { patientCount approvedBy { username } } userErrors { field code } } }`
)

// transferred offers all patients of an account.
func transferred(by, from, to *graphtest.Client) graphtest.Result {
	return by.Must(offerTransfer, map[string]any{"from": from.ID(), "to": to.ID()}).At("transferPatients", "transfer")
}

func accept(by *graphtest.Client, id string) []string {
	return by.Do(acceptTransfer, map[string]any{"id": id}).UserErrorCodes("acceptTransfer")
}

func TestTransferPatients_FromTheOwner(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	c.Exec("UPDATE users SET is_confirmed = true WHERE id = $1", c.Asha.UserID)
	offered := transferred(c.Rahul, c.Rahul, c.Asha)
	id := offered.Text("id")
	equalJSON(t, "the offer", offered.Value, map[string]any{
		"id": id, "sender": "Rahul", "patientCount": 1, "reason": "moves to Pune", "needsApproval": false,
		"from": map[string]any{"username": "Rahul"}, "to": nil, "offeredBy": map[string]any{"username": "Rahul"}, "acceptedAt": nil,
	})
	const waiting = `{ me { transfers { nodes { id sender patientCount reason from { id } } } notices { nodes { kind } } offeredTransfers { totalCount } } }`
	equalJSON(t, "what waits for the receiver", c.Asha.Must(waiting, nil).At("me").Value, map[string]any{
		"transfers":        map[string]any{"nodes": []any{map[string]any{"id": id, "sender": "Rahul", "patientCount": 1, "reason": "moves to Pune", "from": nil}}},
		"notices":          map[string]any{"nodes": []any{map[string]any{"kind": "TRANSFER_OFFERED"}}},
		"offeredTransfers": map[string]any{"totalCount": 0},
	})
	equalJSON(t, "another account", accept(c.Dev, id), []string{"id NOT_FOUND"})
	equalJSON(t, "its node for another account", c.Dev.Do(`query ($id: ID!) { node(id: $id) { id } }`, map[string]any{"id": id}).Body, `{"data":{"node":null}}`)
	equalJSON(t, "the receiver", accept(c.Asha, id), []string{})
	equalJSON(t, "the former owner", c.Rahul.Do(`query ($id: ID!) { patient(id: $id) { id } }`, map[string]any{"id": c.Patient}).Body, `{"data":{"patient":null}}`)
	got := c.Asha.Must(`query ($id: ID!) { patient(id: $id) { name createdBy { username } doctors { nodes { name } } mappings { nodes { createdBy { username } } } } }`,
		map[string]any{"id": c.Patient}).At("patient")
	equalJSON(t, "the new owner", []any{got.Text("name"), got.Text("createdBy", "username"), got.Len("doctors", "nodes"), got.At("mappings", "nodes", 0, "createdBy").Value},
		[]any{graphtest.PatientName, "Asha", 2, nil})
	equalJSON(t, "the doctor", c.Priya.Must(`query ($id: ID!) { patient(id: $id) { medicalHistory createdBy { username } } }`,
		map[string]any{"id": c.Patient}).At("patient").Value, map[string]any{"medicalHistory": "Allergic to penicillin", "createdBy": map[string]any{"username": "Asha"}})
}

func TestTransferPatients_OfADisabledOwner(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	asha, ravi := s.Account("Asha", model.RolePatient), s.Account("Ravi", model.RolePatient)
	admin, deputy := s.Account("Admin", model.RoleAdmin), s.Account("Deputy", model.RoleAdmin)
	patient := asha.Patient("Arjun")
	args := map[string]any{"from": asha.ID(), "to": ravi.ID(), "patients": []any{patient}}
	equalJSON(t, "not confirmed", asha.Do(offerTransfer, args).UserErrorCodes("transferPatients"), []string{"input.toId NOT_CONFIRMED"})
	s.Exec("UPDATE users SET is_confirmed = true")
	equalJSON(t, "of an active owner", admin.Do(offerTransfer, args).UserErrorCodes("transferPatients"), []string{"input.fromId FORBIDDEN"})
	admin.Must(disable, map[string]any{"id": asha.ID(), "reason": "left"})
	id := transferred(admin, asha, ravi).Text("id")
	equalJSON(t, "the receiver alone", accept(ravi, id), []string{"id FORBIDDEN"})
	equalJSON(t, "the same administrator", accept(admin, id), []string{"id FORBIDDEN"})
	equalJSON(t, "what waits", deputy.Must(`query ($id: ID!) { node(id: $id) { ... on User { offeredTransfers { nodes { id approvedAt } } } } }`,
		map[string]any{"id": asha.ID()}).At("node", "offeredTransfers", "nodes").Value, []any{map[string]any{"id": id, "approvedAt": nil}})
	equalJSON(t, "the second administrator", accept(deputy, id), []string{})
	equalJSON(t, "the receiver", accept(ravi, id), []string{})
	equalJSON(t, "the owner", s.Row("SELECT created_by::text FROM patients"), fmt.Sprint(ravi.UserID))
}

func TestAcceptTransfer_NamesThePatient(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	asha, ravi := s.Account("Asha", model.RolePatient), s.Account("Ravi", model.RolePatient)
	s.Exec("UPDATE users SET is_confirmed = true")
	patient := asha.Patient("Arjun Rao")
	ravi.Patient("Arjun Rao")
	id := transferred(asha, asha, ravi).Text("id")
	got := ravi.Do(acceptTransfer, map[string]any{"id": id}).UserErrors("acceptTransfer")
	equalJSON(t, "the error", got, []graphtest.UserError{{Field: []string{"id", patient}, Code: "TAKEN"}})
}
