package graphtest

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/caregraph/caregraph/graph"
	"github.com/caregraph/caregraph/internal/auth"
	"github.com/caregraph/caregraph/internal/documents"
	"github.com/caregraph/caregraph/internal/gqlhttp"
	"github.com/caregraph/caregraph/internal/httpd"
	"github.com/caregraph/caregraph/internal/limits"
	"github.com/caregraph/caregraph/internal/streams"
	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/store"
)

// SubmitREST is that of package graph.
func SubmitREST(ctx context.Context, key string, content []byte) context.Context {
	return graph.SubmitREST(ctx, key, content)
}

// config returns the default configuration of the graph.
func (s *Server) config(o Options) graph.Config {
	return graph.Config{
		Store: s.Store, Accounts: s.Accounts, Policy: s.Policy, Limits: limits.Default(), Answers: o.answers(),
		Introspection: !o.NoIntrospection, RegistrationClosed: o.RegistrationClosed, Now: o.Now, Log: o.Log,
		RequestID:   func(context.Context) string { return "test-request" },
		ClientAddr:  func(ctx context.Context) string { return clientAddr(ctx).String() },
		AddLogAttrs: func(context.Context, ...slog.Attr) {},
		RunToEnd:    httpd.RunToEnd,
		OnAnswered:  func(ctx context.Context, _, how string) { setHeader(ctx, answeredHeader, how) },
		SetHeader:   setHeader,
	}
}

// answers returns the bounds of answers: those of the options, or the default.
func (o Options) answers() *limits.Answers {
	if o.Answers != nil {
		return o.Answers
	}
	return &limits.Answers{One: limits.DefaultAnswer, Account: limits.DefaultAnswersAccount, All: limits.DefaultAnswersAll}
}

// serve starts an HTTP server with an executor. It ends with the test.
func (s *Server) serve(config graph.Config, transports ...graphql.Transport) {
	registry, err := documents.New(config.Documents, s.documentsOnly)
	testutil.Must(s.tb, err)
	over := gqlhttp.Transport{OnSent: graph.Reuse, Documents: registry, Account: account, Compress: true, Subscribe: s.Streams.Subscribe}
	executor, err := graph.New(config, append(transports, streams.Sockets{Streams: s.Streams, HTTP: over}, over)...)
	testutil.Must(s.tb, err)
	s.Handler = auth.Identify(s.Store, s.Accounts.Tokens, clientAddr, httpd.Attach, withHeader(http.MaxBytesHandler(executor, 1<<20)))
	web := httptest.NewServer(s.Handler)
	s.tb.Cleanup(web.Close)
	s.URL = web.URL
}

func account(ctx context.Context) int64 { return auth.CallerFrom(ctx).Account() }

func clientAddr(context.Context) netip.Addr { return netip.MustParseAddr("192.0.2.1") }

// With starts another server over the same store and accounts with a changed
// configuration. It ends with the test.
func (s *Server) With(change func(*graph.Config)) *Server {
	config, other := s.base, *s
	change(&config)
	other.base = config
	other.serve(config)
	return &other
}

// WithDocuments starts another server over the same store and accounts, with registered
// documents. It ends with the test.
func (s *Server) WithDocuments(only bool, registered ...documents.Document) *Server {
	other := *s
	other.base.Documents, other.documentsOnly = registered, only
	other.serve(other.base)
	return &other
}

// Config returns the configuration of the graph.
func (s *Server) Config() graph.Config { return s.base }

// At returns the client, with its tokens, at another server over the same store.
func (c *Client) At(s *Server) *Client {
	client := *c
	client.Server = s
	return &client
}

// answeredHeader is the header of the test server with the argument of
// graph.Config.OnAnswered.
const answeredHeader = "Test-Answered"

type headerKey struct{}

// withHeader lets setHeader write a header of the answer.
func withHeader(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), headerKey{}, w.Header())))
	})
}

func setHeader(ctx context.Context, name, value string) {
	if header, ok := ctx.Value(headerKey{}).(http.Header); ok {
		header.Set(name, value)
	}
}

// streams returns the options of sockets.
func (o Options) streams(s *store.Store, tokens *auth.Tokens) streams.Options {
	options := streams.Options{
		Store: s, Tokens: tokens, MaxStreams: 20, MaxBody: 1 << 20, MaxAnonymousBody: 64 << 10, RequestTimeout: 15 * time.Second, Reads: 2,
		Now: o.Now, Log: o.Log,
	}
	if o.ChangeStreams != nil {
		o.ChangeStreams(&options)
	}
	return options
}
