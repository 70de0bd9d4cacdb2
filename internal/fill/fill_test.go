package fill

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/model"
)

func noEnv(string) string { return "" }

// fillServer runs fill on the server and returns what it printed.
func fillServer(t *testing.T, url string, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if err := Run(t.Context(), append([]string{"--url", url}, args...), noEnv, &stdout, &stderr); err != nil {
		t.Fatalf("%v\n%s", err, stdout.String())
	}
	return stdout.String()
}

// signedIn signs in to an account that fill made.
func signedIn(t *testing.T, s *graphtest.Server, a account) *graphtest.Client {
	t.Helper()
	in := s.Nobody().Must(`mutation ($input: LoginInput!) {
		login(input: $input) { tokens { access } userErrors { code } } }`,
		map[string]any{"input": map[string]any{"email": a.Email, "password": a.Password}})
	return &graphtest.Client{Server: s, Token: in.Text("login", "tokens", "access")}
}

func totals(admin *graphtest.Client) [3]any {
	all := admin.Must(`{ patients { totalCount } doctors { totalCount } mappings { totalCount } }`, nil)
	return [3]any{
		all.At("patients", "totalCount").Value, all.At("doctors", "totalCount").Value, all.At("mappings", "totalCount").Value,
	}
}

func TestRun_MakesTheExamplesOnce(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	first := fillServer(t, s.URL)
	if !strings.Contains(first, "The examples were made") {
		t.Errorf("the first run says:\n%s", first)
	}
	rahul := signedIn(t, s, rahul())
	want := rahul.Do(exampleQuery, nil).Body
	for _, part := range []string{
		`"name":"Arjun Sharma"`, `"bloodGroup":"B_POSITIVE"`, `"dateOfBirth":"1990-05-15"`, `"phone":"8765432109"`,
		`"emergencyContact":"9876543210"`, `"medicalHistory":"No known allergies"`, `"address":"123 MG Road, Bangalore"`,
		`"licenseNumber":"CARD2025001"`, `"consultationFee":"1500.00"`, `"notes":"Regular cardiology consultation"`,
	} {
		if !strings.Contains(want, part) {
			t.Errorf("no %s in %s", part, want)
		}
	}

	second := fillServer(t, s.URL)
	if !strings.Contains(second, "are kept") || !strings.Contains(second, "\n0 records in ") {
		t.Errorf("the second run says:\n%s", second)
	}
	if got := rahul.Do(exampleQuery, nil).Body; got != want {
		t.Errorf("the second run changed something:\n%s\nwas\n%s", got, want)
	}
}

const exampleQuery = `{ patients { totalCount nodes { id version name email phone(format: NATIONAL) dateOfBirth address gender
	bloodGroup emergencyContact(format: NATIONAL) medicalHistory mappings(isActive: null) { nodes { id notes isActive } }
	doctors { nodes { id version name licenseNumber consultationFee } } } } }`

func TestRun_MakesAsManyAsAskedFor(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	fillServer(t, s.URL, "--number", "50")
	admin := s.Account("Admin", model.RoleAdmin)
	made := totals(admin)
	if made[0] != 51.0 || made[1] != 6.0 {
		t.Errorf("patients, doctors, mappings: %v", made)
	}
	for region := range newDataset(defaultSeed).Regions {
		own := signedIn(t, s, frontDesk(region)).Must(`{ patients { nodes { doctors { totalCount } } } }`, nil)
		if own.Len("patients", "nodes") != 10 {
			t.Errorf("front desk %d has %d patients", region, own.Len("patients", "nodes"))
		}
		for i := range own.Len("patients", "nodes") {
			if n := own.At("patients", "nodes", i, "doctors", "totalCount").Value; n != 1.0 && n != 2.0 && n != 3.0 {
				t.Errorf("a patient has %v doctors", n)
			}
		}
	}

	if again := fillServer(t, s.URL, "--number", "50", "--force"); !strings.Contains(again, "\n0 records in ") || totals(admin) != made {
		t.Errorf("the same people were made twice: %v\n%s", totals(admin), again)
	}
	fillServer(t, s.URL, "--number", "60", "--force")
	if got := totals(admin); got[0] != 61.0 || got[1] != 7.0 {
		t.Errorf("ten more patients and one more doctor: %v", got)
	}
	fillServer(t, s.URL, "--number", "20", "--seed", "2", "--force")
	if got := totals(admin); got[0] != 81.0 || got[1] != 9.0 {
		t.Errorf("people of another seed collide with the first: %v", got)
	}
}

