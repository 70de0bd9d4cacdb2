package graph_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/model"
)

// confirm says that the accounts receive mail.
func confirm(c *graphtest.Clinic, clients ...*graphtest.Client) {
	for _, client := range clients {
		c.Exec("UPDATE users SET is_confirmed = true WHERE id = $1", client.UserID)
	}
}

// join gives an account a place in the owner's team and returns the id of the grant.
func join(owner, member *graphtest.Client, username, level string) string {
	id := owner.Must(fmt.Sprintf(`mutation { addTeamMember(input: {username: %q, level: %s}) { grant { id } userErrors { code } } }`, username, level), nil).
		At("addTeamMember", "grant", "id").Value.(string)
	member.Must(`mutation ($id: ID!) { acceptGrant(id: $id) { grant { acceptedAt } userErrors { code } } }`, map[string]any{"id": id})
	return id
}

const seePatients = `{ patients { totalCount nodes { name viewer { relations } } } }`

func TestTeam_FromOfferToEnd(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	confirm(c, c.Asha)
	nothing := `{"data":{"patients":{"totalCount":0,"nodes":[]}}}`
	equalJSON(t, "before", c.Asha.Do(seePatients, nil).Body, nothing)
	offer := c.Rahul.Must(`mutation { addTeamMember(input: {username: "asha", level: DESK}) { grant { id kind level acceptedAt account { username } } userErrors { code } } }`, nil)
	id := offer.At("addTeamMember", "grant", "id").Value.(string)
	equalJSON(t, "the offer", offer.At("addTeamMember", "grant").Value,
		map[string]any{"id": id, "kind": "TEAM", "level": "DESK", "acceptedAt": nil, "account": map[string]any{"username": "Asha"}})
	equalJSON(t, "offered", c.Asha.Do(seePatients, nil).Body, nothing)
	equalJSON(t, "twice", c.Rahul.Do(`mutation { addTeamMember(input: {username: "Asha", level: SEE}) { userErrors { field code } } }`, nil).UserErrorCodes("addTeamMember"),
		[]string{"input.username TAKEN"})
	equalJSON(t, "what waits", c.Asha.Must(`{ me { notices { nodes { kind by { username } } } grantsReceived(filter: {inForce: false}) { nodes { id grantedBy { username } } } } }`, nil).At("me").Value,
		map[string]any{
			"notices":        map[string]any{"nodes": []any{map[string]any{"kind": "GRANT_OFFERED", "by": map[string]any{"username": "Rahul"}}}},
			"grantsReceived": map[string]any{"nodes": []any{map[string]any{"id": id, "grantedBy": map[string]any{"username": "Rahul"}}}},
		})
	equalJSON(t, "accepted by the owner", c.Rahul.Do(`mutation { acceptGrant(id: "`+id+`") { userErrors { field code } } }`, nil).UserErrorCodes("acceptGrant"), []string{"id FORBIDDEN"})
	c.Asha.Must(`mutation { acceptGrant(id: "`+id+`") { userErrors { code } } }`, nil)
	equalJSON(t, "in force", c.Asha.Must(seePatients, nil).At("patients", "nodes").Value,
		[]any{map[string]any{"name": graphtest.PatientName, "viewer": map[string]any{"relations": []any{"ANYONE", "SIGNED_IN", "TEAM", "TEAM_DESK"}}}})

	created := c.Asha.Must(fmt.Sprintf(`mutation { createPatient(input: {name: "Banu Iyer", dateOfBirth: "1980-01-02", gender: FEMALE, phone: "9876543210",
		address: "MG Road", emergencyContact: "9876543211", ownerId: %q}) { patient { id createdBy { username } } userErrors { code } } }`, c.Rahul.ID()), nil)
	equalJSON(t, "the owner", created.At("createPatient", "patient", "createdBy", "username").Value, "Rahul")
	patient := created.At("createPatient", "patient", "id").Value.(string)
	c.Asha.Assign(patient, c.PriyasEntry, "")
	equalJSON(t, "of Rahul", c.Rahul.Must(`{ patients(search: "banu") { totalCount } }`, nil).At("patients", "totalCount").Value, 1)

	c.Rahul.Must(`mutation { endGrant(id: "`+id+`", reason: "left the clinic") { grant { endedAt } userErrors { code } } }`, nil)
	equalJSON(t, "ended", c.Asha.Do(seePatients, nil).Body, nothing)
	equalJSON(t, "create", c.Asha.Do(fmt.Sprintf(`mutation { createPatient(input: {name: "x", dateOfBirth: "1980-01-02", gender: FEMALE, phone: "9876543210",
		address: "x", emergencyContact: "9876543211", ownerId: %q}) { userErrors { field code } } }`, c.Rahul.ID()), nil).UserErrorCodes("createPatient"), []string{"input.ownerId NOT_FOUND"})
	for _, who := range []*graphtest.Client{c.Rahul, c.Asha} {
		kinds := everything("kind", who.Must(`{ me { securityEvents(first: 3) { nodes { kind subject } } } }`, nil).Value)
		equalJSON(t, "events", kinds, []string{"GRANT_ENDED", "GRANT_ACCEPTED", "GRANT_OFFERED"})
	}
}

