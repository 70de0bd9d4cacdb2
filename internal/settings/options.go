package settings

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/caregraph/caregraph/internal/host"
)

// option is one row of the table.
type option struct {
	name  string // of the flag; the variable's name follows from it
	value string // placeholder of the value in the help text
	def   string // the default, as a user writes it
	help  string
	set   func(text string) error // its error says what the value must be, and never quotes it

	code       string // of a limit: the error of a request beyond it
	retryAfter string // of a limit: what Retry-After says; "" for a request that never succeeds

	repeats  bool   // the flag may come several times; the variable has the values between commas
	alias    string // a second variable, used if the first is empty
	secret   bool   // error texts must not show the value
	fileOf   string // the secret that the file of this option holds; "" for other options
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
	// Repeats allows the flag to come several times; Set gets the values between commas.
	Repeats bool
}

// Switch is an option of a command that stands alone: it is true if it is there.
func Switch(name string, to *bool) Option {
	return Option{Name: name, Value: trueOrFalse, Set: func(text string) error {
		*to = false
		if text == "" {
			return nil
		}
		return boolean(to)(text)
	}}
}

func (o Option) row() option {
	return option{name: o.Name, value: o.Value, set: o.Set, repeats: o.Repeats, flagOnly: true}
}

// withOwn returns the table with the options of a command after it.
func withOwn(table []option, own []Option) []option {
	for _, o := range own {
		table = append(table, o.row())
	}
	return table
}

func setting(name, value, def string, set func(text string) error, help string) option {
	return option{name: name, value: value, def: def, help: help, set: set}
}

func repeated(name, value string, set func(text string) error, help string) option {
	return option{name: name, value: value, set: set, help: help, repeats: true}
}

// limited marks the setting as a limit or a quota. A request beyond it gets the code.
func (o option) limited(code, retryAfter string) option {
	o.code, o.retryAfter = code, retryAfter
	return o
}

const (
	limitExceeded   = "LIMIT_EXCEEDED"
	rateLimited     = "RATE_LIMITED"
	tooManyAttempts = "TOO_MANY_ATTEMPTS"
	untilNext       = "until the next is allowed"
)

// options is the table, bound to the fields of s. A new setting needs a field
// and a row. Each secret is followed by a row for a file that holds it.
func options(s *Settings) []option {
	var table []option
	for _, o := range rows(s) {
		table = append(table, o)
		if o.secret {
			table = append(table, o.inFile())
		}
	}
	return table
}

