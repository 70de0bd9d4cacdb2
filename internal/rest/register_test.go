package rest_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caregraph/caregraph/graph/graphtest"
)

func TestRegister_AnswersAsItAlwaysDid(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	const created = `,"message":"User registered successfully","tokens":{"refresh":"TOKEN","access":"TOKEN"}}`

	s.match(s.post(register, `{"username":"rahul_kumar","email":"rahul.kumar@gmail.com","password":"Secure@123","phone":"9876543210","role":"patient"}`),
		http.StatusCreated, `{"user":{"id":1,"username":"rahul_kumar","email":"rahul.kumar@gmail.com","phone":"9876543210","role":"patient"}`+created)
	s.match(s.post(register, `{"username":"Priya","email":" Priya.Patel@AIIMS.edu ","password":"Secure@123","phone":" +91 87654-32109","role":"doctor","id":77,"is_staff":true}`),
		http.StatusCreated, `{"user":{"id":2,"username":"Priya","email":"priya.patel@aiims.edu","phone":"8765432109","role":"doctor"}`+created)

	// No phone, in every form, for any number of accounts.
	for i, phone := range []string{``, `"phone":null,`, `"phone":"",`, `"phone":"  ",`, `"phone":"",`} {
		name := "nophone" + string(rune('a'+i))
		got := s.post(register, `{`+phone+`"username":"`+name+`","email":"`+name+`@x.example","password":"Secure@123","role":"patient"}`)
		if got.status != http.StatusCreated || !strings.Contains(got.text, `"phone":null`) {
			t.Errorf("phone %q: %d %s", phone, got.status, got.text)
		}
	}
	// Texts come as numbers, in other scripts, and with characters that only
	// HTML escapes.
	got := s.post(register, `{"username":12345,"email":"a&b@x.example","password":"Secure@123","phone":9123456780,"role":"patient"}`)
	if got.status != http.StatusCreated || !strings.Contains(got.text, `"username":"12345","email":"a&b@x.example","phone":"9123456780"`) {
		t.Errorf("%d %s", got.status, got.text)
	}
	got = s.post(register, `{"username":"रवि","email":"ravi@x.example","password":"Secure@123","phone":"+442079460958","role":"patient","role":"doctor"}`)
	if got.status != http.StatusCreated || !strings.Contains(got.text, `"username":"रवि","email":"ravi@x.example","phone":"+442079460958","role":"doctor"`) {
		t.Errorf("%d %s", got.status, got.text)
	}
}

