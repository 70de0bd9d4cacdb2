package graph_test

import (
	"fmt"
	"testing"

	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/model"
)

const disable = `mutation ($id: ID!, $reason: String!) { disableAccount(id: $id, reason: $reason) { user { isActive } userErrors { field code } } }`

func TestAccounts_ForAdministrators(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	asha, priya, admin := s.Account("Asha", model.RolePatient), s.Account("Priya", model.RoleDoctor), s.Account("Admin", model.RoleAdmin)
	const list = `{ accounts(search: "clinic.example", filter: {isActive: true}, first: 2) { totalCount nodes { username email isConfirmed } pageInfo { hasNextPage } } }`
	want := `{"data":{"accounts":{"totalCount":3,"nodes":[{"username":"Admin","email":"admin@clinic.example","isConfirmed":false},` +
		`{"username":"Asha","email":"asha@clinic.example","isConfirmed":false}],"pageInfo":{"hasNextPage":true}}}}`
	for i, server := range []*graphtest.Server{s, s.With(referenceOnly)} {
		equalJSON(t, "the list", admin.At(server).Do(list, nil).Body, want)
		events := s.Row(`SELECT count(*)::text || ' ' || count(*) FILTER (WHERE security_events::text LIKE '%clinic.example%')::text
			FROM security_events WHERE kind = 'ACCOUNTS_LISTED' AND account_id = $1 AND by_id = $1`, admin.UserID)
		equalJSON(t, "events, and those with the text of the search", events, fmt.Sprintf("%d 0", i+1))
	}
	for _, other := range []*graphtest.Client{asha, priya} {
		equalJSON(t, "for another", other.Do(list, nil).Codes(), []string{"accounts FORBIDDEN"})
	}
	equalJSON(t, "events of others", s.Row(`SELECT count(*)::text FROM security_events WHERE kind = 'ACCOUNTS_LISTED' AND account_id <> $1`, admin.UserID), "0")
}

func TestDisableAccount_EndsItsSessions(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	asha, admin := s.Account("Asha", model.RolePatient), s.Account("Admin", model.RoleAdmin)
	args := map[string]any{"id": asha.ID(), "reason": "has left"}
	equalJSON(t, "the answer", admin.Do(disable, args).Body, `{"data":{"disableAccount":{"user":{"isActive":false},"userErrors":[]}}}`)
	equalJSON(t, "the next request", asha.Do(`{ me { id } }`, nil).Codes(), []string{"me UNAUTHENTICATED"})
	const login = `mutation ($email: EmailAddress!, $password: String!) { login(input: {email: $email, password: $password}) { userErrors { code } } }`
	credentials := map[string]any{"email": asha.Email, "password": graphtest.Password}
	equalJSON(t, "a sign-in", s.Nobody().Do(login, credentials).UserErrorCodes("login"), []string{"INVALID_CREDENTIALS"})
	admin.Must(`mutation ($id: ID!) { enableAccount(id: $id) { user { isActive } userErrors { code } } }`, map[string]any{"id": asha.ID()})
	equalJSON(t, "a sign-in", s.Nobody().Do(login, credentials).UserErrorCodes("login"), []string{})
	equalJSON(t, "the old session", asha.Do(`{ me { id } }`, nil).Codes(), []string{"me UNAUTHENTICATED"})
	equalJSON(t, "the last administrator", admin.Do(disable, map[string]any{"id": admin.ID(), "reason": "x"}).UserErrorCodes("disableAccount"), []string{"id IN_USE"})
	equalJSON(t, "without a reason", admin.Do(disable, map[string]any{"id": asha.ID(), "reason": " "}).UserErrorCodes("disableAccount"), []string{"reason REQUIRED"})
}

// TestDisableAccount_OfTheCaller: the next mutation of the same operation is refused.
func TestDisableAccount_OfTheCaller(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	admin, deputy := s.Account("Admin", model.RoleAdmin), s.Account("Deputy", model.RoleAdmin)
	got := admin.Do(`mutation ($me: ID!, $other: ID!) { disableAccount(id: $me, reason: "x") { userErrors { code } }
		setRole(id: $other, role: DOCTOR) { userErrors { code } } }`, map[string]any{"me": admin.ID(), "other": deputy.ID()})
	equalJSON(t, "codes", got.Codes(), []string{"setRole UNAUTHENTICATED"})
}

func TestSetRole(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	asha, admin := s.Account("Asha", model.RolePatient), s.Account("Admin", model.RoleAdmin)
	set := func(id string, role model.Role) []string {
		return admin.Do(`mutation ($id: ID!, $role: Role!) { setRole(id: $id, role: $role) { user { role } userErrors { field code } } }`,
			map[string]any{"id": id, "role": role}).UserErrorCodes("setRole")
	}
	equalJSON(t, "to DOCTOR", set(asha.ID(), model.RoleDoctor), []string{})
	equalJSON(t, "the role", asha.Must(`{ me { role } }`, nil).At("me", "role").Value, "DOCTOR")
	asha.OwnEntry("Dr. Asha")
	equalJSON(t, "linked", set(asha.ID(), model.RolePatient), []string{"id IN_USE"})
	equalJSON(t, "to ADMIN", set(asha.ID(), model.RoleAdmin), []string{"role INVALID"})
	equalJSON(t, "from ADMIN", set(admin.ID(), model.RolePatient), []string{"id INVALID"})
	equalJSON(t, "of no account", set("usr_999", model.RolePatient), []string{"id NOT_FOUND"})
}

func TestEraseMe(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	asha, admin := s.Account("Asha", model.RolePatient), s.Account("Admin", model.RoleAdmin)
	erase := func(c *graphtest.Client, password string) []string {
		return c.Do(`mutation ($password: String!) { eraseMe(password: $password) { userErrors { field code } } }`,
			map[string]any{"password": password}).UserErrorCodes("eraseMe")
	}
	equalJSON(t, "a wrong password", erase(asha, "Wrong@123"), []string{"password INVALID_CREDENTIALS"})
	equalJSON(t, "the last administrator", erase(admin, graphtest.Password), []string{"IN_USE"})
	patient := asha.Patient("Arjun")
	equalJSON(t, "with a patient", erase(asha, graphtest.Password), []string{"IN_USE"})
	s.Exec("DELETE FROM patients WHERE id = $1", num(patient))
	equalJSON(t, "without patients", erase(asha, graphtest.Password), []string{})
	equalJSON(t, "the next request", asha.Do(`{ me { id } }`, nil).Codes(), []string{"me UNAUTHENTICATED"})
	got := admin.Must(`query ($id: ID!) { node(id: $id) { ... on User { username email phone isActive } } }`, map[string]any{"id": asha.ID()})
	name := fmt.Sprintf("erased-%d", asha.UserID)
	equalJSON(t, "what is left", got.At("node").Value, map[string]any{"username": name, "email": name + "@invalid", "phone": nil, "isActive": false})
	equalJSON(t, "the old address", s.Account("Asha", model.RolePatient).Email, asha.Email)
}
