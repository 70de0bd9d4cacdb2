package graph_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/caregraph/caregraph/graph"
	"github.com/caregraph/caregraph/graph/gen"
	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
)

const keyedCreate = `mutation ($input: CreatePatientInput!) { createPatient(input: $input) { patient { id name } userErrors { field code } } }`

func inputOf(name string) map[string]any {
	return map[string]any{"input": graphtest.PatientInput(name)}
}

// TestIdempotency_EachKeyMakesOneRecord: eight equal requests with each of 200 keys at
// once make 200 records, and all eight get the same one. The patients have e-mail
// addresses, so the second request meets the first one at another index than that of keys.
func TestIdempotency_EachKeyMakesOneRecord(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	const keys, twins, atOnce = 200, 8, 3
	var running sync.WaitGroup
	turn := make(chan struct{}, atOnce)
	for k := range keys {
		turn <- struct{}{}
		running.Go(func() {
			defer func() { <-turn }()
			name := fmt.Sprintf("Patient %c%c", 'A'+k/26, 'A'+k%26)
			bodies := map[string]int{}
			var mu sync.Mutex
			var all sync.WaitGroup
			for range twins {
				all.Go(func() {
					answer := rahul.Keyed(fmt.Sprint("key ", k)).Do(keyedCreate, inputOf(name))
					mu.Lock()
					defer mu.Unlock()
					bodies[answer.Body]++
				})
			}
			all.Wait()
			for body, n := range bodies {
				if n != twins || !strings.Contains(body, `"userErrors":[]`) {
					t.Errorf("key %d: %d answers are %s", k, n, body)
				}
			}
		})
	}
	running.Wait()
	equalJSON(t, "records", s.Row("SELECT count(*) || ' of ' || count(DISTINCT name) FROM patients"), "200 of 200")
	equalJSON(t, "keys", s.Row("SELECT count(*)::text FROM requests"), "200")
	if kept := s.Row("SELECT string_agg(r::text, ' ') FROM requests AS r"); strings.Contains(kept, "Patient") || strings.Contains(kept, "mail.example") {
		t.Error("the table of keys contains values of records")
	}
}

// TestIdempotency_OfAnotherRequest: the key of one request is refused for another one,
// without data; another account may have the same key.
func TestIdempotency_OfAnotherRequest(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	rahul, asha := s.Account("Rahul", model.RolePatient).Keyed("k"), s.Account("Asha", model.RolePatient).Keyed("k")
	first := rahul.Do(keyedCreate, inputOf("Arjun"))
	equalJSON(t, "first", first.Replayed, false)
	again := rahul.Do(keyedCreate, inputOf("Arjun"))
	equalJSON(t, "the same with the e-mail address", []any{again.Body, again.Replayed}, []any{first.Body, true})
	equalJSON(t, "the same in quotes", rahul.Keyed(`"k"`).Do(keyedCreate, inputOf("Arjun")).Replayed, true)
	for what, other := range map[string]graphtest.Answer{
		"other values":   rahul.Do(keyedCreate, inputOf("Banu")),
		"wrong values":   rahul.Do(keyedCreate, inputOf("")),
		"other document": rahul.Do(keyedCreate+" ", inputOf("Arjun")),
	} {
		equalJSON(t, what, []any{other.Status, other.Codes(), other.Data}, []any{http.StatusUnprocessableEntity, []string{"IDEMPOTENCY_KEY_REUSED"}, nil})
		if strings.Contains(other.Body, "data") {
			t.Errorf("%s: there is data: %s", what, other.Body)
		}
	}
	status, _, body := post(t, rahul, "application/json", strings.Replace(`{"query":"mutation { createDoctor(input: DOCTOR) { userErrors { code } } }"}`, "DOCTOR", "{"+
		`name: \"x\", email: \"a@b.example\", phone: \"7654321098\", specialization: \"x\", licenseNumber: \"1\", experienceYears: 1, address: \"x\", consultationFee: 1, availability: \"x\"}`, 1))
	equalJSON(t, "the status of the other media type: "+body, status, http.StatusOK)
	equalJSON(t, "of another account", asha.Do(keyedCreate, inputOf("Arjun")).Replayed, false)
	equalJSON(t, "records", s.Row("SELECT (SELECT count(*) FROM patients) || ' ' || (SELECT count(*) FROM doctors)"), "2 0")
}

