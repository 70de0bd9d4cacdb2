package graph_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
)

const (
	confirmEmail = `mutation ($code: String!, $password: String) { confirmEmail(code: $code, password: $password) { user { isConfirmed } userErrors { field code } } }`
	requestReset = `mutation ($email: EmailAddress!) { requestPasswordReset(email: $email) { userErrors { field code } } }`
	resetPass    = `mutation ($token: String!, $password: String!) { resetPassword(token: $token, newPassword: $password) { userErrors { field code } } }`
	signIn       = `mutation ($email: EmailAddress!, $password: String!) { login(input: {email: $email, password: $password}) { user { id } tokens { access } userErrors { code } } }`
	registration = `mutation ($input: RegisterInput!) { register(input: $input) { user { id } tokens { access } device userErrors { field code } } }`
)

// mailTo returns the newest of the mails to a client, which must be of the kind.
func mailTo(t *testing.T, client *graphtest.Client, kind model.MailKind) *store.Mail {
	t.Helper()
	var newest *store.Mail
	for _, m := range client.Server.Mails() {
		if string(m.To) == client.Email {
			newest = m
		}
	}
	if newest == nil || newest.Kind != kind {
		t.Fatalf("the newest mail is %v, want %s", newest, kind)
	}
	return newest
}

func TestConfirmEmail_SignedInByTheCodeOtherwiseByTheLinkAndThePassword(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	asha, nobody := s.Account("Asha", model.RolePatient), s.Nobody()
	mail := mailTo(t, asha, model.MailConfirmEmail)
	confirm := func(client *graphtest.Client, code string, password any) graphtest.Answer {
		return client.Do(confirmEmail, map[string]any{"code": code, "password": password})
	}
	equalJSON(t, "wrong", confirm(asha, "nothing", nil).UserErrorCodes("confirmEmail"), []string{"code INVALID_CODE"})
	equalJSON(t, "the link alone", confirm(nobody, mail.Data["token"], nil).UserErrorCodes("confirmEmail"), []string{"code INVALID_CODE"})
	equalJSON(t, "the code of nobody", confirm(nobody, mail.Data["code"], graphtest.Password).UserErrorCodes("confirmEmail"), []string{"code INVALID_CODE"})
	equalJSON(t, "a wrong password", confirm(nobody, mail.Data["token"], "Wrong@4567").UserErrorCodes("confirmEmail"), []string{"password INVALID_CREDENTIALS"})
	equalJSON(t, "nothing happened", s.Row("SELECT is_confirmed::text FROM users"), "false")
	equalJSON(t, "the link and the password", confirm(nobody, mail.Data["token"], graphtest.Password).Body, `{"data":{"confirmEmail":{"user":null,"userErrors":[]}}}`)
	equalJSON(t, "confirmed", s.Row("SELECT is_confirmed::text FROM users"), "true")

	banu := s.Account("Banu", model.RolePatient)
	code := mailTo(t, banu, model.MailConfirmEmail).Data["code"]
	equalJSON(t, "the code of another", confirm(asha, code, nil).UserErrorCodes("confirmEmail"), []string{"code INVALID_CODE"})
	equalJSON(t, "the code", confirm(banu, code, nil).Body, `{"data":{"confirmEmail":{"user":{"isConfirmed":true},"userErrors":[]}}}`)
}

func TestConfirmEmail_GuessesAreSlowedDown(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	asha := s.Account("Asha", model.RolePatient)
	var last graphtest.Answer
	for range s.Accounts.Throttle.Budgets.Codes.Burst + 1 {
		last = asha.Do(confirmEmail, map[string]any{"code": "000000x"})
	}
	equalJSON(t, "too many", last.UserErrorCodes("confirmEmail"), []string{"TOO_MANY_ATTEMPTS"})
	equalJSON(t, "the right code, too", asha.Do(confirmEmail, map[string]any{"code": mailTo(t, asha, model.MailConfirmEmail).Data["code"]}).UserErrorCodes("confirmEmail"),
		[]string{"TOO_MANY_ATTEMPTS"})
}

func TestSendConfirmation_OncePerMinute(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s := graphtest.New(t, graphtest.Options{Now: func() time.Time { return now }})
	asha := s.Account("Asha", model.RolePatient)
	first := mailTo(t, asha, model.MailConfirmEmail)
	const send = `mutation { sendConfirmation { user { isConfirmed } userErrors { field code } } }`
	asha.Must(send, nil)
	second := mailTo(t, asha, model.MailConfirmEmail)
	if first.Data["token"] == second.Data["token"] {
		t.Error("the new mail has the old token")
	}
	again := asha.Do(send, nil)
	equalJSON(t, "again", again.UserErrorCodes("sendConfirmation"), []string{"TOO_MANY_ATTEMPTS"})
	equalJSON(t, "wait", again.Extensions["retryAfter"], 60)
	now = now.Add(time.Minute)
	asha.Must(send, nil)
	equalJSON(t, "mails", len(s.Mails()), 1)
}

