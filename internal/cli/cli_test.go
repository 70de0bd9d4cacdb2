package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/caregraph/caregraph/internal/auth"
	"github.com/caregraph/caregraph/internal/settings"
	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store/storetest"
)

// ran is what one run of the program did.
type ran struct {
	err      error
	out, log bytes.Buffer
	served   settings.Settings // zero: the server was not started
	changed  string
	filled   []string // nil: fill was not started
}

func run(t *testing.T, env map[string]string, args ...string) *ran {
	t.Helper()
	r := &ran{}
	serve := func(ctx context.Context, p Process) error {
		r.served, r.changed = p.Settings, fmt.Sprint(p.Changed)
		p.Log.DebugContext(ctx, "serving")
		_, err := io.WriteString(p.Out, "serving\n")
		return err
	}
	fill := func(_ context.Context, args []string, _ func(string) string, _, _ io.Writer) error {
		r.filled = args
		return nil
	}
	r.err = Run(t.Context(), Env{
		Args: args, Getenv: func(name string) string { return env[name] },
		Stdin: strings.NewReader(""), Stdout: &r.out, Stderr: &r.log, Version: "0.0.7",
		Policy: func() (*model.Policy, error) { return nil, errors.New("no policy") },
	}, Serve(serve), Fill(fill))
	return r
}

func TestRun_TellsAllMistakesOfTheConfiguration(t *testing.T) {
	t.Parallel()
	err := run(t, nil, "serve", "--addr", "nowhere", "--max-depth", "none").err
	if err == nil || !strings.Contains(err.Error(), "--addr") || !strings.Contains(err.Error(), "--max-depth") {
		t.Errorf("got %v", err)
	}
}

func TestRun_RefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"fly":                          `unknown command "fly"; see caregraph help`,
		"--playground false":           `unknown argument "false"; see caregraph help`,
		"admin":                        `unknown command "admin"; see caregraph help`,
		"serve admin create":           `unknown command "serve admin create"; see caregraph help`,
		"admin create":                 `--email: must be the address of the account, not ""`,
		"admin create --email":         "flag needs an argument: -email\n" + `--email: must be the address of the account, not ""`,
		"serve --email a@b.example":    "flag provided but not defined: -email",
		"admin create --email= --fly":  "flag provided but not defined: -fly\n" + `--email: must be the address of the account, not ""`,
		"admin create --email a@b.c d": `unknown argument "d"; see caregraph help`,
		"accounts create":              `--email: must be the address of the account, not ""`,
		"accounts create --email a@b.c --role boss": `--role: must be patient, doctor or admin, not "boss"`,
		"admin create --email a@b.c --role patient": "flag provided but not defined: -role",
		"accounts":                      `unknown command "accounts"; see caregraph help`,
		"accounts show":                 `accounts show needs ID; see caregraph help`,
		"accounts show 1 2":             `unknown argument "2"; see caregraph help`,
		"accounts show --json":          `accounts show needs ID; see caregraph help`,
		"accounts role 1":               `accounts role needs ID and ROLE; see caregraph help`,
		"accounts disable 1":            `--reason: must not be empty, not ""`,
		"accounts list --role x":        `--role: must be patient, doctor or admin, not "x"`,
		"accounts role 1 boss --data d": `ROLE: must be patient, doctor or admin, not "boss"`,
	} {
		if r := run(t, nil, strings.Fields(args)...); r.err == nil || r.err.Error() != want {
			t.Errorf("%s:\n%v\nwant:\n%s", args, r.err, want)
		}
	}
}

func TestRun_PrintsVersionAndHelp(t *testing.T) {
	t.Parallel()
	if r := run(t, nil, "version"); r.err != nil || !strings.HasPrefix(r.out.String(), "caregraph 0.0.7") {
		t.Errorf("version: %v, %s", r.err, &r.out)
	}
	help := run(t, nil, "help")
	for _, want := range []string{
		"serve", "migrate", "admin create", "accounts create", "--email ADDRESS", "--username NAME", "--role patient|doctor|admin", "accounts role ID ROLE", "keys rotate", "fill", "version", "help",
		"CAREGRAPH_ADDR",
	} {
		if help.err != nil || !strings.Contains(help.out.String(), want) {
			t.Errorf("help lacks %q: %v", want, help.err)
		}
	}
	for _, args := range []string{"-h", "serve --help", "admin create --addr bad -h"} {
		if r := run(t, nil, strings.Fields(args)...); r.err != nil || r.out.String() != help.out.String() {
			t.Errorf("%s: %v, %s", args, r.err, &r.out)
		}
	}
}

