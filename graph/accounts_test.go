package graph_test

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/model"
)

const (
	register = `mutation ($input: RegisterInput!) { register(input: $input) {
		user { id username email phone role } tokens { access refresh accessExpiresAt refreshExpiresAt } userErrors { field code message } } }`
	login = `mutation ($email: EmailAddress!, $password: String!) { login(input: {email: $email, password: $password}) {
		user { id email } tokens { access refresh } userErrors { field code message } } }`
)

func credentials(email, password string) map[string]any {
	return map[string]any{"email": email, "password": password}
}

func TestRegister_OpensAnAccountAndSignsItIn(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	out := s.Nobody().Must(register, map[string]any{"input": map[string]any{
		"username": "asha.k", "email": " Asha@Clinic.Example ", "password": "Monsoon-Rain-42", "phone": "98765 43210", "role": "DOCTOR",
	}}).At("register")
	equalJSON(t, "user", out.At("user").Value, map[string]any{
		"id": "usr_1", "username": "asha.k", "email": "asha@clinic.example", "phone": "+919876543210", "role": "DOCTOR",
	})
	asha := &graphtest.Client{Server: s, Token: out.Text("tokens", "access")}
	equalJSON(t, "me", asha.Do(`{ me { username } }`, nil).Body, `{"data":{"me":{"username":"asha.k"}}}`)
}

func TestRegister_TellsEveryFaultAtOnceInTheOrderOfTheInput(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	fields := func(input map[string]any) []string {
		return s.Nobody().Do(register, map[string]any{"input": input}).UserErrorCodes("register")
	}
	equalJSON(t, "all bad", fields(map[string]any{"username": "a b", "email": "x", "password": "12345678", "phone": "12", "role": "ADMIN"}), []string{
		"input.username INVALID", "input.email INVALID", "input.password WEAK_PASSWORD", "input.password WEAK_PASSWORD",
		"input.phone INVALID", "input.role INVALID",
	})
	equalJSON(t, "blank", fields(map[string]any{"username": " ", "email": " ", "password": "Monsoon-Rain-42", "role": "PATIENT"}), []string{
		"input.username REQUIRED", "input.email REQUIRED",
	})
	equalJSON(t, "too long", fields(map[string]any{
		"username": strings.Repeat("a", 151), "email": strings.Repeat("a", 250) + "@b.example", "password": strings.Repeat("Monsoon-", 17), "role": "PATIENT",
	}), []string{"input.username TOO_LONG", "input.email TOO_LONG", "input.password WEAK_PASSWORD"})
	equalJSON(t, "like the name", fields(map[string]any{"username": "monsoonrain", "email": "a@b.example", "password": "monsoonrain9", "role": "PATIENT"}),
		[]string{"input.password WEAK_PASSWORD"})

	taken := map[string]any{"username": "first", "email": "first@b.example", "password": "Monsoon-Rain-42", "phone": "9876543210", "role": "PATIENT"}
	equalJSON(t, "the first", fields(taken), []string{})
	taken["username"], taken["email"] = "FIRST", "First@B.Example"
	equalJSON(t, "taken", fields(taken), []string{"input.username TAKEN", "input.email TAKEN", "input.phone TAKEN"})
	equalJSON(t, "accounts", s.Row("SELECT count(*)::text FROM users"), "1")
}

func TestLogin_DoesNotMindCaseAndSpaces(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	s.Account("Rahul", model.RolePatient)
	out := s.Nobody().Must(login, credentials("  RAHUL@clinic.example ", " "+graphtest.Password+" "))
	equalJSON(t, "email", out.Text("login", "user", "email"), "rahul@clinic.example")
}

func TestLogin_TellsAWrongPasswordAndAnUnknownAddressAlike(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	idle := s.Account("Idle", model.RolePatient)
	s.Exec("UPDATE users SET is_active = false WHERE id = $1", idle.UserID)
	wrong := s.Nobody().Do(login, credentials(rahul.Email, "Wrong@4567")).Body
	equalJSON(t, "unknown", s.Nobody().Do(login, credentials("nobody@clinic.example", "Wrong@4567")).Body, wrong)
	equalJSON(t, "inactive", s.Nobody().Do(login, credentials(idle.Email, graphtest.Password)).Body, wrong)
	if !strings.Contains(wrong, `"userErrors":[{"field":null,"code":"INVALID_CREDENTIALS"`) || strings.Contains(wrong, "rahul") {
		t.Error(wrong)
	}
}

