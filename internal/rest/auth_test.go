package rest_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/model"
)

const (
	register = "/api/auth/register/"
	login    = "/api/auth/login/"
	refresh  = "/api/auth/token/refresh/"
	verify   = "/api/auth/token/verify/"
	logout   = "/api/auth/logout/"
	change   = "/api/auth/password/change/"
	me       = "/api/auth/me/"

	noCredentials = `{"detail":"Authentication credentials were not provided."}`
	noAccount     = `{"detail":"No active account found with the given credentials"}`
)

const (
	jwt     = `[\w-]+\.[\w-]+\.[\w-]+`
	instant = `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z`
)

// match compares an answer with a template in which TOKEN stands for a token
// and TIME for a time.
func (s server) match(got reply, status int, template string) {
	s.t.Helper()
	pattern := strings.NewReplacer("TOKEN", jwt, "TIME", instant).Replace("^" + regexp.QuoteMeta(template) + "$")
	if got.status != status || !regexp.MustCompile(pattern).MatchString(got.text) {
		s.t.Errorf("got %d %s\nwant %d %s", got.status, got.text, status, template)
	}
}

func tokenNotValid(message string) string {
	return `{"detail":"Given token not valid for any token type","code":"token_not_valid","messages":` +
		`[{"token_class":"AccessToken","token_type":"access","message":"` + message + `"}]}`
}

func TestLogin_AnswersAsItAlwaysDid(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	s.register("rahul")
	s.register("gone")
	s.Exec(`UPDATE users SET is_active = false WHERE username = 'gone'`)

	for _, body := range []string{
		`{"email":"rahul@clinic.example","password":"Secure@123"}`,
		`{"email":"  RAHUL@Clinic.Example ","password":"Secure@123"}`,
		`{"email":"rahul@clinic.example","password":" Secure@123 ","username":"x"}`,
	} {
		s.match(s.post(login, body), http.StatusOK,
			`{"refresh":"TOKEN","access":"TOKEN","user":{"id":1,"email":"rahul@clinic.example","role":"patient"}}`)
	}
	for _, body := range []string{
		`{"email":"rahul@clinic.example","password":"secure@123"}`,
		`{"email":"nobody@clinic.example","password":"Secure@123"}`,
		`{"email":"gone@clinic.example","password":"Secure@123"}`,
		`{"email":"rahul","password":"Secure@123"}`,
		`{"email":5,"password":5}`,
	} {
		s.want(s.post(login, body), http.StatusUnauthorized, noAccount)
	}
	for body, want := range map[string]string{
		`{}`: `{"email":["This field is required."],"password":["This field is required."]}`,
		`{"username":"rahul","password":"Secure@123"}`:                     `{"email":["This field is required."]}`,
		`{"email":null,"password":" "}`:                                    `{"email":["This field may not be null."],"password":["This field may not be blank."]}`,
		`{"email":"rahul\u0000@clinic.example","password":"\u0000"}`:       `{"email":["Null characters are not allowed."],"password":["Null characters are not allowed."]}`,
		`{"email":["rahul@clinic.example"],"password":{"$ne":"anything"}}`: `{"email":["Not a valid string."],"password":["Not a valid string."]}`,
	} {
		s.want(s.post(login, body), http.StatusBadRequest, want)
	}
}

func TestLogin_IsSlowedDownAfterFailures(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s := serve(t, graphtest.Options{Now: func() time.Time { return now }})
	const wrong = `{"email":"nobody@clinic.example","password":"Wrong@123"}`
	for range 10 {
		s.want(s.post(login, wrong), http.StatusUnauthorized, noAccount)
	}
	got := s.post(login, wrong)
	s.want(got, http.StatusTooManyRequests, `{"detail":"Too many attempts; --max-sign-in-failures is the limit. Try again in 30 seconds."}`)
	if got.header.Get("Retry-After") != "30" {
		t.Errorf("Retry-After is %q", got.header.Get("Retry-After"))
	}
}