func TestRun_ServesWithCheckedSettings(t *testing.T) {
	t.Parallel()
	env := map[string]string{"CAREGRAPH_LOG_LEVEL": "debug", "CAREGRAPH_LOG_FORMAT": "json", "CAREGRAPH_MAX_DEPTH": "9"}
	for _, args := range [][]string{{"--data", "/d"}, {"serve", "--data", "/d"}} {
		r := run(t, env, args...)
		if r.err != nil || r.out.String() != "serving\n" || !strings.HasPrefix(r.log.String(), `{"time":`) {
			t.Errorf("%q: %v, %s, %s", args, r.err, &r.out, &r.log)
		}
		if want := "[data=/d max-depth=9 log-level=debug log-format=json]"; r.changed != want {
			t.Errorf("%q: the changed settings are %s, want %s", args, r.changed, want)
		}
		if r.served.MaxDepth != 9 || r.served.Data != "/d" || r.served.Keys != filepath.FromSlash("/d/keys.json") {
			t.Errorf("%q: %+v", args, r.served)
		}
	}
	env = map[string]string{"HOME": "/home/asha", "XDG_STATE_HOME": "/state"}
	r := run(t, env, "--keys=/k")
	if r.err != nil || !filepath.IsAbs(r.served.Data) || r.served.Keys != "/k" {
		t.Errorf("%v, %+v", r.err, r.served)
	}
	if of := run(t, env, "--demo"); of.err != nil || of.served.Data != r.served.Data+"-demo" {
		t.Errorf("the demo: %v, %+v", of.err, of.served)
	}
	if of := run(t, env, "--demo", "--data=/d"); of.err != nil || of.served.Data != "/d" {
		t.Errorf("the demo: %v, %+v", of.err, of.served)
	}
}

func TestRun_LeavesItsFlagsToFill(t *testing.T) {
	t.Parallel()
	r := run(t, nil, "fill", "--number", "5", "--help")
	if r.err != nil || !slices.Equal(r.filled, []string{"--number", "5", "--help"}) || r.out.Len() > 0 {
		t.Errorf("%v, %q, %s", r.err, r.filled, &r.out)
	}
}

func TestRun_RotatesKeys(t *testing.T) {
	t.Parallel()
	path, home := filepath.Join(t.TempDir(), "keys.json"), map[string]string{"HOME": t.TempDir()}
	if r := run(t, home, "keys", "rotate", "--keys", path); r.err == nil {
		t.Error("keys were rotated that are not there")
	}
	before, err := auth.LoadOrCreateKeys(path, "EdDSA")
	if err != nil {
		t.Fatal(err)
	}
	if r := run(t, home, "keys", "rotate", "--keys", path); r.err != nil || !strings.Contains(r.out.String(), "stay valid") {
		t.Errorf("%v, %s", r.err, &r.out)
	}
	after, err := auth.LoadOrCreateKeys(path, "EdDSA")
	if err != nil || bytes.Equal(before.PublicJWKS(), after.PublicJWKS()) {
		t.Errorf("the keys are the same: %v", err)
	}
}

// TestRun_PublishesAKey: a rotation without a published key warns about copies of the
// file.
func TestRun_PublishesAKey(t *testing.T) {
	t.Parallel()
	path, home := filepath.Join(t.TempDir(), "keys.json"), map[string]string{"HOME": t.TempDir()}
	if _, err := auth.LoadOrCreateKeys(path, "EdDSA"); err != nil {
		t.Fatal(err)
	}
	const warning = "no key was published before"
	if r := run(t, home, "keys", "publish", "--keys", path); r.err != nil || !strings.Contains(r.out.String(), "keys rotate") {
		t.Errorf("publish: %v, %s", r.err, &r.out)
	}
	if r := run(t, home, "keys", "publish", "--keys", path); r.err == nil {
		t.Error("a second key was published")
	}
	if r := run(t, home, "keys", "rotate", "--keys", path); r.err != nil || strings.Contains(r.log.String(), warning) {
		t.Errorf("rotate: %v, %s", r.err, &r.log)
	}
	if r := run(t, home, "keys", "rotate", "--keys", path); r.err != nil || !strings.Contains(r.log.String(), warning) {
		t.Errorf("rotate again: %v, %s", r.err, &r.log)
	}
}

// TestRun_RotatesWithoutAWarningIfThereAreNoCopies: one server runs at most.
func TestRun_RotatesWithoutAWarningIfThereAreNoCopies(t *testing.T) {
	t.Parallel()
	url, dir := storetest.Database(t), t.TempDir()
	path := filepath.Join(dir, "keys.json")
	_, err := auth.LoadOrCreateKeys(path, "EdDSA")
	testutil.Must(t, err)
	conn, err := pgx.Connect(t.Context(), url)
	testutil.Must(t, err)
	defer func() { _ = conn.Close(t.Context()) }()
	rotate := func(what string, warned bool, flags ...string) {
		t.Helper()
		r := run(t, map[string]string{"HOME": t.TempDir()}, append([]string{"keys", "rotate", "--keys", path}, flags...)...)
		if r.err != nil || strings.Contains(r.log.String(), "no key was published") != warned {
			t.Errorf("%s: %v, %s", what, r.err, &r.log)
		}
	}
	for servers, warned := range []bool{false, false, true} {
		rotate(fmt.Sprint(servers, " servers"), warned, "--database-url", url)
		_, err := conn.Exec(t.Context(), "INSERT INTO servers VALUES ($1, '0.2.0', '2026', '{}', now(), now())", fmt.Sprint(servers))
		testutil.Must(t, err)
	}
	rotate("no database", true, "--database-url", "postgres://127.0.0.1:1/clinic")
	rotate("the private PostgreSQL", false, "--data", dir)
}

