package graph_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/internal/auth"
	"github.com/caregraph/caregraph/model"
)

const (
	sessionsQuery = `{ me { sessions { nodes { id client address isCurrent } } } }`
	endSession    = `mutation ($id: ID!) { endSession(id: $id) { userErrors { field code } } }`
	signInInput   = `mutation ($input: LoginInput!) { login(input: $input) { device tokens { access refresh refreshExpiresAt } userErrors { field code } } }`
)

// signInWith signs an account in and returns the new session, and the token of its device.
func signInWith(account *graphtest.Client, input map[string]any) (client *graphtest.Client, device string) {
	input["email"], input["password"] = account.Email, graphtest.Password
	out := account.Server.Nobody().Must(signInInput, map[string]any{"input": input}).At("login")
	return refreshed(account, out), out.Text("device")
}

func TestSessions_AreListedAndEnded(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	rahul, asha := s.Account("Rahul", model.RolePatient), s.Account("Asha", model.RolePatient)
	phone, _ := signInWith(rahul, map[string]any{"client": "  Clinic app  "})
	nodes := phone.Must(sessionsQuery, nil).At("me", "sessions", "nodes")
	session := func(id string, client any, current bool) any {
		return map[string]any{"id": id, "client": client, "address": "192.0.2.1", "isCurrent": current}
	}
	ids := []string{nodes.Text(0, "id"), nodes.Text(1, "id")}
	equalJSON(t, "of the phone", nodes.Value, []any{session(ids[0], "Clinic app", true), session(ids[1], nil, false)})
	equalJSON(t, "of the first", rahul.Must(sessionsQuery, nil).At("me", "sessions", "nodes").Value,
		[]any{session(ids[0], "Clinic app", false), session(ids[1], nil, true)})

	for _, id := range []string{ids[0], "ses_1", "", "usr_1", strings.TrimPrefix(ids[0], "ses_")} {
		equalJSON(t, "ended by another", asha.Do(endSession, map[string]any{"id": id}).UserErrorCodes("endSession"), []string{"id NOT_FOUND"})
	}
	wantSignedIn(t, "the phone", phone)
	rahul.Must(endSession, map[string]any{"id": ids[0]})
	wantSignedOut(t, "the phone, ended", phone)
	wantSignedIn(t, "the other session", rahul)
	equalJSON(t, "ended again", rahul.Do(endSession, map[string]any{"id": ids[0]}).UserErrorCodes("endSession"), []string{"id NOT_FOUND"})
	equalJSON(t, "the list", rahul.Must(sessionsQuery, nil).At("me", "sessions", "nodes").Value, []any{session(ids[1], nil, true)})
	answer := rahul.Do(`mutation ($id: ID!) { endSession(id: $id) { userErrors { code } } updateMe(input: {}) { user { email } } }`, map[string]any{"id": ids[1]})
	equalJSON(t, "after the own session", answer.Codes(), []string{"updateMe UNAUTHENTICATED"})
}

func TestSessions_RefuseABadClient(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	for client, want := range map[string]string{strings.Repeat("é", 101): "input.client TOO_LONG", "a\x00b": "input.client INVALID"} {
		input := map[string]any{"email": rahul.Email, "password": graphtest.Password, "client": client}
		equalJSON(t, want, s.Nobody().Do(signInInput, map[string]any{"input": input}).UserErrorCodes("login"), []string{want})
	}
	signInWith(rahul, map[string]any{"client": strings.Repeat("é", 100)})
}

// TestLogin_FromAnUnknownDeviceMakesANotice, and from a known one none.
func TestLogin_FromAnUnknownDeviceMakesANotice(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	equalJSON(t, "after the registration", noticesOf(rahul), []string(nil))
	_, device := signInWith(rahul, map[string]any{})
	equalJSON(t, "a new device", noticesOf(rahul), []string{"NEW_DEVICE"})
	signInWith(rahul, map[string]any{"device": device})
	equalJSON(t, "the known device", noticesOf(rahul), []string{"NEW_DEVICE"})
	signInWith(rahul, map[string]any{"device": "invented"})
	equalJSON(t, "a device that it made up", noticesOf(rahul), []string{"NEW_DEVICE", "NEW_DEVICE"})
	const mails = `SELECT count(*)::text FROM mail WHERE kind = 'NEW_DEVICE'`
	equalJSON(t, "mails to an address that is not confirmed", s.Row(mails), "0")
	s.Exec(`UPDATE users SET is_confirmed = TRUE`)
	signInWith(rahul, map[string]any{"device": device})
	equalJSON(t, "mails for a known device", s.Row(mails), "0")
	signInWith(rahul, map[string]any{})
	equalJSON(t, "mails for an unknown one", s.Row(mails), "1")
}

// TestSessions_EndAtLast: however often tokens are renewed.
func TestSessions_EndAtLast(t *testing.T) {
	t.Parallel()
	now := newClock()
	s := graphtest.New(t, graphtest.Options{Now: now.Now})
	rahul := s.Account("Rahul", model.RolePatient)
	began := now.Now()
	expires := func(account *graphtest.Client) time.Time {
		claims, err := s.Accounts.Tokens.Verify(account.Refresh, auth.RefreshToken)
		if err != nil {
			t.Fatal(err)
		}
		return claims.ExpiresAt
	}
	for day := 6; day < 30; day += 6 {
		now.advance(6 * 24 * time.Hour)
		rahul = refreshed(rahul, s.Nobody().Must(refreshToken, map[string]any{"refresh": rahul.Refresh}).At("refreshToken"))
		want := began.AddDate(0, 0, min(day+7, 30))
		if got := expires(rahul); got.Sub(want).Abs() > 10*time.Second {
			t.Errorf("on day %d it expires at %v, want %v", day, got, want)
		}
	}
	now.advance(6*24*time.Hour + time.Minute)
	equalJSON(t, "after 30 days", s.Nobody().Do(refreshToken, map[string]any{"refresh": rahul.Refresh}).UserErrorCodes("refreshToken"),
		[]string{"refresh INVALID_TOKEN"})
}

// TestSessions_LastSeen is written once in a quarter of an hour, for sessions in use.
func TestSessions_LastSeen(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	rahul, asha := s.Account("Rahul", model.RolePatient), s.Account("Asha", model.RolePatient)
	age := func(account *graphtest.Client) string {
		return s.Row(`SELECT round(extract(epoch FROM now() - last_seen_at) / 60)::text FROM live_sessions WHERE account_id = $1`, account.UserID)
	}
	write := func() {
		if err := s.Store.WriteCollected(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	write()
	for _, minutes := range []string{"13", "20"} {
		s.Exec(`UPDATE sessions SET last_seen_at = now() - make_interval(mins => $1::text::int)`, minutes)
		wantSignedIn(t, "Rahul", rahul)
		write()
		equalJSON(t, "of one that was not used", age(asha), minutes)
		equalJSON(t, "of one that was used "+minutes+" minutes later", age(rahul), map[string]string{"13": "13", "20": "0"}[minutes])
	}
}
