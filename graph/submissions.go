package graph

import (
	"context"

	"github.com/caregraph/caregraph/store"
)

// SubmitREST returns the context of a request over REST that changes something. There an
// update always raises the version, as it did in the system that REST replaces.
func SubmitREST(ctx context.Context) context.Context {
	return store.WithSubmission(ctx, &store.Submission{Touches: true})
}
