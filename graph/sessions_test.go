package graph_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/internal/auth"
	"github.com/caregraph/caregraph/model"
)

const (
	refreshToken = `mutation ($refresh: String!) { refreshToken(refresh: $refresh) {
		user { id email } tokens { access refresh } userErrors { field code } } }`
	changePassword = `mutation ($current: String!, $next: String!) {
		changePassword(input: {currentPassword: $current, newPassword: $next}) { user { email } tokens { access refresh } userErrors { field code } } }`
	logout = `mutation ($refresh: String) { logout(refresh: $refresh) { userErrors { field code } } }`
)

// wantSignedOut checks that the access token is refused.
func wantSignedOut(t *testing.T, what string, client *graphtest.Client) {
	t.Helper()
	equalJSON(t, what, client.Do(`{ me { id } }`, nil).Codes(), []string{"me UNAUTHENTICATED"})
}

func wantSignedIn(t *testing.T, what string, client *graphtest.Client) {
	t.Helper()
	equalJSON(t, what, client.Do(`{ me { id } }`, nil).Codes(), []string{})
}

func refreshed(c *graphtest.Client, out graphtest.Result) *graphtest.Client {
	next := *c
	next.Token, next.Refresh = out.Text("tokens", "access"), out.Text("tokens", "refresh")
	return &next
}

func TestRefresh_EachTokenWorksOnceAndReuseEndsTheSession(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	first := s.Account("Rahul", model.RolePatient)
	other := first.NewSession()
	second := refreshed(first, s.Nobody().Must(refreshToken, map[string]any{"refresh": first.Refresh}).At("refreshToken"))
	wantSignedIn(t, "with the new access token", second)
	wantSignedIn(t, "with the old access token, until it expires", first)
	third := refreshed(second, s.Nobody().Must(refreshToken, map[string]any{"refresh": second.Refresh}).At("refreshToken"))

	reuse := s.Nobody().Do(refreshToken, map[string]any{"refresh": first.Refresh})
	equalJSON(t, "reuse", reuse.UserErrorCodes("refreshToken"), []string{"refresh INVALID_TOKEN"})
	wantSignedOut(t, "after reuse", third)
	wantSignedOut(t, "after reuse", first)
	equalJSON(t, "the latest, after reuse", s.Nobody().Do(refreshToken, map[string]any{"refresh": third.Refresh}).UserErrorCodes("refreshToken"),
		[]string{"refresh INVALID_TOKEN"})
	wantSignedIn(t, "another session", other)
}

// TestRefresh_LostAnswer: two tabs, or a client that lost the answer, get tokens of one
// session that both work. REST shares the mutation.
func TestRefresh_LostAnswer(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	first := s.Account("Rahul", model.RolePatient)
	again := func() *graphtest.Client {
		return refreshed(first, s.Nobody().Must(refreshToken, map[string]any{"refresh": first.Refresh}).At("refreshToken"))
	}
	lost, second := again(), again()
	wantSignedIn(t, "the first answer", lost)
	wantSignedIn(t, "the second answer", second)
	var ids []string
	for _, token := range []string{lost.Refresh, second.Refresh} {
		claims, err := s.Accounts.Tokens.Verify(token, auth.RefreshToken)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, claims.JTI)
	}
	equalJSON(t, "the ids of the refresh tokens", ids[0], ids[1])
	third := refreshed(second, s.Nobody().Must(refreshToken, map[string]any{"refresh": second.Refresh}).At("refreshToken"))
	wantSignedIn(t, "the next one", third)
	reuse := s.Nobody().Do(refreshToken, map[string]any{"refresh": first.Refresh})
	equalJSON(t, "reuse", reuse.UserErrorCodes("refreshToken"), []string{"refresh INVALID_TOKEN"})
	wantSignedOut(t, "after reuse", third)
}