func TestRun_StopsWhenInterruptedAndGoesOnLater(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	ctx, interrupt := context.WithCancel(t.Context())
	var asked atomic.Int64
	front := httptest.NewServer(before(s.URL, func(http.ResponseWriter, *http.Request) bool {
		if asked.Add(1) == 40 {
			interrupt()
		}
		return false
	}))
	t.Cleanup(front.Close)
	var stdout, stderr bytes.Buffer
	err := Run(ctx, []string{"--url", front.URL, "--number", "100"}, noEnv, &stdout, &stderr)
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "run it again to go on") {
		t.Errorf("error: %v", err)
	}
	if !strings.Contains(stdout.String(), "records in") || strings.Contains(stdout.String(), "Try next") {
		t.Errorf("it says:\n%s", stdout.String())
	}
	if n := asked.Load(); n > 40+defaultConcurrency {
		t.Errorf("%d requests after the interruption", n-40)
	}
	fillServer(t, s.URL, "--number", "100")
	if got := totals(s.Account("Admin", model.RoleAdmin)); got[0] != 101.0 || got[1] != 11.0 {
		t.Errorf("after going on: %v", got)
	}
}

func TestRun_RefusesAServerWithAccountsOfOthers(t *testing.T) {
	t.Parallel()
	for name, accounts := range map[string]func(*graphtest.Server, func()){
		"an account before the first run":  func(s *graphtest.Server, fill func()) { s.Account("Asha", model.RolePatient); fill() },
		"a second run after a refused one": func(s *graphtest.Server, fill func()) { s.Account("Asha", model.RolePatient); fill(); fill() },
		"an administrator":                 func(s *graphtest.Server, fill func()) { s.Account("Boss", model.RoleAdmin); fill() },
		"a name like that of a front desk": func(s *graphtest.Server, fill func()) { s.Account("fill-desk-99", model.RoleDoctor); fill() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := graphtest.New(t, graphtest.Options{})
			var out bytes.Buffer
			var err error
			accounts(s, func() {
				out.Reset()
				err = Run(t.Context(), []string{"--url", s.URL, "--number", "10"}, noEnv, &out, &out)
			})
			if err == nil || !strings.Contains(err.Error(), s.URL+" has accounts of other people") || !strings.Contains(err.Error(), "--force") {
				t.Fatalf("error: %v\n%s", err, &out)
			}
			if !strings.Contains(out.String(), "\n0 records in ") && !strings.Contains(out.String(), "\n1 records in ") {
				t.Errorf("it filled the server all the same:\n%s", &out)
			}
			fillServer(t, s.URL, "--number", "10", "--force")
			if got := totals(s.Account("Admin", model.RoleAdmin)); got[0] != 11.0 {
				t.Errorf("with --force: %v", got)
			}
		})
	}
}

func TestRun_RefusesAnExampleAccountWithAnotherPassword(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	s.Account(rahul().Username, model.RolePatient)
	err := Run(t.Context(), []string{"--url", s.URL}, noEnv, &bytes.Buffer{}, &bytes.Buffer{})
	if err == nil || !strings.Contains(err.Error(), "has another password") {
		t.Errorf("error: %v", err)
	}
}

func TestRun_SaysWhenNoServerAnswers(t *testing.T) {
	t.Parallel()
	const nobody = "http://127.0.0.1:1" // no program is given this port
	other := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(other.Close)
	for url, want := range map[string]string{nobody: "refused", other.URL: "does not answer with GraphQL (404 Not Found)"} {
		err := Run(t.Context(), []string{"--url", url}, noEnv, &bytes.Buffer{}, &bytes.Buffer{})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "make run") {
			t.Errorf("error: %v", err)
		}
	}
}

func TestParse_TakesFlagsBeforeTheEnvironment(t *testing.T) {
	t.Parallel()
	env := func(name string) string { return map[string]string{"CAREGRAPH_URL": "https://clinic.example/"}[name] }
	if o, err := parse([]string{"--number=7", "--seed=9", "--concurrency=2", "--force"}, env); err != nil ||
		o != (options{url: "https://clinic.example", number: 7, seed: 9, concurrency: 2, force: true}) {
		t.Errorf("%+v, %v", o, err)
	}
	if o, err := parse([]string{"--url", defaultURL}, env); err != nil ||
		o != (options{url: defaultURL, seed: defaultSeed, concurrency: defaultConcurrency}) {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestParse_RefusesWhatMakesNoSense(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"--url", "clinic.example"},
		{"--url", "ftp://clinic.example"},
		{"--url", "http://user:secret@clinic.example"},
		{"--number", "-1"},
		{"--number", "many"},
		{"--concurrency", "0"},
		{"--concurrency", strconv.Itoa(maxConcurrency + 1)},
		{"--seed", "-1"},
		{"50"},
	} {
		if _, err := parse(args, noEnv); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v: %v", args, err)
		}
	}
	if _, err := parse([]string{"--help"}, noEnv); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("--help: %v", err)
	}
}