func TestLogin_SlowsDownGuessing(t *testing.T) {
	t.Parallel()
	now := newClock()
	s := graphtest.New(t, graphtest.Options{Now: now.Now})
	rahul := s.Account("Rahul", model.RolePatient)
	for range 10 {
		answer := s.Nobody().Do(login, credentials(rahul.Email, "Wrong@4567"))
		equalJSON(t, "a guess", answer.UserErrorCodes("login"), []string{"INVALID_CREDENTIALS"})
		equalJSON(t, "a guess", answer.Extensions, nil)
	}
	blocked := s.Nobody().Do(login, credentials(rahul.Email, graphtest.Password))
	equalJSON(t, "one too many", blocked.UserErrorCodes("login"), []string{"TOO_MANY_ATTEMPTS"})
	equalJSON(t, "how long to wait", blocked.Extensions, map[string]any{"retryAfter": 30})
	now.advance(12500 * time.Millisecond)
	blocked = s.Nobody().Do(login, credentials(rahul.Email, graphtest.Password))
	equalJSON(t, "still too early", blocked.Extensions, map[string]any{"retryAfter": 18})
	changing := rahul.Do(changePassword, map[string]any{"current": graphtest.Password, "next": "Monsoon-Rain-42"})
	equalJSON(t, "the other way to guess", changing.UserErrorCodes("changePassword"), []string{"TOO_MANY_ATTEMPTS"})

	now.advance(17500 * time.Millisecond)
	s.Nobody().Must(login, credentials(rahul.Email, graphtest.Password))
}

// TestLogin_TakesAPasswordOfTheOldSystem: a hash of Django is valid once and is replaced
// by argon2id.
func TestLogin_TakesAPasswordOfTheOldSystem(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	key, err := pbkdf2.Key(sha256.New, "Old-Secret-77", []byte("saltsalt"), 1000, 32)
	if err != nil {
		t.Fatal(err)
	}
	s.Exec("UPDATE users SET password_hash = $1 WHERE id = $2",
		"pbkdf2_sha256$1000$saltsalt$"+base64.StdEncoding.EncodeToString(key), rahul.UserID)
	hash := func() string { return s.Row("SELECT password_hash FROM users WHERE id = $1", rahul.UserID) }

	old := hash()
	equalJSON(t, "wrong", s.Nobody().Do(login, credentials(rahul.Email, "Old-Secret-78")).UserErrorCodes("login"), []string{"INVALID_CREDENTIALS"})
	equalJSON(t, "the hash after a failure", hash(), old)
	s.Nobody().Must(login, credentials(rahul.Email, "Old-Secret-77"))
	if !strings.HasPrefix(hash(), "$argon2id$") {
		t.Errorf("not hashed again: %s", hash()[:13])
	}
	s.Nobody().Must(login, credentials(rahul.Email, "Old-Secret-77"))
}

func TestUpdateMe_TellsWhatIsWrong(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	s.Account("Priya", model.RoleDoctor).Must(`mutation { updateMe(input: {phone: "9876543210"}) { userErrors { code } } }`, nil)
	rahul := s.Account("Rahul", model.RolePatient)
	for input, want := range map[string][]string{
		`{}`:                            {},
		`{username: "rahul"}`:           {},
		`{phone: null}`:                 {},
		`{username: null, phone: null}`: {"input.username REQUIRED"},
		`{username: " ", phone: "1"}`:   {"input.username REQUIRED", "input.phone INVALID"},
		`{username: "PRIYA"}`:           {"input.username TAKEN"},
		`{phone: "+91 98765 43210"}`:    {"input.phone TAKEN"},
		`{username: "a b"}`:             {"input.username INVALID"},
		`{username: "a\u0000b"}`:        {"input.username INVALID"},
		`{username: "` + strings.Repeat("x", 151) + `"}`: {"input.username TOO_LONG"},
	} {
		answer := rahul.Do(`mutation { updateMe(input: `+input+`) { user { id } userErrors { field code } } }`, nil)
		equalJSON(t, input, answer.Codes(), []string{})
		got := answer.UserErrorCodes("updateMe")
		if len(got) > len(want) && len(want) > 0 {
			got = got[:len(want)] // one field may have several errors
		}
		equalJSON(t, input, got, want)
	}
}

// TestLogin_DeviceComesOnlyIfItIsAskedFor: other clients make no devices.
func TestLogin_DeviceComesOnlyIfItIsAskedFor(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{Now: newClock().Now})
	rahul := s.Account("Rahul", model.RolePatient)
	s.Nobody().Must(login, credentials(rahul.Email, graphtest.Password))
	equalJSON(t, "devices of clients that ask for none", s.Row("SELECT count(*)::text FROM devices"), "0")

	const withDevice = `mutation ($input: LoginInput!) { login(input: $input) { ...Device userErrors { code } } }
		fragment Device on AuthPayload { token: device }`
	in := map[string]any{"input": map[string]any{"email": rahul.Email, "password": graphtest.Password}}
	token := s.Nobody().Must(withDevice, in).Text("login", "token")
	for range 11 {
		s.Nobody().Do(login, credentials(rahul.Email, "Wrong@4567"))
	}
	refused := s.Nobody().Do(withDevice, in)
	equalJSON(t, "a new device", refused.Body, `{"data":{"login":{"token":null,"userErrors":[{"code":"TOO_MANY_ATTEMPTS"}]}},"extensions":{"retryAfter":30}}`)
	in["input"].(map[string]any)["device"] = token
	equalJSON(t, "the known device", s.Nobody().Must(withDevice, in).Text("login", "token"), token)
	equalJSON(t, "devices", s.Row("SELECT count(*)::text FROM devices"), "1")
}

