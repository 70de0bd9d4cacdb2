package gqlhttp

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/caregraph/caregraph/internal/documents"
)

// persistedQuery is the extension by which a request names its document, in Apollo's
// protocol of automatic persisted queries.
const persistedQuery = "persistedQuery"

// takeHash moves the hash of the document out of the extensions. It returns an error for
// an extension that has none.
func (r *request) takeHash() *requestError {
	extension := r.Extensions[persistedQuery]
	if delete(r.Extensions, persistedQuery); len(r.Extensions) == 0 {
		r.Extensions = nil
	}
	if extension == nil {
		return nil
	}
	fields, _ := extension.(map[string]any)
	if fields["version"] == json.Number("1") {
		r.hash, _ = fields["sha256Hash"].(string)
	}
	if r.hash == "" {
		return badRequest("`extensions.persistedQuery` must have the `version` 1 and a `sha256Hash`.")
	}
	return nil
}

// withDocument gives a request, as it was read, the text of its document, and checks the
// text. Each transport calls it: t.withDocument(decodeBody(payload)).
func (t Transport) withDocument(r *request, err *requestError) (*request, *requestError) {
	if err != nil {
		return nil, err
	}
	if r.Query == "" && r.name() != "" {
		text, ok := t.Documents.Find(r.name())
		if !ok {
			return nil, t.unknownDocument()
		}
		r.Query, r.hash = text, ""
	}
	switch {
	case !t.Documents.Admits(r.Query):
		return nil, t.unknownDocument()
	case r.hash != "" && !strings.EqualFold(r.hash, documents.Hash(r.Query)):
		return nil, badRequest("`extensions.persistedQuery.sha256Hash` is not the hash of `query`.")
	default:
		return r, checkLiterals(r.Query)
	}
}

// unknownDocument asks the client to send the hash with its document, as the protocol of
// Apollo has it, unless that would not help.
func (t Transport) unknownDocument() *requestError {
	if t.Documents.Only() {
		return &requestError{code: codePersistedQueryOnly, message: "This server executes only documents that its operator registered."}
	}
	return &requestError{code: codePersistedQueryNotFound, message: "PersistedQueryNotFound"}
}

// operation returns the operation of a request. A document that came with its hash and can
// be executed is found by the hash from then on.
func (t Transport) operation(ctx context.Context, exec graphql.GraphExecutor, r *request) (*graphql.OperationContext, gqlerror.List) {
	op, errs := exec.CreateOperationContext(ctx, &r.RawParams)
	if errs == nil && r.hash != "" {
		t.Documents.Add(r.hash, r.Query, t.account(ctx) != 0)
	}
	return op, errs
}
