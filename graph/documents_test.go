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
	"github.com/caregraph/caregraph/model"
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
	rahul := graphtest.New(t, graphtest.Options{}).Account("Rahul", model.RolePatient)
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

// registered are documents of front ends, and their names.
func registered() []documents.Document {
	const mine, patients = "query Mine { me { username } }", "query Patients { patients { nodes { name } } }"
	return []documents.Document{
		{ID: documents.Hash(mine), Text: mine, Source: "apollo.json"},
		{ID: "7f4c9e1b8a2d3e5f60718293a4b5c6d7", Text: patients, Source: "relay.json"},
		{ID: "remove", Text: `mutation Remove($id: ID!) { removeMapping(id: $id) { userErrors { code } } }`, Source: "own.json"},
	}
}

// TestDocuments_RegisteredOnesAreExecutedByTheirNames, each of which a client may send.
func TestDocuments_RegisteredOnesAreExecutedByTheirNames(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	account := s.Account("Asha", model.RolePatient)
	for _, only := range []bool{false, true} {
		asha := account.At(s.WithDocuments(only, registered()...))
		for _, d := range registered()[:2] {
			want := asha.Do(d.Text, nil)
			if want.Answered != graph.Compiled || len(want.Errors) > 0 {
				t.Errorf("its text: %s", want.Body)
			}
			for _, body := range []string{
				`{"documentId":"` + d.ID + `"}`, `{"doc_id":"` + d.ID + `","query":null}`,
				`{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"` + d.ID + `"}}}`,
			} {
				if got := asha.Send(body); got.Body != want.Body || got.Answered != want.Answered {
					t.Errorf("only %t, %s: %s, want %s", only, body, got.Body, want.Body)
				}
			}
		}
		if unknown := asha.Send(`{"documentId":"unknown"}`); fmt.Sprint(unknown.Codes()) != map[bool]string{false: "[PERSISTED_QUERY_NOT_FOUND]", true: "[PERSISTED_QUERY_ONLY]"}[only] {
			t.Errorf("only %t, an unknown id: %s", only, unknown.Body)
		}
	}
}

// TestDocuments_OnlyRegisteredOnes refuses all others, also to those who may see everything.
func TestDocuments_OnlyRegisteredOnes(t *testing.T) {
	t.Parallel()
	open := graphtest.New(t, graphtest.Options{})
	s := open.WithDocuments(true, registered()...)
	asha := open.Account("Asha", model.RolePatient).At(s)
	for _, document := range []string{
		"query Mine { me { username id } }", "query Mine { me { username } } ", "{ __typename }", "{ __schema { types { name } } }", "{", "",
		`mutation { logoutEverywhere { userErrors { code } } }`,
	} {
		text, err := json.Marshal(map[string]string{"query": document})
		testutil.Must(t, err)
		for _, client := range []*graphtest.Client{asha, s.Nobody()} {
			for _, body := range []string{string(text), persisted(t, document, false, nil), persisted(t, document, true, nil)} {
				if got := client.Send(body); fmt.Sprint(got.Codes()) != "[PERSISTED_QUERY_ONLY]" || got.Status != 400 || got.Data != nil {
					t.Errorf("%s: %d %s", body, got.Status, got.Body)
				}
			}
		}
	}
	if got := s.Nobody().Send(`{"documentId":"` + registered()[1].ID + `"}`); fmt.Sprint(got.Codes()) != "[patients UNAUTHENTICATED]" {
		t.Errorf("a registered one without a token: %s", got.Body)
	}
}

// TestDocuments_BrokenOnesAreNamed, and stop the start.
func TestDocuments_BrokenOnesAreNamed(t *testing.T) {
	t.Parallel()
	config := graphtest.New(t, graphtest.Options{}).Config()
	config.Documents = append(registered(),
		documents.Document{ID: "old", Text: "{ me { nickname } }", Source: "web.json"},
		documents.Document{ID: "cut", Text: "{ me {", Source: "web.json"},
		documents.Document{ID: "greedy", Text: "{ " + strings.Repeat("a: me { id } ", 100) + "}", Source: "phone.json"},
		documents.Document{ID: "wrong", Text: `{ patients(first: "all") { totalCount } }`, Source: "phone.json"})
	_, err := graph.New(config)
	if err == nil {
		t.Fatal("it started")
	}
	for _, want := range []string{`web.json: document "old": `, "nickname", `web.json: document "cut": `, `phone.json: document "greedy": `, `phone.json: document "wrong": `} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %s: %v", want, err)
		}
	}
	if lines := strings.Split(err.Error(), "\n"); len(lines) != 4 {
		t.Errorf("%d lines: %v", len(lines), err)
	}
}
