package settings

import (
	"fmt"
	"strings"
)

// option is one row of the table.
type option struct {
	name  string // of the flag; the variable's name follows from it
	value string // placeholder of the value in the help text
	def   string // the default, as a user writes it
	help  string
	set   func(text string) error // its error says what the value must be, and never quotes it

	alias    string // a second variable, used if the first is empty
	secret   bool   // error texts must not show the value
	flagOnly bool   // no variable sets it
}

const (
	trueOrFalse = "true|false" // as value: the flag may stand alone
	mebibyte    = 1 << 20
)

// Option is a flag of one command, next to the settings. No variable sets it.
type Option struct {
	Name  string // without the dashes
	Value string // placeholder of the value in the usage text
	// Set gets the value, or "" if the flag is absent. Its error says what the
	// value must be.
	Set func(text string) error
}

func (o Option) row() option {
	return option{name: o.Name, value: o.Value, set: o.Set, flagOnly: true}
}

// options is the table, bound to the fields of s. A new setting needs a field
// and a row.
func options(s *Settings) []option {
	return []option{
		{
			name: "addr", value: "HOST:PORT", def: "127.0.0.1:8080", set: address(&s.Addr, false),
			help: "Address of the server, plain HTTP. Use 0.0.0.0:8080 to accept requests from other machines, behind a proxy that speaks TLS.",
		},
		{
			name: "metrics-addr", value: "HOST:PORT", set: address(&s.MetricsAddr, true),
			help: "Second address, for GET /metrics in the Prometheus format only. It requires no token: keep it private. Empty: no metrics.",
		},
		{
			name: "data", value: "DIR", set: text(&s.Data),
			help: "Directory of the private PostgreSQL and of the signing keys. Empty: /var/lib/caregraph for root, the state directory of the user for others.",
		},
		{ //nolint:gosec // G101: the password is an example
			name: "database-url", value: "URL", set: postgresURL(&s.DatabaseURL), alias: "DATABASE_URL", secret: true,
			help: "PostgreSQL to use, as postgres://user:password@host/database or as key=value pairs. Empty: run a private PostgreSQL in the data directory. Prefer the variable: other users of the machine can read flags.",
		},
		{
			name: "database-connections", value: "N", def: "20", set: whole(&s.DatabaseConns, 2, 10_000),
			help: "Highest number of connections to PostgreSQL. Half of them only read. One more connection listens for ended sessions.",
		},
		{
			name: "playground", value: trueOrFalse, def: "true", set: boolean(&s.Playground),
			help: "Serve the GraphQL playground page.",
		},
		{
			name: "introspection", value: trueOrFalse, def: "true", set: boolean(&s.Introspection),
			help: "Let clients query the schema. The playground needs it.",
		},
		{
			name: "keys", value: "FILE", set: text(&s.Keys),
			help: "File of the keys that sign tokens. The first start creates it. Empty: keys.json in the data directory.",
		},
		{
			name: "jwt-algorithm", value: "EdDSA|ES256", def: "EdDSA", set: oneOf(&s.JWTAlgorithm, "EdDSA", "ES256"),
			help: "Algorithm of new signing keys.",
		},
		{
			name: "jwt-issuer", value: "TEXT", def: "caregraph", set: filled(&s.JWTIssuer),
			help: "Claim iss of the tokens. The server refuses tokens of other issuers.",
		},
		{
			name: "jwt-audience", value: "TEXT", def: "caregraph", set: filled(&s.JWTAudience),
			help: "Claim aud of the tokens. The server refuses tokens for other audiences.",
		},
		{
			name: "access-ttl", value: "DURATION", def: "24h", set: duration(&s.AccessTTL),
			help: "Lifetime of an access token.",
		},
		{
			name: "refresh-ttl", value: "DURATION", def: "168h", set: duration(&s.RefreshTTL),
			help: "Lifetime of a refresh token. It must be longer than that of an access token.",
		},
		{
			name: "hash-concurrency", value: "N", def: "0", set: whole(&s.HashConcurrency, 0, 1024),
			help: "How many passwords the server hashes at the same time. Each hash uses one CPU and 19 MiB of memory. 0: the number of CPUs.",
		},
		{
			name: "cors-origins", value: "LIST", set: origins(&s.CORSOrigins),
			help: "Origins of other web pages that may call the API: scheme://host[:port], separated by commas. * alone allows any origin, without credentials. Empty: none.",
		},
		{
			name: "trusted-proxies", value: "LIST", set: networks(&s.TrustedProxies),
			help: "Networks (CIDR) of the proxies whose X-Forwarded-For header the server believes, separated by commas. Empty: none; the client is the other end of the connection.",
		},
		{
			name: "request-timeout", value: "DURATION", def: "15s", set: duration(&s.RequestTimeout),
			help: "Time that one request may take.",
		},
		{
			name: "shutdown-timeout", value: "DURATION", def: "20s", set: duration(&s.ShutdownTimeout),
			help: "Time that running requests have to finish when the server stops. Keep it longer than the request timeout.",
		},
		{
			name: "max-body", value: "SIZE", def: "1MiB", set: size(&s.MaxBody, 1024*mebibyte),
			help: "Largest request body, in bytes, KiB or MiB.",
		},
		// The REST addresses are GraphQL operations, too. Their needs are the lower
		// bounds of these four settings.
		{
			name: "max-depth", value: "N", def: "16", set: whole(&s.MaxDepth, 8, 1000),
			help: "Deepest nesting of a GraphQL operation.",
		},
		{
			name: "max-cost", value: "N", def: "50000", set: whole(&s.MaxCost, 10_000, 1_000_000_000),
			help: "Highest cost of a GraphQL operation: about the number of fields in its answer.",
		},
		{
			name: "max-aliases", value: "N", def: "50", set: whole(&s.MaxAliases, 20, 100_000),
			help: "Highest number of aliases in a GraphQL operation.",
		},
		{
			name: "max-tokens", value: "N", def: "1500", set: whole(&s.MaxTokens, 500, 1_000_000),
			help: "Highest number of tokens in a GraphQL document.",
		},
		{
			name: "log-level", value: "LEVEL", def: "info", set: level(&s.LogLevel),
			help: "Lowest level that the log contains: debug, info, warn or error.",
		},
		{
			name: "log-format", value: "text|json", def: "text", set: oneOf(&s.LogFormat, "text", "json"),
			help: "Format of the log lines. They go to standard error.",
		},
	}
}

func (o option) isBool() bool { return o.value == trueOrFalse }

// variables returns the environment variables that set the option, first the
// one that wins.
func (o option) variables() []string {
	if o.flagOnly {
		return nil
	}
	names := []string{"CAREGRAPH_" + strings.ToUpper(strings.ReplaceAll(o.name, "-", "_"))}
	if o.alias != "" {
		names = append(names, o.alias)
	}
	return names
}

// choose returns the text that wins, and its variable or "".
func (o option) choose(flags map[string]string, getenv func(string) string) (text, source string) {
	if text, ok := flags[o.name]; ok {
		return strings.TrimSpace(text), ""
	}
	for _, name := range o.variables() {
		if text := strings.TrimSpace(getenv(name)); text != "" {
			return text, name
		}
	}
	return o.def, ""
}

// invalid returns an error with the option, the source of its value and what
// the value must be.
func (o option) invalid(text, source string, err error) error {
	where := "--" + o.name
	if source != "" {
		where += " (from " + source + ")"
	}
	if o.secret {
		return fmt.Errorf("%s: %w", where, err)
	}
	return fmt.Errorf("%s: %w, not %q", where, err, text)
}
