package graph_test

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/graph"
	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/internal/testutil"
)

// reached returns the types that a selection below a type can reach.
func reached(schema *ast.Schema, from *ast.Definition, found map[string]*ast.Definition) map[string]*ast.Definition {
	if from == nil || found[from.Name] != nil || from.BuiltIn {
		return found
	}
	found[from.Name] = from
	for _, field := range from.Fields {
		reached(schema, schema.Types[field.Type.Name()], found)
	}
	for _, possible := range schema.GetPossibleTypes(from) {
		reached(schema, possible, found)
	}
	return found
}

// TestSecrets_AreOnlyInPayloads: what a query can ask for is compressed, so nothing of it
// may be a token, a code or another secret. A new field that reads like one fails here.
// Give it to a payload, which only a mutation returns.
func TestSecrets_AreOnlyInPayloads(t *testing.T) {
	t.Parallel()
	schema := graph.Schema()
	query := reached(schema, schema.Query, map[string]*ast.Definition{})
	for _, payload := range schema.GetPossibleTypes(schema.Types["MutationPayload"]) {
		if query[payload.Name] != nil {
			t.Errorf("a query reaches %s", payload.Name)
		}
	}
	if query["TokenPair"] != nil {
		t.Error("a query reaches TokenPair")
	}
	inName, inText := regexp.MustCompile(`(?i)token|secret|password|code|device`), regexp.MustCompile(`(?i)secret|shown (only )?once|\btoken\b`)
	readsLikeASecret := func(typ string, field *ast.FieldDefinition) bool {
		return inName.MatchString(typ+"."+field.Name) || inText.MatchString(field.Description)
	}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		for _, field := range query[name].Fields {
			if leaf := schema.Types[field.Type.Name()]; leaf.Kind == ast.Scalar && readsLikeASecret(name, field) {
				t.Errorf("%s.%s reads like a secret: %s", name, field.Name, field.Description)
			}
		}
	}
	// The rule finds the secrets that there are.
	for _, name := range []string{
		"TokenPair.access", "TokenPair.refresh", "AuthPayload.device", "TotpPayload.secret", "TotpPayload.address",
		"TotpPayload.recoveryCodes", "LinkCodePayload.code", "ClaimCodePayload.code",
	} {
		typ, field, _ := strings.Cut(name, ".")
		if !readsLikeASecret(typ, schema.Types[typ].Fields.ForName(field)) {
			t.Errorf("the rule does not find %s", name)
		}
	}
}

// TestCompression_NeverWithTokens: no answer to a mutation is compressed, with any other
// selection. Long answers to queries are.
func TestCompression_NeverWithTokens(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	long := func(field string) string { // of more than 1,024 bytes
		var b strings.Builder
		for i := range 20 {
			fmt.Fprintf(&b, "alias%s%d: %s ", strings.Repeat("_", 100), i, field)
		}
		return b.String()
	}
	for name := range rootFields(t) {
		operation := attempts()[name]
		isMutation := strings.HasPrefix(name, "Mutation.")
		end := strings.LastIndex(operation, "}")
		operation = operation[:end] + long("__typename") + "}"
		encoding, body := zipped(t, c.Rahul.NewSession(), operation, ids(operation, c.Patient, c.PriyasEntry, c.PriyasMapping))
		if len(body) < 1024 || (encoding == "gzip") == isMutation {
			t.Errorf("%s: %d bytes are encoded as %q: %.200s", name, len(body), encoding, body)
		}
	}
	signedIn := `mutation { login(input: {email: "` + c.Rahul.Email + `", password: "` + graphtest.Password + `"}) {
		tokens { access } device user { ` + long("username") + ` } } }`
	if encoding, body := zipped(t, c.Nemo, signedIn, nil); encoding != "" || !strings.Contains(body, `"access":"ey`) || len(body) < 2_000 {
		t.Errorf("a sign-in is encoded as %q: %.200s", encoding, body)
	}
}

// zipped sends an operation as a client that accepts gzip.
func zipped(t *testing.T, client *graphtest.Client, operation string, variables map[string]any) (encoding, body string) {
	t.Helper()
	request, err := json.Marshal(map[string]any{"query": operation, "variables": variables})
	testutil.Must(t, err)
	response := client.Post(string(request), "Accept-Encoding", "gzip")
	defer func() { _ = response.Body.Close() }()
	var text io.Reader = response.Body
	if encoding = response.Header.Get("Content-Encoding"); encoding == "gzip" {
		zip, err := gzip.NewReader(text)
		testutil.Must(t, err)
		text = zip
	}
	all, err := io.ReadAll(text)
	testutil.Must(t, err)
	if vary := response.Header.Get("Vary"); response.StatusCode != http.StatusOK || vary != "Authorization, Accept, Accept-Encoding" {
		t.Errorf("%d, Vary %s", response.StatusCode, vary)
	}
	return encoding, string(all)
}
