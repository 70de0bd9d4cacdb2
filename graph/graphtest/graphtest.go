// Package graphtest runs the whole graph for tests: a new database, the real policy and
// the real executor behind an HTTP server. It never contains a test.
package graphtest

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/caregraph/caregraph/graph"
	"github.com/caregraph/caregraph/internal/auth"
	"github.com/caregraph/caregraph/internal/limits"
	"github.com/caregraph/caregraph/internal/policy"
	"github.com/caregraph/caregraph/internal/streams"
	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/storetest"
)

// Server is a running graph with its parts.
type Server struct {
	URL string
	// Handler is the handler of the URL.
	Handler  http.Handler
	Store    *store.Store
	Accounts *auth.Accounts
	Streams  *streams.Streams
	Policy   *model.Policy
	// DatabaseURL is the URL of the database.
	DatabaseURL string

	tb     testing.TB
	direct *pgxpool.Pool
	base   graph.Config

	documentsOnly bool
}

// Options change what New builds.
type Options struct {
	// Transports come before GraphQL's own.
	Transports []graphql.Transport
	Tracer     pgx.QueryTracer
	Now        func() time.Time
	Log        *slog.Logger
	// Listen is that of store.Options.
	Listen bool
	// Answers bounds the bytes of answers; nil is the default.
	Answers *Answers
	// Quotas are those of store.Options.
	Quotas store.Quotas
	// NoIntrospection switches introspection off.
	NoIntrospection bool
	// TotpRoles are those of store.Options.
	TotpRoles []model.Role
	// RegistrationClosed refuses registrations.
	RegistrationClosed bool
	// ConfirmFirst is that of auth.Accounts.
	ConfirmFirst bool
	// ChangeStreams changes the options of sockets; may be nil.
	ChangeStreams func(*streams.Options)
}

// Answers are the bounds of answers.
type Answers = limits.Answers

// New starts a server that ends with the test.
func New(tb testing.TB, o Options) *Server {
	tb.Helper()
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	rules, err := policy.Compile(graph.Schema())
	testutil.Must(tb, err)
	s := &Server{DatabaseURL: storetest.Database(tb), Policy: rules, tb: tb}
	s.Store, err = store.Open(tb.Context(), s.DatabaseURL, store.Options{
		Policy: rules, Connections: 8, Listen: o.Listen, Now: o.Now, Tracer: o.Tracer, Quotas: o.Quotas, RefreshGrace: storetest.RefreshGrace, SessionTTL: storetest.SessionTTL,
		Secrets: storetest.Secrets(), TotpRoles: o.TotpRoles,
		ClientAddr: func(ctx context.Context) string { return clientAddr(ctx).String() },
	})
	testutil.Must(tb, err)
	tb.Cleanup(s.Store.Close)
	s.direct, err = pgxpool.New(tb.Context(), s.DatabaseURL)
	testutil.Must(tb, err)
	tb.Cleanup(s.direct.Close)
	keys, err := auth.LoadOrCreateKeys(filepath.Join(tb.TempDir(), "keys.json"), "EdDSA")
	testutil.Must(tb, err)
	tokens, err := auth.NewTokens(keys, auth.TokenSettings{Issuer: "caregraph", Audience: "caregraph", Clock: o.Now})
	testutil.Must(tb, err)
	s.Accounts = &auth.Accounts{
		Store: s.Store, Hasher: auth.NewHasher(2), Tokens: tokens, Throttle: auth.NewThrottle(s.Store, o.Now, []byte("secret")),
		Later: auth.NewQueue(o.Log), ConfirmFirst: o.ConfirmFirst,
	}
	tb.Cleanup(s.Accounts.Later.Start(tb.Context()))
	s.Streams = streams.New(o.streams(s.Store, tokens))
	tb.Cleanup(s.Streams.Start(tb.Context()))
	s.base = s.config(o)
	s.serve(s.base, o.Transports...)
	return s
}

// Client sends requests with an account or without one.
type Client struct {
	Server *Server
	// Token is the access token; "" without an account.
	Token, Refresh string
	UserID         int64
	Email          string
	// Key is the Idempotency-Key; "" for none.
	Key string
}

// Password is the password of every account that Account makes.
const Password = "Secure@123"

// Nobody returns a client without a token.
func (s *Server) Nobody() *Client { return &Client{Server: s} }

// passwordHash is one of Password. Most tests would take longer to compute one than for
// the rest.
const passwordHash = "$argon2id$v=19$m=19456,t=2,p=1$y5oaLmFC/9g6RIh1BT/mqg$/hC69et7rYkqi8OL22qI4lmM9GsfKaQlGQXbDnEjg8Q" //nolint:gosec // G101: of tests

