// Package settings parses flags and environment variables into one struct.
// Each name, default, bound and meaning is in the table of options.go only; the
// help text and the table of docs/operations.md are written from it. The
// package reads no file and no clock, and never puts a secret into an error.
package settings

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"strings"
	"time"
)

// Settings is the checked configuration of a server. The help texts in
// options.go explain the fields.
type Settings struct {
	Addr             string
	MetricsAddr      string // empty: no metrics
	Data             string // empty: the default of pgserver
	DatabaseURL      Secret // empty: run a private PostgreSQL
	AdminURL         Secret // empty: DatabaseURL
	Migrate          bool
	Playground       bool
	Introspection    bool
	Demo             bool     // needs a loopback Addr
	Documents        []string // files
	DocumentsOnly    bool
	Keys             string // empty: in the data directory
	RecipientsFile   string // empty: none
	ArchiveDir       string // empty: no archive
	JWTAlgorithm     string // "EdDSA" or "ES256"
	JWTIssuer        string
	JWTAudience      string
	AccessTTL        time.Duration
	RefreshTTL       time.Duration
	RefreshGrace     time.Duration // zero: none
	SessionTTL       time.Duration // zero: any time
	SessionRetention time.Duration // zero: for ever
	FeedRetention    time.Duration // zero: for ever
	KeyRetention     time.Duration // of Idempotency-Keys; zero: for ever
	RequireTotp      string        // "none", "admin" or "doctor"
	Registration     string        // "open" or "closed"
	ConfirmEmail     string        // "optional" or "required"
	Mail             Secret        // empty: files in the data directory
	MailFrom         string
	PublicURL        string   // empty: from Addr
	CORSOrigins      []string // lower case, without default ports; or "*" alone
	TrustedProxies   []netip.Prefix
	Compression      string // "auto", "on" or "off"
	RequestTimeout   time.Duration
	DrainDelay       time.Duration
	ShutdownTimeout  time.Duration
	MaxBody          int64 // bytes
	MaxStreams       int
	MaxDepth         int
	MaxCost          int
	MaxAliases       int
	MaxTokens        int
	MaxDocument      int64 // bytes
	MaxAnonymousBody int64 // bytes
	MaxSelections    int
	MaxRepeats       int
	MaxWrites        int
	MaxRecords       int
	MaxDailyBytes    int64
	MinFreeDisk      int64 // bytes
	// MaxAnswer, MaxAnswersPerAccount and MaxAnswers are bytes.
	MaxAnswer, MaxAnswersPerAccount, MaxAnswers  int64
	DatabaseConns, DatabaseReadConns, MaxWaiting int
	MaxWaitingHashes, MaxWaitingRegistrations    int
	// MaxSignInFailures and MaxTaken are of one account, MaxRegistrations of one address.
	MaxSignInFailures, MaxSignInFailuresPerAddress Budget
	MaxTaken, MaxTakenPerAddress                   Budget
	MaxRegistrations, MaxResets                    Budget
	// DatabasePooler is "auto", "none", "session" or "transaction", Prepared "auto",
	// "on" or "off".
	DatabasePooler, Prepared string
	DatabaseDirectURL        Secret        // empty: none
	HashConcurrency          int           // 0: the number of CPUs
	Slow                     time.Duration // zero: for ever
	LogLevel                 slog.Level
	LogFormat                string // "text" or "json"
}

