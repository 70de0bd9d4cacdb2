// Command caregraph serves patients, doctors and who treats whom over GraphQL,
// and over the REST addresses of the system that it replaces. See README.md.
package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/caregraph/caregraph/graph"
	"github.com/caregraph/caregraph/internal/auth"
	"github.com/caregraph/caregraph/internal/fill"
	"github.com/caregraph/caregraph/internal/gqlhttp"
	"github.com/caregraph/caregraph/internal/host"
	"github.com/caregraph/caregraph/internal/httpd"
	"github.com/caregraph/caregraph/internal/limits"
	"github.com/caregraph/caregraph/internal/metrics"
	"github.com/caregraph/caregraph/internal/pgserver"
	"github.com/caregraph/caregraph/internal/policy"
	"github.com/caregraph/caregraph/internal/rest"
	"github.com/caregraph/caregraph/internal/settings"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/web"
)

//go:embed schema.graphqls
var schemaText string

const version = "0.1.0"

const usage = `Usage: caregraph [COMMAND] [FLAGS]

Commands:
  serve          run the server (the default)
  migrate        bring the database to the newest schema, and end
  admin create   make an administrator's account: --email ADDRESS [--username NAME];
                 the password is asked for, or read from standard input
  keys rotate    put a new signing key in front; the older ones still verify
  fill           fill a running server with example records: see fill --help
  version        print the version

Flags, with their environment variables and defaults:
`

// sparingGC lets the heap grow to three times what lives in it before garbage is
// collected, where Go lets it double. What lives in it is some 10 MB.
const sparingGC = 200

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(sparingGC)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "caregraph:", err)
		os.Exit(1)
	}
}

// run is the program without its process: tests call it.
func run(ctx context.Context, args []string, getenv func(string) string, stdin io.Reader, stdout, stderr io.Writer) error {
	command, args := splitCommand(args)
	if command == "fill" {
		return fill.Run(ctx, args, getenv, stdout, stderr)
	}
	admin := adminFlags{}
	if command == "admin create" {
		args = admin.take(args)
	}
	s, rest, err := settings.Parse(args, getenv)
	err = errors.Join(admin.mistake(command), err)
	switch {
	case errors.Is(err, flag.ErrHelp) || command == "help":
		_, _ = io.WriteString(stdout, usage)
		return settings.Help(stdout)
	case err != nil:
		return err
	case len(rest) > 0:
		return fmt.Errorf("unknown argument %q; see caregraph help", rest[0])
	case command == "version":
		_, err := fmt.Fprintln(stdout, strings.TrimSpace("caregraph "+version+" "+revision()))
		return err
	}
	if err := completePaths(&s, getenv); err != nil {
		return err
	}
	log := newLog(s, stderr)
	switch command {
	case "", "serve":
		return serve(ctx, s, stdout, log)
	case "migrate":
		return withDatabase(ctx, s, log, attach, store.Migrate)
	case "admin create":
		return createAdmin(ctx, s, log, admin, stdin, stdout)
	case "keys rotate":
		return rotateKeys(s, stdout)
	default:
		return fmt.Errorf("unknown command %q; see caregraph help", command)
	}
}

func newLog(s settings.Settings, w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: s.LogLevel}
	if s.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// splitCommand cuts the leading words off the flags.
func splitCommand(args []string) (command string, flags []string) {
	words := 0
	for words < len(args) && !strings.HasPrefix(args[words], "-") {
		words++
	}
	return strings.Join(args[:words], " "), args[words:]
}

// app is the product without its addresses.
type app struct {
	rules    *model.Policy
	store    *store.Store
	keys     *auth.Keys
	tokens   *auth.Tokens
	accounts *auth.Accounts
	metrics  metrics.Metrics
}

// accessRules compiles the policy. A schema whose rules are not sound stops the
// program before anything is touched.
func accessRules() (*model.Policy, error) {
	rules, err := policy.Compile(graph.Schema())
	if err != nil {
		return nil, fmt.Errorf("nothing is served: %w", err)
	}
	return rules, nil
}

// openStore migrates and opens the database at the URL.
func openStore(ctx context.Context, s settings.Settings, rules *model.Policy, url string) (*store.Store, error) {
	if err := store.Migrate(ctx, url); err != nil {
		return nil, err
	}
	return store.Open(ctx, url, store.Options{Policy: rules, Connections: s.DatabaseConns, Listen: true})
}

