// Package graph answers GraphQL. Package plan answers the queries of signed-in
// clients (fast.go). Hand-written resolvers do the mutations. The other resolvers
// are generated and read records through reads.go: the reference engine, which
// serves payloads, refusals and introspection. Both engines show a value if
// model.FieldPolicy.CanRead says so.
//
// The package turns errors into the codes of the schema. It makes no decision
// about the clinic: store and auth do. graph/gen is generated; do not edit it.
package graph

import (
	"context"
	"log/slog"
	"time"

	"github.com/caregraph/caregraph/graph/gen"
	"github.com/caregraph/caregraph/graph/plan"
	"github.com/caregraph/caregraph/internal/auth"
	"github.com/caregraph/caregraph/internal/limits"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
)

// Config is what the graph is built from.
type Config struct {
	Store    *store.Store
	Accounts *auth.Accounts
	Policy   *model.Policy
	Limits   limits.Limits
	// Introspection says whether __schema and __type are answered.
	Introspection bool
	// Now is the clock by which ages are told.
	Now func() time.Time
	Log *slog.Logger
	// RequestID and ClientAddr read what the HTTP layer knows of a request.
	RequestID, ClientAddr func(context.Context) string
	// AddLogAttrs adds to the one log line of a request.
	AddLogAttrs func(context.Context, ...slog.Attr)
	// OnAnswered is called with how each query was answered: Compiled, or why gqlgen's
	// executor had to answer. May be nil.
	OnAnswered func(ctx context.Context, how string)
	// ReferenceOnly leaves every query to the reference engine: for the test that
	// compares the two engines.
	ReferenceOnly bool
}

// resolver is the root of all resolvers. Those of fields that read records are
// generated.
type resolver struct {
	Config
	gen.Resolvers

	plans *plan.Compiler
}

// mutation has the fields of Mutation.
type mutation struct{ resolver }

func (r resolver) Query() gen.QueryResolver       { return queries{gen.QueryReads{Reads: r.Reads}, r.Config} }
func (r resolver) Mutation() gen.MutationResolver { return mutation{r} }
func (r resolver) Patient() gen.PatientResolver {
	return patients{gen.PatientReads{Reads: r.Reads}, r.Now}
}
