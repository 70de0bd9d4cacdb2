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
	// asked says that it is known who is looking.
	asked bool
	looking
	// loaders are made when the first is asked for.
	loaders  *loaders
	redacted []ast.Path
	// retryAfter is the longest wait, in seconds, that a refusal asks for.
	retryAfter int
}

// looking is who looks at a response.
type looking struct {
	viewer *model.Viewer
	// refused is why there is no viewer.
	refused error
}

type responseKey struct{}

// begin gives each response a state of its own.
func (r resolver) begin(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	state := &response{store: r.Store}
	out := next(context.WithValue(ctx, responseKey{}, state))
	if out == nil {
		return nil
	}
	if len(state.redacted) > 0 {
		extend(out, "redacted", state.redacted)
	}
	if state.retryAfter > 0 {
		extend(out, "retryAfter", state.retryAfter)
	}
	return out
}

func extend(out *graphql.Response, name string, value any) {
	if out.Extensions == nil {
		out.Extensions = map[string]any{}
	}
	out.Extensions[name] = value
}

func current(ctx context.Context) *response {
	return ctx.Value(responseKey{}).(*response) // begin put it there
}

// viewer returns on whose behalf the fields of this response are resolved.
func viewer(ctx context.Context) *model.Viewer { return known(ctx).viewer }

// load returns the loaders of this response.
func load(ctx context.Context) *loaders {
	v, state := viewer(ctx), current(ctx)
	state.mu.Lock()
	defer state.mu.Unlock()
	if state.loaders == nil {
		state.loaders = newLoaders(state.store, v)
	}
	return state.loaders
}

// known returns who is looking, after having asked the first time.
func known(ctx context.Context) looking {
	state := current(ctx)
	state.mu.Lock()
	defer state.mu.Unlock()
	if !state.asked {
		v, refused := auth.CallerFrom(ctx).Viewer(ctx)
		state.look(v, refused)
	}
	return state.looking
}

// become makes a viewer the one who is looking: whoever has just signed in
// sees the answer with their own eyes.
func (s *response) become(v *model.Viewer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.look(v, nil)
}

func (s *response) look(v *model.Viewer, refused error) {
	s.looking, s.asked, s.loaders = looking{v, refused}, true, nil
}

func (s *response) wait(seconds int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.retryAfter = max(s.retryAfter, seconds)
}

func (s *response) redact(path ast.Path) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.redacted = append(s.redacted, path)
}
