package graph_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/graph"
	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/model"
)

// errorCase is an operation whose answer has a code.
type errorCase struct {
	client    *graphtest.Client
	operation string
	// body, if not "", is the body of the request instead of the operation.
	body string
	// before, if not nil, prepares the server, and after ends what it began.
	before, after func()
}

// unsentCodes are the codes that no answer has yet, each with the reason. All others
// belong into the table below.
func unsentCodes() map[string]string {
	return map[string]string{
		"RATE_LIMITED":         "requests are not counted yet; sign-in has TOO_MANY_ATTEMPTS",
		"PERSISTED_QUERY_ONLY": "there are no persisted documents yet",
	}
}

func enumValues(name string) []string {
	var values []string
	for _, value := range graph.Schema().Types[name].EnumValues {
		values = append(values, value.Name)
	}
	return values
}

func TestErrorCodes_EachIsTheAnswerToSomething(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	var release func()
	provocations := map[string]errorCase{
		"GRAPHQL_PARSE_FAILED":      {client: c.Rahul, operation: `{ me { `},
		"GRAPHQL_VALIDATION_FAILED": {client: c.Rahul, operation: `{ nonsense }`},
		"BAD_USER_INPUT":            {client: c.Rahul, operation: `{ patients(first: 101) { totalCount } }`},
		"UNAUTHENTICATED":           {client: c.Nemo, operation: `{ me { id } }`},
		"FORBIDDEN":                 {client: c.Rahul, operation: `mutation { verifyDoctor(id: 1, input: {isVerified: true}, expectedVersion: 1) { userErrors { code } } }`},
		"FORBIDDEN_FIELD":           {client: c.Admin, operation: `{ patient(id: 1) { bloodGroup } }`},
		"INVALID_CURSOR":            {client: c.Rahul, operation: `{ patients(after: "x") { totalCount } }`},
		"LIMIT_EXCEEDED":            {client: c.Rahul, operation: `{ patients(first: 100) { nodes { doctors(first: 100) { nodes { patients(first: 100) { nodes { id } } } } } } }`},
		"PERSISTED_QUERY_NOT_FOUND": {client: c.Rahul, body: `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"00"}}}`},
		"IDEMPOTENCY_KEY_REUSED": {client: c.Rahul.Keyed("k1"), operation: `mutation { updatePatient(id: 1, input: {name: "B"}) { userErrors { code } } }`, before: func() {
			c.Rahul.Keyed("k1").Must(`mutation { updatePatient(id: 1, input: {name: "A"}) { userErrors { code } } }`, nil)
		}},
		"REQUEST_IN_PROGRESS": {
			client: c.Rahul.Keyed("k2"), operation: `mutation { updatePatient(id: 1, input: {name: "C"}) { userErrors { code } } }`,
			before: func() { release = hold(t, c.Server, "SELECT FROM patients WHERE id = 1 FOR UPDATE") }, after: func() { release() },
		},
		"UNAVAILABLE": {client: c.Rahul, operation: `{ patients { totalCount } }`, before: func() { cancelTheNext(t, c.Server) }},
		"INTERNAL":    {client: c.Rahul, operation: `{ patients { totalCount } }`, before: func() { c.Exec("ALTER TABLE patients RENAME TO gone") }},
	}
	for _, code := range enumValues("ErrorCode") {
		try, known := provocations[code]
		if _, none := unsentCodes()[code]; none != !known {
			t.Errorf("%s: say either how it is provoked or why it is not sent", code)
		}
		if !known {
			continue
		}
		if try.before != nil {
			try.before()
		}
		answer := try.client.Do(try.operation, nil)
		if try.body != "" {
			answer = try.client.Send(try.body)
		}
		if try.after != nil {
			try.after()
		}
		if got := fmt.Sprint(answer.Codes()); len(answer.Errors) != 1 || !strings.HasSuffix(got, code+"]") {
			t.Errorf("%s: got %s", code, answer.Body)
		}
	}
}

// resetToken returns the token of a mail to an account with a second factor.
func resetToken(t *testing.T, client *graphtest.Client) string {
	t.Helper()
	client.Server.Exec("UPDATE users SET is_confirmed = TRUE, has_totp = TRUE WHERE id = $1", client.UserID)
	client.Must(requestReset, map[string]any{"email": client.Email})
	return mailTo(t, client, model.MailResetPassword).Data["token"]
}

