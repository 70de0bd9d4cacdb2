package rest_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/internal/testutil"
)

// TestLogin_WithASecondFactor: the key otp, and the answers without it. The key client goes
// to the list of sessions.
func TestLogin_WithASecondFactor(t *testing.T) {
	t.Parallel()
	began, minutes := time.Now(), atomic.Int64{}
	now := func() time.Time { return began.Add(time.Duration(minutes.Load()) * time.Minute) }
	s := serve(t, graphtest.Options{Now: now})
	const account = `"email":"asha@x.example","password":"Secure@123"`
	s.want(s.post(register, `{"username":"a b","email":"x","password":"1","role":"patient","client":"`+strings.Repeat("x", 101)+`"}`), http.StatusBadRequest,
		`{"username":["Enter a valid username. It may contain only letters, digits and @ . + - _ characters."],"email":["Enter a valid email address."],`+
			`"password":["This password is too short. It must contain at least 8 characters.","This password is entirely numeric."],`+
			`"client":["Ensure this field has no more than 100 characters."]}`)
	var asha struct{ Tokens struct{ Access string } }
	s.post(register, `{"username":"asha",`+account+`,"role":"patient","client":"Desk"}`).decode(t, &asha)
	client := &graphtest.Client{Server: s.Server, Token: asha.Tokens.Access}
	testutil.Equal(t, "the client", client.Must(`{ me { sessions { nodes { client } } } }`, nil).Text("me", "sessions", "nodes", 0, "client"), "Desk")
	secret := client.Must(`mutation { startTotp(password: "Secure@123") { secret userErrors { code } } }`, nil).Text("startTotp", "secret")
	code := func() string {
		minutes.Add(1)
		code, err := totp.GenerateCode(secret, now())
		testutil.Must(t, err)
		return code
	}
	client.Must(`mutation ($code: String!) { finishTotp(code: $code) { userErrors { code } } }`, map[string]any{"code": code()})

	const asks = `{"detail":"Send the code of the authenticator app, or a recovery code, in otp.","code":"otp_required"}`
	for _, otp := range []string{``, `,"otp":null`, `,"otp":""`} {
		s.want(s.post(login, `{`+account+otp+`}`), http.StatusUnauthorized, asks)
	}
	s.want(s.post(login, `{"email":"asha@x.example","password":"wrong"}`), http.StatusUnauthorized, noAccount)
	s.want(s.post(login, `{`+account+`,"otp":"1"}`), http.StatusUnauthorized,
		`{"detail":"This code is wrong, has expired or was used before.","code":"otp_not_valid"}`)
	if got := s.post(login, `{`+account+`,"otp":"`+code()+`"}`); got.status != http.StatusOK {
		t.Errorf("with the code: %d %s", got.status, got.text)
	}
}
