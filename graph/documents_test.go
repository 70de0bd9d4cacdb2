package graph_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/graph"
	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/internal/documents"
	"github.com/caregraph/caregraph/internal/testutil"
)

// persisted returns the body of a request with the hash of a document, and with its text
// unless the document is there already.
func persisted(t *testing.T, document string, isThere bool, variables map[string]any) string {
	t.Helper()
	request := map[string]any{
		"variables":  variables,
		"extensions": map[string]any{"persistedQuery": map[string]any{"version": 1, "sha256Hash": documents.Hash(document)}},
	}
	if !isThere {
		request["query"] = document
	}
	body, err := json.Marshal(request)
	testutil.Must(t, err)
	return string(body)
}

// TestDocuments_AHashGivesNoRight: each caller gets what the text would get.
func TestDocuments_AHashGivesNoRight(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	const document = `{ patients { totalCount nodes { name medicalHistory } } }`
	c.Rahul.Send(persisted(t, document, false, nil))
	for name, client := range map[string]*graphtest.Client{"owner": c.Rahul, "doctor": c.Priya, "stranger": c.Asha, "anonymous": c.Nemo} {
		got, want := client.Send(persisted(t, document, true, nil)), client.Do(document, nil)
		if got.Body != want.Body || got.Status != want.Status || got.Answered != want.Answered {
			t.Errorf("%s: %s %s\nwant %s %s", name, got.Answered, got.Body, want.Answered, want.Body)
		}
	}
	if answer := c.Rahul.Send(persisted(t, document, true, nil)); answer.Answered != graph.Compiled || !strings.Contains(answer.Body, graphtest.PatientName) {
		t.Errorf("%s: %s", answer.Answered, answer.Body)
	}
}

// TestDocuments_BeyondTheLimitsAreNotKept, and the cost is that of each request.
func TestDocuments_BeyondTheLimitsAreNotKept(t *testing.T) {
	t.Parallel()
	rahul := graphtest.New(t, graphtest.Options{}).Account("Rahul", "PATIENT")
	const pages = `query ($n: Int!) { patients(first: $n) { nodes { doctors(first: $n) { nodes { id name patients(first: $n) { nodes { id } } } } } } }`
	for name, document := range map[string]string{
		"deep":    "{ me " + strings.Repeat("{ doctorProfile { account ", 20) + "{ id }" + strings.Repeat("} }", 20) + " }",
		"long":    "{ me { id } } #" + strings.Repeat("x", 200_000),
		"aliases": "{ me { " + strings.Repeat("a: id b: id ", 200) + " } }",
		"costly":  pages,
	} {
		variables := map[string]any{"n": 100}
		if sent := rahul.Send(persisted(t, document, false, variables)); fmt.Sprint(sent.Codes()) != "[LIMIT_EXCEEDED]" {
			t.Errorf("%s with its text: %.300s", name, sent.Body)
		}
		if again := rahul.Send(persisted(t, document, true, variables)); fmt.Sprint(again.Codes()) != "[PERSISTED_QUERY_NOT_FOUND]" {
			t.Errorf("%s by its hash: %.300s", name, again.Body)
		}
	}
	rahul.Send(persisted(t, pages, false, map[string]any{"n": 1}))
	for n, want := range map[int]string{1: "[]", 100: "[LIMIT_EXCEEDED]"} {
		if answer := rahul.Send(persisted(t, pages, true, map[string]any{"n": n})); fmt.Sprint(answer.Codes()) != want {
			t.Errorf("pages of %d: %.300s", n, answer.Body)
		}
	}
}