// Account creates an account with a session, as its registration would. Its e-mail
// address is name@clinic.example.
func (s *Server) Account(name string, role model.Role) *Client {
	s.tb.Helper()
	email := strings.ToLower(name) + "@clinic.example"
	session := rand.Text()
	var pair auth.Pair
	u := &model.User{Username: name, Email: model.EmailAddress(email), Role: role}
	u, err := s.Store.CreateUser(s.tb.Context(), u, passwordHash, func(id int64) (_ store.Session, err error) {
		pair, err = s.Accounts.Tokens.Issue(id, session)
		return store.Session{ID: session, UserID: id, RefreshID: pair.RefreshJTI, ExpiresAt: pair.RefreshExpiresAt}, err
	})
	testutil.Must(s.tb, err)
	return &Client{Server: s, Email: email, Token: pair.Access, Refresh: pair.Refresh, UserID: u.ID}
}

// Answer is a GraphQL response.
type Answer struct {
	Status     int
	Data       map[string]any   `json:"data"`
	Errors     []map[string]any `json:"errors"`
	Extensions map[string]any   `json:"extensions"`
	// Answered is the argument of graph.Config.OnAnswered.
	Answered string `json:"-"`
	// Replayed is set if the answer has the header Idempotency-Replayed.
	Replayed bool `json:"-"`
	// Body is the body of the response.
	Body string `json:"-"`
}

// Keyed returns the client with an Idempotency-Key.
func (c *Client) Keyed(key string) *Client {
	keyed := *c
	keyed.Key = key
	return &keyed
}

// Do sends an operation.
func (c *Client) Do(query string, variables map[string]any) Answer {
	c.Server.tb.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	testutil.Must(c.Server.tb, err)
	return c.Send(string(body))
}

// Run sends a document with the name of its operation.
func (c *Client) Run(document, operation string) Answer {
	c.Server.tb.Helper()
	body, err := json.Marshal(map[string]any{"query": document, "operationName": operation})
	testutil.Must(c.Server.tb, err)
	return c.Send(string(body))
}

// Send sends a request body unchanged.
func (c *Client) Send(body string) Answer {
	tb := c.Server.tb
	tb.Helper()
	response := c.Post(body)
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(response.Body)
	testutil.Must(tb, err)
	answer := Answer{Status: response.StatusCode, Answered: response.Header.Get(answeredHeader), Body: string(raw)}
	answer.Replayed = response.Header.Get("Idempotency-Replayed") == "true"
	testutil.Must(tb, json.Unmarshal(raw, &answer))
	checkCodes(tb, answer)
	return answer
}

// Post sends a request body, with pairs of header names and values, and returns the
// response as it came.
func (c *Client) Post(body string, headers ...string) *http.Response {
	tb := c.Server.tb
	tb.Helper()
	request, err := http.NewRequestWithContext(tb.Context(), http.MethodPost, c.Server.URL+"/graphql", strings.NewReader(body))
	testutil.Must(tb, err)
	request.Header.Set("Content-Type", "application/json")
	if c.Token != "" {
		request.Header.Set("Authorization", "Bearer "+c.Token)
	}
	if c.Key != "" {
		request.Header.Set("Idempotency-Key", c.Key)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	testutil.Must(tb, err)
	return response
}

// Must is Do for an operation that has no errors and no userErrors. It returns
// the data.
func (c *Client) Must(query string, variables map[string]any) Result {
	c.Server.tb.Helper()
	answer := c.Do(query, variables)
	if len(answer.Errors) > 0 || strings.Contains(answer.Body, `"userErrors":[{`) {
		c.Server.tb.Fatalf("operation failed: %s", answer.Body)
	}
	return Result{c.Server.tb, answer.Data}
}

// Result returns the data.
func (a Answer) Result(tb testing.TB) Result { return Result{tb, a.Data} }

// Result is a part of an answer's data.
type Result struct {
	tb    testing.TB
	Value any
}

// At returns the value at a path of field names and list indexes.
func (r Result) At(path ...any) Result {
	r.tb.Helper()
	value := r.Value
	for _, step := range path {
		switch step := step.(type) {
		case string:
			object, ok := value.(map[string]any)
			if !ok {
				r.tb.Fatalf("at %v: %q is not in %v", path, step, value)
			}
			value = object[step]
		case int:
			list, ok := value.([]any)
			if !ok || step >= len(list) {
				r.tb.Fatalf("at %v: no item %d in %v", path, step, value)
			}
			value = list[step]
		}
	}
	return Result{r.tb, value}
}

// Text returns the string at the path.
func (r Result) Text(path ...any) string {
	r.tb.Helper()
	text, ok := r.At(path...).Value.(string)
	if !ok {
		r.tb.Fatalf("at %v: no text in %v", path, r.Value)
	}
	return text
}

// Len returns the length of the list at the path.
func (r Result) Len(path ...any) int {
	r.tb.Helper()
	list, ok := r.At(path...).Value.([]any)
	if !ok {
		r.tb.Fatalf("at %v: no list in %v", path, r.Value)
	}
	return len(list)
}
