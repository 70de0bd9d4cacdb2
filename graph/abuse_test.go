package graph_test

import (
	"context"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/model"
)

// TestPasswords_OneFieldOfADocumentHashes: many guesses or registrations do not come in
// one document, and the refusal is no internal error.
func TestPasswords_OneFieldOfADocumentHashes(t *testing.T) {
	t.Parallel()
	log := &logBuffer{}
	s := graphtest.New(t, graphtest.Options{Log: log.logger()})
	const (
		guess    = `login(input: {email: "nobody@clinic.example", password: "n"}) { userErrors { code } } `
		register = `register(input: {username: "anil", email: "a@x.example", password: "Secure@123", role: PATIENT}) { userErrors { code } } `
		change   = `changePassword(input: {currentPassword: "a", newPassword: "b"}) { userErrors { code } } `
	)
	for _, document := range []string{
		`mutation { a: ` + guess + `b: ` + guess + `}`,
		`mutation { a: ` + register + `b: ` + guess + `}`,
		`mutation { ` + change + `... { ` + guess + `} }`,
		`mutation { a: ` + guess + `...More } fragment More on Mutation { ` + register + `}`,
	} {
		equalJSON(t, document, s.Nobody().Do(document, nil).Codes(), []string{"LIMIT_EXCEEDED"})
	}
	equalJSON(t, "one field", s.Nobody().Do(`mutation { `+guess+guess+`b: register(input: {username: "a", email: "a@x.example", password: "x", role: PATIENT}) @skip(if: true) { userErrors { code } } }`, nil).Codes(), []string{})
	if text := log.String(); text != "" {
		t.Errorf("logged: %s", text)
	}
}

func TestSearch_TooLongToMatchAnythingIsRefused(t *testing.T) {
	t.Parallel()
	rahul := graphtest.New(t, graphtest.Options{}).Account("Rahul", model.RolePatient)
	long := map[string]any{"s": strings.Repeat("\ufdfa", 255)}
	for _, query := range []string{
		`query ($s: String) { patients(search: $s) { totalCount } }`,
		`query ($s: String) { doctors(search: $s) { totalCount } }`,
		`query ($s: String) { doctors(filter: {specialization: $s}) { totalCount } }`,
	} {
		if codes := rahul.Do(query, long).Codes(); len(codes) != 1 || !strings.Contains(codes[0], "BAD_USER_INPUT") {
			t.Errorf("%s: %v", query, codes)
		}
	}
}

// A client that hangs up during a statement is not an internal error.
func TestClientThatHangsUp_LeavesNoErrorInTheLog(t *testing.T) {
	t.Parallel()
	log := &logBuffer{}
	s := graphtest.New(t, graphtest.Options{Log: log.logger()})
	conn, err := pgx.Connect(t.Context(), s.DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	if _, err := conn.Exec(t.Context(), "BEGIN; LOCK TABLE users"); err != nil {
		t.Fatal(err)
	}
	ctx, hangUp := context.WithCancel(t.Context())
	body := `{"query":"mutation { login(input: {email: \"a@clinic.example\", password: \"x\"}) { userErrors { code } } }"}`
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/graphql", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		if response, err := http.DefaultClient.Do(request); err == nil {
			_ = response.Body.Close()
		}
	}()
	const waiting = `SELECT count(*)::text FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`
	until(func() bool { return s.Row(waiting) == "1" })
	hangUp()
	<-sent
	until(func() bool { return s.Row(waiting) == "0" })
	s.Nobody().Do(`{ __typename }`, nil)
	if text := log.String(); strings.Contains(text, "internal error") {
		t.Errorf("logged: %s", text)
	}
}

func until(holds func() bool) {
	for !holds() {
		runtime.Gosched()
	}
}
