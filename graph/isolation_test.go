package graph_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/graph"
	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/model"
)

// caller is a client with its relations to the records of the test, by the descriptions of
// the schema and not by the code.
type caller struct {
	name      string
	client    *graphtest.Client
	relations map[string]model.Relations
}

const signedIn = model.Anyone | model.SignedIn

// callers returns clients of all relations to the clinic's patient, to Priya's active
// mapping of it, to Rahul's entry, which is new or linked to Lara's account, and to
// Priya's account, which nothing names that the others see.
func callers(c *graphtest.Clinic, lara *graphtest.Client, team team, linked bool) []caller {
	creator, account := model.Owner, model.Relations(0)
	if linked {
		creator, account = 0, model.Self
	}
	relations := func(patient, entry, account model.Relations) map[string]model.Relations {
		return map[string]model.Relations{
			"Patient": signedIn | patient, "Mapping": signedIn | patient,
			"Doctor": signedIn | entry, "User": signedIn | account, "SecurityEvent": signedIn | account, "Notice": signedIn | account, "Grant": signedIn, "Transfer": signedIn, "Session": signedIn | account,
		}
	}
	nowhere := relations(0, 0, 0)
	for typ := range nowhere {
		nowhere[typ] = model.Anyone
	}
	all := []caller{
		{"the owner", c.Rahul, relations(model.Owner, creator, 0)},
		{"the assigned doctor", c.Priya, relations(model.AssignedDoctor, 0, model.Self)},
		{"the linked account", lara, relations(0, account, 0)},
		{"a doctor whose mapping ended", c.Dev, relations(0, 0, 0)},
		{"an unverified doctor", c.Neha, relations(0, 0, 0)},
		{"a stranger", c.Asha, relations(0, 0, 0)},
		{"an administrator", c.Admin, relations(model.Admin, model.Admin, model.Admin)},
		{"a member who sees", team.see, relations(model.Team, 0, 0)},
		{"a clinical member", team.clinical, relations(model.Team|model.TeamClinical, 0, 0)},
		{"a member at the desk", team.desk, relations(model.Team|model.TeamDesk, 0, 0)},
		{"a member with both", team.full, relations(model.Team|model.TeamClinical|model.TeamDesk, 0, 0)},
		{"the patient", team.patient, relations(model.Self, 0, 0)},
		{"nobody", c.Nemo, nowhere},
	}
	for _, who := range all {
		switch who.client {
		case c.Rahul:
			who.relations["Grant"] |= model.Owner
			who.relations["Transfer"] |= model.Owner
		case team.desk:
			who.relations["Grant"] |= model.Self
			who.relations["Transfer"] |= model.Self
		case c.Admin:
			who.relations["Grant"] |= model.Admin
			who.relations["Transfer"] |= model.Admin
		}
	}
	return all
}

// team has members of Rahul's team, and the account of the clinic's patient. grant is that of
// the member at the desk, and transfer offers them Rahul's patients.
type team struct {
	see, clinical, desk, full, patient *graphtest.Client
	grant, transfer                    string
}

func newTeam(c *graphtest.Clinic) team {
	it := team{
		see: c.Member("Sudha", model.LevelSee), clinical: c.Member("Nila", model.LevelClinical),
		desk: c.Member("Dina", model.LevelDesk), full: c.Member("Farid", model.LevelFull), patient: c.Claimant("Arjun"),
	}
	it.grant = "grt_" + c.Row(`SELECT id::text FROM grants WHERE account_id = $1`, it.desk.UserID)
	it.transfer = "trf_" + c.Row(`INSERT INTO transfers (from_id, to_id, sender, patient_count, reason, expires_at, needs_approval)
		VALUES ($1, $2, 'Rahul', 3, 'moves to Pune', now() + interval '30 days', TRUE) RETURNING id::text`, c.Rahul.UserID, it.desk.UserID)
	return it
}

// anyValue is any value but null.
type anyValue struct{}

