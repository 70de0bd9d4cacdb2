package graph_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/model"
)

const (
	startTotp  = `mutation ($password: String!, $otp: String) { startTotp(password: $password, otp: $otp) { secret address tokens { access } userErrors { field code } } }`
	finishTotp = `mutation ($code: String!) { finishTotp(code: $code) { recoveryCodes tokens { access refresh } userErrors { field code } } }`
	stopTotp   = `mutation ($password: String!, $otp: String!) { stopTotp(password: $password, otp: $otp) { user { hasTotp } tokens { access refresh } userErrors { field code } } }`
)

// authenticator is an app with the secret of an account.
type authenticator struct {
	t      *testing.T
	clock  *clock
	secret string
}

// code returns the code of the time step that is so many steps ahead.
func (a authenticator) code(ahead int) string {
	a.t.Helper()
	code, err := totp.GenerateCode(a.secret, a.clock.Now().Add(time.Duration(ahead)*30*time.Second))
	if err != nil {
		a.t.Fatal(err)
	}
	return code
}

func password() map[string]any { return map[string]any{"password": graphtest.Password} }

// withTotp sets up the second factor of an account. It returns the new session and the
// recovery codes. The code of now is used.
func withTotp(t *testing.T, now *clock, account *graphtest.Client) (client *graphtest.Client, app authenticator, recovery []string) {
	t.Helper()
	app = authenticator{t, now, account.Must(startTotp, password()).Text("startTotp", "secret")}
	out := account.Must(finishTotp, map[string]any{"code": app.code(0)}).At("finishTotp")
	for i := range out.Len("recoveryCodes") {
		recovery = append(recovery, out.Text("recoveryCodes", i))
	}
	return refreshed(account, out), app, recovery
}

// otpLogin returns the errors of a sign-in with the right password.
func otpLogin(account *graphtest.Client, otp any) []string {
	input := map[string]any{"email": account.Email, "password": graphtest.Password, "otp": otp}
	return account.Server.Nobody().Do(signInInput, map[string]any{"input": input}).UserErrorCodes("login")
}

var (
	none        = []string{}
	otpRequired = []string{"input.otp OTP_REQUIRED"}
	invalidCode = []string{"input.otp INVALID_CODE"}
)

func TestTotp_IsNeededFromTheFirstCodeOn(t *testing.T) {
	t.Parallel()
	now := newClock()
	s := graphtest.New(t, graphtest.Options{Now: now.Now})
	rahul := s.Account("Rahul", model.RolePatient)
	phone := rahul.NewSession()
	equalJSON(t, "without a secret", rahul.Do(finishTotp, map[string]any{"code": "123456"}).UserErrorCodes("finishTotp"), []string{"code INVALID_CODE"})
	equalJSON(t, "a wrong password", rahul.Do(startTotp, map[string]any{"password": "Wrong@4567"}).UserErrorCodes("startTotp"), []string{"password INVALID_CREDENTIALS"})
	wantSignedIn(t, "the phone, after a wrong password", phone)
	out := rahul.Must(startTotp, password()).At("startTotp")
	if address := out.Text("address"); !strings.HasPrefix(address, "otpauth://totp/caregraph:Rahul?") || !strings.Contains(address, "secret="+out.Text("secret")) {
		t.Errorf("the address is %s", address)
	}
	wantSignedOut(t, "the phone", phone)
	wantSignedIn(t, "this session", rahul)
	equalJSON(t, "sign-in before the first code", otpLogin(rahul, nil), none)

	app := authenticator{t, now, out.Text("secret")}
	equalJSON(t, "a wrong code", rahul.Do(finishTotp, map[string]any{"code": app.code(5)}).UserErrorCodes("finishTotp"), []string{"code INVALID_CODE"})
	finished := rahul.Must(finishTotp, map[string]any{"code": app.code(0)}).At("finishTotp")
	wantSignedOut(t, "the session that turned it on", rahul)
	rahul = refreshed(rahul, finished)
	wantSignedIn(t, "the new one", rahul)
	equalJSON(t, "hasTotp", rahul.Must(`{ me { hasTotp } }`, nil).At("me", "hasTotp").Value, true)
	equalJSON(t, "recovery codes", finished.Len("recoveryCodes"), 10)
	equalJSON(t, "without a code", otpLogin(rahul, nil), otpRequired)
	equalJSON(t, "a blank code", otpLogin(rahul, " "), otpRequired)
	wrong := map[string]any{"email": rahul.Email, "password": "Wrong@4567", "otp": app.code(1)}
	equalJSON(t, "a wrong password with the code", s.Nobody().Do(signInInput, map[string]any{"input": wrong}).UserErrorCodes("login"), []string{"INVALID_CREDENTIALS"})
	equalJSON(t, "the code, not used up by the wrong password", otpLogin(rahul, app.code(1)), none)

	stored := s.Row(`SELECT users::text || (SELECT string_agg(r::text, '') FROM recovery_codes AS r) FROM users WHERE id = $1`, rahul.UserID)
	for _, secret := range []string{app.secret, finished.Text("recoveryCodes", 0), strings.ReplaceAll(finished.Text("recoveryCodes", 0), "-", "")} {
		if strings.Contains(stored, secret) {
			t.Errorf("the database holds %s", secret)
		}
	}
	equalJSON(t, "the latest event but of sign-ins", s.Row(`SELECT kind FROM security_events WHERE account_id = $1 AND kind NOT LIKE 'SIGN_IN%' ORDER BY id DESC LIMIT 1`, rahul.UserID), "TOTP_ENABLED")
}

