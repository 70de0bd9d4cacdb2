package graph

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/caregraph/caregraph/internal/auth"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
)

// response is the state of one response.
type response struct {
	store *store.Store

	mu sync.Mutex
	// identified is set once identity is known.
	identified bool
	identity
	// loaders are created on first use.
	loaders  *loaders
	redacted []ast.Path
	// retryAfter is the longest wait in seconds of all errors.
	retryAfter int
}

// identity is the viewer of a response.
type identity struct {
	viewer *model.Viewer
	// tokenErr is the reason why there is no viewer.
	tokenErr error
}

type responseKey struct{}

// withResponse writes the response, and reports its outcome.
func (r resolver) withResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	out := r.response(ctx, next)
	if out == nil {
		return nil
	}
	typ := ""
	if graphql.HasOperationContext(ctx) {
		if op := graphql.GetOperationContext(ctx).Operation; op != nil {
			typ = string(op.Operation)
		}
	}
	r.report(typ, out)
	return out
}

// report reports the outcome of an operation.
func (r resolver) report(typ string, out *graphql.Response) {
	if r.OnOperation != nil {
		outcome, codes := outcomeOf(out)
		r.OnOperation(typ, outcome, codes)
	}
}

// outcomeOf returns ok for a response without errors, failed for one with an error of
// the server, partial for one with data, else refused; and the codes of its errors.
func outcomeOf(out *graphql.Response) (outcome string, codes []string) {
	if len(out.Errors) == 0 {
		return "ok", nil
	}
	outcome = "refused"
	var roots map[string]json.RawMessage
	_ = json.Unmarshal(out.Data, &roots) // no data has no roots
	for _, value := range roots {
		if string(value) != "null" {
			outcome = "partial"
		}
	}
	for _, err := range out.Errors {
		code := fmt.Sprint(err.Extensions["code"])
		if err.Extensions["code"] == nil || code == string(model.CodeInternal) || code == string(model.CodeUnavailable) {
			outcome = "failed"
		}
		codes = append(codes, code)
	}
	return outcome, codes
}

// ErrorCodes returns the codes of top-level errors, for labels of metrics.
func ErrorCodes() (codes []string) {
	for _, value := range Schema().Types["ErrorCode"].EnumValues {
		codes = append(codes, value.Name)
	}
	return codes
}

// response creates the state of a response and writes its extensions.
func (r resolver) response(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	state := &response{store: r.Store}
	out := next(context.WithValue(ctx, responseKey{}, state))
	if out == nil {
		return nil
	}
	if err := r.count(ctx, out); err != nil {
		return &graphql.Response{Errors: gqlerror.List{r.presentError(ctx, err)}}
	}
	if len(state.redacted) > 0 {
		addExtension(out, "redacted", state.redacted)
	}
	if state.retryAfter > 0 {
		addExtension(out, "retryAfter", state.retryAfter)
	}
	return out
}

// count counts the bytes of an answer of the reference engine, whose cost bounds what it
// reads. The changes of a mutation are stored, so its answer says so.
func (r resolver) count(ctx context.Context, out *graphql.Response) error {
	caller := auth.CallerFrom(ctx)
	counted := r.Answers.Begin(ctx, caller, caller.Account())
	if _, err := counted.Grow(len(out.Data)); err != nil {
		if graphql.GetOperationContext(ctx).Operation.Operation != ast.Mutation {
			return err
		}
		if model.CodeOf(err) == model.CodeLimitExceeded {
			return model.NewError(model.CodeLimitExceeded, "The changes are stored. "+err.Error())
		}
	}
	counted.Sent(len(out.Data))
	return nil
}

func addExtension(out *graphql.Response, name string, value any) {
	if out.Extensions == nil {
		out.Extensions = map[string]any{}
	}
	out.Extensions[name] = value
}

func current(ctx context.Context) *response {
	return ctx.Value(responseKey{}).(*response) // set by withResponse
}

// viewer returns the viewer of this response.
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

// caller returns the identity of this response. The first call looks it up.
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

// setViewer changes the viewer, after a sign-in or a logout: nil if the session has ended.
func (s *response) setViewer(v *model.Viewer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v == nil {
		s.setIdentity(nil, &auth.TokenError{Reason: auth.ReasonEnded})
		return
	}
	s.setIdentity(v, nil)
}

// forget drops what was read before a mutation, which may change it.
func (s *response) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loaders = nil
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
