package e2e

import (
	"regexp"
	"strings"
	"testing"
)

// An operator lets an account without mail set a new password, and turns off a second
// factor that was lost.
func TestAccounts_OperatorOpensTheDoorAgain(t *testing.T) {
	t.Parallel()
	server := start(t, dataDir(t))
	server.register("asha")
	id := "1"
	out, failure := run(t, "", "accounts", "reset-password", id, "--data", server.data)
	link := regexp.MustCompile(`/account/#reset=(\S+)`).FindStringSubmatch(out)
	if failure != "" || link == nil {
		t.Fatalf("%s %s", out, failure)
	}
	server.must("", `mutation ($token: String!) { resetPassword(token: $token, newPassword: "Another@4567") { userErrors { code } } }`, map[string]any{"token": link[1]})
	const signIn = `mutation { login(input: {email: "asha@clinic.example", password: "Another@4567"}) { tokens { access } userErrors { code } } }`
	server.sql("UPDATE users SET has_totp = TRUE WHERE id = 1")
	if got := at(t, server.must("", signIn, nil), "login", "tokens"); got != nil {
		t.Fatal("the second factor is not asked for")
	}
	if out, failure = run(t, "", "accounts", "otp-off", id, "--reason", "lost phone", "--data", server.data); failure != "" {
		t.Fatalf("%s %s", out, failure)
	}
	token := at(t, server.must("", signIn, nil), "login", "tokens", "access").(string)
	events := server.must(token, `{ me { securityEvents(first: 10) { nodes { kind client reason } } } }`, nil)
	for _, want := range []string{"PASSWORD_RESET", "TOTP_DISABLED", "lost phone", "cli"} {
		if !strings.Contains(shortened(events), want) {
			t.Errorf("no %s in %v", want, events)
		}
	}
	server.stop()
}
