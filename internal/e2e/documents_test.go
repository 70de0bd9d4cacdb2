package e2e

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestServe_RegisteredDocuments are executed by their ids. The page of mails works if there
// are no other documents, and a broken one stops the start.
func TestServe_RegisteredDocuments(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	good, broken := write("good.json", `{"who": "query Who { me { username } }"}`), write("broken.json", `{"old": "{ me { nickname } }"}`)
	data := dataDir(t)
	_, failure := run(t, "", "serve", "--addr", "127.0.0.1:0", "--data", data, "--documents", good, "--documents", broken)
	if want := broken + `: document "old": `; !strings.Contains(failure, want) || !strings.Contains(failure, "nickname") {
		t.Errorf("got %q, want ... %s", failure, want)
	}
	server := start(t, data, "--documents", good, "--documents-only")
	post := func(body string) string {
		t.Helper()
		response, err := http.Post(server.base+"/graphql", "application/json", strings.NewReader(body)) //nolint:noctx // it ends with the test
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		var text bytes.Buffer
		if _, err := text.ReadFrom(response.Body); err != nil {
			t.Fatal(err)
		}
		return text.String()
	}
	for body, want := range map[string]string{
		`{"documentId":"who"}`: "UNAUTHENTICATED", `{"query":"{ me { id } }"}`: "PERSISTED_QUERY_ONLY", `{"documentId":"old"}`: "PERSISTED_QUERY_ONLY",
	} {
		if got := post(body); !strings.Contains(got, want) {
			t.Errorf("%s: %s", body, got)
		}
	}
	script := server.get("/account/account.js")
	_, confirm, _ := strings.Cut(script, "const CONFIRM = `")
	confirm, _, _ = strings.Cut(confirm, "`")
	body := `{"query":"` + strings.ReplaceAll(confirm, "\n", `\n`) + `","variables":{"token":"x","password":"y"}}`
	if got := post(body); !strings.Contains(got, `"INVALID_CODE"`) {
		t.Errorf("the page of mails sends %s: %s", body, got)
	}
	if got := server.get("/api/doctors/"); !strings.Contains(got, "401") {
		t.Errorf("REST: %s", got)
	}
	server.stop()
}
