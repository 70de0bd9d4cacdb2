package settings

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func environment(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

func TestParse_NothingGivenMeansTheDefaults(t *testing.T) {
	t.Parallel()
	got, rest, err := Parse(nil, environment(nil))
	if err != nil || len(rest) != 0 {
		t.Fatalf("Parse: rest %q, error %v", rest, err)
	}
	want := Settings{
		Addr: "127.0.0.1:8080", Migrate: true, Playground: true, Introspection: true,
		JWTAlgorithm: "EdDSA", JWTIssuer: "caregraph", JWTAudience: "caregraph",
		AccessTTL: 24 * time.Hour, RefreshTTL: 7 * 24 * time.Hour, RefreshGrace: 10 * time.Second, SessionTTL: 720 * time.Hour, SessionRetention: 720 * time.Hour, FeedRetention: 168 * time.Hour, KeyRetention: 72 * time.Hour, RequireTotp: "none",
		RequestTimeout: 15 * time.Second, ShutdownTimeout: 20 * time.Second,
		MaxBody: 1 << 20, MaxStreams: 20, MaxDepth: 16, MaxCost: 50000, MaxAliases: 50, MaxTokens: 1500, MaxSelections: 300, MaxRepeats: 100,
		MaxAnswer: 16 << 20, MaxAnswersPerAccount: 48 << 20, MaxAnswers: 96 << 20,
		MaxDocument: 128 << 10, MaxAnonymousBody: 64 << 10, MaxWrites: 30, MaxRecords: 4_000_000, MaxDailyBytes: 2 << 30, MinFreeDisk: 512 << 20,
		Registration: "open", DatabaseConns: 20, MaxWaiting: 32, DatabasePooler: "auto", Prepared: "auto", Slow: 500 * time.Millisecond, LogLevel: slog.LevelInfo, LogFormat: "text",
		MaxWaitingHashes: 500, MaxWaitingRegistrations: 150, MaxRegistrations: Budget{200, time.Second}, MaxResets: Budget{20, 30 * time.Second}, ConfirmEmail: "optional", Compression: "auto",
		MaxSignInFailures: Budget{10, 30 * time.Second}, MaxSignInFailuresPerAddress: Budget{100, 2 * time.Second},
		MaxTaken: Budget{20, 30 * time.Second}, MaxTakenPerAddress: Budget{50, 30 * time.Second},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// samples has a value for each option that is not its default.
func samples() map[string]string {
	return map[string]string{
		"addr": "[::1]:9", "tls-cert": "/c", "tls-key": "/k", "metrics-addr": ":9100", "data": "/d", "database-url": "postgres://u:p@h/d", "database-connections": "3", "database-read-connections": "1", "max-waiting": "4",
		"database-admin-url": "postgres://a:p@h/d", "migrate": "false",
		"database-pooler": "session", "prepared": "off", "database-direct-url": "host=h",
		"playground": "false", "introspection": "false", "documents": "a.json,b.json", "documents-only": "true", "demo": "true", "keys": "/k", "recipients-file": "/r", "archive-dir": "/a", "jwt-algorithm": "ES256",
		"jwt-issuer": "i", "jwt-audience": "a", "access-ttl": "1h", "refresh-ttl": "200h", "refresh-grace": "0s", "session-ttl": "300h", "idempotency-retention": "71h", "session-retention": "8h", "feed-retention": "9h", "require-totp": "doctor", "registration": "closed", "hash-concurrency": "2",
		"confirm-email": "required", "mail": "file:/m", "mail-from": "Desk <desk@clinic.example>", "public-url": "https://care.example/", "max-resets": "16,17s",
		"cors-origins": "https://a.example", "trusted-proxies": "10.0.0.0/8", "compression": "on", "request-timeout": "1s",
		"drain-delay": "3s", "shutdown-timeout": "2s", "max-body": "2MiB", "max-streams": "7", "max-depth": "9", "max-cost": "10005", "max-aliases": "26",
		"max-tokens": "507", "max-selections": "107", "max-repeats": "7",
		"max-answer": "1MiB", "max-answers-per-account": "2MiB", "max-answers": "3MiB",
		"max-document": "11KiB", "max-anonymous-body": "12KiB", "max-writes": "7", "max-records": "8", "max-daily-bytes": "9MiB", "min-free-disk": "10MiB",
		"max-waiting-hashes": "5", "max-waiting-registrations": "6", "max-registrations": "7,8s",
		"max-sign-in-failures": "9,10s", "max-sign-in-failures-per-address": "11, 12ms", "max-taken": "13,14m", "max-taken-per-address": "15,1h",
		"slow": "2s", "log-level": "debug", "log-format": "json",
	}
}

func TestParse_EveryOptionIsFlagAndVariableOfOneField(t *testing.T) {
	t.Parallel()
	standard, _, err := Parse(nil, environment(nil))
	if err != nil {
		t.Fatal(err)
	}
	given, untouched := samples(), map[string]bool{}
	for _, o := range options(&Settings{}) {
		if o.fileOf != "" {
			given[o.name] = secretFile(t, given[o.fileOf])
		}
	}
	for field := range reflect.TypeFor[Settings]().Fields() {
		untouched[field.Name] = true
	}
	for _, o := range options(&Settings{}) {
		byFlag, _, errFlag := Parse([]string{"--" + o.name + "=" + given[o.name]}, environment(nil))
		byVariable, _, errVariable := Parse(nil, environment(map[string]string{o.variables()[0]: given[o.name]}))
		if errFlag != nil || errVariable != nil {
			t.Errorf("%s: %v, %v", o.name, errFlag, errVariable)
		}
		if !reflect.DeepEqual(byFlag, byVariable) {
			t.Errorf("%s: flag and variable differ", o.name)
		}
		changed := differences(standard, byFlag)
		if len(changed) != 1 {
			t.Errorf("%s changes %v, want one field", o.name, changed)
		}
		for _, name := range changed {
			delete(untouched, name)
		}
	}
	if len(untouched) > 0 {
		t.Errorf("fields that no option sets: %v", untouched)
	}
}

func differences(a, b Settings) []string {
	var names []string
	va, vb := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range va.NumField() {
		if !reflect.DeepEqual(va.Field(i).Interface(), vb.Field(i).Interface()) {
			names = append(names, va.Type().Field(i).Name)
		}
	}
	return names
}

func TestParse_FlagBeforeVariableBeforeDefault(t *testing.T) {
	t.Parallel()
	both := map[string]string{
		"CAREGRAPH_MAX_DEPTH": "5", "CAREGRAPH_KEYS": "/from/env", "CAREGRAPH_JWT_ISSUER": "",
		"CAREGRAPH_DATABASE_URL": "postgres://first", "DATABASE_URL": "postgres://second",
	}
	got, rest, err := Parse([]string{"-max-depth", "9", "--keys=", "serve", "--max-cost=1"}, environment(both))
	if err != nil {
		t.Fatal(err)
	}
	if got.MaxDepth != 9 {
		t.Errorf("MaxDepth = %d, want the flag's 9", got.MaxDepth)
	}
	if got.Keys != "" {
		t.Errorf("Keys = %q, want the empty flag to count", got.Keys)
	}
	if got.JWTIssuer != "caregraph" {
		t.Errorf("JWTIssuer = %q, want the default for an empty variable", got.JWTIssuer)
	}
	if string(got.DatabaseURL) != "postgres://first" {
		t.Errorf("DatabaseURL is not that of CAREGRAPH_DATABASE_URL")
	}
	if !slices.Equal(rest, []string{"serve", "--max-cost=1"}) {
		t.Errorf("rest = %q", rest)
	}
}

func TestParse_ARepeatedFlagNamesSeveralFiles(t *testing.T) {
	t.Parallel()
	got, _, err := Parse([]string{"--documents", "a.json", "--max-depth=9", "--documents=b.json, c.json"}, environment(nil))
	if err != nil || !slices.Equal(got.Documents, []string{"a.json", "b.json", "c.json"}) {
		t.Errorf("%q, %v", got.Documents, err)
	}
}

func TestParse_DatabaseURLIsAcceptedToo(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"postgres://u:p@h1:5432,h2:5432/d?target_session_attrs=read-write",
		"postgresql:///d?host=/run/postgresql", "host=/run/postgresql dbname=d", "host=h password=a://b",
	} {
		got, _, err := Parse(nil, environment(map[string]string{"DATABASE_URL": url}))
		if err != nil || string(got.DatabaseURL) != url {
			t.Errorf("DATABASE_URL=%s: error %v", url, err)
		}
	}
}

func TestParse_TellsEveryMistakeAtOnce(t *testing.T) {
	t.Parallel()
	args := []string{
		"--addr=8080", "---what", "--nothing=x", "--playground=maybe", "--max-depth", "0",
		"--access-ttl=48h", "--refresh-ttl=24h", "--log-format",
	}
	_, _, err := Parse(args, environment(map[string]string{"CAREGRAPH_MAX_BODY": "1MB"}))
	want := strings.Join([]string{
		`bad flag syntax: ---what`,
		`flag provided but not defined: -nothing`,
		`flag needs an argument: -log-format`,
		`--addr: must be HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080, or unix:PATH with a path from the root, not "8080"`,
		`--playground: must be true or false, not "maybe"`,
		`--max-body (from CAREGRAPH_MAX_BODY): must be a size such as 1048576, 512KiB or 1MiB, at most 1024MiB, not "1MB"`,
		`--max-depth: must be a whole number from 8 to 1000, not "0"`,
		`--refresh-ttl: must be longer than --access-ttl (48h0m0s), not 24h0m0s`,
	}, "\n")
	if err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
}

func TestParse_AnSMTPServerNeedsASenderAndAnAddressForLinks(t *testing.T) {
	t.Parallel()
	_, _, err := Parse([]string{"--mail=smtp://u:hunter2@h"}, environment(nil))
	want := "--mail-from: must be an address if --mail is an SMTP server\n--public-url: must be an address if --mail is an SMTP server"
	if err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
	got, _, err := Parse([]string{"--mail=smtps://u:hunter2@h:465", "--mail-from=a@b.example", "--public-url=https://h/x/"}, environment(nil))
	if err != nil || got.PublicURL != "https://h/x" {
		t.Errorf("%q, %v", got.PublicURL, err)
	}
}

func TestParse_TheDemoIsForThisMachineAlone(t *testing.T) {
	t.Parallel()
	for _, addr := range []string{":8080", "0.0.0.0:8080", "[::]:8080", "192.0.2.1:8080", "10.0.0.1:0", "care.example:8080", "localhost.example:8080", "127.1:8080", "unix:/a"} {
		_, _, err := Parse([]string{"--demo", "--addr", addr}, environment(nil))
		want := fmt.Sprintf("--demo: --addr must be an address of this machine alone, such as 127.0.0.1:8080, not %q", addr)
		if err == nil || err.Error() != want {
			t.Errorf("%s: %v", addr, err)
		}
	}
	for _, addr := range []string{"127.0.0.1:8080", "127.0.0.2:0", "[::1]:8080", "localhost:8080", "[::ffff:127.0.0.1]:0"} {
		if _, _, err := Parse([]string{"--demo", "--addr", addr}, environment(nil)); err != nil {
			t.Errorf("%s: %v", addr, err)
		}
	}
}

func TestParse_NeverTellsASecret(t *testing.T) {
	t.Parallel()
	const secret = "mysql://root:hunter2@h/d"
	for _, args := range [][]string{
		{"--database-url=" + secret},
		{"--database-url", secret},
		{"---database-url=" + secret},
		{"--databaseurl=" + secret},
		{"-=" + secret},
	} {
		_, _, err := Parse(args, environment(map[string]string{"DATABASE_URL": secret}))
		if err == nil {
			t.Errorf("%q: no error", args)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error tells the secret: %v", err)
		}
	}
}

func TestSecret_PrintsHidden(t *testing.T) {
	t.Parallel()
	s := Settings{DatabaseURL: "postgres://u:hunter2@h/d"}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("start", "url", s.DatabaseURL, "all", s)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("start", "url", s.DatabaseURL, "all", s)
	object, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	all := log.String() + string(object) + fmt.Sprintf("%v %+v %#v %s %q", s, s, s, s.DatabaseURL, s.DatabaseURL)
	if strings.Contains(all, "hunter2") {
		t.Errorf("the secret is in %s", all)
	}
}

func TestParse_HelpIsAskedFor(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"-h"}, {"--help"}, {"--addr=bad", "--unknown", "-help"}} {
		if _, _, err := Parse(args, environment(nil)); !errors.Is(err, flag.ErrHelp) {
			t.Errorf("%q: %v, want flag.ErrHelp", args, err)
		}
	}
}