func TestRefresh_GivesEachTokenOnce(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	first, stranger := s.register("rahul"), s.register("asha")
	body := func(token string) string { return `{"refresh":"` + token + `"}` }

	got := s.post(refresh, body(" "+first.Refresh+" "), bearer("garbage")...)
	s.match(got, http.StatusOK, `{"access":"TOKEN","refresh":"TOKEN"}`)
	var second tokens
	got.decode(t, &second)
	s.match(s.send(http.MethodGet, me, "", bearer(second.Access)...), http.StatusOK,
		`{"id":1,"username":"rahul","email":"rahul@clinic.example","phone":null,"role":"patient"}`)

	for token, why := range map[string]string{
		"garbage":       "Token is invalid",
		second.Access:   "Token has wrong type",
		stranger.Access: "Token has wrong type",
	} {
		s.want(s.post(refresh, body(token)), http.StatusUnauthorized, `{"detail":"`+why+`","code":"token_not_valid"}`)
	}
	// The used token returns its successor again until the successor is used. Then it
	// ends its session, and no other.
	again := s.post(refresh, body(first.Refresh))
	s.match(again, http.StatusOK, `{"access":"TOKEN","refresh":"TOKEN"}`)
	again.decode(t, &second)
	s.match(s.post(refresh, body(second.Refresh)), http.StatusOK, `{"access":"TOKEN","refresh":"TOKEN"}`)
	s.want(s.post(refresh, body(first.Refresh)), http.StatusUnauthorized,
		`{"detail":"This refresh token is not valid any more. Sign in again.","code":"token_not_valid"}`)
	s.want(s.send(http.MethodGet, me, "", bearer(second.Access)...), http.StatusUnauthorized, tokenNotValid("Token's session has ended"))
	if got := s.post(refresh, body(stranger.Refresh)); got.status != http.StatusOK {
		t.Errorf("the stranger: %d %s", got.status, got.text)
	}
	s.want(s.post(refresh, `{}`), http.StatusBadRequest, `{"refresh":["This field is required."]}`)
	s.want(s.post(refresh, `{"refresh":""}`), http.StatusBadRequest, `{"refresh":["This field may not be blank."]}`)
}

func TestVerify_TakesLivingTokensOfEitherKind(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	now := time.Now()
	s := serve(t, graphtest.Options{Now: func() time.Time { mu.Lock(); defer mu.Unlock(); return now }})
	rahul, asha := s.register("rahul"), s.register("asha")
	body := func(token string) string { return `{"token":"` + token + `"}` }
	refused := func(why string) string { return `{"detail":"` + why + `","code":"token_not_valid"}` }

	for _, token := range []string{rahul.Access, rahul.Refresh, " " + rahul.Access} {
		s.want(s.post(verify, body(token), bearer("garbage")...), http.StatusOK, `{}`)
	}
	s.want(s.post(verify, body("garbage")), http.StatusUnauthorized, refused("Token is invalid"))
	s.want(s.post(verify, body(rahul.Access[:len(rahul.Access)-4]+"AAAA")), http.StatusUnauthorized, refused("Token is invalid"))
	s.want(s.post(verify, `{}`), http.StatusBadRequest, `{"token":["This field is required."]}`)
	s.want(s.post(verify, `{"token":null}`), http.StatusBadRequest, `{"token":["This field may not be null."]}`)

	s.want(s.post(logout, `{}`, bearer(rahul.Access)...), http.StatusNoContent, "")
	for _, token := range []string{rahul.Access, rahul.Refresh} {
		s.want(s.post(verify, body(token)), http.StatusUnauthorized, refused("Token's session has ended"))
	}
	mu.Lock()
	now = now.Add(25 * time.Hour)
	mu.Unlock()
	s.want(s.post(verify, body(asha.Access)), http.StatusUnauthorized, refused("Token is expired"))
	s.want(s.post(verify, body(asha.Refresh)), http.StatusOK, `{}`)
	s.want(s.send(http.MethodGet, me, "", bearer(asha.Access)...), http.StatusUnauthorized, tokenNotValid("Token is expired"))
}

func TestLogout_EndsOnesOwnSessionOnly(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	rahul, asha := s.register("rahul"), s.register("asha")
	body := func(token string) string { return `{"refresh":"` + token + `"}` }

	s.want(s.post(logout, body(asha.Refresh), bearer(rahul.Access)...), http.StatusUnauthorized, `{"detail":"Token is invalid","code":"token_not_valid"}`)
	s.want(s.post(logout, body("garbage"), bearer(rahul.Access)...), http.StatusUnauthorized, `{"detail":"Token is invalid","code":"token_not_valid"}`)
	s.want(s.post(logout, body(rahul.Access), bearer(rahul.Access)...), http.StatusUnauthorized, `{"detail":"Token has wrong type","code":"token_not_valid"}`)
	s.want(s.post(logout, body(rahul.Refresh)), http.StatusUnauthorized, noCredentials)
	for _, account := range []tokens{rahul, asha} {
		if got := s.send(http.MethodGet, me, "", bearer(account.Access)...); got.status != http.StatusOK {
			t.Errorf("a session has ended: %d %s", got.status, got.text)
		}
	}

	s.want(s.post(logout, body(rahul.Refresh), bearer(rahul.Access)...), http.StatusNoContent, "")
	s.want(s.send(http.MethodGet, me, "", bearer(rahul.Access)...), http.StatusUnauthorized, tokenNotValid("Token's session has ended"))
	s.want(s.post(logout, body(rahul.Refresh), bearer(rahul.Access)...), http.StatusUnauthorized, tokenNotValid("Token's session has ended"))
	if got := s.send(http.MethodGet, me, "", bearer(asha.Access)...); got.status != http.StatusOK {
		t.Errorf("the other's session has ended: %d %s", got.status, got.text)
	}
	s.want(s.post(logout, "", bearer(asha.Access)...), http.StatusNoContent, "")
	if got := s.post(refresh, body(asha.Refresh)); got.status != http.StatusUnauthorized {
		t.Errorf("the session goes on: %d %s", got.status, got.text)
	}
}