func TestRefresh_RefusesWhatIsNoRefreshToken(t *testing.T) {
	t.Parallel()
	now := newClock()
	s := graphtest.New(t, graphtest.Options{Now: now.Now})
	rahul := s.Account("Rahul", model.RolePatient)
	for what, token := range map[string]string{
		"an access token": rahul.Token, "garbage": "garbage", "empty": "", "changed": rahul.Refresh[:len(rahul.Refresh)-1] + "x", "NUL": "\x00",
	} {
		answer := rahul.Do(refreshToken, map[string]any{"refresh": token})
		equalJSON(t, what, answer.Codes(), []string{})
		equalJSON(t, what, answer.UserErrorCodes("refreshToken"), []string{"refresh INVALID_TOKEN"})
	}
	now.advance(auth.DefaultRefreshTTL)
	equalJSON(t, "expired", s.Nobody().Do(refreshToken, map[string]any{"refresh": rahul.Refresh}).UserErrorCodes("refreshToken"), []string{"refresh INVALID_TOKEN"})
}

func TestLogout_EndsASessionAtOnce(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	rahul, priya := s.Account("Rahul", model.RolePatient), s.Account("Priya", model.RoleDoctor)
	phone, laptop := rahul.NewSession(), rahul.NewSession()

	rahul.Must(logout, nil)
	wantSignedOut(t, "the own session", rahul)
	equalJSON(t, "its refresh token", s.Nobody().Do(refreshToken, map[string]any{"refresh": rahul.Refresh}).UserErrorCodes("refreshToken"),
		[]string{"refresh INVALID_TOKEN"})

	phone.Must(logout, map[string]any{"refresh": laptop.Refresh})
	wantSignedOut(t, "the session of the refresh token", laptop)
	wantSignedIn(t, "the session that asked", phone)

	for what, token := range map[string]string{"somebody else's": priya.Refresh, "an access token": phone.Token, "garbage": "x"} {
		equalJSON(t, what, phone.Do(logout, map[string]any{"refresh": token}).UserErrorCodes("logout"), []string{"refresh INVALID_TOKEN"})
	}
	wantSignedIn(t, "somebody else", priya)
}

func TestLogoutEverywhere_EndsAllSessionsOfTheCallerAlone(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	rahul, priya := s.Account("Rahul", model.RolePatient), s.Account("Priya", model.RoleDoctor)
	phone := rahul.NewSession()
	phone.Must(`mutation { logoutEverywhere { userErrors { code } } }`, nil)
	wantSignedOut(t, "this one", phone)
	wantSignedOut(t, "another", rahul)
	wantSignedIn(t, "somebody else", priya)
}

func TestChangePassword_EndsAllSessionsAndBeginsANewOne(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	phone := rahul.NewSession()
	for _, wrong := range []struct {
		current, next string
		want          []string
	}{
		{"Wrong@4567", "Monsoon-Rain-42", []string{"input.currentPassword INVALID_CREDENTIALS"}},
		{graphtest.Password, "12345678", []string{"input.newPassword WEAK_PASSWORD", "input.newPassword WEAK_PASSWORD"}},
		{graphtest.Password, "rahul@clinic", []string{"input.newPassword WEAK_PASSWORD"}},
	} {
		answer := phone.Do(changePassword, map[string]any{"current": wrong.current, "next": wrong.next})
		got := answer.UserErrorCodes("changePassword")
		equalJSON(t, wrong.next, got[:min(len(got), len(wrong.want))], wrong.want)
	}
	wantSignedIn(t, "after refusals", rahul)

	out := phone.Must(changePassword, map[string]any{"current": graphtest.Password, "next": "Monsoon-Rain-42"}).At("changePassword")
	wantSignedOut(t, "another session", rahul)
	wantSignedOut(t, "the token that changed it, perhaps a stolen one", phone)
	equalJSON(t, "its refresh token", s.Nobody().Do(refreshToken, map[string]any{"refresh": phone.Refresh}).UserErrorCodes("refreshToken"),
		[]string{"refresh INVALID_TOKEN"})
	after := refreshed(phone, out)
	wantSignedIn(t, "the new one", after)
	equalJSON(t, "the old refresh token", s.Nobody().Do(refreshToken, map[string]any{"refresh": rahul.Refresh}).UserErrorCodes("refreshToken"),
		[]string{"refresh INVALID_TOKEN"})
	s.Nobody().Must(refreshToken, map[string]any{"refresh": after.Refresh})
	equalJSON(t, "the old password", s.Nobody().Do(login, credentials(rahul.Email, graphtest.Password)).UserErrorCodes("login"), []string{"INVALID_CREDENTIALS"})
	s.Nobody().Must(login, credentials(rahul.Email, "Monsoon-Rain-42"))
}