// openApp opens the database at the URL and makes what works on it.
func openApp(ctx context.Context, s settings.Settings, rules *model.Policy, url string) (*app, error) {
	keys, err := auth.LoadOrCreateKeys(s.Keys, s.JWTAlgorithm)
	if err != nil {
		return nil, err
	}
	tokens, err := auth.NewTokens(keys, auth.TokenSettings{
		Issuer: s.JWTIssuer, Audience: s.JWTAudience,
		AccessTTL: s.AccessTTL, RefreshTTL: s.RefreshTTL, Clock: time.Now,
	})
	if err != nil {
		return nil, err
	}
	db, err := openStore(ctx, s, rules, url)
	if err != nil {
		return nil, err
	}
	accounts := &auth.Accounts{Store: db, Hasher: newHasher(s), Tokens: tokens, Throttle: auth.NewThrottle(time.Now)}
	return &app{rules, db, keys, tokens, accounts, metrics.New(s.MetricsAddr, db.Stats)}, nil
}

func newHasher(s settings.Settings) *auth.Hasher {
	if s.HashConcurrency == 0 {
		return auth.NewHasher(runtime.NumCPU())
	}
	return auth.NewHasher(s.HashConcurrency)
}

// serve runs the server until ctx ends or its private PostgreSQL does.
func serve(ctx context.Context, s settings.Settings, stdout io.Writer, log *slog.Logger) error {
	rules, err := accessRules()
	if err != nil {
		return err
	}
	return withDatabase(ctx, s, log, alone, func(ctx context.Context, url string) error {
		app, err := openApp(ctx, s, rules, url)
		if err != nil {
			return err
		}
		defer app.store.Close()
		if app.store.Local() {
			app.accounts.Hasher.Beside = host.HalfProcessors().ExtraCPU
		}
		handler, err := app.handler(s, log)
		if err != nil {
			return err
		}
		var config net.ListenConfig
		listener, err := config.Listen(ctx, "tcp", s.Addr)
		if err != nil {
			return fmt.Errorf("listen: %w", err)
		}
		metricsAddr, stopMetrics, err := app.metrics.Start(ctx, log)
		if err != nil {
			return errors.Join(err, listener.Close())
		}
		defer stopMetrics()
		host.ProfileOnSignal(ctx, log)
		greet(stdout, listener.Addr(), metricsAddr, s)
		return httpd.Serve(ctx, listener, handler, httpOptions(s, log))
	})
}

func greet(w io.Writer, addr, metricsAddr net.Addr, s settings.Settings) {
	base, more := "http://"+addr.String(), ""
	if metricsAddr != nil {
		more = fmt.Sprintf("  Metrics      http://%s/metrics\n", metricsAddr)
	}
	_, _ = fmt.Fprintf(w, `CareGraph %s is ready.

  Start here   %[2]s/
  GraphQL      %[2]s/graphql
  Schema       %[2]s/schema.graphqls
  REST         %[2]s/docs/
%[5]s
The first administrator:  %[3]s admin create --email you@clinic.example%[4]s
`, version, base, commandName(os.Args[0]), dataFlag(s), more)
}

// commandName is how the user started us.
func commandName(arg0 string) string {
	if strings.Contains(arg0, "go-build") {
		return "go run ."
	}
	return arg0
}

// dataFlag is what a second command needs to find the same database.
func dataFlag(s settings.Settings) string {
	if s.DatabaseURL != "" {
		return "  (with the same DATABASE_URL)"
	}
	if strings.ContainsAny(s.Data, " '\"\\$") {
		return " --data " + strconv.Quote(s.Data)
	}
	return " --data " + s.Data
}

// handler wires the addresses together.
func (a *app) handler(s settings.Settings, log *slog.Logger) (http.Handler, error) {
	bounds := limits.Default()
	bounds.Depth, bounds.Cost, bounds.Aliases, bounds.Tokens = s.MaxDepth, s.MaxCost, s.MaxAliases, s.MaxTokens
	restAPI, err := rest.New(graph.Schema(), rest.Options{VerifyToken: a.accounts.VerifyToken, Annotate: httpd.Annotate})
	if err != nil {
		return nil, err
	}
	pages, err := web.Handler(s.Playground)
	if err != nil {
		return nil, err
	}
	described, err := rest.OpenAPI(graph.Schema(), version)
	if err != nil {
		return nil, err
	}
	docs, err := web.Docs(described)
	if err != nil {
		return nil, err
	}
	executor, err := graph.New(graph.Config{
		Store:         a.store,
		Accounts:      a.accounts,
		Policy:        a.rules,
		Limits:        bounds,
		Introspection: s.Introspection,
		Now:           time.Now,
		Log:           log,
		RequestID:     httpd.RequestID,
		ClientAddr:    func(ctx context.Context) string { return httpd.ClientAddr(ctx).String() },
		Annotate:      httpd.Annotate,
		OnAnswered:    a.metrics.Answered,
	}, restAPI, gqlhttp.Transport{Sent: graph.Reuse})
	if err != nil {
		return nil, err
	}

	mux := http.NewServeMux()
	identified := auth.Identify(a.store, a.tokens, executor)
	mux.Handle("/graphql", identified)
	mux.Handle("/api/", identified)
	mux.Handle("GET /schema.graphqls", web.Text("text/plain; charset=utf-8", schemaText))
	mux.Handle("GET /.well-known/jwks.json", web.Text("application/jwk-set+json", string(a.keys.PublicJWKS())))
	mux.Handle("GET /{$}", pages)
	mux.Handle("GET /assets/", pages)
	for _, path := range []string{"/docs/", "/openapi.json", "/swagger/", "/redoc/"} {
		mux.Handle("GET "+path, docs)
	}
	httpd.Probes(mux, a.store.Ping)
	options := httpOptions(s, log)
	options.Done = a.metrics.Done
	return httpd.Handler(mux, options), nil
}