// TestRequestPasswordReset_RevealsNoAccount: the answers for a confirmed address, for one
// that is not confirmed and for an unknown one are the same bytes, and none of them waits
// for what depends on the account.
func TestRequestPasswordReset_RevealsNoAccount(t *testing.T) {
	t.Parallel()
	sent := &statements{}
	s := graphtest.New(t, graphtest.Options{Tracer: sent})
	asha, banu := s.Account("Asha", model.RolePatient), s.Account("Banu", model.RolePatient)
	s.Exec("UPDATE users SET is_confirmed = TRUE WHERE id = $1", asha.UserID)
	s.Mails()
	answered := make(chan struct{})
	err := s.Accounts.Later.Add(func(context.Context) error { <-answered; return nil })
	if err != nil {
		t.Fatal(err)
	}
	var took [][]string
	for _, email := range []string{asha.Email, banu.Email, "nobody@clinic.example"} {
		sent.mu.Lock()
		sent.sent = nil
		sent.mu.Unlock()
		answer := s.Nobody().Do(requestReset, map[string]any{"email": email})
		equalJSON(t, "the answer", answer.Body, `{"data":{"requestPasswordReset":{"userErrors":[]}}}`)
		sent.mu.Lock()
		took = append(took, slices.Clone(sent.sent))
		sent.mu.Unlock()
	}
	equalJSON(t, "statements", took[0], took[2])
	equalJSON(t, "statements", took[1], took[2])
	close(answered)
	mails := s.Mails()
	if len(mails) != 1 || string(mails[0].To) != asha.Email || mails[0].Kind != model.MailResetPassword {
		t.Errorf("mails: %v", mails)
	}
	equalJSON(t, "no address", s.Nobody().Do(requestReset, map[string]any{"email": "nobody"}).UserErrorCodes("requestPasswordReset"), []string{"email INVALID"})
	for range 9 {
		s.Nobody().Must(requestReset, map[string]any{"email": asha.Email})
	}
	equalJSON(t, "mails of ten requests", 1+len(s.Mails()), 3)
	for range s.Accounts.Throttle.Budgets.Resets.Burst {
		s.Nobody().Do(requestReset, map[string]any{"email": "nobody@clinic.example"})
	}
	equalJSON(t, "too many of one address", s.Nobody().Do(requestReset, map[string]any{"email": asha.Email}).Codes(), []string{"requestPasswordReset RATE_LIMITED"})
}

func TestResetPassword_ByTheLinkOfTheMail(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	asha := s.Account("Asha", model.RolePatient)
	s.Exec("UPDATE users SET is_confirmed = TRUE")
	s.Mails()
	nobody := s.Nobody()
	nobody.Must(requestReset, map[string]any{"email": strings.ToUpper(asha.Email)})
	token := mailTo(t, asha, model.MailResetPassword).Data["token"]
	reset := func(token, password string) []string {
		return nobody.Do(resetPass, map[string]any{"token": token, "password": password}).UserErrorCodes("resetPassword")
	}
	equalJSON(t, "no token", reset("x", "Another@4567"), []string{"token INVALID_CODE"})
	equalJSON(t, "weak", reset(token, "12345678")[:1], []string{"newPassword WEAK_PASSWORD"})
	s.Exec("UPDATE users SET has_totp = TRUE")
	equalJSON(t, "a mailbox alone", reset(token, "Another@4567"), []string{"otp OTP_REQUIRED"})
	s.Exec("UPDATE users SET has_totp = FALSE")
	equalJSON(t, "reset", reset(token, "Another@4567"), []string{})
	equalJSON(t, "again", reset(token, "Another@4567"), []string{"token INVALID_CODE"})
	equalJSON(t, "the old session", asha.Do(`{ me { id } }`, nil).Codes(), []string{"me UNAUTHENTICATED"})
	equalJSON(t, "the mail", mailTo(t, asha, model.MailPasswordChanged).Username, "Asha")
	equalJSON(t, "the old password", nobody.Do(signIn, map[string]any{"email": asha.Email, "password": graphtest.Password}).UserErrorCodes("login"), []string{"INVALID_CREDENTIALS"})
	equalJSON(t, "the new password", nobody.Do(signIn, map[string]any{"email": asha.Email, "password": "Another@4567"}).UserErrorCodes("login"), []string{})
}

// Someone who reads the mails of an account does not get to guess its second factor.
func TestResetPassword_ThrottlesTheSecondFactor(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{Now: newClock().Now}) // no guess comes back while the others are made
	asha := s.Account("Asha", model.RolePatient)
	token := resetToken(t, asha)
	s.Exec("UPDATE users SET has_totp = TRUE")
	guess := func() []string {
		return s.Nobody().Do(`mutation ($token: String!) { resetPassword(token: $token, newPassword: "Another@4567", otp: "000000") { userErrors { field code } } }`,
			map[string]any{"token": token}).UserErrorCodes("resetPassword")
	}
	for range 10 {
		equalJSON(t, "a guess", guess(), []string{"otp INVALID_CODE"})
	}
	equalJSON(t, "one too many", guess(), []string{"TOO_MANY_ATTEMPTS"})
}