func rows(s *Settings) []option {
	return []option{
		setting("addr", "HOST:PORT|unix:PATH", "127.0.0.1:8080", serverAddress(&s.Addr),
			"Address of the server. 0.0.0.0:8443 accepts requests from other machines: set tls-cert, or put a proxy that speaks TLS in front. unix:/run/caregraph/http.sock is a socket for a proxy of this machine in the group of the server; it counts as 127.0.0.1 in trusted-proxies."),
		setting("tls-cert", "FILE", "", text(&s.TLSCert),
			"Certificate of the server in PEM, followed by those that lead to the root. With it the server speaks TLS 1.2 and newer, HTTP/2 and HTTP/1.1. It uses changed files within 10 seconds, and keeps the old ones if the new ones are broken. Empty: plain HTTP."),
		setting("tls-key", "FILE", "", text(&s.TLSKey),
			"Private key of tls-cert in PEM. Other users of the machine must not be able to read the file."),
		setting("metrics-addr", "HOST:PORT", "", address(&s.MetricsAddr, true),
			"Second address, for GET /metrics in the Prometheus format only. It requires no token: keep it private. Empty: no metrics."),
		setting("data", "DIR", "", text(&s.Data),
			"Directory of the private PostgreSQL and of the signing keys. Empty: /var/lib/caregraph for root, the state directory of the user for others; with --demo its name ends in -demo."),
		{ //nolint:gosec // G101: the password is an example
			name: "database-url", value: "URL", set: postgresURL(&s.DatabaseURL), alias: "DATABASE_URL", secret: true,
			help: "PostgreSQL to use, as postgres://user:password@host/database or as key=value pairs. Empty: run a private PostgreSQL in the data directory. Prefer the variable: other users of the machine can read flags.",
		},
		{
			name: "database-admin-url", value: "URL", set: postgresURL(&s.AdminURL), secret: true,
			help: "The same database for an account that may change the schema. migrate uses it, and serve for its migrations. The account of the other URL then only needs to read and write rows. Empty: that of database-url.",
		},
		setting("migrate", trueOrFalse, "true", boolean(&s.Migrate),
			"Let serve update the database schema. False: it refuses to start on an old schema, until caregraph migrate has run."),
		setting("database-connections", "N", "20", whole(&s.DatabaseConns, 2, 10_000),
			"Highest number of connections to PostgreSQL for requests. Three more serve sign-in, sessions and /ready, and listen for ended sessions."),
		setting("database-read-connections", "N", "0", whole(&s.DatabaseReadConns, 0, 9_999),
			"How many of them only read; less than database-connections. 0: half, and where PostgreSQL is on this machine at most twice the number of CPU cores and one more."),
		setting("max-waiting", "N", "32", whole(&s.MaxWaiting, 1, 100_000),
			"How many requests of one account may wait for a connection to PostgreSQL that reads, and how many for one that writes. An address without an account has eight times as many. The server refuses more.").limited(rateLimited, "1"),
		setting("database-pooler", "auto|none|session|transaction", "auto", oneOf(&s.DatabasePooler, "auto", "none", "session", "transaction"),
			"Pooler between the server and PostgreSQL, such as PgBouncer. auto recognizes a pooler and uses it like one in transaction mode, which is right for session mode too."),
		setting("prepared", "auto|on|off", "auto", oneOf(&s.Prepared, "auto", "on", "off"),
			"Prepare statements. auto does, except through a pooler in transaction mode. PgBouncer needs 1.21 or newer and max_prepared_statements for on."),
		{
			name: "database-direct-url", value: "URL", set: postgresURL(&s.DatabaseDirectURL), secret: true,
			help: "The same database without the pooler, for the connection that listens for ended sessions. Empty: behind a transaction pooler the server asks for the session in every request.",
		},
		setting("playground", trueOrFalse, "true", boolean(&s.Playground),
			"Serve the GraphQL playground page."),
		setting("introspection", trueOrFalse, "true", boolean(&s.Introspection),
			"Let clients query the schema. The playground needs it."),
		setting("demo", trueOrFalse, "false", boolean(&s.Demo),
			"Create an example clinic, and let everyone on this machine sign in as its people. It needs a loopback address and a database without other accounts, and closes registration."),
		repeated("documents", "FILE", files(&s.Documents),
			"File of registered documents, as graphql-codegen, Relay's compiler or Apollo's generate-persisted-query-manifest writes it. Repeat the flag for several files; the variable has them between commas. A document that is not valid stops the start."),
		setting("documents-only", trueOrFalse, "false", boolean(&s.DocumentsOnly),
			"Execute registered documents only; all others get PERSISTED_QUERY_ONLY. The REST addresses and the page of mails work. The playground can only show the schema."),
		setting("keys", "FILE", "", text(&s.Keys),
			"File of the keys that sign tokens. The first start creates it. Empty: keys.json in the data directory."),
		setting("recipients-file", "FILE", "", text(&s.RecipientsFile),
			"File of age recipients (age1...), one per line, who can read backups and the archive. Their keys do not belong on this machine."),
		setting("archive-dir", "DIR", "", text(&s.ArchiveDir),
			"Directory where serve archives the log of the private PostgreSQL, encrypted, for a point-in-time recovery. It needs recipients-file. Empty: none."),
		setting("jwt-algorithm", "EdDSA|ES256", "EdDSA", oneOf(&s.JWTAlgorithm, "EdDSA", "ES256"),
			"Algorithm of new signing keys."),
		setting("jwt-issuer", "TEXT", "caregraph", filled(&s.JWTIssuer),
			"Claim iss of the tokens. The server refuses tokens of other issuers."),
		setting("jwt-audience", "TEXT", "caregraph", filled(&s.JWTAudience),
			"Claim aud of the tokens. The server refuses tokens for other audiences."),
		setting("access-ttl", "DURATION", "24h", duration(&s.AccessTTL),
			"Lifetime of an access token."),
		setting("refresh-ttl", "DURATION", "168h", duration(&s.RefreshTTL),
			"Lifetime of a refresh token. It must be longer than that of an access token."),
		setting("refresh-grace", "DURATION", "10s", brief(&s.RefreshGrace, time.Minute),
			"How long a refresh token returns its successor again, if its answer was lost or two tabs share it. Later use ends the session. 0s: never."),
		setting("session-ttl", "DURATION", "720h", brief(&s.SessionTTL, 87_600*time.Hour),
			"How long a session lasts at most, however often its tokens are renewed. Then the account signs in again. 0s: any time."),
		setting("idempotency-retention", "DURATION", "72h", brief(&s.KeyRetention, 87_600*time.Hour),
			"How long a request with an Idempotency-Key can be sent again without a second effect. 0s: for ever."),
		setting("session-retention", "DURATION", "720h", brief(&s.SessionRetention, 87_600*time.Hour),
			"How long a session stays in the database after its end, for questions about who signed in. 0s: for ever."),
		setting("feed-retention", "DURATION", "168h", brief(&s.FeedRetention, 87_600*time.Hour),
			"How long the change feed goes back. A device that was offline for longer loads all its records again. 0s: for ever."),
		setting("require-totp", "none|admin|doctor", "none", oneOf(&s.RequireTotp, "none", "admin", "doctor"),
			"Whose accounts must set up a second factor before they can do anything else: admin, or doctor for doctors and administrators."),
		setting("registration", "open|closed", "open", oneOf(&s.Registration, "open", "closed"),
			"Whether clients may register accounts. closed: register answers FORBIDDEN, and caregraph accounts create makes accounts."),
		setting("confirm-email", "optional|required", "optional", oneOf(&s.ConfirmEmail, "optional", "required"),
			"Whether an account must confirm its e-mail address before it signs in. required: register signs nobody in, and answers alike for an address that has an account, whose owner gets a mail instead."),
		{ //nolint:gosec // G101: the password is an example
			name: "mail", value: "URL", set: mailURL(&s.Mail), secret: true,
			help: "Where mails go: smtp://user:password@host:587 (STARTTLS is required), smtps://user:password@host:465, or file:DIR for a file per mail. Empty: files in the directory mail of the data directory. Prefer the variable: other users of the machine can read flags.",
		},
		setting("mail-from", "ADDRESS", "", mailAddress(&s.MailFrom),
			"Sender of mails, such as CareGraph <desk@clinic.example>. Required for an SMTP server. Empty: caregraph@localhost."),
		setting("public-url", "URL", "", publicURL(&s.PublicURL),
			"Address of the server for links in mails, as clients see it, such as https://care.clinic.example. Required for an SMTP server. Empty: the address of the server."),
		setting("hash-concurrency", "N", "0", whole(&s.HashConcurrency, 0, 1024),
			"How many passwords the server hashes at the same time. Each hash uses one CPU and 19 MiB of memory. 0: the number of CPUs."),
		setting("max-waiting-hashes", "N", "500", whole(&s.MaxWaitingHashes, 1, 100_000),
			"How many passwords of sign-ins and of password changes may wait to be hashed, those being hashed included.").limited(rateLimited, "2"),
		setting("max-waiting-registrations", "N", "150", whole(&s.MaxWaitingRegistrations, 1, 100_000),
			"How many passwords of registrations may wait to be hashed, those being hashed included.").limited(rateLimited, "2"),
		setting("max-sign-in-failures", "N,DURATION", "10,30s", budget(&s.MaxSignInFailures),
			"Wrong passwords for one account, or from one device or address from which someone signed in to it: so many at once, then one per interval. The right password allows all of them again.").limited(tooManyAttempts, untilNext),
		setting("max-sign-in-failures-per-address", "N,DURATION", "100,2s", budget(&s.MaxSignInFailuresPerAddress),
			"Wrong passwords from one client address, from devices that no account knows: so many at once, then one per interval.").limited(tooManyAttempts, untilNext),
		setting("max-registrations", "N,DURATION", "200,1s", budget(&s.MaxRegistrations),
			"Registrations from one client address: so many at once, then one per interval.").limited(rateLimited, untilNext),
		setting("max-resets", "N,DURATION", "20,30s", budget(&s.MaxResets),
			"Requests of new passwords from one client address: so many at once, then one per interval.").limited(rateLimited, untilNext),
		setting("max-taken", "N,DURATION", "20,30s", budget(&s.MaxTaken),
			"Answers TAKEN to one account: so many at once, then one per interval.").limited(rateLimited, untilNext),
		setting("max-taken-per-address", "N,DURATION", "50,30s", budget(&s.MaxTakenPerAddress),
			"Answers TAKEN to one client address: so many at once, then one per interval.").limited(rateLimited, untilNext),
		setting("cors-origins", "LIST", "", origins(&s.CORSOrigins),
			"Origins of other web pages that may call the API: scheme://host[:port], separated by commas. * alone allows any origin, without credentials. Empty: none."),
		setting("trusted-proxies", "LIST", "", networks(&s.TrustedProxies),
			"Networks (CIDR) of the proxies whose X-Forwarded-For header the server believes, separated by commas. Empty: none; the client is the other end of the connection."),
		setting("compression", "auto|on|off", "auto", oneOf(&s.Compression, "auto", "on", "off"),
			"Compress answers of GraphQL and REST from 1,024 bytes on with gzip, for clients that accept it; never answers to mutations, which may hold tokens. auto does unless trusted-proxies names a proxy, which can do it itself. Pages and the schema are compressed once, at any rate."),
		setting("request-timeout", "DURATION", "15s", duration(&s.RequestTimeout),
			"Time for the body of a request to arrive, and again for its answer."),
		setting("drain-delay", "DURATION", "0s", brief(&s.DrainDelay, 10*time.Minute),
			"Time from the signal to stop until the server closes its address. /ready answers 503 at once, so that a balancer sends requests elsewhere. A second signal skips it."),
		setting("shutdown-timeout", "DURATION", "20s", duration(&s.ShutdownTimeout),
			"Time that running requests have to finish when the server stops. Keep it longer than the request timeout."),
		setting("max-body", "SIZE", "1MiB", size(&s.MaxBody, 1024*mebibyte),
			"Largest request body, in bytes, KiB or MiB.").limited(limitExceeded, ""),
		setting("max-anonymous-body", "SIZE", "64KiB", size(&s.MaxAnonymousBody, 1024*mebibyte),
			"Largest request body without a valid token.").limited(limitExceeded, ""),
		setting("max-streams", "N", "20", whole(&s.MaxStreams, 1, 100_000),
			"How many WebSockets and event streams an account may have open. A socket beyond it is closed with 1013.").limited(rateLimited, "1 to 5"),
		// The REST addresses are GraphQL operations, too. Their needs are the lower
		// bounds of these four settings.
		setting("max-depth", "N", "16", whole(&s.MaxDepth, 8, 1000),
			"Deepest nesting of a GraphQL operation.").limited(limitExceeded, ""),
		setting("max-cost", "N", "50000", whole(&s.MaxCost, 10_000, 1_000_000_000),
			"Highest cost of a GraphQL operation: about the number of fields in its answer, and a tenth of the rows that its searches and counts read.").limited(limitExceeded, ""),
		setting("max-aliases", "N", "50", whole(&s.MaxAliases, 20, 100_000),
			"Highest number of aliases in a GraphQL operation.").limited(limitExceeded, ""),
		setting("max-tokens", "N", "1500", whole(&s.MaxTokens, 500, 1_000_000),
			"Highest number of tokens in a GraphQL document.").limited(limitExceeded, ""),
		setting("max-document", "SIZE", "128KiB", size(&s.MaxDocument, 1024*mebibyte),
			"Largest GraphQL document, with what its parser ignores.").limited(limitExceeded, ""),
		setting("max-selections", "N", "300", whole(&s.MaxSelections, 100, 100_000),
			"Highest number of fields and fragments in a GraphQL document.").limited(limitExceeded, ""),
		setting("max-repeats", "N", "100", whole(&s.MaxRepeats, 0, 100_000),
			"Highest number of pairs of fields with the same name in one place of a GraphQL document.").limited(limitExceeded, ""),
		setting("max-answer", "SIZE", "16MiB", size(&s.MaxAnswer, 1024*mebibyte),
			"Longest answer to a GraphQL operation, in bytes, KiB or MiB. REST lists are answered in pages, and each page counts.").limited(limitExceeded, ""),
		setting("max-answers-per-account", "SIZE", "48MiB", size(&s.MaxAnswersPerAccount, 1024*mebibyte),
			"Memory for the answers of one account that are read from the database or not yet received.").limited(rateLimited, "1"),
		setting("max-answers", "SIZE", "96MiB", size(&s.MaxAnswers, 1024*mebibyte),
			"Memory for the answers of all accounts.").limited(rateLimited, "1"),
		setting("max-writes", "N", "30", whole(&s.MaxWrites, 1, 100_000),
			"Highest number of root fields of a GraphQL mutation.").limited(limitExceeded, ""),
		setting("max-records", "N", "4000000", whole(&s.MaxRecords, 0, 2_000_000_000),
			"How many patients an account may create, deleted ones among them, and as many doctor entries and mappings. 0: any number.").limited(limitExceeded, ""),
		setting("max-daily-bytes", "SIZE", "2048MiB", size(&s.MaxDailyBytes, 1<<20*mebibyte),
			"How much an account may write a day through one server: texts, and 512 bytes for each record.").limited(rateLimited, "until enough of the day is over"),
		setting("min-free-disk", "SIZE", "512MiB", size(&s.MinFreeDisk, 1<<20*mebibyte),
			"Free space on the disk of the data directory below which only administrators can store anything. Only for the private PostgreSQL.").limited("UNAVAILABLE", ""),
		setting("slow", "DURATION", "500ms", brief(&s.Slow, time.Hour),
			"How long a round trip to the database may take before the log has a warning about it. 0s: for ever."),
		setting("log-level", "LEVEL", "info", level(&s.LogLevel),
			"Lowest level that the log contains: debug, info, warn or error."),
		setting("log-format", "text|json", "text", oneOf(&s.LogFormat, "text", "json"),
			"Format of the log lines. They go to standard error."),
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

// inFile returns the option that names a file with the secret.
func (o option) inFile() option {
	return option{
		name: o.name + "-file", value: "FILE", fileOf: o.name,
		help: "File that contains " + o.name + ", instead of that setting. Other users of the machine must not be able to read it.",
		set: func(path string) error {
			if path == "" {
				return nil
			}
			content, err := host.ReadPrivate(path)
			text := strings.TrimSpace(string(content))
			switch {
			case err != nil:
				return fmt.Errorf("must be a private file: %w", err)
			case text == "":
				return errors.New("must be a file with a value")
			}
			if err := o.set(text); err != nil {
				return fmt.Errorf("the value in the file %w", err)
			}
			return nil
		},
	}
}

// choose returns the text that wins, and its flag or variable; "" for the default.
func (o option) choose(flags map[string]string, getenv func(string) string) (text, source string) {
	if text, ok := flags[o.name]; ok {
		return strings.TrimSpace(text), "--" + o.name
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
	if source != "" && source != where {
		where += " (from " + source + ")"
	}
	if o.secret || o.fileOf != "" {
		return fmt.Errorf("%s: %w", where, err)
	}
	return fmt.Errorf("%s: %w, not %q", where, err, text)
}