func TestTeam_EndsByItself(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	confirm(c, c.Asha)
	id := join(c.Rahul, c.Asha, "Asha", "FULL")
	equalJSON(t, "in force", c.Asha.Must(seePatients, nil).At("patients", "totalCount").Value, 1)
	c.Exec("UPDATE grants SET expires_at = now() WHERE id = $1", num(id))
	equalJSON(t, "expired", c.Asha.Must(seePatients, nil).At("patients", "totalCount").Value, 0)
	equalJSON(t, "accepted again", c.Asha.Do(`mutation { acceptGrant(id: "`+id+`") { userErrors { field code } } }`, nil).UserErrorCodes("acceptGrant"), []string{"id INVALID_CODE"})
	if second := join(c.Rahul, c.Asha, "Asha", "SEE"); second == id {
		t.Error("the expired grant was used again")
	}
}

func TestTeam_Refusals(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	confirm(c, c.Asha)
	for input, want := range map[string]string{
		`username: "Nobody", level: SEE`:           "input.username NOT_FOUND",
		`username: "Dev", level: SEE`:              "input.username NOT_CONFIRMED",
		`username: "rahul", level: SEE`:            "input.username INVALID",
		`username: "Asha", level: SEE, days: 0`:    "input.days INVALID",
		`username: "Asha", level: SEE, days: 9999`: "input.days INVALID",
	} {
		equalJSON(t, input, c.Rahul.Do(`mutation { addTeamMember(input: {`+input+`}) { userErrors { field code } } }`, nil).UserErrorCodes("addTeamMember"), []string{want})
	}
	id := join(c.Rahul, c.Asha, "Asha", "SEE")
	for name, operation := range map[string]string{
		"acceptGrant": `mutation { acceptGrant(id: "` + id + `") { userErrors { field code } } }`,
		"endGrant":    `mutation { endGrant(id: "` + id + `") { userErrors { field code } } }`,
	} {
		equalJSON(t, name, c.Dev.Do(operation, nil).UserErrorCodes(name), []string{"id NOT_FOUND"})
	}
	equalJSON(t, "level", c.Asha.Do(fmt.Sprintf(`mutation { createPatient(input: {name: "x", dateOfBirth: "1980-01-02", gender: FEMALE, phone: "9876543210",
		address: "x", emergencyContact: "9876543211", ownerId: %q}) { userErrors { field code } } }`, c.Rahul.ID()), nil).UserErrorCodes("createPatient"), []string{"input.ownerId FORBIDDEN"})
}

// claimCode makes a code for the clinic's patient.
func claimCode(c *graphtest.Clinic) string {
	return c.Rahul.Must(`mutation ($id: ID!) { createClaimCode(patientId: $id) { code expiresAt userErrors { code } } }`, map[string]any{"id": c.Patient}).
		At("createClaimCode", "code").Value.(string)
}

func claim(client *graphtest.Client, code, name, born string) graphtest.Answer {
	return client.Do(`mutation ($code: String!, $name: String!, $born: Date!) { claimPatient(code: $code, name: $name, dateOfBirth: $born) {
		grant { kind level patient { name medicalHistory } } userErrors { field code } } }`, map[string]any{"code": code, "name": name, "born": born})
}

