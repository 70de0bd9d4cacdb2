package graph_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/model"
)

// eventsOf returns the security events of an account, the latest first, as "KIND by count
// subject".
func eventsOf(admin *graphtest.Client, account *graphtest.Client) (events []string) {
	nodes := admin.Must(`query ($id: ID!) { node(id: $id) { ... on User { securityEvents { nodes { kind by { username } count subject address } } } } }`,
		map[string]any{"id": account.ID()}).At("node", "securityEvents", "nodes")
	for i := range nodes.Len() {
		by := "nobody"
		if nodes.At(i, "by").Value != nil {
			by = nodes.Text(i, "by", "username")
		}
		event := fmt.Sprint(nodes.Text(i, "kind"), " by ", by, " ", nodes.At(i, "count").Value)
		if subject, ok := nodes.At(i, "subject").Value.(string); ok {
			event += " " + subject
		}
		events = append(events, event)
	}
	return events
}

func noticesOf(account *graphtest.Client) (kinds []string) {
	nodes := account.Must(`{ me { notices { nodes { kind patient { id } } } } }`, nil).At("me", "notices", "nodes")
	for i := range nodes.Len() {
		kind := nodes.Text(i, "kind")
		if nodes.At(i, "patient").Value != nil {
			kind += " " + nodes.Text(i, "patient", "id")
		}
		kinds = append(kinds, kind)
	}
	return kinds
}

const created = "ACCOUNT_CREATED by Rahul 1"

// TestSecurityEvents_OfSignIn: a failure is an event of its own until the throttle refuses;
// from then on, one event for each minute counts.
func TestSecurityEvents_OfSignIn(t *testing.T) {
	t.Parallel()
	now := newClock()
	s := graphtest.New(t, graphtest.Options{Now: now.Now})
	rahul, admin := s.Account("Rahul", model.RolePatient), s.Account("Admin", model.RoleAdmin)
	for range 15 {
		s.Nobody().Do(login, credentials(rahul.Email, "Wrong@4567"))
	}
	for range 5 {
		s.Nobody().Do(login, credentials("nobody@clinic.example", "Wrong@4567"))
	}
	failures := strings.Split(strings.Repeat("SIGN_IN_FAILED by nobody 1,", 10)+created, ",")
	equalJSON(t, "before the minute is over", eventsOf(admin, rahul), failures)
	if err := s.Store.WriteCollected(context.Background()); err != nil {
		t.Fatal(err)
	}
	// The clock of the server stands still, unlike that of the database, so this comes last.
	equalJSON(t, "after it", eventsOf(admin, rahul), append(failures, "SIGN_IN_THROTTLED by nobody 5"))
	const unknown = `SELECT json_agg(e)::text FROM (SELECT kind, account_id, by_id, subject, client, reason, count FROM security_events WHERE account_id IS NULL) AS e`
	equalJSON(t, "of an unknown address", s.Row(unknown),
		`[{"kind":"SIGN_IN_FAILED","account_id":null,"by_id":null,"subject":null,"client":null,"reason":null,"count":5}]`)
	if s.Store.WriteCollected(context.Background()) != nil || !strings.HasSuffix(s.Row(unknown), `"count":5}]`) {
		t.Error("the events are stored twice")
	}
}

func TestSecurityEvents_OfSessions(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	rahul, admin := s.Account("Rahul", model.RolePatient), s.Account("Admin", model.RoleAdmin)
	want := []string{created}
	next := func(what string, event string) {
		t.Helper()
		want = append([]string{event}, want...)
		equalJSON(t, what, eventsOf(admin, rahul), want)
	}
	phone := rahul.NewSession()
	next("a sign-in", "SIGN_IN by Rahul 1")
	phone.Must(logout, nil)
	next("a sign-out", "SIGN_OUT by Rahul 1")
	phone.Do(logout, nil)
	equalJSON(t, "a sign-out of an ended session", eventsOf(admin, rahul), want)
	second := refreshed(rahul, s.Nobody().Must(refreshToken, map[string]any{"refresh": rahul.Refresh}).At("refreshToken"))
	s.Nobody().Must(refreshToken, map[string]any{"refresh": second.Refresh})
	equalJSON(t, "a refresh", eventsOf(admin, rahul), want)
	s.Nobody().Do(refreshToken, map[string]any{"refresh": rahul.Refresh})
	next("a second use of a refresh token", "REFRESH_REUSED by nobody 1")
	s.Nobody().Do(refreshToken, map[string]any{"refresh": rahul.Refresh})
	equalJSON(t, "a third use", eventsOf(admin, rahul), want)
	phone = rahul.NewSession()
	next("a sign-in", "SIGN_IN by Rahul 1")
	phone.Must(`mutation { logoutEverywhere { userErrors { code } } }`, nil)
	next("a sign-out everywhere", "SIGN_OUT by Rahul 1")
}

// TestSecurityEvents_OfDoctorEntries: who verifies, unverifies, links and unlinks is in the
// events of the account; who did not do it gets a notice.
func TestSecurityEvents_OfDoctorEntries(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	admin, rahul := s.Account("Admin", model.RoleAdmin), s.Account("Rahul", model.RoleDoctor)
	desk, other := s.Account("Desk", model.RolePatient), s.Account("Other", model.RoleDoctor)
	want := []string{created}
	next := func(what string, events ...string) {
		t.Helper()
		want = append(events, want...)
		equalJSON(t, what, eventsOf(admin, rahul), want)
	}
	entry := rahul.OwnEntry("Dr. Rahul")
	next("an own entry", "DOCTOR_LINKED by Rahul 1 "+entry)
	admin.Verify(entry, map[string]any{"isVerified": true})
	next("verified", "DOCTOR_VERIFIED by Admin 1 "+entry)
	const rename = `mutation ($id: ID!, $name: String!) { updateDoctor(id: $id, input: {name: $name}) { doctor { isVerified } userErrors { code } } }`
	rahul.Must(rename, map[string]any{"id": entry, "name": "Dr. Rahul Rao"})
	next("renamed by the account", "DOCTOR_UNVERIFIED by Rahul 1 "+entry)
	equalJSON(t, "notices of what the account did", noticesOf(rahul), []string(nil))
	admin.Verify(entry, map[string]any{"isVerified": true})
	next("verified again", "DOCTOR_VERIFIED by Admin 1 "+entry)

	patient := desk.Patient("Arjun")
	desk.Assign(patient, entry, "notes")
	admin.Verify(entry, map[string]any{"isVerified": false})
	next("unverified by an administrator", "DOCTOR_UNVERIFIED by Admin 1 "+entry)
	equalJSON(t, "notices of that", noticesOf(rahul), []string{"DOCTOR_UNVERIFIED"})
	equalJSON(t, "notices of the owner", noticesOf(desk), []string(nil))
	admin.Verify(entry, map[string]any{"isVerified": true, "accountId": other.ID()})
	next("linked to another account", "DOCTOR_UNLINKED by Admin 1 "+entry)
	equalJSON(t, "events of the other account", eventsOf(admin, other),
		[]string{"DOCTOR_VERIFIED by Admin 1 " + entry, "DOCTOR_LINKED by Admin 1 " + entry, "ACCOUNT_CREATED by Other 1"})
	equalJSON(t, "notices of the owner", noticesOf(desk), []string{"MAPPINGS_ENDED " + patient})
}
