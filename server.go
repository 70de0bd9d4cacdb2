// Command caregraph serves patients, doctors and assignments between them over
// GraphQL, and over the REST addresses of the system that it replaces. See
// README.md.
package main

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/caregraph/caregraph/graph"
	"github.com/caregraph/caregraph/internal/auth"
	"github.com/caregraph/caregraph/internal/backup"
	"github.com/caregraph/caregraph/internal/cli"
	"github.com/caregraph/caregraph/internal/demo"
	"github.com/caregraph/caregraph/internal/documents"
	"github.com/caregraph/caregraph/internal/fill"
	"github.com/caregraph/caregraph/internal/gqlhttp"
	"github.com/caregraph/caregraph/internal/host"
	"github.com/caregraph/caregraph/internal/httpd"
	"github.com/caregraph/caregraph/internal/limits"
	"github.com/caregraph/caregraph/internal/mail"
	"github.com/caregraph/caregraph/internal/metrics"
	"github.com/caregraph/caregraph/internal/pgserver"
	"github.com/caregraph/caregraph/internal/policy"
	"github.com/caregraph/caregraph/internal/rest"
	"github.com/caregraph/caregraph/internal/settings"
	"github.com/caregraph/caregraph/internal/streams"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/web"
)

//go:embed schema.graphqls
var schemaText string

const version = "0.1.0"

// gcPercent lets the heap grow to three times the live data before a garbage
// collection; Go's default is two times. The live data are about 10 MB.
const gcPercent = 200

// shutdownGrace is what a stop may take after the shutdown timeout, for closing the
// database.
const shutdownGrace = 5 * time.Second

// memoryBase is the memory in bytes, without answers, from which on the garbage
// collector works harder.
const memoryBase = 200 << 20

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	ctx, again, release := host.StopSignals(context.Background())
	err := cli.Run(ctx, cli.Env{
		Args: os.Args[1:], Getenv: os.Getenv, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Version: version, Policy: accessRules,
	}, cli.Serve(server{again}.serve), cli.Fill(fill.Run))
	if code, ok := errors.AsType[cli.ExitCode](err); ok {
		os.Exit(int(code))
	}
	if err != nil && (ctx.Err() == nil || !errors.Is(err, context.Canceled)) {
		last := host.NewLines(os.Stderr, nil)
		_, _ = fmt.Fprintln(last, "caregraph:", err)
		last.Close()
		os.Exit(1)
	}
	release()
}

// server is the command serve. skipDrain closes when the operator does not want to wait.
type server struct{ skipDrain <-chan struct{} }

// accessRules compiles the access rules of the schema. Its error lists all
// contradictions in the schema.
func accessRules() (*model.Policy, error) {
	rules, err := policy.Compile(graph.Schema())
	if err != nil {
		return nil, fmt.Errorf("nothing is served: %w", err)
	}
	return rules, nil
}

