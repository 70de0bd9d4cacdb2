package graph_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/model"
)

// cancelTheNext makes the next statement that reads patients fail as if the
// database were shutting down: it waits for a lock, and then it is canceled.
func cancelTheNext(t *testing.T, s *graphtest.Server) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "BEGIN; LOCK TABLE patients"); err != nil {
		t.Fatal(err)
	}
	// The test may be over before the answer to the last statement is here.
	ctx, end := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	done := make(chan error, 1)
	go func() {
		err := cancelWhoWaits(ctx, conn)
		done <- errors.Join(err, conn.Close(ctx))
	}()
	t.Cleanup(func() {
		defer end()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func cancelWhoWaits(ctx context.Context, conn *pgx.Conn) error {
	for {
		var canceled bool
		err := conn.QueryRow(ctx, `SELECT coalesce(bool_or(pg_cancel_backend(pid)), false)
			FROM pg_locks WHERE NOT granted AND relation = 'patients'::regclass`).Scan(&canceled)
		if err != nil || canceled {
			return err
		}
	}
}

func TestInternalError_TellsTheRequestIDAndNothingElse(t *testing.T) {
	t.Parallel()
	log := &logBuffer{}
	c := graphtest.New(t, graphtest.Options{Log: log.logger()}).NewClinic()
	c.Exec("ALTER TABLE mappings RENAME TO gone")
	for query, path := range map[string]string{
		`{ it: patient(id: 1) { name mappings { totalCount } } }`:                                   "it",
		`{ it: mappings { nodes { id } } }`:                                                         "it",
		`mutation { it: removeMapping(id: 1) { userErrors { code } } }`:                             "it",
		`mutation { it: assignDoctor(input: {patientId: 1, doctorId: 1}) { userErrors { code } } }`: "it",
		`{ it: nodes(ids: ["map_1"]) { id } }`:                                                      "it",
	} {
		answer := c.Rahul.Do(query, nil)
		if len(answer.Codes()) == 0 || !strings.HasPrefix(answer.Codes()[0], path) || !strings.HasSuffix(answer.Codes()[0], " INTERNAL") {
			t.Errorf("%s: %s", query, answer.Body)
			continue
		}
		equalJSON(t, query, answer.Errors[0]["extensions"], map[string]any{"code": "INTERNAL", "requestId": "test-request"})
		equalJSON(t, query, answer.Errors[0]["message"], "Something went wrong on our side. Quote the request id when you report it.")
		for _, inside := range []string{"42P01", "SQLSTATE", "mappings\\\"", "relation", "gone", "SELECT"} {
			if strings.Contains(answer.Body, inside) {
				t.Errorf("%s tells %s: %s", query, inside, answer.Body)
			}
		}
	}
	if !strings.Contains(log.String(), "request_id=test-request") || !strings.Contains(log.String(), "42P01") {
		t.Errorf("the log does not say what it was: %s", log)
	}
}

// TestUnreadableSession_IsNotTakenForABadToken: the answer does not contain the cause.
func TestUnreadableSession_IsNotTakenForABadToken(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	s.Exec("ALTER TABLE sessions RENAME TO gone")
	answer := rahul.Do(`{ me { id } }`, nil)
	equalJSON(t, "the answer", answer.Codes(), []string{"me INTERNAL"})
	if strings.Contains(answer.Body, "SQLSTATE") || strings.Contains(answer.Body, "session") {
		t.Errorf("tells the cause: %s", answer.Body)
	}
}

// TestLostDatabase_TellsNothingOfIt: no answer contains details, also without a viewer.
func TestLostDatabase_TellsNothingOfIt(t *testing.T) {
	t.Parallel()
	log := &logBuffer{}
	s := graphtest.New(t, graphtest.Options{Log: log.logger()})
	rahul := s.Account("Rahul", model.RolePatient)
	rahul.Must(`{ me { id } }`, nil) // so that there is a connection to lose
	s.Exec(`SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
	answer := rahul.Do(`{ me { id } }`, nil)
	equalJSON(t, "the answer", answer.Codes(), []string{"me UNAVAILABLE"})
	for _, inside := range []string{"write", "unix", "pipe", "PGSQL", "session", "SQLSTATE", "terminat"} {
		if strings.Contains(answer.Body, inside) {
			t.Errorf("tells %q: %s", inside, answer.Body)
		}
	}
	for range 10 { // until every broken connection was met
		answer = rahul.Do(`{ me { id } }`, nil)
	}
	equalJSON(t, "once the database is back", answer.Body, `{"data":{"me":{"id":"usr_1"}}}`)
}

// TestErrors_HoldNoPatientData fills every text with its own word and searches for these
// words in the errors and logs of operations that are refused or fail.
func TestErrors_HoldNoPatientData(t *testing.T) {
	t.Parallel()
	log := &logBuffer{}
	c := graphtest.New(t, graphtest.Options{Log: log.logger()}).NewClinic()
	secret := map[string]any{
		"name": "CANARY-name", "dateOfBirth": "1977-07-07", "gender": "FEMALE", "phone": "9777777777", "email": "canary-email@mail.example",
		"address": "CANARY-address", "emergencyContact": "9666666666", "medicalHistory": "CANARY-history", "bloodGroup": "AB_NEGATIVE",
	}
	create := `mutation ($input: CreatePatientInput!) { it: createPatient(input: $input) { userErrors { field code message } } }`
	c.Rahul.Must(create, map[string]any{"input": secret})
	patient := "pat_2"
	mapping := c.Rahul.Assign(patient, c.PriyasEntry, "CANARY-notes")
	bodies := []string{c.Rahul.Do(create, map[string]any{"input": secret}).Body} // the e-mail is taken

	spoilt := func(changes map[string]any) map[string]any {
		input := map[string]any{}
		for name, value := range secret {
			input[name] = value
		}
		for name, value := range changes {
			input[name] = value
		}
		return input
	}
	for _, changes := range []map[string]any{
		{"email": "canary-email at mail"},
		{"phone": "CANARY-phone"},
		{"dateOfBirth": "CANARY-day"},
		{"address": "CANARY-\x00"},
		{"name": strings.Repeat("CANARY", 20)},
		{"address": []string{"CANARY-list"}},
		{"medicalHistory": map[string]any{"CANARY": "object"}},
		{"phone": 9777777777},
	} {
		bodies = append(bodies, c.Rahul.Do(create, map[string]any{"input": spoilt(changes)}).Body)
	}
	refused := []string{
		`{ it: patient(id: %q) { viewer { canUpdate } secret: medicalHistory emergencyContact bloodGroup } }`,
		`mutation { it: updatePatient(id: %q, input: {medicalHistory: "CANARY-new", email: "canary-new"}) { userErrors { message field code } } }`,
		`mutation { it: updatePatient(id: %q, input: {address: "CANARY-new", phone: "CANARY"}, expectedVersion: 77) { userErrors { message } } }`,
		`mutation { it: deletePatient(id: %q, expectedVersion: 77) { userErrors { message } } }`,
		`mutation { it: restorePatient(id: %q) { userErrors { message } } }`,
		`mutation { it: assignDoctor(input: {patientId: %q, doctorId: "` + c.PriyasEntry + `", notes: "CANARY-new"}) { userErrors { message } } }`,
		`mutation { it: updateMapping(id: "` + mapping + `", input: {notes: "CANARY-\u0000"}) { userErrors { message } } } # %q`,
		`{ patients(search: "CANARY-\u0000 %q") { totalCount } }`, `{ patients(search: "CANARY", filter: {bornFrom: "CANARY%q"}) { totalCount } }`,
		`{ patients(after: "CANARY%q") { totalCount } }`,
	}
	for round := range 2 {
		if round == 1 { // from now on everything fails
			c.Exec("ALTER TABLE patients ADD CONSTRAINT never CHECK (address = 'x') NOT VALID")
			c.Exec("ALTER TABLE mappings ADD CONSTRAINT never CHECK (notes = 'x') NOT VALID")
		}
		for _, client := range []*graphtest.Client{c.Rahul, c.Priya, c.Dev, c.Neha, c.Asha, c.Admin, c.Nemo} {
			for _, operation := range refused {
				if client == c.Rahul && strings.Contains(operation, "secret:") || client == c.Priya && strings.Contains(operation, "secret:") {
					continue // they may see it
				}
				bodies = append(bodies, client.Do(strings.Replace(operation, "%q", patientIn(operation, patient), 1), nil).Body)
			}
		}
	}
	for _, text := range append(bodies, log.String()) {
		for _, word := range []string{"canary", "9777777777", "9666666666", "1977-07-07", "ab_negative"} {
			if strings.Contains(strings.ToLower(text), word) {
				t.Errorf("%s appears in %s", word, text)
			}
		}
	}
	if !strings.Contains(log.String(), "23514") {
		t.Errorf("nothing failed in the second round: %s", log)
	}
}

// patientIn returns the patient's id as the operation quotes it.
func patientIn(operation, patient string) string {
	if strings.Contains(operation, "CANARY%q") || strings.Contains(operation, " %q\"") {
		return patient
	}
	return `"` + patient + `"`
}

// TestUserErrors_HaveTheValuesOfTheirMessages, so that a client can write it in its own
// language.
func TestUserErrors_HaveTheValuesOfTheirMessages(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{Now: newClock().Now}).NewClinic() // no attempt comes back while the others are made
	for range 10 {
		c.Nemo.Do(`mutation { login(input: {email: "c@b.example", password: "x"}) { userErrors { code } } }`, nil)
	}
	patient := func(input string) string { return `updatePatient(id: 1, input: ` + input + `)` }
	doctor := func(input string) string { return `updateDoctor(id: "` + c.PriyasEntry + `", input: ` + input + `)` }
	register := func(password string) string {
		return `register(input: {username: "nobody", email: "n@b.example", role: PATIENT, password: "` + password + `"})`
	}
	for _, try := range []struct {
		client          *graphtest.Client
		mutation, error string
	}{
		{c.Rahul, patient(`{name: "` + strings.Repeat("a", 101) + `"}`), "TOO_LONG max=100"},
		{c.Rahul, patient(`{email: "` + strings.Repeat("a", 250) + `@b.example"}`), "TOO_LONG max=254"},
		{c.Rahul, patient(`{dateOfBirth: "1800-01-01"}`), "INVALID maxAge=130"},
		{c.Rahul, patient(`{dateOfBirth: "9999-01-01"}`), "INVALID"},
		{c.Rahul, patient(`{phone: "1"}`), "INVALID"},
		{c.Rahul, patient(`{name: null}`), "REQUIRED"},
		{c.Priya, doctor(`{experienceYears: -1}`), "INVALID min=0 max=70"},
		{c.Priya, doctor(`{experienceYears: 71}`), "INVALID min=0 max=70"},
		{c.Priya, doctor(`{consultationFee: 100001}`), "INVALID min=0 max=100000"},
		{c.Priya, doctor(`{consultationFee: 1.001}`), "INVALID maxDecimals=2"},
		{c.Nemo, register("Lotus7!"), "WEAK_PASSWORD min=8"},
		{c.Nemo, register(strings.Repeat("Lotus7!x", 17)), "WEAK_PASSWORD max=128"},
		{c.Nemo, `login(input: {email: "c@b.example", password: "x"})`, "TOO_MANY_ATTEMPTS retryAfter=%v"},
	} {
		answer := try.client.Do("mutation { it: "+try.mutation+" { userErrors { code message params { name value } } } }", nil)
		var all []struct {
			Code   string
			Params []struct{ Name, Value string }
		}
		text, _ := json.Marshal(answer.Data["it"].(map[string]any)["userErrors"])
		if err := json.Unmarshal(text, &all); err != nil || len(all) == 0 {
			t.Fatalf("%s: %s", try.mutation, answer.Body)
		}
		got := all[0].Code
		for _, param := range all[0].Params {
			got += " " + param.Name + "=" + param.Value
		}
		if want := strings.ReplaceAll(try.error, "%v", fmt.Sprint(answer.Extensions["retryAfter"])); got != want {
			t.Errorf("%.60s: %s, want %s", try.mutation, got, want)
		}
	}
}