// post sends a body and returns status, headers and body of the answer.
func post(t *testing.T, c *graphtest.Client, accept, body string) (int, http.Header, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.Server.URL+"/graphql", strings.NewReader(body))
	testutil.Must(t, err)
	for name, value := range map[string]string{
		"Content-Type": "application/json", "Accept": accept, "Authorization": "Bearer " + c.Token, "Idempotency-Key": c.Key,
	} {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	testutil.Must(t, err)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	testutil.Must(t, err)
	return response.StatusCode, response.Header, string(text)
}

// hold keeps locks in a transaction until release, or for as long as requests that wait for
// them may take: those that wait for ever fail the test instead of stopping it.
func hold(t *testing.T, s *graphtest.Server, lock string) (release func()) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.DatabaseURL)
	testutil.Must(t, err)
	_, err = conn.Exec(t.Context(), "BEGIN; SET LOCAL idle_in_transaction_session_timeout = '12s'; "+lock)
	testutil.Must(t, err)
	release = sync.OnceFunc(func() { testutil.Must(t, conn.Close(context.WithoutCancel(t.Context()))) })
	t.Cleanup(release)
	return release
}

// wantInProgress checks that a request is refused while another one with its key runs.
func wantInProgress(t *testing.T, c *graphtest.Client, accept, body string) {
	t.Helper()
	status, header, answer := post(t, c, accept, body)
	if status != http.StatusConflict || header.Get("Retry-After") != "1" || !strings.Contains(answer, `"REQUEST_IN_PROGRESS"`) || strings.Contains(answer, `"data"`) {
		t.Errorf("%s: %d, after %q: %s", accept, status, header.Get("Retry-After"), answer)
	}
}

// TestIdempotency_WhileTheFirstRuns: another request waits two seconds, and may then be
// sent again.
func TestIdempotency_WhileTheFirstRuns(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	const rename = `{"query":"mutation { updatePatient(id: 1, input: {name: \"Arjun S\"}) { patient { name version } userErrors { code } } }"}`
	rahul := c.Rahul.Keyed("k")
	release := hold(t, c.Server, "SELECT FROM patients FOR UPDATE")
	for _, accept := range []string{"application/json", "application/graphql-response+json"} {
		wantInProgress(t, rahul, accept, rename)
	}
	release()
	for _, replayed := range []bool{false, true} {
		answer := rahul.Send(rename)
		equalJSON(t, "later", []any{answer.Body, answer.Replayed},
			[]any{`{"data":{"updatePatient":{"patient":{"name":"Arjun S","version":2},"userErrors":[]}}}`, replayed})
	}
}

// TestIdempotency_WhileTheFirstCreates: the same for a record that no other request can see yet.
func TestIdempotency_WhileTheFirstCreates(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	const create = `{"query":"mutation { createPatient(input: {name: \"Meera\", dateOfBirth: \"1990-01-01\", gender: FEMALE, phone: \"+919800000001\", address: \"Delhi\", emergencyContact: \"+919800000002\"}) { patient { name } userErrors { code } } }"}`
	rahul := c.Rahul.Keyed("k")
	release := hold(t, c.Server, "INSERT INTO requests (account, key, hash, kind) SELECT created_by, 'k', 'x', 'P' FROM patients WHERE id = 1")
	wantInProgress(t, rahul, "application/json", create)
	release()
	answer := rahul.Send(create)
	equalJSON(t, "later", answer.Body, `{"data":{"createPatient":{"patient":{"name":"Meera"},"userErrors":[]}}}`)
}

// waitFor waits until a condition holds.
func waitFor(t *testing.T, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !holds(); <-time.After(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not come to pass")
		}
	}
}