func TestClaim_GivesThePatientTheOwnRecord(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	code := claimCode(c)
	equalJSON(t, "not confirmed", claim(c.Asha, code, graphtest.PatientName, "1990-05-15").UserErrorCodes("claimPatient"), []string{"NOT_CONFIRMED"})
	confirm(c, c.Asha, c.Dev)
	typed := strings.ToLower(strings.ReplaceAll(code, "-", " "))
	answer := claim(c.Asha, typed, "ARJUN sharma", "1990-5-15")
	equalJSON(t, "the record", answer.Data["claimPatient"], map[string]any{"userErrors": []any{}, "grant": map[string]any{
		"kind": "SELF", "level": "CLINICAL", "patient": map[string]any{"name": graphtest.PatientName, "medicalHistory": "Allergic to penicillin"},
	}})
	equalJSON(t, "used twice", claim(c.Dev, code, graphtest.PatientName, "1990-05-15").UserErrorCodes("claimPatient"), []string{"code INVALID_CODE"})
	equalJSON(t, "the notice", c.Rahul.Must(`{ me { notices { nodes { kind by { username } patient { id } } } } }`, nil).At("me", "notices", "nodes").Value,
		[]any{map[string]any{"kind": "RECORD_CLAIMED", "by": map[string]any{"username": "Asha"}, "patient": map[string]any{"id": c.Patient}}})
	desk := c.Member("Dina", model.LevelDesk)
	equalJSON(t, "who has access", everything("username", c.Asha.Must(`query ($id: ID!) { patient(id: $id) { grants { totalCount nodes { kind account { username } } } } }`,
		map[string]any{"id": c.Patient}).Value), []string{"Asha"}) // the names of the team are the owner's matter
	equalJSON(t, "how many", c.Asha.Must(`query ($id: ID!) { patient(id: $id) { grants { totalCount } } }`, map[string]any{"id": c.Patient}).At("patient", "grants", "totalCount").Value, 2)
	equalJSON(t, "for the desk", desk.Do(`query ($id: ID!) { patient(id: $id) { grants { totalCount } } }`, map[string]any{"id": c.Patient}).Codes(), []string{"patient.grants FORBIDDEN_FIELD"})

	grant := "grt_" + c.Row("SELECT id::text FROM grants WHERE account_id = $1", c.Asha.UserID)
	equalJSON(t, "without a reason", c.Rahul.Do(`mutation { endGrant(id: "`+grant+`") { userErrors { field code } } }`, nil).UserErrorCodes("endGrant"), []string{"reason REQUIRED"})
	c.Rahul.Must(`mutation { endGrant(id: "`+grant+`", reason: "the wrong person") { userErrors { code } } }`, nil)
	equalJSON(t, "ended", c.Asha.Do(seePatients, nil).Body, `{"data":{"patients":{"totalCount":0,"nodes":[]}}}`)
}

// TestClaim_OneAnswerForEverythingWrong counts the tries of a code.
func TestClaim_OneAnswerForEverythingWrong(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	confirm(c, c.Asha, c.Dev, c.Rahul)
	former := claimCode(c)
	code := claimCode(c)
	wrong := claim(c.Dev, "00000-00000", graphtest.PatientName, "1990-05-15").Body
	for what, try := range map[string][3]string{
		"an older code": {former, graphtest.PatientName, "1990-05-15"},
		"another name":  {code, "Arjun Verma", "1990-05-15"},
		"another date":  {code, graphtest.PatientName, "1990-05-16"},
	} {
		equalJSON(t, what, claim(c.Dev, try[0], try[1], try[2]).Body, wrong)
	}
	equalJSON(t, "the owner", claim(c.Rahul, code, graphtest.PatientName, "1990-05-15").Body, wrong)
	for range 3 {
		equalJSON(t, "another name", claim(c.Asha, code, "Arjun Verma", "1990-05-15").Body, wrong)
	}
	equalJSON(t, "the sixth try", claim(c.Asha, code, graphtest.PatientName, "1990-05-15").Body, wrong)
	for range 8 {
		claim(c.Dev, "00000-00000", "x", "1990-05-15")
	}
	equalJSON(t, "too many", claim(c.Dev, "00000-00000", "x", "1990-05-15").UserErrorCodes("claimPatient"), []string{"TOO_MANY_ATTEMPTS"})
}
