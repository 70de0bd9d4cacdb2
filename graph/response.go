package graph

import (
	"context"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/internal/auth"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
)

// response is what belongs to one response: who is looking, the loaders that
// remember what was read for it, and what was hidden from it.
type response struct {
	store *store.Store

	mu sync.Mutex
	// identified says that it is known who is looking.
	identified bool
	identity
	// loaders are made when the first is asked for.
	loaders  *loaders
	redacted []ast.Path
	// retryAfter is the longest wait, in seconds, that a refusal asks for.
	retryAfter int
}

// identity is who looks at a response.
type identity struct {
	viewer *model.Viewer
	// tokenErr is why there is no viewer.
	tokenErr error
}

type responseKey struct{}

// withResponse gives each response a state of its own.
func (r resolver) withResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	state := &response{store: r.Store}
	out := next(context.WithValue(ctx, responseKey{}, state))
	if out == nil {
		return nil
	}
	if len(state.redacted) > 0 {
		addExtension(out, "redacted", state.redacted)
	}
	if state.retryAfter > 0 {
		addExtension(out, "retryAfter", state.retryAfter)
	}
	return out
}

func addExtension(out *graphql.Response, name string, value any) {
	if out.Extensions == nil {
		out.Extensions = map[string]any{}
	}
	out.Extensions[name] = value
}

func current(ctx context.Context) *response {
	return ctx.Value(responseKey{}).(*response) // begin put it there
}

// viewer returns on whose behalf the fields of this response are resolved.
func viewer(ctx context.Context) *model.Viewer { return caller(ctx).viewer }

// loadersOf returns the loaders of this response.
func loadersOf(ctx context.Context) *loaders {
	v, state := viewer(ctx), current(ctx)
	state.mu.Lock()
	defer state.mu.Unlock()
	if state.loaders == nil {
		state.loaders = newLoaders(state.store, v)
	}
	return state.loaders
}

// caller returns who is looking, after having asked the first time.
func caller(ctx context.Context) identity {
	state := current(ctx)
	state.mu.Lock()
	defer state.mu.Unlock()
	if !state.identified {
		v, tokenErr := auth.CallerFrom(ctx).Viewer(ctx)
		state.setIdentity(v, tokenErr)
	}
	return state.identity
}

// setViewer makes a viewer the one who is looking: whoever has just signed in
// sees the answer with their own eyes.
func (s *response) setViewer(v *model.Viewer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.setIdentity(v, nil)
}

func (s *response) setIdentity(v *model.Viewer, tokenErr error) {
	s.identity, s.identified, s.loaders = identity{v, tokenErr}, true, nil
}

func (s *response) setRetryAfter(seconds int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.retryAfter = max(s.retryAfter, seconds)
}

func (s *response) redact(path ast.Path) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.redacted = append(s.redacted, path)
}