// TestResetPassword_EndsTheSessionOfTheSameRequest, too.
func TestResetPassword_EndsTheSessionOfTheSameRequest(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	asha := s.Account("Asha", model.RolePatient)
	s.Exec("UPDATE users SET is_confirmed = TRUE")
	asha.Must(requestReset, map[string]any{"email": asha.Email})
	token := mailTo(t, asha, model.MailResetPassword).Data["token"]
	answer := asha.Do(fmt.Sprintf(`mutation { resetPassword(token: %q, newPassword: "Another@4567") { userErrors { code } } updateMe(input: {}) { user { id } } }`, token), nil)
	equalJSON(t, "the mutation after it", answer.Codes(), []string{"updateMe UNAUTHENTICATED"})
}

// TestRegister_ConfirmFirst: neither register nor login reveals whether an address has an
// account, until the address is confirmed.
func TestRegister_ConfirmFirst(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{ConfirmFirst: true})
	s.Exec(`INSERT INTO users (username, email, password_hash, role, is_confirmed) VALUES ('priya', 'priya@clinic.example', '!', 'DOCTOR', TRUE)`)
	nobody := s.Nobody()
	register := func(username, email string) graphtest.Answer {
		return nobody.Do(registration, map[string]any{"input": map[string]any{"username": username, "email": email, "password": graphtest.Password, "role": "DOCTOR"}})
	}
	login := func(email string) string {
		return nobody.Do(signIn, map[string]any{"email": email, "password": graphtest.Password}).Body
	}
	const refused = `{"data":{"login":{"user":null,"tokens":null,"userErrors":[{"code":"INVALID_CREDENTIALS"}]}}}`
	kinds := func() (all []string) {
		for _, m := range s.Mails() {
			all = append(all, string(m.To)+" "+string(m.Kind))
		}
		slices.Sort(all)
		return all
	}
	known, unknown := register("mallory", "priya@clinic.example"), register("asha", "asha@clinic.example")
	equalJSON(t, "known and unknown", known.Body, unknown.Body)
	equalJSON(t, "the answer", known.Body, `{"data":{"register":{"user":null,"tokens":null,"device":null,"userErrors":[]}}}`)
	equalJSON(t, "mails", kinds(), []string{"asha@clinic.example CONFIRM_EMAIL", "priya@clinic.example ALREADY_REGISTERED"})
	equalJSON(t, "another value", register("asha", "priya@clinic.example").UserErrorCodes("register"), []string{"input.username TAKEN"})
	equalJSON(t, "login, known", login("priya@clinic.example"), refused)
	equalJSON(t, "login, unknown", login("asha@clinic.example"), refused)
	equalJSON(t, "login sends another mail", kinds(), []string{"asha@clinic.example CONFIRM_EMAIL"})
	login("asha@clinic.example")
	asha := &graphtest.Client{Server: s, Email: "asha@clinic.example"}
	token := mailTo(t, asha, model.MailConfirmEmail).Data["token"]
	equalJSON(t, "confirmed", nobody.Do(confirmEmail, map[string]any{"code": token, "password": graphtest.Password}).UserErrorCodes("confirmEmail"), []string{})
	if body := login("asha@clinic.example"); !strings.Contains(body, `"tokens":{"access"`) {
		t.Errorf("after the confirmation: %s", body)
	}
}

func TestCreateLinkCode_ForTheConfirmedDoctor(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	const create = `mutation { createLinkCode { code expiresAt userErrors { field code } } }`
	equalJSON(t, "not confirmed", c.Priya.Do(create, nil).Body, `{"data":{"createLinkCode":{"code":null,"expiresAt":null,"userErrors":[{"field":null,"code":"NOT_CONFIRMED"}]}}}`)
	equalJSON(t, "a patient", c.Asha.Do(create, nil).UserErrorCodes("createLinkCode"), []string{"FORBIDDEN"})
	lara := c.Account("Lara", model.RoleDoctor)
	c.Exec("UPDATE users SET is_confirmed = TRUE WHERE id = $1", lara.UserID)
	code := lara.Must(create, nil).Text("createLinkCode", "code")
	link := func(code string) []string {
		return c.Admin.Do(fmt.Sprintf(`mutation { verifyDoctor(id: %q, input: {isVerified: true, accountId: %q, linkCode: %s}, expectedVersion: 1) { userErrors { field code } } }`,
			c.RahulsEntry, lara.ID(), code), nil).UserErrorCodes("verifyDoctor")
	}
	equalJSON(t, "without", link("null"), []string{"input.linkCode INVALID_CODE"})
	equalJSON(t, "wrong", link(`"AAAAAAAA"`), []string{"input.linkCode INVALID_CODE"})
	equalJSON(t, "refused", c.Row("SELECT is_verified::text FROM doctors WHERE id = $1", num(c.RahulsEntry)), "false")
	equalJSON(t, "shown", link(`"`+code+`"`), []string{})
}