func TestPasswordChange_EndsTheOtherSessions(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	other, asha := s.register("rahul"), s.register("asha")
	var here tokens
	s.post(login, `{"email":"rahul@clinic.example","password":"Secure@123"}`).decode(t, &here)
	auth := bearer(here.Access)

	for body, want := range map[string]string{
		`{}`: `{"current_password":["This field is required."],"new_password":["This field is required."]}`,
		`{"currentPassword":"Secure@123","new_password":""}`:               `{"current_password":["This field is required."],"new_password":["This field may not be blank."]}`,
		`{"current_password":"Wrong@123","new_password":"Another#Pass77"}`: `{"current_password":["This is not the present password."]}`,
		`{"current_password":"Secure@123","new_password":"1234"}`: `{"new_password":["This password is too short. It must contain at least 8 characters.",` +
			`"This password is too common.","This password is entirely numeric."]}`,
	} {
		s.want(s.post(change, body, auth...), http.StatusBadRequest, want)
	}
	const good = `{"current_password":"Secure@123","new_password":"Another#Pass77"}`
	s.want(s.post(change, good), http.StatusUnauthorized, noCredentials)

	got := s.post(change, good, auth...)
	s.match(got, http.StatusOK, `{"access":"TOKEN","refresh":"TOKEN"}`)
	var renewed tokens
	got.decode(t, &renewed)
	for access, want := range map[string]int{
		renewed.Access: http.StatusOK, other.Access: http.StatusUnauthorized, asha.Access: http.StatusOK,
	} {
		if got := s.send(http.MethodGet, me, "", bearer(access)...); got.status != want {
			t.Errorf("%d, want %d: %s", got.status, want, got.text)
		}
	}
	s.want(s.post(login, `{"email":"rahul@clinic.example","password":"Secure@123"}`), http.StatusUnauthorized, noAccount)
	if got := s.post(login, `{"email":"rahul@clinic.example","password":"Another#Pass77"}`); got.status != http.StatusOK {
		t.Errorf("the new password: %d %s", got.status, got.text)
	}
	if got := s.post(login, `{"email":"asha@clinic.example","password":"Secure@123"}`); got.status != http.StatusOK {
		t.Errorf("the other account: %d %s", got.status, got.text)
	}
}

func TestMe_ShowsOneselfAndNobodyElse(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	rahul, priya := s.Account("Rahul", model.RolePatient), s.Account("Priya", model.RoleDoctor)
	boss := s.Account("Boss", model.RoleAdmin)
	s.want(s.send(http.MethodGet, me, "", bearer(rahul.Token)...), http.StatusOK,
		`{"id":1,"username":"Rahul","email":"rahul@clinic.example","phone":null,"role":"patient"}`)
	s.want(s.send(http.MethodGet, me+"?id=1", "", bearer(priya.Token)...), http.StatusOK,
		`{"id":2,"username":"Priya","email":"priya@clinic.example","phone":null,"role":"doctor"}`)
	s.want(s.send(http.MethodGet, me, "", bearer(boss.Token)...), http.StatusOK,
		`{"id":3,"username":"Boss","email":"boss@clinic.example","phone":null,"role":"admin"}`)

	s.want(s.send(http.MethodGet, me, "", bearer(rahul.Refresh)...), http.StatusUnauthorized, tokenNotValid("Token has wrong type"))
	s.Exec(`UPDATE users SET is_active = false WHERE id = 1`)
	s.want(s.send(http.MethodGet, me, "", bearer(rahul.Token)...), http.StatusUnauthorized, tokenNotValid("Token's session has ended"))
}