func TestInactiveAccount_IsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	s.Exec("UPDATE users SET is_active = false WHERE id = $1", rahul.UserID)
	wantSignedOut(t, "its access token", rahul)
	equalJSON(t, "its refresh token", s.Nobody().Do(refreshToken, map[string]any{"refresh": rahul.Refresh}).UserErrorCodes("refreshToken"),
		[]string{"refresh INVALID_TOKEN"})
	s.Exec("UPDATE users SET is_active = true WHERE id = $1", rahul.UserID)
	wantSignedIn(t, "once it is active again", rahul)
}

// TestBadTokens_CloseProtectedFieldsAlone: fields that are open to everyone stay open with
// any token.
func TestBadTokens_CloseProtectedFieldsAlone(t *testing.T) {
	t.Parallel()
	now := newClock()
	s := graphtest.New(t, graphtest.Options{Now: now.Now})
	rahul := s.Account("Rahul", model.RolePatient)
	ended := rahul.NewSession()
	ended.Must(logout, nil)
	now.advance(auth.DefaultAccessTTL - time.Minute)
	wantSignedIn(t, "a minute before it expires", rahul)
	late := rahul.NewSession()
	now.advance(time.Minute)

	signedOut := rahul.NewSession()
	signedOut.Must(logout, nil)

	for what, token := range map[string]struct{ token, reason string }{
		"expired":         {rahul.Token, "TOKEN_EXPIRED"},
		"a refresh token": {late.Refresh, "TOKEN_INVALID"},
		"garbage":         {"garbage", "TOKEN_INVALID"},
		"changed":         {late.Token[:len(late.Token)-4] + "AAAA", "TOKEN_INVALID"},
		"two words":       {"one two", "TOKEN_INVALID"},
		"unsigned":        {"eyJhbGciOiJub25lIn0." + strings.Split(late.Token, ".")[1] + ".", "TOKEN_INVALID"},
		"ended":           {signedOut.Token, "SESSION_ENDED"},
		"absent":          {"", "TOKEN_MISSING"},
	} {
		client := &graphtest.Client{Server: s, Token: token.token}
		answer := client.Do(`{ me { id } }`, nil)
		if !slices.Contains(enumValues("UnauthenticatedReason"), token.reason) {
			t.Errorf("%s: %s is not in the schema", what, token.reason)
		}
		equalJSON(t, what, answer.Codes(), []string{"me UNAUTHENTICATED"})
		equalJSON(t, what, answer.Errors[0]["extensions"], map[string]any{"code": "UNAUTHENTICATED", "reason": token.reason})
		client.Must(login, credentials(rahul.Email, graphtest.Password))
		equalJSON(t, what, client.Do(`{ __typename }`, nil).Body, `{"data":{"__typename":"Query"}}`)
	}
	wantSignedIn(t, "a good one", late)
	wantSignedOut(t, "one whose session has ended", ended)
}

// TestSigningIn_SeesTheAnswerWithTheAccountsEyes also if another account was signed in
// before, or none.
func TestSigningIn_SeesTheAnswerWithTheAccountsEyes(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	answer := c.Asha.Do(`mutation { login(input: {email: "priya@clinic.example", password: "`+graphtest.Password+`"}) {
		user { email doctorProfile { patients { nodes { name bloodGroup } } } } } }`, nil)
	equalJSON(t, "the answer", answer.Body, `{"data":{"login":{"user":{"email":"priya@clinic.example","doctorProfile":{"patients":{"nodes":[{"name":"Arjun Sharma","bloodGroup":"B_POSITIVE"}]}}}}}}`)
}

// TestLogout_TheRestOfTheOperationIsSignedOut: mutations of one operation run in order.
func TestLogout_TheRestOfTheOperationIsSignedOut(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	for _, way := range []string{"logout", "logoutEverywhere"} {
		rahul := s.Account("Rahul"+way, model.RolePatient)
		answer := rahul.Do(`mutation { `+way+` { userErrors { code } } updateMe(input: {}) { user { email } } }`, nil)
		equalJSON(t, way, answer.Codes(), []string{"updateMe UNAUTHENTICATED"})
		equalJSON(t, way, answer.Errors[0]["extensions"], map[string]any{"code": "UNAUTHENTICATED", "reason": "SESSION_ENDED"})
	}
}