func TestUserErrorCodes_EachIsTheAnswerToSomething(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{Now: newClock().Now}).NewClinic() // no attempt comes back while the others are made
	update := func(input string) string {
		return `mutation { it: updatePatient(id: 1, input: ` + input + `) { userErrors { field code message } } }`
	}
	provocations := map[string]errorCase{
		"REQUIRED":            {client: c.Rahul, operation: update(`{name: ""}`)},
		"INVALID":             {client: c.Rahul, operation: update(`{phone: "1"}`)},
		"TOO_LONG":            {client: c.Rahul, operation: update(`{name: "` + strings.Repeat("a", 101) + `"}`)},
		"TAKEN":               {client: c.Rahul, operation: update(`{email: "second.person@mail.example"}`), before: func() { c.Rahul.Patient("Second Person") }},
		"NOT_FOUND":           {client: c.Asha, operation: update(`{}`)},
		"FORBIDDEN":           {client: c.Admin, operation: update(`{name: "x"}`)},
		"VERSION_CONFLICT":    {client: c.Rahul, operation: `mutation { it: deletePatient(id: 1, expectedVersion: 9) { userErrors { code } } }`},
		"ALREADY_ASSIGNED":    {client: c.Rahul, operation: `mutation { it: assignDoctor(input: {patientId: 1, doctorId: "` + c.PriyasEntry + `"}) { userErrors { code } } }`},
		"DELETED":             {client: c.Rahul, operation: `mutation { it: removeMapping(id: "` + c.DevsMapping + `") { userErrors { code } } }`},
		"INVALID_CREDENTIALS": {client: c.Nemo, operation: `mutation { it: login(input: {email: "a@b.example", password: "x"}) { userErrors { code } } }`},
		"TOO_MANY_ATTEMPTS": {
			client: c.Nemo, operation: `mutation { it: login(input: {email: "c@b.example", password: "x"}) { userErrors { code } } }`,
			before: func() {
				for range 10 {
					c.Nemo.Do(`mutation { login(input: {email: "c@b.example", password: "x"}) { userErrors { code } } }`, nil)
				}
			},
		},
		"WEAK_PASSWORD": {client: c.Nemo, operation: `mutation { it: register(input: {username: "n", email: "n@b.example", password: "1", role: PATIENT}) { userErrors { code } } }`},
		"IN_USE":        {client: c.Admin, operation: `mutation { it: disableAccount(id: "` + c.Admin.ID() + `", reason: "left") { userErrors { code } } }`},
		"INVALID_CODE": {
			client: c.Asha, operation: `mutation { it: claimPatient(code: "0", name: "x", dateOfBirth: "1990-05-15") { userErrors { code } } }`,
			before: func() { c.Exec("UPDATE users SET is_confirmed = true WHERE id = $1", c.Asha.UserID) },
		},
		"NOT_CONFIRMED": {client: c.Rahul, operation: `mutation { it: addTeamMember(input: {username: "Dev", level: SEE}) { userErrors { code } } }`},
		"LIMIT_REACHED": {
			client: c.Rahul, operation: `mutation { it: addTeamMember(input: {username: "Asha", level: SEE}) { userErrors { code } } }`,
			before: func() {
				c.Exec(`INSERT INTO users (id, username, email, role, password_hash)
					SELECT n, 'u' || n, 'u' || n || '@mail.example', 'PATIENT', '!' FROM generate_series(1001, 1200) AS n`)
				c.Exec(`INSERT INTO grants (kind, level, granter_id, account_id) SELECT 'TEAM', 'SEE', $1, n FROM generate_series(1001, 1200) AS n`, c.Rahul.UserID)
			},
		},
		"INVALID_TOKEN": {client: c.Nemo, operation: `mutation { it: refreshToken(refresh: "x") { userErrors { code } } }`},
		"OTP_REQUIRED":  {client: c.Nemo, operation: `mutation { it: resetPassword(token: "` + resetToken(t, c.Rahul) + `", newPassword: "Another@4567") { userErrors { code } } }`},
	}
	for _, code := range enumValues("UserErrorCode") {
		try, known := provocations[code]
		if !known {
			t.Errorf("%s: say how it is provoked", code)
			continue
		}
		if try.before != nil {
			try.before()
		}
		answer := try.client.Do(try.operation, nil)
		if userErrs := answer.UserErrors("it"); len(userErrs) == 0 || slices.ContainsFunc(userErrs, func(e graphtest.UserError) bool { return e.Code != code }) {
			t.Errorf("%s: got %s", code, answer.Body)
		}
	}
}

// TestCodes_OfModelAreThoseOfTheSchema: the constants of model/errors.go are the values
// of the two enums.
func TestCodes_OfModelAreThoseOfTheSchema(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "../model/errors.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var inModel []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if typ, ok := spec.Type.(*ast.Ident); ok && typ.Name == "Code" {
			value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Error(err)
			}
			inModel = append(inModel, value)
		}
		return true
	})
	inSchema := append(enumValues("UserErrorCode"), enumValues("ErrorCode")...)
	slices.Sort(inModel)
	slices.Sort(inSchema)
	equalJSON(t, "codes", inModel, slices.Compact(inSchema))
}