func TestParse_TakesTheOptionsOfACommand(t *testing.T) {
	t.Parallel()
	var name string
	own := []Option{{Name: "name", Value: "TEXT", Set: func(text string) error {
		if text == "" {
			return errors.New("must be a name")
		}
		name = text
		return nil
	}}}
	env := environment(map[string]string{"CAREGRAPH_NAME": "Meera", "NAME": "Meera"})
	got, rest, err := Parse([]string{"--addr", ":9", "--name", "Asha", "more"}, env, own...)
	if err != nil || name != "Asha" || got.Addr != ":9" || !slices.Equal(rest, []string{"more"}) {
		t.Errorf("%q, %+v, %q, %v", name, got, rest, err)
	}
	_, _, err = Parse([]string{"--max-depth=1"}, env, own...)
	want := "--max-depth: must be a whole number from 8 to 1000, not \"1\"\n--name: must be a name, not \"\""
	if err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
	if _, _, err := Parse([]string{"--name=Asha"}, env); err == nil || err.Error() != "flag provided but not defined: -name" {
		t.Errorf("another command: %v", err)
	}
}

func TestParse_Lists(t *testing.T) {
	t.Parallel()
	got, _, err := Parse([]string{
		"--cors-origins= HTTPS://Clinic.Example:443 , http://localhost:5173,app://desk,http://[::1]:80,",
		"--trusted-proxies=10.1.2.3/8, 192.0.2.7,2001:db8::/32",
	}, environment(nil))
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"https://clinic.example", "http://localhost:5173", "app://desk", "http://[::1]"}; !slices.Equal(got.CORSOrigins, want) {
		t.Errorf("CORSOrigins = %q, want %q", got.CORSOrigins, want)
	}
	want := []netip.Prefix{
		netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.7/32"), netip.MustParsePrefix("2001:db8::/32"),
	}
	if !slices.Equal(got.TrustedProxies, want) {
		t.Errorf("TrustedProxies = %v, want %v", got.TrustedProxies, want)
	}
}