// TestRegister_ClosedServerMakesNoAccount, and says so before it looks at the input.
func TestRegister_ClosedServerMakesNoAccount(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{RegistrationClosed: true})
	for _, username := range []string{"asha", "two words"} {
		answer := s.Nobody().Do(register, map[string]any{"input": map[string]any{
			"username": username, "email": "asha@x.example", "password": graphtest.Password, "role": "PATIENT",
		}})
		equalJSON(t, username, answer.Codes(), []string{"register FORBIDDEN"})
	}
	equalJSON(t, "accounts", s.Row("SELECT count(*)::text FROM users"), "0")
	boss := s.Account("Boss", model.RoleAdmin)
	wantSignedIn(t, "an account that the operator made", boss)
}

// TestUser_StrangersDoNotSeeWhoIsAdministrator, by any path to the account.
func TestUser_StrangersDoNotSeeWhoIsAdministrator(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	entry, patient := c.Admin.Entry("Dr. Boss"), c.Admin.Patient("Boss Patient")
	c.Admin.Assign(patient, c.PriyasEntry, "")
	for what, query := range map[string]string{
		"node":    `{ node(id: "` + c.Admin.ID() + `") { ... on User { username role } } }`,
		"creator": `{ doctor(id: "` + entry + `") { createdBy { username role } } }`,
		"owner":   `{ node(id: "` + patient + `") { ... on Patient { createdBy { username role } } } }`,
	} {
		for who, client := range map[string]*graphtest.Client{"a stranger": c.Asha, "a doctor": c.Priya, "an owner": c.Rahul} {
			if body := client.Do(query, nil).Body; strings.Contains(body, "ADMIN") {
				t.Errorf("%s, %s: %s", what, who, body)
			}
		}
		if body := c.Admin.Do(query, nil).Body; !strings.Contains(body, `"role":"ADMIN"`) {
			t.Errorf("%s, the administrator: %s", what, body)
		}
	}
}

// TestUser_ExistsForThoseWhoSeeARecordOfIt: they read it by each path, and no other account.
func TestUser_ExistsForThoseWhoSeeARecordOfIt(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	lara := c.Account("Lara", model.RoleDoctor)
	c.Admin.Verify(c.RahulsEntry, map[string]any{"isVerified": true, "accountId": lara.ID()})
	accounts := map[string]*graphtest.Client{
		"Admin": c.Admin, "Asha": c.Asha, "Dev": c.Dev, "Lara": lara, "Neha": c.Neha, "Priya": c.Priya, "Rahul": c.Rahul,
	}
	const node, nodes = `query ($id: ID!) { node(id: $id) { __typename ... on User { username } } }`,
		`query ($id: ID!) { node: nodes(ids: [$id]) { __typename ... on User { username } } }`
	const edges = `query @redact { patients { nodes { createdBy { username } mappings(isActive: null) { nodes { createdBy { username } } } } }
		doctors { nodes { account { username } createdBy { username } } } }`
	for who, sees := range map[string][]string{
		"Asha": {"Asha"}, "Dev": {"Dev"}, "Neha": {"Neha"}, "Lara": {"Lara", "Rahul"}, "Rahul": {"Rahul"},
		"Priya": {"Priya", "Rahul"}, "Admin": {"Admin", "Asha", "Dev", "Lara", "Neha", "Priya", "Rahul"},
	} {
		client := accounts[who]
		for name, account := range accounts {
			for _, query := range []string{node, nodes} {
				got := client.Do(query, map[string]any{"id": account.ID()}).Body
				want := client.Do(query, map[string]any{"id": "usr_999999"}).Body
				if slices.Contains(sees, name) {
					want = strings.Replace(want, "null", `{"__typename":"User","username":"`+name+`"}`, 1)
				}
				equalJSON(t, who+" asks for "+name, got, want)
			}
		}
		named := []string{}
		for _, found := range regexp.MustCompile(`"username":"(\w+)"`).FindAllStringSubmatch(client.Do(edges, nil).Body, -1) {
			named = append(named, found[1])
		}
		for name := range accounts {
			isNamed := slices.Contains(named, name)
			if isNamed && !slices.Contains(sees, name) {
				t.Errorf("a record names %s to %s, who does not see the account", name, who)
			}
			if !isNamed && slices.Contains(sees, name) && who != "Admin" && name != who {
				t.Errorf("no record names %s to %s, who sees the account", name, who)
			}
		}
	}
}