// serve runs the server until ctx ends or its private PostgreSQL ends. It
// checks the rules of the schema before it touches any data.
func (c server) serve(ctx context.Context, p cli.Process) error {
	s, log := p.Settings, p.Log
	rules, err := accessRules()
	if err != nil {
		return err
	}
	// A taken address must not leave a new database behind.
	if err := errors.Join(httpd.CheckFree(ctx, "--addr", s.Addr), httpd.CheckFree(ctx, "--metrics-addr", s.MetricsAddr)); err != nil {
		return err
	}
	defer host.ExitWithin(ctx, s.DrainDelay+s.ShutdownTimeout+shutdownGrace, log)()
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryBase + s.MaxAnswers)
	}
	archive, err := archiver(s)
	if err != nil {
		return err
	}
	database := pgserver.Database{URL: string(s.DatabaseURL), DataDir: s.Data, StopTimeout: s.ShutdownTimeout, Log: log, Archive: archive}
	err = pgserver.With(ctx, database, func(ctx context.Context, url string) error {
		finish, err := migrate(ctx, s, url, log)
		if err != nil {
			return err
		}
		app, err := openApp(ctx, p, rules, url)
		if err != nil {
			return err
		}
		defer app.store.Close()
		if app.store.Local() {
			app.processors.Halve()
		}
		if s.Demo {
			if app.clinic, err = demo.Open(ctx, app.accounts); err != nil {
				return err
			}
		}
		handler, err := app.handler(s, log)
		if err != nil {
			return err
		}
		listener, err := httpd.Listen(ctx, "--addr", s.Addr)
		if err != nil {
			return err
		}
		metricsAddr, stopMetrics, err := app.metrics.Start(ctx, log)
		if err != nil {
			return errors.Join(err, listener.Close())
		}
		defer stopMetrics()
		defer finish()()
		app.mails.PublicURL = cmp.Or(s.PublicURL, "http://"+listener.Addr().String())
		defer app.mails.Start(ctx)()
		defer app.accounts.Later.Start(ctx)()
		defer app.streams.Start(ctx)()
		defer writeEachMinute(ctx, app.store, log)()
		defer app.store.SweepHourly(ctx)()
		host.ProfileOnSignal(ctx, log)
		app.logStart(ctx, p, listener.Addr())
		warnAboutPlainHTTP(ctx, listener.Addr(), s, log)
		ready := cli.Ready{Program: os.Args[0], Version: version, Addr: listener.Addr(), Metrics: metricsAddr}
		_ = ready.Print(p.Out, s) // a closed output does not stop the server
		options := httpOptions(s, log)
		options.SkipDrain, options.OnStop = c.skipDrain, logStop(ctx, log)
		return httpd.Serve(ctx, listener, handler, options)
	})
	if ctx.Err() != nil {
		_, _ = fmt.Fprintln(p.Out, "CareGraph has stopped.")
	}
	return err
}

// logStart says what runs, in one line.
func (a *app) logStart(ctx context.Context, p cli.Process, addr net.Addr) {
	tls := "off"
	if len(p.TrustedProxies) > 0 {
		tls = "proxy"
	}
	p.Log.LogAttrs(ctx, slog.LevelInfo, "serving",
		slog.String("version", version), slog.String("revision", cli.Revision()), slog.String("schema", store.SchemaVersion()),
		slog.String("postgres", a.store.ServerVersion()), slog.String("pooler", string(a.store.Pooler())),
		slog.String("addr", addr.String()), slog.String("tls", tls), slog.String("data", p.Data), slog.GroupAttrs("settings", p.Changed...))
}

// logStop returns a function that says why the server stops, and what became of its requests.
func logStop(ctx context.Context, log *slog.Logger) func(finished, cut int64) {
	return func(finished, cut int64) {
		reason := "the address of the server failed"
		if cause := context.Cause(ctx); cause != nil {
			reason = cause.Error()
		}
		log.InfoContext(ctx, "stopped", "reason", reason, "requests_finished", finished, "requests_cut", cut)
	}
}

// logCaller adds to the line of a request what it asked of the database, and whose session it
// was.
func logCaller(ctx context.Context, line *slog.Record) {
	caller := auth.CallerFrom(ctx)
	if trips, waited := caller.Used(); trips > 0 {
		line.AddAttrs(slog.Int64("trips", trips), httpd.Milliseconds("pool_wait_ms", waited))
	}
	if session := caller.Session(); session != "" {
		line.AddAttrs(slog.String("session", session))
	}
}

// warnAboutPlainHTTP warns that other machines can reach the server and read along.
func warnAboutPlainHTTP(ctx context.Context, addr net.Addr, s settings.Settings, log *slog.Logger) {
	tcp, ok := addr.(*net.TCPAddr)
	if ok && !tcp.IP.IsLoopback() && len(s.TrustedProxies) == 0 {
		log.WarnContext(ctx, "other machines can reach this address without TLS: put a proxy with TLS in front, and name it with --trusted-proxies", "addr", addr.String())
	}
}