// fieldValues has the value of each field of the test's records. A missing field fails
// the test.
func fieldValues(c *graphtest.Clinic, team team, linked bool) map[string]map[string]any {
	version, account := 1.0, any(nil)
	if linked {
		version, account = 2.0, anyValue{}
	}
	return map[string]map[string]any{
		"Patient": {
			"id": c.Patient, "name": graphtest.PatientName, "dateOfBirth": "1990-05-15", "age": anyValue{}, "gender": "MALE",
			"email": "arjun.sharma@mail.example", "phone": "+918765432109", "address": "123 MG Road, Bangalore",
			"emergencyContact": "+919876543210", "bloodGroup": "B_POSITIVE", "medicalHistory": "Allergic to penicillin",
			"recordNumber": "OPD " + graphtest.PatientName, "abhaNumber": "91-1234-5678-9012",
			"createdBy": anyValue{}, "createdAt": anyValue{}, "updatedAt": anyValue{}, "version": 1.0, "deletedAt": nil,
			"viewer": anyValue{}, "mappings": anyValue{}, "doctors": anyValue{}, "grants": anyValue{},
		},
		"Mapping": {
			"id": c.PriyasMapping, "patient": anyValue{}, "doctor": anyValue{}, "notes": graphtest.Notes, "isActive": true,
			"assignedAt": anyValue{}, "endedAt": nil, "createdBy": anyValue{}, "createdAt": anyValue{}, "updatedAt": anyValue{},
			"version": 1.0, "viewer": anyValue{},
		},
		"Doctor": {
			"id": c.RahulsEntry, "name": "Dr. Old Friend", "email": "dr.old.friend@mail.example", "phone": "+917654321098",
			"specialization": "Cardiology", "licenseNumber": "LIC-dr.old.friend@mail.example", "experienceYears": 8.0,
			"address": "AIIMS, New Delhi", "consultationFee": "1500.50", "availability": "Mon-Fri 9AM-5PM", "isVerified": linked,
			"account": account, "createdBy": anyValue{}, "createdAt": anyValue{}, "updatedAt": anyValue{}, "version": version, "deletedAt": nil,
			"viewer": anyValue{}, "patients": anyValue{}, "mappings": anyValue{},
		},
		"User": {
			"id": c.Priya.ID(), "username": "Priya", "role": "DOCTOR", "email": c.Priya.Email, "phone": "+919000000001",
			"createdAt": anyValue{}, "isActive": true, "isConfirmed": false, "hasTotp": false, "doctorProfile": anyValue{}, "securityEvents": anyValue{},
			"notices": anyValue{}, "grantsGiven": anyValue{}, "grantsReceived": anyValue{}, "transfers": anyValue{}, "offeredTransfers": anyValue{}, "sessions": anyValue{},
		},
		"SecurityEvent": {
			"id": c.PriyasEvent, "at": anyValue{}, "kind": "ACCOUNT_CREATED", "by": anyValue{}, "subject": nil, "client": nil,
			"address": "192.0.2.1", "reason": nil, "count": 1.0,
		},
		"Session": {
			"id": c.PriyasSession, "createdAt": anyValue{}, "lastSeenAt": anyValue{}, "expiresAt": anyValue{}, "client": nil, "address": "192.0.2.1", "isCurrent": true,
		},
		"Notice": {
			"id": c.PriyasNotice, "at": anyValue{}, "kind": "RECORD_CLAIMED", "patient": anyValue{}, "by": anyValue{}, "readAt": nil,
		},
		"Transfer": {
			"id": team.transfer, "from": anyValue{}, "to": anyValue{}, "sender": "Rahul", "patientCount": 3.0, "reason": "moves to Pune", "offeredBy": nil,
			"createdAt": anyValue{}, "expiresAt": anyValue{}, "needsApproval": true, "approvedBy": nil, "approvedAt": nil, "acceptedAt": nil,
		},
		"Grant": {
			"id": team.grant, "kind": "TEAM", "level": "DESK", "patient": nil, "grantedBy": anyValue{}, "account": anyValue{},
			"createdAt": anyValue{}, "acceptedAt": anyValue{}, "expiresAt": nil, "endedAt": nil,
		},
	}
}

