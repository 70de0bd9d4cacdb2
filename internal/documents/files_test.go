package documents

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/internal/testutil"
)

// TestRead_KnowsTheFilesOfTheTools. Each file of testdata was written by the tool of its
// name from the same two operations.
func TestRead_KnowsTheFilesOfTheTools(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"graphql-codegen", "graphql-codegen-sha1", "relay-compiler", "generate-persisted-query-manifest"} {
		file := filepath.Join("testdata", tool+".json")
		found, err := Read(file)
		testutil.Must(t, err)
		if len(found) != 2 {
			t.Fatalf("%s: %d documents", tool, len(found))
		}
		if _, err := New(found, true); err != nil {
			t.Errorf("%s: %v", tool, err)
		}
		texts := found[0].Text + found[1].Text
		for _, d := range found {
			if d.ID == "" || d.Source != file {
				t.Errorf("%s: %+v", tool, d)
			}
		}
		for _, want := range []string{"query ", "mutation ", "fragment ", "updatePatient("} {
			if !strings.Contains(texts, want) {
				t.Errorf("%s: no %s in %s", tool, want, texts)
			}
		}
	}
}

func TestRead_NamesEveryFileThatIsBroken(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var files []string
	for name, content := range map[string]string{
		"good": `{"a":"{me{id}}"}`, "empty": ``, "cut": `{"a":`, "null": `null`, "list": `["{me{id}}"]`, "numbers": `{"a":1}`, "format": `{"format":"x","version":1,"operations":[]}`,
		"version": `{"format":"apollo-persisted-query-manifest","version":2,"operations":[]}`, "operations": `{"format":"apollo-persisted-query-manifest","version":1,"operations":{}}`,
	} {
		file := filepath.Join(dir, name+".json")
		testutil.Must(t, os.WriteFile(file, []byte(content), 0o600))
		files = append(files, file)
	}
	files = append(files, filepath.Join(dir, "missing.json"))
	found, err := Read(files...)
	if len(found) != 1 || err == nil {
		t.Fatalf("%d documents, %v", len(found), err)
	}
	for _, file := range files {
		if strings.Contains(err.Error(), file) == strings.HasSuffix(file, "good.json") {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// TestNew_NamesEveryDocumentThatIsBroken: two documents with one name, or a hash of
// another text. Other names than hashes are the client's business.
func TestNew_NamesEveryDocumentThatIsBroken(t *testing.T) {
	t.Parallel()
	good := []Document{
		{ID: "a", Text: "1"},
		{ID: "a", Text: "1", Source: "again"},
		{ID: "5f4dcc3b5aa765d61d8327deb882cf99", Text: "2"},
		{ID: Hash("3"), Text: "3"},
		{ID: "sha256:" + strings.ToUpper(Hash("3")), Text: "3"},
		{ID: strings.Repeat("z", 64), Text: "4"},
	}
	if _, err := New(good, true); err != nil {
		t.Errorf("good ones: %v", err)
	}
	for name, broken := range map[string]Document{
		"a": {ID: "a", Text: "2", Source: "f.json"}, "": {Text: "5", Source: "f.json"}, Hash("6"): {ID: Hash("6"), Text: "7", Source: "f.json"},
	} {
		_, err := New(append(good[:len(good):len(good)], broken), false)
		if err == nil || !strings.HasPrefix(err.Error(), `f.json: document "`+name+`": `) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%+v: %v", broken, err)
		}
	}
}