// app is the server without its addresses.
type app struct {
	rules    *model.Policy
	store    *store.Store
	tokens   *auth.Tokens
	accounts *auth.Accounts
	mails    *mail.Sender
	metrics  metrics.Metrics
	streams  *streams.Streams
	// processors leaves half of the processors to PostgreSQL, if it is on this machine.
	processors *host.Processors
	// clinic is the example clinic; nil without --demo.
	clinic *demo.Clinic
}

// archiver returns where the private PostgreSQL archives its log, nil for nowhere.
func archiver(s settings.Settings) (*pgserver.Archive, error) {
	switch {
	case s.ArchiveDir == "":
		return nil, nil //nolint:nilnil // no archive is no error
	case s.DatabaseURL != "":
		return nil, errors.New("--archive-dir: is for the private PostgreSQL; archive the log of your own as its documentation says")
	}
	recipients, err := backup.Recipients(nil, s.RecipientsFile)
	switch {
	case err != nil:
		return nil, err
	case len(recipients) == 0:
		return nil, errors.New("--archive-dir: needs --recipients-file, because the archive is always encrypted")
	}
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return backup.Archive(program, s.Data, s.ArchiveDir, recipients), nil
}

// migrate prepares the schema. What takes long is left to caregraph migrate, unless
// the PostgreSQL is private and so has one server: then finish begins it in the
// background, and returns a function that stops it.
func migrate(ctx context.Context, s settings.Settings, url string, log *slog.Logger) (finish func() (stop func()), err error) {
	complete, err := store.Prepare(ctx, url, store.Preparation{Migrate: s.Migrate, AdminURL: string(s.AdminURL), Log: log})
	nothing := func() func() { return func() {} }
	switch {
	case err != nil || complete:
		return nothing, err
	case s.DatabaseURL != "" || !s.Migrate:
		log.InfoContext(ctx, "the database lacks indexes or values of new columns, so some requests take longer: run caregraph migrate")
		return nothing, nil
	}
	return func() func() {
		ctx, cancel := context.WithCancel(ctx)
		done := make(chan struct{})
		go func() {
			defer close(done)
			if err := store.Migrate(ctx, url, log); err != nil && ctx.Err() == nil {
				log.ErrorContext(ctx, "the database still lacks indexes or values of new columns", "error", err)
			}
		}()
		return func() { cancel(); <-done }
	}, nil
}

// writeEachMinute stores what the store collects until stop is called, and once more then.
func writeEachMinute(ctx context.Context, db *store.Store, log *slog.Logger) (stop func()) {
	ticker, stopped, done := time.NewTicker(time.Minute), make(chan struct{}), make(chan struct{})
	ctx = context.WithoutCancel(ctx)
	write := func() {
		if err := db.WriteCollected(ctx); err != nil {
			log.WarnContext(ctx, "security events could not be stored", "error", err)
		}
	}
	go func() {
		defer close(done)
		for {
			select {
			case <-ticker.C:
				write()
			case <-stopped:
				ticker.Stop()
				write()
				return
			}
		}
	}()
	return func() { close(stopped); <-done }
}

