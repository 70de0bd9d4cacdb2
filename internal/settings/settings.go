// Package settings turns flags and environment variables into one struct.
// Names, defaults, bounds and meanings stand once, in the table of options.go;
// the help text and the table of the README are printed from it. The package
// reads no file and no clock, and never puts a secret into an error text.
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

// Settings is the whole configuration of a server, already checked. The help
// text of each option (options.go) says what it means.
type Settings struct {
	Addr            string
	MetricsAddr     string // empty: there are no metrics
	Data            string // empty: the private PostgreSQL chooses
	DatabaseURL     Secret // empty: run a private PostgreSQL
	Playground      bool
	Introspection   bool
	Keys            string // empty: in the data directory
	JWTAlgorithm    string // "EdDSA" or "ES256"
	JWTIssuer       string
	JWTAudience     string
	AccessTTL       time.Duration
	RefreshTTL      time.Duration
	CORSOrigins     []string // lower case, without default ports; or "*" alone
	TrustedProxies  []netip.Prefix
	RequestTimeout  time.Duration
	ShutdownTimeout time.Duration
	MaxBody         int64 // bytes
	MaxDepth        int
	MaxCost         int
	MaxAliases      int
	MaxTokens       int
	DatabaseConns   int
	HashConcurrency int // 0: as many as there are CPUs
	LogLevel        slog.Level
	LogFormat       string // "text" or "json"
}

// Parse reads the flags in args (without the program's name) and, for options
// that have none, the environment; what neither names has its default. An
// empty variable counts as absent, an empty flag does not.
//
// It returns the arguments that follow the flags. The caller must refuse those
// it does not know, else "--playground false" would be a silent mistake.
//
// All mistakes come in one error, joined as by errors.Join, one line each with
// the option's name. The error is flag.ErrHelp, alone, when help was asked for.
func Parse(args []string, getenv func(string) string) (Settings, []string, error) {
	var s Settings
	table := options(&s)
	flags, rest, mistakes := readFlags(table, args)
	for _, err := range mistakes {
		if errors.Is(err, flag.ErrHelp) {
			return Settings{}, nil, flag.ErrHelp
		}
	}
	for _, o := range table {
		text, source := o.choose(flags, getenv)
		if err := o.set(text); err != nil {
			mistakes = append(mistakes, o.mistake(text, source, err))
		}
	}
	mistakes = append(mistakes, s.contradictions()...)
	if len(mistakes) > 0 {
		return Settings{}, nil, errors.Join(mistakes...)
	}
	return s, rest, nil
}

// readFlags collects the texts of the flags and leaves judging them to the
// table: package flag would stop at the first bad value, and print it.
func readFlags(table []option, args []string) (flags map[string]string, rest []string, mistakes []error) {
	flags = map[string]string{}
	set := flag.NewFlagSet("", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	for _, o := range table {
		keep := func(text string) error {
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
		if len(left) == len(rest) { // package flag does not step over "---x": reported already, or now
			left = left[1:]
		}
		if n := len(mistakes); n == 0 || mistakes[n-1].Error() != err.Error() {
			mistakes = append(mistakes, err)
		}
		rest = left
	}
	return flags, set.Args(), mistakes
}

// withoutValue cuts what follows an equals sign: "---database-url=..." is a
// mistake that package flag would echo in full, with the password.
func withoutValue(err error) error {
	name, _, found := strings.Cut(err.Error(), "=")
	if !found {
		return err
	}
	return errors.New(name)
}

// contradictions finds the options that are good alone but not together. An
// option that was refused is zero and not blamed twice.
func (s *Settings) contradictions() []error {
	var found []error
	if s.AccessTTL > 0 && s.RefreshTTL > 0 && s.RefreshTTL <= s.AccessTTL {
		found = append(found, fmt.Errorf("--refresh-ttl: must be longer than --access-ttl (%s), not %s", s.AccessTTL, s.RefreshTTL))
	}
	return found
}