// Without a sound policy no database is touched.
func TestRun_AdminCreateNeedsThePolicy(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	r := run(t, nil, "admin", "create", "--email", "boss@clinic.example", "--data", data)
	if _, err := os.Stat(data); r.err == nil || r.err.Error() != "no policy" || !os.IsNotExist(err) {
		t.Errorf("%v; the data directory: %v", r.err, err)
	}
}

// TestRun_AccountsAreMadeByTheOperator: with the username of the operator or one that
// shows neither the address nor the role.
func TestRun_AccountsAreMadeByTheOperator(t *testing.T) {
	t.Parallel()
	url := storetest.Database(t)
	create := func(args ...string) {
		t.Helper()
		var out bytes.Buffer
		err := Run(t.Context(), Env{
			Args: append(args, "--database-url", url), Getenv: func(string) string { return "" },
			Stdin: strings.NewReader("Secure@123\n"), Stdout: &out, Stderr: &out, Version: "0.0.7",
			Policy: func() (*model.Policy, error) { return storetest.Policy(t), nil },
		}, Serve(nil))
		if err != nil {
			t.Fatalf("%v: %v, %s", args, err, &out)
		}
	}
	data := t.TempDir()
	create("admin", "create", "--email", "Boss@clinic.example", "--data", data)
	create("accounts", "create", "--email", "asha@clinic.example", "--data", data)
	create("accounts", "create", "--email", "priya@clinic.example", "--role", "doctor", "--username", "priya", "--data", data)
	create("accounts", "create", "--email", "deputy@clinic.example", "--role", "admin", "--data", data)

	conn, err := pgx.Connect(t.Context(), url)
	testutil.Must(t, err)
	defer func() { _ = conn.Close(t.Context()) }()
	rows, err := conn.Query(t.Context(), "SELECT role || ' ' || email || ' ' || username FROM users ORDER BY id")
	testutil.Must(t, err)
	made, err := pgx.CollectRows(rows, pgx.RowTo[string])
	testutil.Must(t, err)
	for i, want := range []string{
		"ADMIN boss@clinic.example user-[a-z2-7]{8}", "PATIENT asha@clinic.example user-[a-z2-7]{8}",
		"DOCTOR priya@clinic.example priya", "ADMIN deputy@clinic.example user-[a-z2-7]{8}",
	} {
		if !regexp.MustCompile("^" + want + "$").MatchString(made[i]) {
			t.Errorf("account %d is %q, want %q", i, made[i], want)
		}
	}
}

func TestReady_NamesWhatIsServedAndTheNextCommand(t *testing.T) {
	t.Parallel()
	addr := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080}
	metrics := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9100}
	for want, c := range map[string]struct {
		ready Ready
		s     settings.Settings
	}{
		"  bin/caregraph admin create --email you@clinic.example --data /d\n":                              {Ready{Program: "bin/caregraph"}, settings.Settings{Data: "/d"}},
		`  bin/caregraph admin create --email you@clinic.example --data "/my data"` + "\n":                 {Ready{Program: "bin/caregraph"}, settings.Settings{Data: "/my data"}},
		"  bin/caregraph admin create --email you@clinic.example  (with the same DATABASE_URL)\n":          {Ready{Program: "bin/caregraph"}, settings.Settings{Data: "/d", DatabaseURL: "postgres://h/d"}},
		"  go run . admin create --email you@clinic.example --data /d\n":                                   {Ready{Program: "/tmp/go-build1/exe/caregraph"}, settings.Settings{Data: "/d"}},
		"  Metrics      http://127.0.0.1:9100/metrics\n":                                                   {Ready{Metrics: metrics}, settings.Settings{}},
		"\nThis is the demo, for this machine alone: its page signs you in":                                {Ready{}, settings.Settings{Demo: true}},
		"CareGraph 0.0.7 is ready.\n\n  Start here   http://127.0.0.1:8080/\n":                             {Ready{}, settings.Settings{}},
		"  REST         http://127.0.0.1:8080/docs/\n\nThe first administrator:   admin create --email yo": {Ready{}, settings.Settings{}},
	} {
		c.ready.Version, c.ready.Addr = "0.0.7", addr
		var out strings.Builder
		if err := c.ready.Print(&out, c.s); err != nil || !strings.Contains(out.String(), want) {
			t.Errorf("%v: no %q in\n%s", err, want, &out)
		}
	}
}

func TestCall_NamesItsDatabase(t *testing.T) {
	t.Parallel()
	here, err := filepath.Abs("d")
	if err != nil {
		t.Fatal(err)
	}
	for want, s := range map[string]settings.Settings{
		here:                        {Data: "d"},
		"clinic on db.example:5432": {Data: "d", DatabaseURL: "postgres://u:hunter2@db.example/clinic"},
	} {
		if got, err := (call{Settings: s}).database(); err != nil || got != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
}