func TestFields_AreSeenByWhomThePolicyAdmitsAndByNobodyElse(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	lara, team := c.Account("Lara", model.RoleDoctor), newTeam(c)
	c.Priya.Must(`mutation { updateMe(input: {phone: "9000000001"}) { userErrors { code } } }`, nil)
	checkFields(t, c, callers(c, lara, team, false), fieldValues(c, team, false))
	c.Admin.Verify(c.RahulsEntry, map[string]any{"isVerified": true, "accountId": lara.ID()})
	c.Priya.Assign(c.Priya.Patient("Ravi Rao"), c.DevsEntry, "")
	all := callers(c, lara, team, true)
	for _, who := range all {
		if who.client == c.Dev {
			who.relations["User"] |= model.Related
		}
	}
	checkFields(t, c, all, fieldValues(c, team, true))
}

func checkFields(t *testing.T, c *graphtest.Clinic, callers []caller, values map[string]map[string]any) {
	t.Helper()
	schema := graph.Schema()
	for _, typ := range slices.Sorted(maps.Keys(schema.Types)) {
		def := schema.Types[typ]
		if def.Directives.ForName("access") == nil {
			continue
		}
		if slices.ContainsFunc(callers, func(who caller) bool { return who.relations[typ] == 0 }) {
			t.Errorf("%s has no relations in callers: say what relations each of them has to the record of the test", typ)
			continue
		}
		if !slices.Contains(def.Interfaces, "Node") {
			t.Errorf("%s is no Node, so this test cannot ask for it: check its fields in another test, and except it here", typ)
			continue
		}
		for _, field := range def.Fields {
			want, known := values[typ][field.Name]
			if !known {
				t.Errorf("%s.%s has no case in this test: say what it holds", typ, field.Name)
				continue
			}
			for _, who := range callers {
				checkField(t, c, who, schema, typ, values[typ]["id"].(string), field, want)
			}
		}
	}
}

func checkField(t *testing.T, c *graphtest.Clinic, who caller, schema *ast.Schema, typ, id string, field *ast.FieldDefinition, want any) {
	t.Helper()
	where := fmt.Sprintf("%s.%s for %s", typ, field.Name, who.name)
	query := fmt.Sprintf("query ($id: ID!) { node(id: $id) { ... on %s { it: %s%s } } }", typ, field.Name, below(schema, field))
	answer := who.client.Do(query, map[string]any{"id": id})
	rule, relations := c.Policy.Types[typ], who.relations[typ]
	node, _ := answer.Data["node"].(map[string]any)
	switch {
	case !relations.Any(model.SignedIn):
		equalJSON(t, where, answer.Codes(), []string{"node UNAUTHENTICATED"})
		equalJSON(t, where, answer.Data["node"], nil)
	case !relations.Any(rule.Exists):
		equalJSON(t, where, answer.Body, `{"data":{"node":null}}`)
	case !relations.Any(rule.Fields[field.Name].Read):
		equalJSON(t, where, answer.Codes(), []string{"node.it FORBIDDEN_FIELD"})
		value, there := node["it"]
		if !there || value != nil {
			t.Errorf("%s: must be null: %s", where, answer.Body)
		}
	default:
		equalJSON(t, where, answer.Codes(), []string{})
		if _, anything := want.(anyValue); anything && node["it"] == nil || !anything && node["it"] != want {
			t.Errorf("%s: is %v, want %v: %s", where, node["it"], want, answer.Body)
		}
	}
}

// below returns a selection set for a field with an object.
func below(schema *ast.Schema, field *ast.FieldDefinition) string {
	def := schema.Types[field.Type.Name()]
	switch {
	case def.Kind != ast.Object && def.Kind != ast.Interface:
		return ""
	case def.Fields.ForName("totalCount") != nil:
		return " { totalCount nodes { __typename } }"
	default:
		return " { __typename }"
	}
}