// openApp opens the database at the URL and creates the services that use it.
func openApp(ctx context.Context, p cli.Process, rules *model.Policy, url string) (*app, error) {
	s, log := p.Settings, p.Log
	keys, err := auth.LoadOrCreateKeys(s.Keys, s.JWTAlgorithm)
	if err != nil {
		return nil, err
	}
	refreshTTL := s.RefreshTTL
	if s.SessionTTL > 0 {
		refreshTTL = min(refreshTTL, s.SessionTTL)
	}
	tokens, err := auth.NewTokens(keys, auth.TokenSettings{
		Issuer: s.JWTIssuer, Audience: s.JWTAudience,
		AccessTTL: s.AccessTTL, RefreshTTL: refreshTTL, Clock: time.Now,
	})
	if err != nil {
		return nil, err
	}
	secret, err := keys.Derive("caregraph throttle")
	if err != nil {
		return nil, err
	}
	secrets, err := keys.DeriveAll("caregraph store")
	if err != nil {
		return nil, err
	}
	mails, err := mail.New(string(s.Mail), s.MailFrom, log)
	if err != nil {
		return nil, err
	}
	quotas := store.Quotas{Records: s.MaxRecords, DailyBytes: s.MaxDailyBytes, MinFree: s.MinFreeDisk}
	if s.DatabaseURL == "" {
		quotas.FreeDisk = func() (int64, error) { return host.FreeDisk(s.Data) }
	}
	var db *store.Store
	var accounts *auth.Accounts
	var open *streams.Streams
	watched := metrics.Options{
		Build: build(), AnswerKinds: graph.AnswerKinds(), ErrorCodes: graph.ErrorCodes(),
		Pools: func() []store.PoolStats { return db.Stats() }, Up: func() map[string]bool { return db.Up() },
		Unannounced: func() int64 { return db.Unannounced() }, Recalls: func() map[string]int64 { return db.Recalls() },
		Unproven: func() (time.Duration, bool) { return db.Unproven() },
		SignIns:  func() map[string]int64 { return accounts.SignIns() }, Hashing: func() map[string]int64 { return accounts.Hasher.Waiting() },
		Throttled: func() map[string]int64 { return accounts.Throttle.Refused() },
		Mails:     mails.Counts, Streams: func() map[string]int64 { return open.Transports() }, StreamCloses: func() map[string]int64 { return open.Closes() },
		Subscriptions: func() int64 { return open.Subscriptions() }, Pushes: func() map[string]int64 { return open.Pushes() },
		Feed: func() (int64, time.Duration) { return open.Feed() }, FeedResets: func() int64 { return db.FeedResets() },
		Swept: func() (map[string]int64, time.Time) { return db.Swept() }, Archive: func() *store.Archive { return db.Archive() },
		LogDropped: p.LogDropped,
	}
	if s.DatabaseURL == "" {
		watched.Disk = func() (free, size int64, err error) { return host.Disk(s.Data) }
		watched.LastBackup = func() time.Time { return backup.Last(s.Data) }
		watched.ExecutableDeleted = func() bool { return pgserver.ExecutableDeleted(s.Data) }
	}
	counters, processors := metrics.New(s.MetricsAddr, watched), &host.Processors{}
	db, err = store.Open(ctx, url, store.Options{
		Policy: rules, Connections: s.DatabaseConns, ReadConnections: s.DatabaseReadConns, MaxWaiting: s.MaxWaiting, RequestTimeout: s.RequestTimeout, OnFailure: onFailure(counters.Failed),
		Pooler: store.Pooler(s.DatabasePooler), Prepared: store.Prepared(s.Prepared), DirectURL: string(s.DatabaseDirectURL), Listen: true,
		RefreshGrace: s.RefreshGrace, SessionTTL: s.SessionTTL, Log: log, Quotas: quotas, OnOwnConnection: processors.UseAll, ClientAddr: clientAddr,
		OnTrip:  metrics.LogSlow(log, s.Slow, counters.Trip),
		Secrets: secrets, TotpRoles: totpRoles(s),
		Retention:  store.Retentions{Feed: s.FeedRetention, Requests: s.KeyRetention, Sessions: s.SessionRetention},
		CursorKeys: func(again bool) ([][]byte, error) { return tokens.DeriveAll("caregraph cursor v1", again) },
	})
	if err != nil {
		return nil, err
	}
	mails.Store = db
	if keys.IsNew() {
		if used, err := db.HasAccounts(ctx); err != nil || used {
			log.WarnContext(ctx, "there was no key file, so a new key was made: everyone who was signed in is signed out", "keys", s.Keys, "error", err)
		}
	}
	hashes := s.HashConcurrency
	if hashes == 0 {
		hashes = runtime.NumCPU()
	}
	accounts = &auth.Accounts{Store: db, Hasher: auth.NewHasher(hashes), Tokens: tokens, Throttle: auth.NewThrottle(db, time.Now, secret)}
	accounts.Hasher.ExtraCPU, accounts.Hasher.OnWait = processors.ExtraCPU, counters.HashWaited
	accounts.Hasher.LimitQueues(s.MaxWaitingHashes, s.MaxWaitingRegistrations)
	accounts.Throttle.Budgets = budgets(s)
	accounts.Later, accounts.ConfirmFirst = auth.NewQueue(log), s.ConfirmEmail == "required"
	open = streams.New(streams.Options{
		Store: db, Tokens: tokens, Origins: s.CORSOrigins, MaxStreams: s.MaxStreams, MaxBody: s.MaxBody, MaxAnonymousBody: s.MaxAnonymousBody,
		RequestTimeout: s.RequestTimeout, Reads: (db.Stats()[0].Max + 1) / 2, Now: time.Now, Log: log,
	})
	return &app{rules, db, tokens, accounts, mails, counters, open, processors, nil}, nil
}

