package settings

import (
	"fmt"
	"strings"
)

// option is one row of the table.
type option struct {
	name     string // of the flag; the variable's name follows from it
	value    string // stands for the value in the help text
	standard string // the default, written as a user would
	help     string
	set      func(text string) error // its error says what the value must be, never what it was

	alias  string // a second variable, which counts after the first
	secret bool   // the value must not be shown
}

const (
	boolean  = "true|false" // as value: the flag may stand alone
	mebibyte = 1 << 20
)

// options is the table, bound to the fields of s. To add an option, add a
// field and a row.
func options(s *Settings) []option {
	return []option{
		{
			name: "addr", value: "HOST:PORT", standard: "127.0.0.1:8080", set: address(&s.Addr),
			help: "Address to listen on, plain HTTP. Use 0.0.0.0:8080 to be reached from other machines, behind a proxy that speaks TLS.",
		},
		{
			name: "metrics-addr", value: "HOST:PORT", set: addressOrNone(&s.MetricsAddr),
			help: "Second address to listen on, for GET /metrics in the Prometheus format and nothing else. It asks for no token: keep it private. Empty: there are no metrics.",
		},
		{
			name: "data", value: "DIR", set: text(&s.Data),
			help: "Directory of the private PostgreSQL and of the signing keys. Empty: /var/lib/caregraph as root, otherwise the user's state directory.",
		},
		{ //nolint:gosec // G101: the password is an example
			name: "database-url", value: "URL", set: postgresURL(&s.DatabaseURL), alias: "DATABASE_URL", secret: true,
			help: "PostgreSQL to use, as postgres://user:password@host/database or as key=value pairs. Empty: a private PostgreSQL is run in the data directory. Prefer the variable: other users of the machine can read flags.",
		},
		{
			name: "database-connections", value: "N", standard: "20", set: whole(&s.DatabaseConns, 2, 10_000),
			help: "Most connections to PostgreSQL at a time, half of them for what only reads; one more hears of sessions that end.",
		},
		{
			name: "playground", value: boolean, standard: "true", set: truth(&s.Playground),
			help: "Serve the GraphQL playground page.",
		},
		{
			name: "introspection", value: boolean, standard: "true", set: truth(&s.Introspection),
			help: "Let clients query the schema itself. The playground needs it.",
		},
		{
			name: "keys", value: "FILE", set: text(&s.Keys),
			help: "File of the keys that sign tokens; made on first start. Empty: in the data directory.",
		},
		{
			name: "jwt-algorithm", value: "EdDSA|ES256", standard: "EdDSA", set: oneOf(&s.JWTAlgorithm, "EdDSA", "ES256"),
			help: "Algorithm of the keys that are made from now on.",
		},
		{
			name: "jwt-issuer", value: "TEXT", standard: "caregraph", set: filled(&s.JWTIssuer),
			help: "Claim iss of the tokens; tokens of another issuer are refused.",
		},
		{
			name: "jwt-audience", value: "TEXT", standard: "caregraph", set: filled(&s.JWTAudience),
			help: "Claim aud of the tokens; tokens for another audience are refused.",
		},
		{
			name: "access-ttl", value: "DURATION", standard: "24h", set: duration(&s.AccessTTL),
			help: "How long an access token is good for.",
		},
		{
			name: "refresh-ttl", value: "DURATION", standard: "168h", set: duration(&s.RefreshTTL),
			help: "How long a refresh token is good for; longer than an access token.",
		},
		{
			name: "hash-concurrency", value: "N", standard: "0", set: whole(&s.HashConcurrency, 0, 1024),
			help: "Passwords hashed at a time; each takes a CPU and a good deal of memory. 0: as many as there are CPUs.",
		},
		{
			name: "cors-origins", value: "LIST", set: origins(&s.CORSOrigins),
			help: "Web pages of other origins that may call the API: scheme://host[:port], separated by commas, or * alone for any (then without credentials). Empty: none.",
		},
		{
			name: "trusted-proxies", value: "LIST", set: networks(&s.TrustedProxies),
			help: "Networks (CIDR) of the proxies whose X-Forwarded-For is believed, separated by commas. Empty: none, the peer is the client.",
		},
		{
			name: "request-timeout", value: "DURATION", standard: "15s", set: duration(&s.RequestTimeout),
			help: "Time that one request may take.",
		},
		{
			name: "shutdown-timeout", value: "DURATION", standard: "20s", set: duration(&s.ShutdownTimeout),
			help: "Time that requests in flight have to finish when the server is told to stop. Keep it above the request timeout.",
		},
		{
			name: "max-body", value: "SIZE", standard: "1MiB", set: size(&s.MaxBody, 1024*mebibyte),
			help: "Largest request body, in bytes or with KiB or MiB.",
		},
		// The REST addresses are GraphQL operations, too: what they need is the
		// least that these four can be set to.
		{
			name: "max-depth", value: "N", standard: "16", set: whole(&s.MaxDepth, 8, 1000),
			help: "Deepest nesting of a GraphQL operation.",
		},
		{
			name: "max-cost", value: "N", standard: "50000", set: whole(&s.MaxCost, 10_000, 1_000_000_000),
			help: "Highest cost of a GraphQL operation: about the number of fields it can answer with.",
		},
		{
			name: "max-aliases", value: "N", standard: "50", set: whole(&s.MaxAliases, 20, 100_000),
			help: "Most aliases in a GraphQL operation.",
		},
		{
			name: "max-tokens", value: "N", standard: "1500", set: whole(&s.MaxTokens, 500, 1_000_000),
			help: "Most tokens in a GraphQL document.",
		},
		{
			name: "log-level", value: "LEVEL", standard: "info", set: level(&s.LogLevel),
			help: "Least level that is logged: debug, info, warn or error.",
		},
		{
			name: "log-format", value: "text|json", standard: "text", set: oneOf(&s.LogFormat, "text", "json"),
			help: "Form of the log lines, which go to standard error.",
		},
	}
}

func (o option) isBool() bool { return o.value == boolean }

// variable is the name of the option in the environment.
func (o option) variable() string {
	return "CAREGRAPH_" + strings.ToUpper(strings.ReplaceAll(o.name, "-", "_"))
}

// choose returns the text that counts, and the variable that it comes from or "".
func (o option) choose(flags map[string]string, getenv func(string) string) (text, source string) {
	if text, ok := flags[o.name]; ok {
		return strings.TrimSpace(text), ""
	}
	for _, name := range []string{o.variable(), o.alias} {
		if name == "" {
			continue
		}
		if text := strings.TrimSpace(getenv(name)); text != "" {
			return text, name
		}
	}
	return o.standard, ""
}

// mistake names the option, where its value stands and what is wrong with it.
func (o option) mistake(text, source string, err error) error {
	where := "--" + o.name
	if source != "" {
		where += " (from " + source + ")"
	}
	if o.secret {
		return fmt.Errorf("%s: %w", where, err)
	}
	return fmt.Errorf("%s: %w, not %q", where, err, text)
}
