package gqlhttp

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/internal/content"
)

// respondTo sends the answer to an operation. It compresses answers to queries alone: the
// length of a compressed answer reveals what is in it (BREACH), and tokens, codes and
// other secrets are only in answers to mutations. TestSecrets_AreOnlyInPayloads holds the
// schema to that.
func (t Transport) respondTo(op *graphql.OperationContext, w http.ResponseWriter, r *http.Request, media string, response *graphql.Response) {
	isQuery := op.Operation.Operation == ast.Query
	isTagged := isQuery && r.Method != http.MethodPost && len(response.Errors) == 0
	isZipped := isQuery && t.Compress && len(`{"data":}`)+len(response.Data) >= content.MinBytes && content.AcceptsGzip(r.Header)
	if !isTagged && !isZipped || media == mediaEvents {
		respond(w, r, media, response)
		return
	}
	before, after, err := envelope(response)
	if err != nil {
		respond(w, r, media, response) // which says so
		return
	}
	header := w.Header()
	if isTagged {
		tag := t.tag(r.Context(), media, before, response.Data, after)
		header.Set("ETag", tag)
		if content.Unchanged(r.Header, tag) {
			header.Set("Cache-Control", "no-store")
			header.Add("Vary", vary)
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	setRetryAfter(header, response)
	body := [][]byte{before, response.Data, after}
	if isZipped {
		header.Set("Content-Encoding", "gzip")
		body = [][]byte{content.Zip(body...)}
	}
	write(w, media, Status(media, response), body...)
}

// tag returns the entity tag of an answer to a caller. It is weak: the same for the plain
// and the compressed answer.
func (t Transport) tag(ctx context.Context, media string, body ...[]byte) string {
	hash := sha256.New()
	_, _ = fmt.Fprintf(hash, "%d %s ", t.account(ctx), media) // a hash takes everything
	for _, piece := range body {
		_, _ = hash.Write(piece)
	}
	return `W/"` + base64.RawURLEncoding.EncodeToString(hash.Sum(nil)[:16]) + `"`
}
