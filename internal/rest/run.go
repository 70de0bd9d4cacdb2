package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// answer runs the row for a request whose caller and method were checked.
func (op *operation) answer(r *http.Request, id string, exec graphql.GraphExecutor) *answer {
	body, values, found := map[string]any{}, map[string]any{}, fieldErrors{}
	if len(op.inputs) > 0 {
		var refused *answer
		if body, refused = readBody(r); refused != nil {
			return refused
		}
		values, found = op.read(body)
	}
	var unknown []string
	if len(found) > 0 {
		if !op.validates {
			return op.fieldErrorAnswer(found)
		}
		unknown = op.makeInvalid(values, found)
	}
	ctx, variables := r.Context(), op.variables(body, values, id)
	if !op.reads() {
		key := r.Header.Get(keyHeader)
		ctx = op.submit(ctx, key, repeated(key, r, body))
	}
	run := func() *answer {
		response := execute(ctx, exec, op.document, variables)
		if len(response.Errors) > 0 {
			return errorAnswer(ctx, exec, response)
		}
		return op.answerResponse(ctx, exec, response, values, found, unknown)
	}
	switch {
	case op.check != nil:
		return op.runCheck(ctx, exec, values)
	case op.paged:
		return op.list(ctx, exec, variables)
	case op.conditional:
		return readConditions(r.Header).change(variables, run)
	case op.method == http.MethodGet:
		return readConditions(r.Header).check(run())
	default:
		return run()
	}
}

// keyHeader makes a change happen once, however often its request is sent.
const keyHeader = "Idempotency-Key"

// repeated returns what a repetition of a request with a key has: method, path and body.
func repeated(key string, r *http.Request, body map[string]any) []byte {
	if key == "" {
		return nil
	}
	var b bytes.Buffer
	encode(&b, []any{r.Method, strings.TrimSuffix(r.URL.Path, "/"), body})
	return b.Bytes()
}

func (op *operation) runCheck(ctx context.Context, exec graphql.GraphExecutor, values map[string]any) *answer {
	if err := op.check(ctx, values); err != nil {
		return internalError(ctx, exec, err)
	}
	return &answer{status: op.status, body: object{}}
}

// execute runs a document like the GraphQL transports.
func execute(ctx context.Context, exec graphql.GraphExecutor, document string, variables map[string]any) *graphql.Response {
	op, errs := exec.CreateOperationContext(ctx, &graphql.RawParams{Query: document, Variables: variables})
	if errs != nil {
		return exec.DispatchError(graphql.WithOperationContext(ctx, op), errs)
	}
	responses, ctx := exec.DispatchOperation(ctx, op)
	if response := responses(ctx); response != nil {
		return response
	}
	// The context has ended.
	err := gqlerror.Errorf("The operation took too long and was stopped.")
	err.Extensions = map[string]any{"code": "UNAVAILABLE"}
	return &graphql.Response{Errors: gqlerror.List{err}}
}

// userError is an entry of userErrors.
type userError struct {
	Field   []string
	Code    string
	Message string
}

// answerResponse answers a response without errors. found holds the errors that
// were found before, and unknown the fields that makeInvalid filled in.
func (op *operation) answerResponse(
	ctx context.Context, exec graphql.GraphExecutor, response *graphql.Response,
	values map[string]any, found fieldErrors, unknown []string,
) *answer {
	s, err := op.shape(response.Data, nil)
	if err != nil {
		return internalError(ctx, exec, err)
	}
	var errs []userError
	if s.userErrors != nil {
		if err := json.Unmarshal(s.userErrors, &errs); err != nil {
			return internalError(ctx, exec, fmt.Errorf("read userErrors: %w", err))
		}
	}
	for _, e := range errs {
		if whole := op.addUserError(e, values, found, unknown); whole {
			refused := answerForCode(e.Code, e.Message, retryAfter(response))
			refused.etag = s.etag
			return refused
		}
	}
	switch {
	case len(found) > 0:
		return op.fieldErrorAnswer(found)
	case op.byID && op.status == http.StatusOK && string(s.body) == "null":
		return notFound()
	}
	done := &answer{status: op.status, json: s.body, etag: s.etag}
	if op.located {
		done.location = op.path + s.id + "/"
	}
	return done
}

// addUserError adds an error to its field, unless the field is unknown. It
// reports true for an error of the whole request, which it does not add.
func (op *operation) addUserError(e userError, values map[string]any, found fieldErrors, unknown []string) (whole bool) {
	o, _ := outcomeOf(e.Code)
	i := slices.IndexFunc(op.inputs, func(in input) bool {
		return len(e.Field) > 0 && in.input == e.Field[len(e.Field)-1]
	})
	name, message, hidden := "", e.Message, false
	if i >= 0 {
		in := op.inputs[i]
		name, hidden = in.name, slices.Contains(unknown, in.name)
		if in.typ == "ID" {
			message = fmt.Sprintf("Invalid pk \"%s\" - object does not exist.", values[in.input])
		}
	}
	switch {
	case hidden && (o.inField || len(found[name]) == 0):
		return false // the error is about a value that we filled in
	case i >= 0 && o.inField:
		found.add(name, message)
		return false
	case o.status == http.StatusBadRequest:
		found.add(nonField, e.Message)
		return false
	default:
		return true
	}
}