// Parse reads the flags in args (without the program's name), then the
// environment, then the defaults. An empty variable counts as absent, an empty
// flag does not. The command's own options are flags like the settings.
//
// It returns the arguments after the flags. The caller must refuse the ones it
// does not know: otherwise "--playground false" would silently mean true.
//
// The error joins all mistakes, one line each, with the name of the option. If
// the user asks for help, it is flag.ErrHelp alone.
func Parse(args []string, getenv func(string) string, own ...Option) (Settings, []string, error) {
	var s Settings
	table := options(&s)
	for _, o := range own {
		table = append(table, o.row())
	}
	flags, rest, invalid := readFlags(table, args)
	for _, err := range invalid {
		if errors.Is(err, flag.ErrHelp) {
			return Settings{}, nil, flag.ErrHelp
		}
	}
	for _, o := range table {
		text, source := o.choose(flags, getenv)
		if err := o.set(text); err != nil {
			invalid = append(invalid, o.invalid(text, source, err))
		}
	}
	// A lifetime with an invalid value is zero here and is not reported twice.
	if s.AccessTTL > 0 && s.RefreshTTL > 0 && s.RefreshTTL <= s.AccessTTL {
		invalid = append(invalid, fmt.Errorf("--refresh-ttl: must be longer than --access-ttl (%s), not %s", s.AccessTTL, s.RefreshTTL))
	}
	if s.DatabaseConns > 0 && s.DatabaseReadConns >= s.DatabaseConns {
		invalid = append(invalid, fmt.Errorf("--database-read-connections: must be less than --database-connections (%d), not %d", s.DatabaseConns, s.DatabaseReadConns))
	}
	if s.Demo && s.Addr != "" && !isLoopback(s.Addr) {
		invalid = append(invalid, fmt.Errorf("--demo: --addr must be an address of this machine alone, such as 127.0.0.1:8080, not %q", s.Addr))
	}
	if strings.HasPrefix(string(s.Mail), "smtp") {
		if s.MailFrom == "" {
			invalid = append(invalid, errors.New("--mail-from: must be an address if --mail is an SMTP server"))
		}
		if s.PublicURL == "" {
			invalid = append(invalid, errors.New("--public-url: must be an address if --mail is an SMTP server"))
		}
	}
	if len(invalid) > 0 {
		return Settings{}, nil, errors.Join(invalid...)
	}
	return s, rest, nil
}

// Changed returns the settings whose texts are not the defaults, as the operator wrote them,
// for the log. A secret, and what has a mail address, is "(set)". The arguments are those of Parse, which has accepted them.
func Changed(args []string, getenv func(string) string, own ...Option) (changed []slog.Attr) {
	table := options(&Settings{})
	all := table
	for _, o := range own {
		all = append(all, o.row())
	}
	flags, _, _ := readFlags(all, args)
	for _, o := range table {
		text, _ := o.choose(flags, getenv)
		if text == o.def {
			continue
		}
		if o.secret || strings.Contains(text, "@") {
			text = "(set)"
		}
		changed = append(changed, slog.String(o.name, text))
	}
	return changed
}

// readFlags returns the texts of the flags. It does not check them: package flag
// would stop at the first bad value, and print it.
func readFlags(table []option, args []string) (flags map[string]string, rest []string, invalid []error) {
	flags = map[string]string{}
	set := flag.NewFlagSet("", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	for _, o := range table {
		keep := func(text string) error {
			if before, ok := flags[o.name]; ok && o.repeats {
				text = before + "," + text
			}
			flags[o.name] = text
			return nil
		}
		if o.isBool() {
			set.BoolFunc(o.name, "", keep)
		} else {
			set.Func(o.name, "", keep)
		}
	}
	rest = args
	for err := set.Parse(rest); err != nil; err = set.Parse(rest) {
		err = withoutValue(err)
		left := set.Args()
		if len(left) == len(rest) { // package flag does not skip "---x"
			left = left[1:]
		}
		if n := len(invalid); n == 0 || invalid[n-1].Error() != err.Error() {
			invalid = append(invalid, err)
		}
		rest = left
	}
	return flags, set.Args(), invalid
}

// withoutValue removes the value from an error of package flag, which quotes
// "---database-url=..." with the password.
func withoutValue(err error) error {
	name, _, found := strings.Cut(err.Error(), "=")
	if !found {
		return err
	}
	return errors.New(name)
}