// totpRoles returns the roles of accounts that must set up a second factor.
func totpRoles(s settings.Settings) []model.Role {
	switch s.RequireTotp {
	case "admin":
		return []model.Role{model.RoleAdmin}
	case "doctor":
		return []model.Role{model.RoleAdmin, model.RoleDoctor}
	default:
		return nil
	}
}

// clientAddr returns the address of the client of a request, or "".
func clientAddr(ctx context.Context) string {
	if addr := httpd.ClientAddr(ctx); addr.IsValid() {
		return addr.String()
	}
	return ""
}

func budgets(s settings.Settings) auth.Budgets {
	b := auth.DefaultBudgets()
	b.Failures, b.AddressFailures = auth.Budget(s.MaxSignInFailures), auth.Budget(s.MaxSignInFailuresPerAddress)
	b.Registrations, b.Resets = auth.Budget(s.MaxRegistrations), auth.Budget(s.MaxResets)
	b.Taken, b.AddressTaken = auth.Budget(s.MaxTaken), auth.Budget(s.MaxTakenPerAddress)
	return b
}

// build returns what build_info says.
func build() map[string]string {
	return map[string]string{"version": version, "revision": cli.Revision(), "go": runtime.Version(), "schema": store.SchemaVersion()}
}

// onFailure returns a function that adds the cause of an outage to the log line of the
// request, and counts it unless count is nil.
func onFailure(count func(store.Cause)) func(context.Context, store.Failure) {
	return func(ctx context.Context, f store.Failure) {
		httpd.AddLogAttrs(ctx, f.LogAttr())
		if count != nil {
			count(f.Cause)
		}
	}
}

// handler connects the addresses to the services.
func (a *app) handler(s settings.Settings, log *slog.Logger) (http.Handler, error) {
	restAPI, err := rest.New(graph.Schema(), rest.Options{
		VerifyToken: a.accounts.VerifyToken, Submit: graph.SubmitREST, AddLogAttrs: httpd.AddLogAttrs, Origins: s.CORSOrigins,
		Compress: compresses(s),
	})
	if err != nil {
		return nil, err
	}
	pages, err := web.Handler(s.Playground)
	if err != nil {
		return nil, err
	}
	openAPI, err := rest.OpenAPI(graph.Schema(), version)
	if err != nil {
		return nil, err
	}
	docs, err := web.Docs(openAPI)
	if err != nil {
		return nil, err
	}
	executor, err := a.executor(s, log, restAPI)
	if err != nil {
		return nil, err
	}
	api := auth.Identify(a.store, a.tokens, httpd.ClientAddr, httpd.Attach, executor)
	mux := http.NewServeMux()
	mux.Handle("/graphql", api)
	mux.Handle("/api/", api)
	mux.Handle("GET /.well-known/jwks.json", web.Bytes("application/jwk-set+json", a.tokens.PublicJWKS))
	mux.Handle("GET /{$}", pages)
	mux.Handle("GET /assets/", pages)
	mux.Handle("GET /account/", pages)
	for _, path := range []string{"/docs/", "/rights/", "/openapi.json", "/swagger/", "/redoc/"} {
		mux.Handle("GET "+path, docs)
	}
	schema := web.Schema(schemaText)
	if a.clinic != nil {
		schema = demo.Announce(schema)
		mux.Handle("/demo/", a.clinic.Handler())
	}
	mux.Handle("GET /schema.graphqls", schema)
	httpd.Probes(mux, a.store.Ping)
	options := httpOptions(s, log)
	options.OnDone, options.LogMore = a.metrics.Done, logCaller
	options.MaxAnonymousBody = s.MaxAnonymousBody
	options.Known = func(r *http.Request) bool { return auth.HasToken(a.tokens, r) }
	return httpd.Handler(mux, options), nil
}