func TestParse_RefusesBadValues(t *testing.T) {
	t.Parallel()
	bad := map[string][]string{
		"addr":                 {"", "localhost", "localhost:http", "1.2.3.4:70000", "::1:80", "unix:", "unix:a.sock", "UNIX:/a"},
		"metrics-addr":         {"9100", "localhost", "localhost:metrics"},
		"database-url":         {"mysql://h/d", "h", "http://h/?a=b"},
		"database-connections": {"0", "1", "x", "1e3"}, "database-read-connections": {"-1", "x", "20"},
		"database-pooler":     {"", "pgbouncer"},
		"prepared":            {"", "true"},
		"database-direct-url": {"h"},
		"introspection":       {"", "yes"},
		"jwt-algorithm":       {"", "none", "HS256", "eddsa"},
		"jwt-issuer":          {""},
		"jwt-audience":        {" "},
		"access-ttl":          {"0", "-1h", "15", "1ms", "1d"},
		"refresh-grace":       {"", "-1s", "61s", "10"},
		"session-ttl":         {"", "-1h", "87601h", "30d"},
		"feed-retention":      {"", "-1h", "87601h", "7d"},
		"session-retention":   {"", "-1h", "87601h", "7d"},
		"request-timeout":     {"0s"},
		"shutdown-timeout":    {""},
		"hash-concurrency":    {"-1"},
		"confirm-email":       {"", "yes"},
		"mail":                {"file:", "smtp://", "host:587", "http://h", "smtp://h/x", "smtp://h:x", "smtp://h?a=b"},
		"mail-from":           {"desk", "desk@", "a@b, c@d"},
		"public-url":          {"care.example", "https://", "ftp://h", "https://u@h", "https://h/?a", "https://h/#a"},
		"cors-origins": {
			"clinic.example", "https://", "https://a/", "https://a/x", "https://u@a", "https://a?", "https://*.a",
			"https://a:", "https://a:99999", "https://ä.example", "null", "*,https://a", "//a",
		},
		"trusted-proxies":           {"10.0.0.0/33", "localhost", "::ffff:10.0.0.0/104", "any"},
		"max-streams":               {"0", "-1", "100001", "1.5"},
		"max-body":                  {"0", "-1", "1GiB", "1025MiB", "9223372036854775807MiB", "1.5MiB"},
		"max-cost":                  {"9999", "1000000001"},
		"log-level":                 {"loud", ""},
		"max-sign-in-failures":      {"", "10", "0,30s", "-1,30s", "10,0s", "10,-1s", "10,30", "10,61m", "10,1us", "1000001,1s", ",30s", "10,30s,1", "1.5,1s"},
		"max-waiting-hashes":        {"0", "-1", ""},
		"max-waiting-registrations": {"0"},
		"log-format":                {"xml"},
		"slow":                      {"", "-1s", "61m", "500"},
	}
	for name, values := range bad {
		for _, value := range values {
			_, _, err := Parse([]string{"--" + name + "=" + value}, environment(nil))
			if err == nil || !strings.HasPrefix(err.Error(), "--"+name+": must be ") {
				t.Errorf("--%s=%s: %v, want it refused", name, value, err)
			}
		}
	}
}