// TestDevice_ComesOnlyIfItIsAskedFor: the answers to old clients stay as they are.
func TestDevice_ComesOnlyIfItIsAskedFor(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s := serve(t, graphtest.Options{Now: func() time.Time { return now }})
	const (
		account = `"email":"asha@x.example","password":"Secure@123"`
		token   = `"[\w-]{43}"`
	)
	registered := s.post(register, `{"username":"asha",`+account+`,"role":"patient","device":""}`)
	if registered.status != http.StatusCreated || !regexp.MustCompile(`"},"device":`+token+`}$`).MatchString(registered.text) {
		t.Errorf("%d %s", registered.status, registered.text)
	}
	s.match(s.post(login, `{`+account+`}`), http.StatusOK, `{"refresh":"TOKEN","access":"TOKEN","user":{"id":1,"email":"asha@x.example","role":"patient"}}`)
	for _, asks := range []string{`""`, `null`, `"invented"`, `7`} {
		got := s.post(login, `{"device":`+asks+`,`+account+`}`)
		if got.status != http.StatusOK || !regexp.MustCompile(`"role":"patient"},"device":`+token+`}$`).MatchString(got.text) {
			t.Errorf("device %s: %d %s", asks, got.status, got.text)
		}
	}
	s.want(s.post(login, `{"device":true,`+account+`}`), http.StatusBadRequest, `{"device":["Not a valid string."]}`)

	var body struct{ Device string }
	registered.decode(t, &body)
	for range 10 {
		s.want(s.post(login, `{"email":"asha@x.example","password":"wrong"}`), http.StatusUnauthorized, noAccount)
	}
	if got := s.post(login, `{`+account+`}`); got.status != http.StatusTooManyRequests {
		t.Errorf("a new device: %d %s", got.status, got.text)
	}
	got := s.post(login, `{`+account+`,"device":"`+body.Device+`"}`)
	if got.status != http.StatusOK || !strings.HasSuffix(got.text, `,"device":"`+body.Device+`"}`) {
		t.Errorf("the known device: %d %s", got.status, got.text)
	}
	form := url.Values{"email": {"asha@x.example"}, "password": {"Secure@123"}, "device": {body.Device}}.Encode()
	if got := s.post(login, form, "Content-Type", "application/x-www-form-urlencoded"); got.status != http.StatusOK {
		t.Errorf("the known device with a form: %d %s", got.status, got.text)
	}
}

// TestForms_OfOtherOriginsAreRefused: a browser sends a form for any page without asking,
// so a page could guess passwords with the addresses of its visitors.
func TestForms_OfOtherOriginsAreRefused(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{}, "https://app.example")
	s.register("asha")
	const (
		urlencoded = "application/x-www-form-urlencoded"
		foreign    = "https://evil.example"
	)
	right := url.Values{"email": {"asha@clinic.example"}, "password": {graphtest.Password}}.Encode()
	for what, c := range map[string]struct {
		headers []string
		want    int
	}{
		"a program":                     {nil, http.StatusOK},
		"our own page":                  {[]string{"Origin", s.URL}, http.StatusOK},
		"our own page behind a proxy":   {[]string{"Origin", "https://clinic.example", "Sec-Fetch-Site", "same-origin"}, http.StatusOK},
		"an allowed page":               {[]string{"Origin", "https://app.example"}, http.StatusOK},
		"an allowed page, cross-site":   {[]string{"Origin", "https://app.example", "Sec-Fetch-Site", "cross-site"}, http.StatusOK},
		"a foreign page":                {[]string{"Origin", foreign}, http.StatusForbidden},
		"a foreign page, cross-site":    {[]string{"Origin", foreign, "Sec-Fetch-Site", "cross-site"}, http.StatusForbidden},
		"a page that hides its origin":  {[]string{"Origin", "null"}, http.StatusForbidden},
		"cross-site without an origin":  {[]string{"Sec-Fetch-Site", "cross-site"}, http.StatusForbidden},
		"another scheme of the allowed": {[]string{"Origin", "http://app.example"}, http.StatusForbidden},
	} {
		got := s.post(login, right, append(c.headers, "Content-Type", urlencoded)...)
		if got.status != c.want {
			t.Errorf("%s: %d %s, want %d", what, got.status, got.text, c.want)
		}
	}
	upload := multipart(`name="email"`, "asha@clinic.example", `name="password"`, "wrong")
	s.want(s.post(login, upload, "Content-Type", "multipart/form-data; boundary=X", "Origin", foreign), http.StatusForbidden,
		`{"detail":"Forms from pages of this origin are not accepted."}`)
	for range 20 { // none of them is compared
		s.post(login, "email=asha%40clinic.example&password=wrong", "Content-Type", urlencoded, "Origin", foreign)
	}
	if got := s.post(login, `{"email":"asha@clinic.example","password":"`+graphtest.Password+`"}`, "Origin", foreign); got.status != http.StatusOK {
		t.Errorf("JSON, which browsers send after a preflight only: %d %s", got.status, got.text)
	}
	all := serve(t, graphtest.Options{}, "*")
	all.register("asha")
	if got := all.post(login, right, "Content-Type", urlencoded, "Origin", foreign); got.status != http.StatusOK {
		t.Errorf("with * as allowed origin: %d %s", got.status, got.text)
	}
}
