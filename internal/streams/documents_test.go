package streams_test

import (
	"testing"

	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/internal/documents"
	"github.com/caregraph/caregraph/model"
)

// TestDocuments_AreNamedOnSocketsAsOverHTTP, and no other way leads around --documents-only.
func TestDocuments_AreNamedOnSocketsAsOverHTTP(t *testing.T) {
	t.Parallel()
	const mine, other = `{ me { username } }`, `{ me { role } }`
	open := graphtest.New(t, graphtest.Options{})
	asha := open.Account("Asha", model.RolePatient)
	byHash := `"extensions":{"persistedQuery":{"version":1,"sha256Hash":"` + documents.Hash(other) + `"}}`
	for only, unknown := range map[bool]string{false: "PERSISTED_QUERY_NOT_FOUND", true: "PERSISTED_QUERY_ONLY"} {
		c := connect(t, asha.At(open.WithDocuments(only, documents.Document{ID: "mine", Text: mine})))
		ask := func(payload string) { c.send(`{"type":"subscribe","id":"a","payload":{` + payload + `}}`) }
		ask(`"documentId":"mine"`)
		c.want(`next a {"data":{"me":{"username":"Asha"}}}`)
		c.want(`complete a`)
		for _, payload := range []string{`"documentId":"other"`, byHash} {
			ask(payload)
			c.wantCode("a", unknown)
		}
		ask(`"query":"` + other + `",` + byHash)
		if only {
			c.wantCode("a", unknown)
			continue
		}
		for _, end := range []string{byHash, ""} {
			c.want(`next a {"data":{"me":{"role":"PATIENT"}}}`)
			c.want(`complete a`)
			if end != "" {
				ask(end) // now it is there
			}
		}
	}
}