func httpOptions(s settings.Settings, log *slog.Logger) httpd.Options {
	return httpd.Options{
		Log: log, CORSOrigins: s.CORSOrigins, TrustedProxies: s.TrustedProxies, MaxBody: s.MaxBody,
		RequestTimeout: s.RequestTimeout, ShutdownTimeout: s.ShutdownTimeout,
	}
}

// sharing says whether a command may use the private PostgreSQL of a server
// that is running.
type sharing bool

const (
	alone  sharing = false
	attach sharing = true
)

// withDatabase calls f with the address of the database: the named one, or a
// private PostgreSQL that runs while f does. When that ends by itself, so does
// the context of f.
func withDatabase(
	ctx context.Context, s settings.Settings, log *slog.Logger, share sharing, f func(context.Context, string) error,
) (err error) {
	if s.DatabaseURL != "" {
		return f(ctx, string(s.DatabaseURL))
	}
	if share {
		url, running, err := pgserver.Attach(s.Data)
		switch {
		case err != nil:
			return err
		case running:
			return f(ctx, url)
		}
	}
	server, err := pgserver.Start(ctx, pgserver.Options{DataDir: s.Data, Log: log})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		<-server.Done()
		cancel()
	}()
	defer func() {
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.ShutdownTimeout)
		defer cancel()
		err = errors.Join(err, server.Stop(stopping))
	}()
	return f(ctx, server.URL())
}

// completePaths fills in the paths that depend on the machine.
func completePaths(s *settings.Settings, getenv func(string) string) (err error) {
	if s.Data == "" {
		if s.Data, err = pgserver.DefaultDataDir(getenv); err != nil {
			return err
		}
	}
	if s.Keys == "" {
		s.Keys = filepath.Join(s.Data, "keys.json")
	}
	return nil
}

// adminFlags are the flags of admin create, beside the settings.
type adminFlags struct{ email, username string }

// take cuts its flags out of the arguments.
func (a *adminFlags) take(args []string) (rest []string) {
	for i := 0; i < len(args); i++ {
		name, value, inline := strings.Cut(strings.TrimLeft(args[i], "-"), "=")
		target := map[string]*string{"email": &a.email, "username": &a.username}[name]
		switch {
		case target == nil || !strings.HasPrefix(args[i], "-"):
			rest = append(rest, args[i])
		case inline:
			*target = value
		case i+1 < len(args) && !strings.HasPrefix(args[i+1], "-"):
			i++
			*target = args[i]
		}
	}
	return rest
}

// mistake is what is wrong with the flags of the command.
func (a *adminFlags) mistake(command string) error {
	if command == "admin create" && a.email == "" {
		return errors.New("--email: admin create needs the address of the account")
	}
	return nil
}

// createAdmin makes an administrator, beside a running server or alone.
func createAdmin(
	ctx context.Context, s settings.Settings, log *slog.Logger, flags adminFlags, stdin io.Reader, stdout io.Writer,
) error {
	email := model.ParseEmail(flags.email)
	username := flags.username
	if username == "" {
		username, _, _ = strings.Cut(string(email), "@") // the address itself is nobody's to see
	}
	password, err := host.ReadPassword(stdin, stdout)
	if err != nil {
		return err
	}
	rules, err := accessRules()
	if err != nil {
		return err
	}
	return withDatabase(ctx, s, log, attach, func(ctx context.Context, url string) error {
		db, err := openStore(ctx, s, rules, url)
		if err != nil {
			return err
		}
		defer db.Close()
		ctx, cancel := context.WithTimeout(ctx, s.RequestTimeout)
		defer cancel()
		u := &model.User{Username: username, Email: email}
		if _, err := auth.CreateAdmin(ctx, db, newHasher(s), u, password); err != nil {
			return fmt.Errorf("admin create: %w", err)
		}
		_, err = fmt.Fprintf(stdout, "%s is an administrator now.\n", email)
		return err
	})
}

func rotateKeys(s settings.Settings, stdout io.Writer) error {
	if _, err := auth.RotateKeys(s.Keys, s.JWTAlgorithm); err != nil {
		return err
	}
	_, err := fmt.Fprintln(stdout, "A new key signs from the next start on; tokens of the older keys stay valid.")
	return err
}

func revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			return setting.Value
		}
	}
	return ""
}
