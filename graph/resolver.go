// Package graph answers GraphQL. Package plan answers the queries and mutations of
// signed-in clients (fast.go). Hand-written resolvers do the mutations. The other
// resolvers are generated and read records through reads.go: the reference engine,
// which serves payloads with other records, refusals and introspection. Both engines
// show a value if model.FieldPolicy.CanRead says so.
//
// The package turns errors into the codes of the schema. It never decides about the
// clinic: store and auth do. graph/gen is generated; do not edit it.
package graph

import (
	"context"
	"log/slog"
	"time"

	"github.com/caregraph/caregraph/graph/gen"
	"github.com/caregraph/caregraph/graph/plan"
	"github.com/caregraph/caregraph/internal/auth"
	"github.com/caregraph/caregraph/internal/documents"
	"github.com/caregraph/caregraph/internal/limits"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
)

// Config configures the graph.
type Config struct {
	Store    *store.Store
	Accounts *auth.Accounts
	Policy   *model.Policy
	Limits   limits.Limits
	// RegistrationClosed refuses every registration.
	RegistrationClosed bool
	// Documents are registered documents. New returns an error for one that cannot be
	// executed.
	Documents []documents.Document
	// Answers bounds the bytes of answers.
	Answers *limits.Answers
	// Introspection allows __schema and __type.
	Introspection bool
	// Now is the clock for ages.
	Now func() time.Time
	Log *slog.Logger
	// RequestID and ClientAddr return values of the HTTP layer.
	RequestID, ClientAddr func(context.Context) string
	// AddLogAttrs adds attributes to the log line of a request.
	AddLogAttrs func(context.Context, ...slog.Attr)
	// SetHeader sets a header of the answer; may be nil.
	SetHeader func(ctx context.Context, name, value string)
	// RunToEnd lets a request go on that its client has left; may be nil.
	RunToEnd func(context.Context)
	// OnAnswered is called for each operation with its type, and with Compiled or the
	// reason why the reference engine answers. May be nil.
	OnAnswered func(ctx context.Context, typ, how string)
	// OnOperation is called for each operation with its type, or "" for a document that
	// has none; with ok, partial, refused or failed; and with the codes of its errors. May
	// be nil.
	OnOperation func(typ, outcome string, codes []string)
	// ReferenceOnly lets the reference engine answer every operation, for the test that
	// compares the two engines.
	ReferenceOnly bool
}

// resolver is the root of all resolvers. Most of them are generated.
type resolver struct {
	Config
	gen.Resolvers

	plans         *plan.Compiler
	introspection *introspection
}

// mutation has the fields of Mutation.
type mutation struct{ resolver }

func (r resolver) Query() gen.QueryResolver         { return queries{gen.QueryReads{Reads: r.Reads}, r.Store} }
func (r resolver) Mutation() gen.MutationResolver   { return mutation{r} }
func (r resolver) ChangeSet() gen.ChangeSetResolver { return changeSets{r.Store} }
func (r resolver) Patient() gen.PatientResolver {
	return patients{gen.PatientReads{Reads: r.Reads}, r.Now}
}