// TestTotp_Window: the codes of the steps before and after are right, and none works twice,
// nor one of an earlier step.
func TestTotp_Window(t *testing.T) {
	t.Parallel()
	now := newClock()
	s := graphtest.New(t, graphtest.Options{Now: now.Now})
	rahul, app, _ := withTotp(t, now, s.Account("Rahul", model.RolePatient))
	equalJSON(t, "the code that turned it on", otpLogin(rahul, app.code(0)), invalidCode)
	now.advance(3 * 30 * time.Second)
	for _, try := range []struct {
		what  string
		ahead int
		want  []string
	}{
		{"two steps ago", -2, invalidCode},
		{"two steps ahead", 2, invalidCode},
		{"one step ago", -1, none},
		{"again", -1, invalidCode},
		{"now", 0, none},
		{"one step ago, after that of now", -1, invalidCode},
		{"one step ahead", 1, none},
		{"now, after that of one step ahead", 0, invalidCode},
	} {
		equalJSON(t, try.what, otpLogin(rahul, app.code(try.ahead)), try.want)
	}
	now.advance(2 * 30 * time.Second)
	code := app.code(0)
	equalJSON(t, "with a space in between", otpLogin(rahul, " "+code[:3]+" "+code[3:]), none)
}

func TestTotp_ARecoveryCodeWorksOnce(t *testing.T) {
	t.Parallel()
	now := newClock()
	s := graphtest.New(t, graphtest.Options{Now: now.Now})
	rahul, _, codes := withTotp(t, now, s.Account("Rahul", model.RolePatient))
	asha, _, hers := withTotp(t, now, s.Account("Asha", model.RolePatient))
	equalJSON(t, "the first", otpLogin(rahul, codes[0]), none)
	equalJSON(t, "again", otpLogin(rahul, codes[0]), invalidCode)
	equalJSON(t, "in small letters, without dashes", otpLogin(rahul, strings.ToLower(strings.ReplaceAll(codes[1], "-", ""))), none)
	equalJSON(t, "of another account", otpLogin(rahul, hers[0]), invalidCode)
	equalJSON(t, "of that account", otpLogin(asha, hers[0]), none)
}

// TestTotp_GuessesAreThrottled like passwords, and the right password alone refills nothing.
func TestTotp_GuessesAreThrottled(t *testing.T) {
	t.Parallel()
	now := newClock()
	s := graphtest.New(t, graphtest.Options{Now: now.Now})
	rahul, app, _ := withTotp(t, now, s.Account("Rahul", model.RolePatient))
	for range 10 {
		equalJSON(t, "the password alone", otpLogin(rahul, nil), otpRequired)
		equalJSON(t, "a guess", otpLogin(rahul, "12345"), invalidCode)
	}
	equalJSON(t, "the right code, too late", otpLogin(rahul, app.code(1)), []string{"TOO_MANY_ATTEMPTS"})
	now.advance(30 * time.Second)
	equalJSON(t, "after the wait", otpLogin(rahul, app.code(0)), none)
}

