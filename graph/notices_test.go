package graph_test

import (
	"testing"

	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/model"
)

func TestReadNotices_MarksThoseUpToOne(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	asha, rahul := s.Account("Asha", model.RolePatient), s.Account("Rahul", model.RolePatient)
	for id := 1; id <= 4; id++ {
		account := asha
		if id == 3 {
			account = rahul
		}
		s.Exec(`INSERT INTO notices (id, kind, account_id) VALUES ($1, 'NEW_DEVICE', $2)`, id, account.UserID)
	}
	const read = `mutation ($id: ID!) { readNotices(upTo: $id) { user { unread: notices(unread: true) { nodes { id } } read: notices(unread: false) { nodes { id } } } userErrors { field code } } }`
	equalJSON(t, "of another", asha.Do(read, map[string]any{"id": "ntc_3"}).UserErrorCodes("readNotices"), []string{"upTo NOT_FOUND"})
	got := asha.Must(read, map[string]any{"id": "ntc_2"}).At("readNotices", "user").Value
	equalJSON(t, "up to the second", got, map[string]any{
		"unread": map[string]any{"nodes": []any{map[string]any{"id": "ntc_4"}}},
		"read":   map[string]any{"nodes": []any{map[string]any{"id": "ntc_2"}, map[string]any{"id": "ntc_1"}}},
	})
	equalJSON(t, "of Rahul", rahul.Must(`{ me { notices(unread: true) { totalCount } } }`, nil).At("me", "notices", "totalCount").Value, 1)
}

func TestSecurityEvents_OfAnAccount(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	asha, admin, rahul := s.Account("Asha", model.RolePatient), s.Account("Admin", model.RoleAdmin), s.Account("Rahul", model.RolePatient)
	asha.Must(`mutation { login(input: {email: "`+asha.Email+`", password: "`+graphtest.Password+`"}) { userErrors { code } } }`, nil)
	asha.Must(`mutation { changePassword(input: {currentPassword: "`+graphtest.Password+`", newPassword: "Another@4567"}) { userErrors { code } } }`, nil)
	const events = `query ($id: ID!) { node(id: $id) { ... on User { securityEvents { nodes { kind address client by { username } } } } } }`
	event := func(kind string, by any) map[string]any {
		return map[string]any{"kind": kind, "address": "192.0.2.1", "client": nil, "by": by}
	}
	self := map[string]any{"username": "Asha"}
	want := []any{event("PASSWORD_CHANGED", self), event("SIGN_IN", self), event("ACCOUNT_CREATED", self)}
	equalJSON(t, "for the administrator", admin.Must(events, map[string]any{"id": asha.ID()}).At("node", "securityEvents", "nodes").Value, want)
	equalJSON(t, "for another", rahul.Do(events, map[string]any{"id": asha.ID()}).Body, `{"data":{"node":null}}`)
}
