package rest

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/internal/testutil"
)

var update = flag.Bool("update", false, "write the Postman collection")

const collectionFile = "../../docs/caregraph.postman_collection.json"

func TestPostman_TheCommittedCollectionIsFresh(t *testing.T) {
	t.Parallel()
	made, err := Postman(loadSchema(t))
	testutil.Must(t, err)
	if *update {
		testutil.Must(t, os.MkdirAll(filepath.Dir(collectionFile), 0o755))
		testutil.Must(t, os.WriteFile(collectionFile, made, 0o644))
	}
	committed, err := os.ReadFile(collectionFile)
	testutil.Must(t, err)
	if !bytes.Equal(made, committed) {
		t.Error("it is stale: go test ./internal/rest -run TestPostman -update")
	}
}

func TestPostman_HasEveryRowOnce(t *testing.T) {
	t.Parallel()
	made, err := Postman(loadSchema(t))
	testutil.Must(t, err)
	var collection struct {
		Item []struct {
			Item []struct {
				Request struct {
					Method string
					URL    struct{ Raw string }
				}
			}
		}
	}
	testutil.Must(t, json.Unmarshal(made, &collection))
	found := map[string]int{}
	for _, folder := range collection.Item {
		for _, item := range folder.Item {
			address := item.Request.URL.Raw
			for _, id := range []string{"{{patient_id}}", "{{doctor_id}}", "{{mapping_id}}"} {
				address = strings.ReplaceAll(address, id, "{id}")
			}
			found[item.Request.Method+" "+address]++
		}
	}
	table := rows(Options{})
	for _, r := range table {
		if n := found[r.method+" {{base_url}}"+r.path]; n != 1 {
			t.Errorf("%s %s is there %d times", r.method, r.path, n)
		}
	}
	if len(found) != len(table) {
		t.Errorf("%d requests for %d rows", len(found), len(table))
	}
}