func TestRegister_TellsAllFaultsInOrder(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	s.register("taken")
	const (
		required = `["This field is required."]`
		blank    = `["This field may not be blank."]`
		null     = `["This field may not be null."]`
		notText  = `["Not a valid string."]`
		nul      = `["Null characters are not allowed."]`
		badName  = `["Enter a valid username. It may contain only letters, digits and @ . + - _ characters."]`
		badMail  = `["Enter a valid email address."]`
		badPhone = `["Enter a valid phone number: ten digits beginning 6 to 9 for an Indian mobile, or +, country code and number."]`
	)
	// valid returns a body in which some members are replaced: the last one
	// counts.
	valid := func(members string) string {
		return `{"username":"anil","email":"anil@x.example","password":"Secure@123","role":"patient",` + members + `}`
	}
	for body, want := range map[string]string{
		`{}`: `{"username":` + required + `,"email":` + required + `,"password":` + required + `,"role":` + required + `}`,
		`{"role":null,"password":null,"email":null,"username":null}`: `{"username":` + null + `,"email":` + null + `,"password":` + null + `,"role":` + null + `}`,
		`{"username":"","email":" ","password":"","role":""}`:        `{"username":` + blank + `,"email":` + blank + `,"password":` + blank + `,"role":["\"\" is not a valid choice."]}`,
		// Errors of the body and of the values together.
		`{"email":"nobody"}`: `{"username":` + required + `,"email":` + badMail + `,"password":` + required + `,"role":` + required + `}`,
		`{"username":"a b","email":"nobody","password":true,"phone":"abc","role":"Doctor"}`: `{"username":` + badName + `,"email":` + badMail +
			`,"password":` + notText + `,"phone":` + badPhone + `,"role":["\"Doctor\" is not a valid choice."]}`,
		`{"username":"anil","email":"x","password":"Secure@123","phone":"1"}`: `{"email":` + badMail + `,"phone":` + badPhone + `,"role":` + required + `}`,
		`{"username":"a b","email":"x","password":"12345678","phone":{},"role":"admin"}`: `{"username":` + badName + `,"email":` + badMail +
			`,"password":["This password is too common.","This password is entirely numeric."],"phone":` + notText + `,"role":["\"admin\" is not a valid choice."]}`,
		// Each field by itself.
		valid(`"role":"admin"`):                                       `{"role":["\"admin\" is not a valid choice."]}`,
		valid(`"role":"PATIENT"`):                                     `{"role":["\"PATIENT\" is not a valid choice."]}`,
		valid(`"role":"nurse"`):                                       `{"role":["\"nurse\" is not a valid choice."]}`,
		valid(`"role":5`):                                             `{"role":["\"5\" is not a valid choice."]}`,
		valid(`"role":["patient"]`):                                   `{"role":["Not a valid choice."]}`,
		valid(`"role":null`):                                          `{"role":` + null + `}`,
		valid(`"username":false`):                                     `{"username":` + notText + `}`,
		valid(`"username":["anil"]`):                                  `{"username":` + notText + `}`,
		valid(`"username":"an\u0000il"`):                              `{"username":` + nul + `}`,
		valid(`"email":"anil@x.example\u0000"`):                       `{"email":` + nul + `}`,
		valid(`"password":"Secure\u0000@123"`):                        `{"password":` + nul + `}`,
		valid(`"phone":"98765\u000043210"`):                           `{"phone":` + nul + `}`,
		valid(`"phone":true`):                                         `{"phone":` + notText + `}`,
		valid(`"phone":"0123456789"`):                                 `{"phone":` + badPhone + `}`,
		valid(`"phone":"98765432109876543"`):                          `{"phone":` + badPhone + `}`,
		valid(`"username":"` + strings.Repeat("ü", 151) + `"`):        `{"username":["Ensure this field has no more than 150 characters."]}`,
		valid(`"email":"` + strings.Repeat("a", 250) + `@x.example"`): `{"email":["Ensure this field has no more than 254 characters."]}`,
		valid(`"email":"anil@localhost"`):                             `{"email":` + badMail + `}`,
		valid(`"password":"1"`):                                       `{"password":["This password is too short. It must contain at least 8 characters.","This password is entirely numeric."]}`,
		valid(`"password":"anil@x.example"`):                          `{"password":["The password is too similar to the email address."]}`,
		// Taken values, in any case, both at once.
		valid(`"username":"TAKEN","email":"Taken@Clinic.Example"`): `{"username":["A user with that username already exists."],"email":["user with this email already exists."]}`,
	} {
		s.want(s.post(register, body), http.StatusBadRequest, want)
	}
	if got := s.Row(`SELECT count(*)::text FROM users`); got != "1" {
		t.Errorf("there are %s accounts: a refused request made one", got)
	}
}

func TestRegister_DuplicatePhoneIsTold(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	for i, phone := range []string{"9876543210", "+91 98765 43210"} {
		name := "user" + string(rune('a'+i))
		got := s.post(register, `{"username":"`+name+`","email":"`+name+`@x.example","password":"Secure@123","phone":"`+phone+`","role":"patient"}`)
		if i == 1 {
			s.want(got, http.StatusBadRequest, `{"phone":["user with this phone already exists."]}`)
		}
	}
}