// executor answers GraphQL, over its own transport and over REST.
func (a *app) executor(s settings.Settings, log *slog.Logger, restAPI graphql.Transport) (http.Handler, error) {
	transport, registered, err := newTransport(s)
	if err != nil {
		return nil, err
	}
	transport.Subscribe = a.streams.Subscribe
	bounds := limits.Default()
	bounds.Depth, bounds.Cost, bounds.Aliases, bounds.Tokens = s.MaxDepth, s.MaxCost, s.MaxAliases, s.MaxTokens
	bounds.Selections, bounds.Repeats, bounds.Writes, bounds.Document = s.MaxSelections, s.MaxRepeats, s.MaxWrites, int(s.MaxDocument)
	return graph.New(graph.Config{
		Store:              a.store,
		Accounts:           a.accounts,
		Policy:             a.rules,
		Limits:             bounds,
		Documents:          registered,
		Answers:            &limits.Answers{One: s.MaxAnswer, Account: s.MaxAnswersPerAccount, All: s.MaxAnswers},
		Introspection:      s.Introspection,
		Now:                time.Now,
		RegistrationClosed: s.Demo || s.Registration == "closed",
		Log:                log,
		RequestID:          httpd.RequestID,
		ClientAddr:         clientAddr,
		AddLogAttrs:        httpd.AddLogAttrs,
		SetHeader:          httpd.SetHeader,
		RunToEnd:           httpd.RunToEnd,
		OnAnswered:         a.metrics.Answered,
		OnOperation:        a.metrics.Operation,
	}, restAPI, streams.Sockets{Streams: a.streams, HTTP: transport}, transport)
}

// newTransport returns GraphQL over HTTP, and the registered documents that it finds.
func newTransport(s settings.Settings) (gqlhttp.Transport, []documents.Document, error) {
	registered, err := documents.Read(s.Documents...)
	if err != nil {
		return gqlhttp.Transport{}, nil, err
	}
	for _, text := range web.Documents() {
		registered = append(registered, documents.Document{ID: documents.Hash(text), Text: text, Source: "the page of mails"})
	}
	registry, err := documents.New(registered, s.DocumentsOnly)
	return gqlhttp.Transport{
		OnSent: graph.Reuse, Documents: registry, Compress: compresses(s),
		Account: func(ctx context.Context) int64 { return auth.CallerFrom(ctx).Account() },
	}, registered, err
}

// compresses reports whether the server compresses answers, or leaves that to its proxy.
func compresses(s settings.Settings) bool {
	return s.Compression == "on" || s.Compression == "auto" && len(s.TrustedProxies) == 0
}

func httpOptions(s settings.Settings, log *slog.Logger) httpd.Options {
	return httpd.Options{
		Log: log, CORSOrigins: s.CORSOrigins, TrustedProxies: s.TrustedProxies, MaxBody: s.MaxBody,
		RequestTimeout: s.RequestTimeout, DrainDelay: s.DrainDelay, ShutdownTimeout: s.ShutdownTimeout,
	}
}