// TestIdempotency_IfTheFirstDies, the second makes the record.
func TestIdempotency_IfTheFirstDies(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient).Keyed("k")
	release := hold(t, s, "SELECT FROM users FOR UPDATE") // the new patient refers to one
	answers := make(chan graphtest.Answer, 2)
	for range cap(answers) {
		go func() { answers <- rahul.Do(keyedCreate, inputOf("Arjun")) }()
	}
	const blocked = `FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database() AND query LIKE '%INTO "patients"%'`
	waitFor(t, func() bool { return s.Row(`SELECT count(*)::text `+blocked) == "2" })
	s.Exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid IN (SELECT unnest(pg_blocking_pids(pid)) ` + blocked + `)
		AND query LIKE '%INTO "patients"%'`)
	died := <-answers
	equalJSON(t, "the first", died.Codes(), []string{"createPatient UNAVAILABLE"})
	release()
	equalJSON(t, "the second", (<-answers).UserErrorCodes("createPatient"), []string{})
	equalJSON(t, "the first again", rahul.Do(keyedCreate, inputOf("Arjun")).Replayed, true)
	equalJSON(t, "records", s.Row("SELECT count(*)::text FROM patients"), "1")
}

// TestIdempotency_AnswersWithPresentRights: a request that is sent again shows the record
// as it is now, and not at all to those who see it no more.
func TestIdempotency_AnswersWithPresentRights(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	priya := c.Priya.Keyed("k")
	note := `mutation { updateMapping(id: "` + c.PriyasMapping + `", input: {notes: "rest"}) { mapping { notes isActive } userErrors { field code } } }`
	priya.Must(note, nil)
	c.Rahul.Must(`mutation { updateMapping(id: "`+c.PriyasMapping+`", input: {notes: "newer"}) { userErrors { code } } }`, nil)
	again := priya.Do(note, nil)
	equalJSON(t, "again", []any{again.Body, again.Replayed}, []any{`{"data":{"updateMapping":{"mapping":{"notes":"newer","isActive":true},"userErrors":[]}}}`, true})
	c.Rahul.Remove(c.PriyasMapping)
	gone := priya.Do(note, nil)
	equalJSON(t, "without access", []any{gone.Body, gone.Replayed},
		[]any{`{"data":{"updateMapping":{"mapping":null,"userErrors":[{"field":null,"code":"NOT_FOUND"}]}}}`, true})
}

// TestIdempotency_RefusalsStay: the same request is refused in the same way later, too.
func TestIdempotency_RefusalsStay(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	arjun := rahul.Patient("Arjun")
	const create = `mutation ($input: CreatePatientInput!) { createPatient(input: $input) {
		patient { id } existing { id name } userErrors { field code params { name value } } } }`
	wrong := graphtest.PatientInput("Banu")
	wrong["name"], wrong["phone"] = strings.Repeat("a", 101), "1"
	for key, input := range map[string]any{"taken": graphtest.PatientInput("Arjun"), "wrong": wrong} {
		client := rahul.Keyed(key)
		first := client.Do(create, map[string]any{"input": input})
		again := client.Do(create, map[string]any{"input": input})
		equalJSON(t, key, []any{again.Body, first.Replayed, again.Replayed}, []any{first.Body, false, true})
	}
	rahul.Delete(arjun)
	equalJSON(t, "when the value is free", rahul.Keyed("taken").Do(create, inputOf("Arjun")).UserErrorCodes("createPatient"),
		[]string{"input.email TAKEN"})
	equalJSON(t, "with another key", rahul.Keyed("new").Do(create, inputOf("Arjun")).UserErrorCodes("createPatient"), []string{})
}

// TestIdempotency_KeysThatAreRefused, before anything is changed.
func TestIdempotency_KeysThatAreRefused(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{Log: slog.New(slog.NewTextHandler(t.Output(), nil))}).NewClinic()
	const one = `updatePatient(id: 1, input: {name: "Mallory"}) { userErrors { code } }`
	for key, document := range map[string]string{
		strings.Repeat("k", 256): "mutation { " + one + " }",
		`""`:                     "mutation { " + one + " }",
		"ключ":                   "mutation { " + one + " }",
		"two fields":             "mutation { a: " + one + " b: " + one + " }",
		"two kinds":              "mutation { " + one + " logout { userErrors { code } } }",
	} {
		answer := c.Rahul.Keyed(key).Do(document, nil)
		equalJSON(t, key, []any{answer.Codes(), answer.Data}, []any{[]string{"BAD_USER_INPUT"}, nil})
	}
	equalJSON(t, "name", c.Row("SELECT name FROM patients"), graphtest.PatientName)
	equalJSON(t, "a key of 255 characters", c.Rahul.Keyed(strings.Repeat("k", 255)).Do("mutation { __typename "+one+" }", nil).Codes(), []string{})
	equalJSON(t, "a query", c.Rahul.Keyed("ключ").Do("{ me { id } patients { totalCount } }", nil).Codes(), []string{})
}

// repeated is a mutation with the rest of its document.
type repeated struct {
	name   string
	client *graphtest.Client
	fields string
}

// repeatable has an operation for each mutation that a key makes repeatable, in an order
// in which each of them has an effect.
func repeatable(t *testing.T, c *graphtest.Clinic) []repeated {
	t.Helper()
	team := c.Account("Sita", model.RolePatient)
	grant := "grt_" + c.Row(`INSERT INTO grants (kind, level, granter_id, account_id) VALUES ('TEAM', 'SEE', $1, $2) RETURNING id::text`, c.Rahul.UserID, team.UserID)
	c.Exec("UPDATE users SET is_confirmed = TRUE")
	tara := c.Account("Tara", model.RolePatient)
	c.Exec(`INSERT INTO notices (kind, account_id) VALUES ('NEW_DEVICE', $1)`, tara.UserID)
	notice := "ntc_" + c.Row("SELECT max(id)::text FROM notices")
	code := c.Rahul.Must(`mutation { createClaimCode(patientId: 1) { code userErrors { code } } }`, nil).Text("createClaimCode", "code")
	const doctor = `name: "Dr. New", email: "n@mail.example", phone: "7654321098", specialization: "x", licenseNumber: "N1", experienceYears: 1,
		address: "x", consultationFee: "10", availability: "x"`
	return []repeated{
		{"createPatient", c.Rahul, `(input: {name: "Banu", dateOfBirth: "1990-01-01", gender: FEMALE, phone: "8765432109", address: "x", emergencyContact: "9876543210", recordNumber: "9"}) { patient { id name }`},
		{"updatePatient", c.Rahul, `(id: 1, input: {address: "Pune"}, expectedVersion: 1) { patient { address version }`},
		{"createDoctor", c.Rahul, `(input: {` + doctor + `}) { doctor { id }`},
		{"updateDoctor", c.Priya, `(id: "` + c.PriyasEntry + `", input: {availability: "Mon"}) { doctor { availability version }`},
		{"verifyDoctor", c.Admin, `(id: "` + c.NehasEntry + `", input: {isVerified: true}, expectedVersion: 1) { doctor { isVerified version }`},
		{"assignDoctor", c.Rahul, `(input: {patientId: 1, doctorId: "` + c.RahulsEntry + `"}) { mapping { id }`},
		{"updateMapping", c.Rahul, `(id: "` + c.PriyasMapping + `", input: {notes: "x"}) { mapping { notes updatedAt }`},
		{"removeMapping", c.Rahul, `(id: "` + c.NehasMapping + `") { mapping { isActive }`},
		{"deleteDoctor", c.Rahul, `(id: "` + c.RahulsEntry + `") { doctor { deletedAt }`},
		{"restoreDoctor", c.Rahul, `(id: "` + c.RahulsEntry + `") { doctor { deletedAt version }`},
		{"readNotices", tara, `(upTo: "` + notice + `") { user { notices { nodes { kind readAt } } }`},
		{"confirmEmail", tara, `(code: "` + mailTo(t, tara, model.MailConfirmEmail).Data["code"] + `") { user { isConfirmed }`},
		{"updateMe", c.Rahul, `(input: {phone: "+919876500001"}) { user { phone }`},
		{"setRole", c.Admin, `(id: "` + c.Asha.ID() + `", role: DOCTOR) { user { role }`},
		{"addTeamMember", c.Rahul, `(input: {username: "Asha", level: SEE}) { grant { id }`},
		{"acceptGrant", team, `(id: "` + grant + `") { grant { acceptedAt }`},
		{"endGrant", team, `(id: "` + grant + `") { grant { endedAt }`},
		{"claimPatient", c.Dev, `(code: "` + code + `", name: "` + graphtest.PatientName + `", dateOfBirth: "1990-05-15") { grant { id acceptedAt }`},
		{"transferPatients", c.Rahul, `(input: {fromId: "` + c.Rahul.ID() + `", toId: "` + c.Asha.ID() + `", patientIds: ["2"], reason: "moves"}) { transfer { id patientCount }`},
		{"acceptTransfer", c.Asha, `(id: 1) { transfer { acceptedAt }`},
		{"deletePatient", c.Rahul, `(id: 1) { patient { deletedAt version }`},
		{"restorePatient", c.Rahul, `(id: 1) { patient { deletedAt version }`},
		{"disableAccount", c.Admin, `(id: "` + c.Neha.ID() + `", reason: "left") { user { isActive }`},
		{"enableAccount", c.Admin, `(id: "` + c.Neha.ID() + `") { user { isActive }`},
	}
}

// TestIdempotency_EveryMutationIsRepeatedOrIgnoresTheKey: each has its effect once, and
// both engines give the answer again.
func TestIdempotency_EveryMutationIsRepeatedOrIgnoresTheKey(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	reference := c.With(func(config *graph.Config) { config.ReferenceOnly = true })
	left := map[string]bool{}
	for name := range gen.Mutations {
		left[name] = true
	}
	delete(left, "sendConfirmation") // ignores the key, as the description of Mutation says
	for _, m := range repeatable(t, c) {
		delete(left, m.name)
		client, document := m.client.Keyed("key of "+m.name), "mutation { "+m.name+m.fields+" userErrors { field code } } }"
		before := stateOf(c)
		first := client.Do(document, nil)
		after := stateOf(c)
		if before == after || len(first.UserErrors(m.name)) > 0 || first.Errors != nil || first.Replayed {
			t.Errorf("%s has no effect: %s", m.name, first.Body)
		}
		for what, at := range map[string]*graphtest.Server{"by a plan": c.Server, "by the reference engine": reference} {
			again := client.At(at).Do(document, nil)
			if !again.Replayed || again.Body != first.Body || stateOf(c) != after {
				t.Errorf("%s again %s: %s, want %s; replayed %v, no other effect %v", m.name, what, again.Body, first.Body, again.Replayed, stateOf(c) == after)
			}
		}
	}
	for name := range left {
		t.Errorf("%s has no case in this test: say what its effect is", name)
	}
}

// stateOf returns the state of all records.
func stateOf(c *graphtest.Clinic) string {
	var all strings.Builder
	for _, table := range []string{"patients", "doctors", "mappings", "users", "grants", "transfers", "notices", "security_events", "mail"} {
		all.WriteString(c.Row("SELECT coalesce(string_agg(t::text, ' ' ORDER BY t::text), '') FROM " + table + " AS t"))
	}
	return all.String()
}

// TestIdempotency_SecretsComeOnce: what answers with a secret, or signs in or out, ignores
// the key.
func TestIdempotency_SecretsComeOnce(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	for _, field := range graph.Schema().Mutation.Fields {
		if gen.Mutations[field.Name] != nil {
			continue
		}
		operation := attempts()["Mutation."+field.Name]
		client := c.Rahul.NewSession().Keyed("k")
		for range 2 {
			answer := client.Do(operation, ids(operation, c.Patient, c.PriyasEntry, c.PriyasMapping))
			if answer.Replayed || strings.Contains(answer.Body, "IDEMPOTENCY") {
				t.Errorf("%s: %s", field.Name, answer.Body)
			}
		}
	}
	login := c.Nemo.Keyed("k").Do(`mutation { login(input: {email: "rahul@clinic.example", password: "`+graphtest.Password+`"}) { tokens { access } } }`, nil)
	equalJSON(t, "a login", login.Codes(), []string{})
	code := func() string {
		return c.Rahul.NewSession().Keyed("k").Must(`mutation { createClaimCode(patientId: 1) { code userErrors { code } } }`, nil).Text("createClaimCode", "code")
	}
	if first, second := code(), code(); first == second {
		t.Error("a claim code came twice")
	}
	equalJSON(t, "keys", c.Row("SELECT count(*)::text FROM requests"), "0")
}
