// Package graph answers GraphQL: it resolves what schema.graphqls promises,
// enforces @access and @owner, and turns errors into the codes of the schema.
// It decides nothing about the clinic: that is below, in store and auth.
//
// graph/gen is gqlgen's; do not edit it.
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
	// Annotate adds to the one log line of a request.
	Annotate func(context.Context, ...slog.Attr)
	// Answered is told how each query was answered: Compiled, or why gqlgen's
	// executor had to. May be nil.
	Answered func(ctx context.Context, how string)
	// Interpret leaves every query to gqlgen's executor: for the test that
	// holds the two ways together.
	Interpret bool
}

// resolver is the root of all resolvers.
type resolver struct {
	Config

	plans *plan.Compiler
}

// The types below have a method for each field that is not simply a field of
// the model; the generated interfaces say which.
type (
	query    struct{ resolver }
	mutation struct{ resolver }
	user     struct{ resolver }
	patient  struct{ resolver }
	doctor   struct{ resolver }
	mapping  struct{ resolver }
)

func (r resolver) Query() gen.QueryResolver       { return query{r} }
func (r resolver) Mutation() gen.MutationResolver { return mutation{r} }
func (r resolver) User() gen.UserResolver         { return user{r} }
func (r resolver) Patient() gen.PatientResolver   { return patient{r} }
func (r resolver) Doctor() gen.DoctorResolver     { return doctor{r} }
func (r resolver) Mapping() gen.MappingResolver   { return mapping{r} }
