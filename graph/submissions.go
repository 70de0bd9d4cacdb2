package graph

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/caregraph/caregraph/graph/gen"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
)

const (
	idempotencyKey      = "Idempotency-Key"
	idempotencyReplayed = "Idempotency-Replayed"
	maxIdempotencyKey   = 255
)

// SubmitREST returns the context of a request over REST that changes something, with its
// Idempotency-Key and what a request with the key must repeat. There an update always
// raises the version, as it did in the system that REST replaces.
func SubmitREST(ctx context.Context, key string, content []byte) context.Context {
	return store.WithSubmission(ctx, &store.Submission{Touches: true, Key: key, Content: content})
}

// submit runs a mutation under its Idempotency-Key. A refusal of the key itself has no
// data.
func (r resolver) submit(ctx context.Context, op *graphql.OperationContext, next graphql.OperationHandler) graphql.ResponseHandler {
	sub, err := submission(ctx, op)
	if err != nil {
		refused := &graphql.Response{Errors: gqlerror.List{r.presentError(ctx, err)}}
		r.report(string(ast.Mutation), refused)
		return graphql.OneShot(refused)
	}
	if sub.Key == "" {
		return r.fast(ctx, op, next)
	}
	return r.replayed(sub, r.fast(store.WithSubmission(ctx, sub), op, next))
}

// replayed answers a mutation with a key.
func (r resolver) replayed(sub *store.Submission, answer graphql.ResponseHandler) graphql.ResponseHandler {
	return func(ctx context.Context) *graphql.Response {
		out := answer(ctx)
		if out == nil {
			return nil
		}
		if i := slices.IndexFunc(out.Errors, refusesKey); i >= 0 {
			out.Data, out.Errors = nil, gqlerror.List{withoutPath(out.Errors[i])}
		}
		if sub.Replayed && r.SetHeader != nil {
			r.SetHeader(ctx, idempotencyReplayed, "true")
		}
		return out
	}
}

// withoutPath makes the error of a field one of the request.
func withoutPath(err *gqlerror.Error) *gqlerror.Error {
	of := *err
	of.Path, of.Locations = nil, nil
	return &of
}

func refusesKey(err *gqlerror.Error) bool {
	code := err.Extensions["code"]
	return code == string(model.CodeKeyReused) || code == string(model.CodeInProgress)
}

// submission returns the submission of a mutation. Mutations without a record in their
// payload have no key: no account is signed in, or the answer is a secret.
func submission(ctx context.Context, op *graphql.OperationContext) (*store.Submission, error) {
	sub := store.SubmissionOf(ctx) // of REST
	if sub == nil {
		sub = &store.Submission{Key: op.Headers.Get(idempotencyKey)}
	}
	if sub.Key == "" {
		return sub, nil
	}
	fields, hasRecord := 0, false
	for _, f := range graphql.CollectFields(op, op.Operation.SelectionSet, []string{"Mutation"}) {
		if f.Name != "__typename" {
			fields, hasRecord = fields+1, hasRecord || gen.Mutations[f.Name] != nil
		}
	}
	switch {
	case !hasRecord:
		sub.Key = ""
		return sub, nil
	case fields > 1:
		return nil, model.NewError(model.CodeBadUserInput, "A request with an Idempotency-Key has one field of Mutation.")
	}
	var err error
	if sub.Key, err = readKey(sub.Key); err != nil || sub.Content != nil {
		return sub, err
	}
	if sub.Content, err = json.Marshal([]any{op.OperationName, op.RawQuery, op.Variables}); err != nil {
		return nil, fmt.Errorf("read a request: %w", err)
	}
	return sub, nil
}

// readKey reads a key with or without quotes.
func readKey(text string) (string, error) {
	if len(text) > 1 && strings.HasPrefix(text, `"`) && strings.HasSuffix(text, `"`) {
		text = text[1 : len(text)-1]
	}
	printable := !strings.ContainsFunc(text, func(c rune) bool { return c < ' ' || c > '~' })
	if text == "" || len(text) > maxIdempotencyKey || !printable {
		return "", model.NewError(model.CodeBadUserInput, "The header Idempotency-Key takes 1 to 255 printable ASCII characters.")
	}
	return text, nil
}
