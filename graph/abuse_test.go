package graph_test

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/model"
)

// Many refused guesses come in one answer: it says the longest wait once, and no internal
// error is logged.
func TestLogin_GuessesInOneOperationAreRefusedQuietly(t *testing.T) {
	t.Parallel()
	log := &logBuffer{}
	s := graphtest.New(t, graphtest.Options{Log: log.logger()})
	var guesses strings.Builder
	for i := range 14 {
		fmt.Fprintf(&guesses, `a%d: login(input: {email: "nobody@clinic.example", password: "n"}) { userErrors { code } } `, i)
	}
	answer := s.Nobody().Do("mutation {"+guesses.String()+"}", nil)
	if n := strings.Count(answer.Body, "INVALID_CREDENTIALS"); n != 10 {
		t.Errorf("%d guesses were looked at", n)
	}
	if n := strings.Count(answer.Body, "TOO_MANY_ATTEMPTS"); n != 4 || len(answer.Errors) > 0 {
		t.Errorf("%d guesses were refused: %s", n, answer.Body)
	}
	if answer.Extensions["retryAfter"] == nil {
		t.Errorf("nobody says how long to wait: %s", answer.Body)
	}
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