func TestStopTotp_EndsAllSessionsAndBeginsANewOne(t *testing.T) {
	t.Parallel()
	now := newClock()
	s := graphtest.New(t, graphtest.Options{Now: now.Now})
	rahul, app, codes := withTotp(t, now, s.Account("Rahul", model.RolePatient))
	phone := rahul.NewSession()
	stop := func(password, otp string) graphtest.Answer {
		return rahul.Do(stopTotp, map[string]any{"password": password, "otp": otp})
	}
	equalJSON(t, "a wrong password", stop("Wrong@4567", app.code(1)).UserErrorCodes("stopTotp"), []string{"password INVALID_CREDENTIALS"})
	equalJSON(t, "a used code", stop(graphtest.Password, app.code(0)).UserErrorCodes("stopTotp"), []string{"otp INVALID_CODE"})
	equalJSON(t, "no code", stop(graphtest.Password, "").UserErrorCodes("stopTotp"), []string{"otp OTP_REQUIRED"})
	equalJSON(t, "another secret without the code", rahul.Do(startTotp, password()).UserErrorCodes("startTotp"), []string{"otp OTP_REQUIRED"})
	wantSignedIn(t, "the phone", phone)

	out := rahul.Must(stopTotp, map[string]any{"password": graphtest.Password, "otp": codes[0]}).At("stopTotp")
	equalJSON(t, "hasTotp", out.At("user", "hasTotp").Value, false)
	wantSignedOut(t, "the phone", phone)
	wantSignedOut(t, "the session that turned it off", rahul)
	rahul = refreshed(rahul, out)
	wantSignedIn(t, "the new one", rahul)
	equalJSON(t, "a sign-in without a code", otpLogin(rahul, nil), none)
	equalJSON(t, "turned off again", rahul.Do(stopTotp, map[string]any{"password": graphtest.Password, "otp": codes[1]}).UserErrorCodes("stopTotp"), []string{"otp INVALID_CODE"})
	equalJSON(t, "recovery codes", s.Row(`SELECT count(*)::text FROM recovery_codes`), "0")
	equalJSON(t, "the event", s.Row(`SELECT count(*)::text FROM security_events WHERE kind = 'TOTP_DISABLED' AND account_id = by_id`), "1")
}

// TestRequiredTotp_ClosesEverythingElse until it is set up, on both engines.
func TestRequiredTotp_ClosesEverythingElse(t *testing.T) {
	t.Parallel()
	now := newClock()
	s := graphtest.New(t, graphtest.Options{Now: now.Now, TotpRoles: []model.Role{model.RoleDoctor}})
	rahul, priya := s.Account("Rahul", model.RolePatient), s.Account("Priya", model.RoleDoctor)
	rahul.Patient("Arjun")
	for document, want := range map[string][]string{
		`{ me { id email hasTotp } }`: {},
		`{ __typename }`:              {},
		`mutation { startTotp(password: "x") { userErrors { code } } }`:                              {},
		`mutation { finishTotp(code: "x") { userErrors { code } } }`:                                 {},
		`{ patients { totalCount } }`:                                                                {"patients FORBIDDEN"},
		`{ node(id: "usr_2") { id } }`:                                                               {"node FORBIDDEN"},
		`{ me { doctorProfile { name } securityEvents { totalCount } } }`:                            {"me.doctorProfile FORBIDDEN", "me.securityEvents FORBIDDEN"},
		`mutation { updateMe(input: {}) { user { id } } }`:                                           {"updateMe FORBIDDEN"},
		`mutation { logoutEverywhere { userErrors { code } } }`:                                      {"logoutEverywhere FORBIDDEN"},
		`mutation { changePassword(input: {currentPassword: "", newPassword: ""}) { user { id } } }`: {"changePassword FORBIDDEN"},
	} {
		equalJSON(t, document, priya.Do(document, nil).Codes(), want)
	}
	in := s.Nobody().Do(`mutation { login(input: {email: "priya@clinic.example", password: "`+graphtest.Password+`"}) { user { id doctorProfile { name } } } }`, nil)
	equalJSON(t, "in the answer of login", in.Codes(), []string{"login.user.doctorProfile FORBIDDEN"})
	leaves := priya.NewSession()
	leaves.Must(logout, nil)
	wantSignedOut(t, "after logout", leaves)

	priya, _, codes := withTotp(t, now, priya)
	equalJSON(t, "after the set-up", priya.Do(`{ patients { totalCount } me { doctorProfile { name } } }`, nil).Codes(), []string{})
	equalJSON(t, "turned off", priya.Do(stopTotp, map[string]any{"password": graphtest.Password, "otp": codes[0]}).UserErrorCodes("stopTotp"), []string{"FORBIDDEN"})
	equalJSON(t, "of another role", rahul.Do(`{ patients { totalCount } }`, nil).Codes(), []string{})
}
