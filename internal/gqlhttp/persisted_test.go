package gqlhttp

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"

	"github.com/caregraph/caregraph/internal/documents"
	"github.com/caregraph/caregraph/internal/testutil"
)

// finding starts a server that finds documents, and answers `{}`.
func finding(t *testing.T) string {
	t.Helper()
	registry, err := documents.New(nil, false)
	testutil.Must(t, err)
	srv := mocked(func(context.Context) *graphql.Response { return &graphql.Response{Data: []byte(`{}`)} })
	srv.AddTransport(Transport{Documents: registry})
	return listen(t, srv)
}

func byHash(hash string) string {
	return `{"persistedQuery":{"version":1,"sha256Hash":"` + hash + `"}}`
}

// asked sends a request by POST and by GET. Its members are in JSON; the URL has texts
// without their quotes.
func asked(t *testing.T, base, media string, members map[string]string) map[string]answer {
	t.Helper()
	var body []string
	query := url.Values{}
	for name, value := range members {
		body = append(body, `"`+name+`":`+value)
		query.Set(name, strings.Trim(value, `"`))
	}
	return map[string]answer{
		"POST": post(t, base, "{"+strings.Join(body, ",")+"}", accept(media)), "GET": get(t, base, query, accept(media)),
	}
}

// TestDocuments_AreFoundByTheHashThatTheyCameWith, and not before. An answer of the kind
// that old clients read has the status 200.
func TestDocuments_AreFoundByTheHashThatTheyCameWith(t *testing.T) {
	t.Parallel()
	base, hash := finding(t), documents.Hash("{name}")
	unknown := func() {
		t.Helper()
		for media, status := range map[string]int{mediaResponse: 400, mediaJSON: 200} {
			for method, a := range asked(t, base, media, map[string]string{"extensions": byHash(hash)}) {
				want := `{"errors":[{"message":"PersistedQueryNotFound","extensions":{"code":"PERSISTED_QUERY_NOT_FOUND"}}]}`
				if a.status != status || a.text != want {
					t.Errorf("%s of %s: %d %s", method, media, a.status, a.text)
				}
			}
		}
	}
	unknown()
	post(t, base, `{"query":"{name}"}`, nil)
	unknown()
	if a := post(t, base, `{"query":"{name}","extensions":`+byHash(documents.Hash("{other}"))+`}`, nil); a.status != http.StatusBadRequest || a.code(t) != codeBadUserInput {
		t.Errorf("the hash of another document: %d %s", a.status, a.text)
	}
	unknown()
	for method, a := range asked(t, base, mediaResponse, map[string]string{"query": `"{name}"`, "extensions": byHash(hash)}) {
		if a.text != `{"data":{}}` {
			t.Errorf("%s with the document: %s", method, a.text)
		}
	}
	for _, name := range []map[string]string{
		{"extensions": byHash(hash)},
		{"extensions": byHash(strings.ToUpper(hash))},
		{"documentId": `"sha256:` + hash + `"`},
		{"doc_id": `"` + hash + `"`},
		{"extensions": `{"clientLibrary":{"name":"@apollo/client"},` + byHash(hash)[1:]},
	} {
		for method, a := range asked(t, base, mediaResponse, name) {
			if a.status != http.StatusOK || a.text != `{"data":{}}` || a.header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s by %v: %d %s", method, name, a.status, a.text)
			}
		}
	}
}

// TestDocuments_ThatCannotBeExecutedAreNotKept: they would take the place of others.
func TestDocuments_ThatCannotBeExecutedAreNotKept(t *testing.T) {
	t.Parallel()
	base := finding(t)
	for _, broken := range []string{"{", "{unknown}", "{find(n: 1) {x}}", "fragment f on Query {name}", "query ($n: Int!) {find(n: $n)}"} {
		extension := map[string]string{"extensions": byHash(documents.Hash(broken))}
		if a := post(t, base, `{"query":"`+broken+`","extensions":`+extension["extensions"]+`}`, nil); a.body["errors"] == nil {
			t.Errorf("%s was executed", broken)
		}
		for method, a := range asked(t, base, mediaResponse, extension) {
			if a.code(t) != codePersistedQueryNotFound {
				t.Errorf("%s of %s: %s", method, broken, a.text)
			}
		}
	}
}

func TestDocuments_ChangeNothingOverGet(t *testing.T) {
	t.Parallel()
	base, hash := finding(t), documents.Hash("mutation{name}")
	if a := post(t, base, `{"query":"mutation{name}","extensions":`+byHash(hash)+`}`, nil); a.status != http.StatusOK {
		t.Errorf("POST: %d %s", a.status, a.text)
	}
	if a := get(t, base, url.Values{"extensions": {byHash(hash)}}, nil); a.status != http.StatusMethodNotAllowed {
		t.Errorf("GET by the hash: %d %s", a.status, a.text)
	}
}

func TestDocuments_AreNamedAsTheProtocolSays(t *testing.T) {
	t.Parallel()
	base := finding(t)
	for _, members := range []map[string]string{
		{"extensions": `{"persistedQuery":{"version":2,"sha256Hash":"x"}}`},
		{"extensions": `{"persistedQuery":{"version":1}}`},
		{"extensions": `{"persistedQuery":true}`},
		{"extensions": `{"persistedQuery":null}`},
		{"documentId": `""`},
		{"extensions": `{}`},
	} {
		for method, a := range asked(t, base, mediaJSON, members) {
			if a.status != http.StatusBadRequest || a.code(t) != codeBadUserInput {
				t.Errorf("%s with %v: %d %s", method, members, a.status, a.text)
			}
		}
	}
}