func TestRegister_TakesFormsAndUploads(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	form := url.Values{
		"username": {"first", "asha"}, "email": {"asha@x.example"}, "password": {"Secure@123"}, "phone": {""}, "role": {"doctor"},
	}.Encode()
	got := s.post(register, form, "Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	s.match(got, http.StatusCreated, `{"user":{"id":1,"username":"asha","email":"asha@x.example","phone":null,"role":"doctor"},`+
		`"message":"User registered successfully","tokens":{"refresh":"TOKEN","access":"TOKEN"}}`)

	upload := multipart(`name="username"`, "neha", `name="email"`, "neha@x.example", `name="password"`, "Secure@123", `name="role"`, "patient")
	if got := s.post(register, upload, "Content-Type", "multipart/form-data; boundary=X"); got.status != http.StatusCreated {
		t.Errorf("%d %s", got.status, got.text)
	}
	file := multipart(`name="username"; filename="a.txt"`, "neha", `name="role"`, "patient")
	s.want(s.post(register, file, "Content-Type", "multipart/form-data; boundary=X"), http.StatusBadRequest,
		`{"username":["Not a valid string."],"email":["This field is required."],"password":["This field is required."]}`)
	s.want(s.post(register, "username=%ff&email=+&password=&role=", "Content-Type", "application/x-www-form-urlencoded"), http.StatusBadRequest,
		`{"username":["Not a valid string."],`+
			`"email":["This field may not be blank."],"password":["This field may not be blank."],"role":["\"\" is not a valid choice."]}`)
}

// multipart writes pairs of disposition and content.
func multipart(pairs ...string) string {
	var body strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		body.WriteString("--X\r\nContent-Disposition: form-data; " + pairs[i] + "\r\n\r\n" + pairs[i+1] + "\r\n")
	}
	return body.String() + "--X--\r\n"
}

func TestRegister_EqualRequestsAtOnceMakeOneAccount(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	const body = `{"username":"anil","email":"Anil@x.example","password":"Secure@123","phone":"9876543210","role":"patient"}`
	replies := make([]reply, 8)
	var all sync.WaitGroup
	for i := range replies {
		all.Go(func() { replies[i] = s.post(register, body) })
	}
	all.Wait()
	created := 0
	for _, got := range replies {
		switch {
		case got.status == http.StatusCreated:
			created++
		case got.status != http.StatusBadRequest || !strings.Contains(got.text, "already exists."):
			t.Errorf("%d %s", got.status, got.text)
		}
	}
	if created != 1 || s.Row(`SELECT count(*)::text FROM users`) != "1" {
		t.Errorf("%d of them were created", created)
	}
}

func TestRegister_AFrontDeskIsNotSlowedDown(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s := serve(t, graphtest.Options{Now: func() time.Time { return now }})
	for i := range 50 {
		s.register(fmt.Sprintf("patient%d", i))
	}
}

func TestRegister_RefusesABadTokenAndLoginDoesNot(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	s.register("rahul")
	const account = `{"username":"anil","email":"anil@x.example","password":"Secure@123","role":"patient"}`
	const credentials = `{"email":"rahul@clinic.example","password":"Secure@123"}`

	s.want(s.post(register, account, bearer("garbage")...), http.StatusUnauthorized, tokenNotValid("Token is invalid"))
	s.want(s.post(register, `{`, bearer("garbage")...), http.StatusUnauthorized, tokenNotValid("Token is invalid"))
	if got := s.Row(`SELECT count(*)::text FROM users`); got != "1" {
		t.Error("a refused request made an account")
	}
	if got := s.post(login, credentials, bearer("garbage")...); got.status != http.StatusOK {
		t.Errorf("login: %d %s", got.status, got.text)
	}
	if got := s.post(register, account, "Authorization", "Basic cmFodWw6eA=="); got.status != http.StatusCreated {
		t.Errorf("register with another scheme: %d %s", got.status, got.text)
	}
}

func TestRegister_ClosedServerAnswersForbidden(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{RegistrationClosed: true})
	for _, body := range []string{`{}`, `{"username":"asha","email":"asha@x.example","password":"Secure@123","role":"patient"}`} {
		s.want(s.post(register, body), http.StatusForbidden,
			`{"detail":"This server does not accept registrations. Ask its operator for an account."}`)
	}
}
