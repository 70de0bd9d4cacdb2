// Package server connects the parts of CareGraph: from settings to a server that
// listens. It decides nothing about records or callers.
package server

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"runtime"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/caregraph/caregraph/graph"
	"github.com/caregraph/caregraph/internal/auth"
	"github.com/caregraph/caregraph/internal/backup"
	"github.com/caregraph/caregraph/internal/cli"
	"github.com/caregraph/caregraph/internal/demo"
	"github.com/caregraph/caregraph/internal/documents"
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

// shutdownGrace is what a stop may take after the shutdown timeout, for closing the
// database.
const shutdownGrace = 5 * time.Second

// idLength is that of the random id of a run.
const idLength = 8

// Server is the command serve.
type Server struct {
	Version string
	Schema  string // the text of schema.graphqls
	// SkipDrain closes when the operator does not want to wait.
	SkipDrain <-chan struct{}

	certificate *httpd.Certificate // nil: plain HTTP
}

// AccessRules compiles the access rules of the schema. Its error lists all
// contradictions in the schema.
func AccessRules() (*model.Policy, error) {
	rules, err := policy.Compile(graph.Schema())
	if err != nil {
		return nil, fmt.Errorf("nothing is served: %w", err)
	}
	return rules, nil
}

// Serve runs the server until ctx ends or its private PostgreSQL ends. It
// checks the rules of the schema before it touches any data.
func (c Server) Serve(ctx context.Context, p cli.Process) error {
	s, log := p.Settings, p.Log
	rules, err := AccessRules()
	if err != nil {
		return err
	}
	// A taken address must not leave a new database behind.
	if err := errors.Join(httpd.CheckFree(ctx, "--addr", s.Addr), httpd.CheckFree(ctx, "--metrics-addr", s.MetricsAddr)); err != nil {
		return err
	}
	if c.certificate, err = loadCertificate(s, log); err != nil {
		return err
	}
	defer host.ExitWithin(ctx, s.DrainDelay+s.ShutdownTimeout+shutdownGrace, log)()
	limitMemory(s.MaxAnswers)
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
		app, err := c.openApp(ctx, p, rules, url)
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
		handler, err := c.handler(app, s, log)
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
		app.mails.PublicURL = cmp.Or(s.PublicURL, cli.BaseURL(listener.Addr(), s))
		defer app.mails.Start(ctx)()
		defer app.accounts.Later.Start(ctx)()
		defer app.streams.Start(ctx)()
		defer limitGarbage(app.streams.Count)()
		defer writeEachMinute(ctx, app.store, log)()
		defer enroll(ctx, app.store, s, c.Version, app.id, log)()
		defer app.store.SweepHourly(ctx)()
		host.ProfileOnSignal(ctx, log)
		c.logStart(ctx, app, p, listener.Addr())
		warnAboutPlainHTTP(ctx, listener.Addr(), s, log)
		ready := cli.Ready{Program: os.Args[0], Version: c.Version, Addr: listener.Addr(), Metrics: metricsAddr}
		_ = ready.Print(p.Out, s) // a closed output does not stop the server
		options := httpOptions(s, log)
		options.SkipDrain, options.OnStop, options.Certificate = c.SkipDrain, logStop(ctx, log), c.certificate
		notify(ctx, log)
		return httpd.Serve(ctx, listener, handler, options)
	})
	if ctx.Err() != nil {
		_, _ = fmt.Fprintln(p.Out, "CareGraph has stopped.")
	}
	return err
}

// app is the server without its addresses.
type app struct {
	id       string // of this run
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

// openApp opens the database at the URL and creates the services that use it.
func (c Server) openApp(ctx context.Context, p cli.Process, rules *model.Policy, url string) (*app, error) {
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
		Build: c.build(), AnswerKinds: graph.AnswerKinds(), ErrorCodes: graph.ErrorCodes(),
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
	if c.certificate != nil {
		watched.CertificateEnds = c.certificate.NotAfter
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
	return &app{rand.Text()[:idLength], rules, db, tokens, accounts, mails, counters, open, processors, nil}, nil
}

// build returns what build_info says.
func (c Server) build() map[string]string {
	b := cli.BuildOf(c.Version)
	return map[string]string{"version": b.Version, "revision": b.Name(), "go": b.Go, "schema": b.Schema}
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
func (c Server) handler(a *app, s settings.Settings, log *slog.Logger) (http.Handler, error) {
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
	openAPI, err := rest.OpenAPI(graph.Schema(), c.Version)
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
	schema := web.Schema(c.Schema)
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
