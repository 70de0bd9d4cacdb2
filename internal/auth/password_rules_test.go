package auth

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/model"
)

const (
	tooShort     = "This password is too short. It must contain at least 8 characters."
	tooLong      = "This password is too long. It must contain no more than 128 characters."
	tooCommon    = "This password is too common."
	numeric      = "This password is entirely numeric."
	likeUsername = "The password is too similar to the username."
	likeEmail    = "The password is too similar to the email address."
)

func TestCheckPassword_TellsAllReasonsAtOnce(t *testing.T) {
	t.Parallel()
	for password, want := range map[string][]string{
		"1":                      {tooShort, numeric},
		"":                       {tooShort},
		"  sp  ":                 {tooShort},
		"123456":                 {tooShort, tooCommon, numeric},
		"12345678":               {tooCommon, numeric},
		"8347261950":             {numeric},
		"password":               {tooCommon},
		"PASSWORD":               {tooCommon},
		" password ":             {tooCommon},
		"P@ssw0rd":               {tooCommon},
		"trustn0!":               {tooCommon},
		"password123":            {tooCommon},
		"Password@123":           {tooCommon},
		"Dragon2024!":            {tooCommon},
		"Admin@123":              {tooCommon},
		"India@123":              {tooCommon},
		"Welcome@1":              {tooCommon},
		"Abcd@1234":              {tooCommon},
		"rahul":                  {tooShort, likeEmail},
		"rahul_kumar":            {likeUsername, likeEmail},
		"Rahul_Kumar1":           {likeUsername, likeEmail},
		"my-RAHUL_KUMAR-is-long": {likeUsername},
		"rahul.kumar@gmail.com":  {likeEmail},
		strings.Repeat("7", 129): {tooLong, numeric},
		strings.Repeat("x", 5000) + "rahul_kumar": {tooLong, likeUsername},
	} {
		got := messages(CheckPassword("password", password, "rahul_kumar", "rahul.kumar@gmail.com"))
		if !slices.Equal(got, want) {
			t.Errorf("%.30q:\n got %q\nwant %q", password, got, want)
		}
	}
}

func TestCheckPassword_AcceptsDecentPasswords(t *testing.T) {
	t.Parallel()
	for _, password := range []string{
		"Secure@123", // the example of the README, which clients already use
		"correct horse battery staple",
		"gravity-of-mars",
		"dragon-breath-47",
		"Dragon#84721956",
		"पासवर्ड-मेरा-है",
		"aB3$xY9!",
		strings.Repeat("kx", 64),
		strings.Repeat("है", 64),
	} {
		if got := CheckPassword("password", password, "rahul_kumar", "rahul.kumar@gmail.com"); got != nil {
			t.Errorf("%q was refused: %q", password, messages(got))
		}
	}
	if got := CheckPassword("password", "gravity-of-mars", "ravi", "a@b.in"); got != nil {
		t.Errorf("a short name within a word was taken for likeness: %q", messages(got))
	}
}

func TestCheckPassword_NamesFieldAndCode(t *testing.T) {
	t.Parallel()
	for _, fault := range CheckPassword("newPassword", "123456", "", "") {
		if fault.Field != "newPassword" || fault.Code != model.CodeWeakPassword {
			t.Errorf("fault = %+v, want field newPassword and code WEAK_PASSWORD", fault)
		}
	}
}

func TestCheckPassword_WithoutNamesOrWithAbsurdOnes(t *testing.T) {
	t.Parallel()
	absurd := strings.Repeat("secure.123@", 10_000)
	for _, name := range []string{"", "@", "@@..@", absurd} {
		if got := CheckPassword("password", "Secure@123", name, name); got != nil {
			t.Errorf("name %.20q: %q", name, messages(got))
		}
	}
}

func TestSimilarity_IsPythonsQuickRatio(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want float64
	}{
		{"rahulkumar", "rahulkumar", 1},
		{"rahulkumar", "ramukluhar", 1}, // the order does not matter
		{"rahul123", "rahul", 10.0 / 13},
		{"aaaaaaaa", "abcdefgh", 2.0 / 16}, // a character counts as often as it occurs
		{"secure@1", "abc", 0},             // cannot reach the bound
		{"", "rahul", 0},
		{"", "", 0},
	} {
		if got := similarity(c.a, c.b); got != c.want {
			t.Errorf("similarity of %q and %q = %v, want %v", c.a, c.b, got, c.want)
		}
	}
}

// The list comes from the library's own file, so a change there shows here.
func TestCommonPasswords_ListIsThere(t *testing.T) {
	t.Parallel()
	if n := len(commonPasswords()); n < 6500 || n > 8000 {
		t.Errorf("the list has %d passwords", n)
	}
}

func BenchmarkCheckPassword(b *testing.B) {
	for name, password := range map[string]string{
		"usual":          "Secure@123",
		"128 characters": strings.Repeat("p4$5w0rd", 16),
		"1 MB":           strings.Repeat("p4$5w0rd", 1<<17),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				CheckPassword("password", password, "rahul_kumar", "rahul.kumar@gmail.com")
			}
		})
	}
}

func messages(faults []model.FieldError) []string {
	var texts []string
	for _, fault := range faults {
		texts = append(texts, fault.Message)
	}
	return texts
}

// The schema says to clients what CheckPassword refuses.
func TestPasswordLength_IsThatOfTheSchema(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../schema.graphqls")
	if err != nil {
		t.Fatal(err)
	}
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: "schema.graphqls", Input: string(text)})
	if err != nil {
		t.Fatal(err)
	}
	for input, field := range map[string]string{"RegisterInput": "password", "ChangePasswordInput": "newPassword"} {
		limit := schema.Types[input].Fields.ForName(field).Directives.ForName("text")
		if limit == nil {
			t.Errorf("%s.%s has no @text", input, field)
			continue
		}
		for argument, want := range map[string]int{"min": minPasswordLength, "max": maxPasswordLength} {
			if got := limit.Arguments.ForName(argument).Value.Raw; got != strconv.Itoa(want) {
				t.Errorf("%s.%s: @text(%s: %s), want %d", input, field, argument, got, want)
			}
		}
	}
}
