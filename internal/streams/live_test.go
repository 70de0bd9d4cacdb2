package streams_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caregraph/caregraph/graph"
	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
)

const (
	livePatient = `subscription ($id: ID!) { live { patient(id: $id) { name } } }`
	bell        = `subscription { changed }`
)

// rename changes the name of the clinic's patient.
func rename(c *graphtest.Clinic, name string) {
	c.Rahul.Must(`mutation ($id: ID!, $name: String!) { updatePatient(id: $id, input: {name: $name}) { userErrors { code } } }`,
		map[string]any{"id": c.Patient, "name": name})
	c.Exec(`SELECT caregraph_changed('P', $1)`, model.ParseID(c.Patient).Num)
}

func nameOf(name string) string {
	return `next a {"data":{"live":{"patient":{"name":"` + name + `"}}}}`
}

func TestLive_PushesEachChangeOnce(t *testing.T) {
	t.Parallel()
	clinic := graphtest.New(t, graphtest.Options{Listen: true}).NewClinic()
	id := model.ParseID(clinic.Patient).Num
	for name, of := range map[string]*graphtest.Client{"owner": clinic.Rahul, "doctor": clinic.Priya, "admin": clinic.Admin} {
		c := connect(t, of)
		c.subscribe("a", livePatient, map[string]any{"id": clinic.Patient})
		c.want(nameOf(graphtest.PatientName))
		c.subscribe("bell", bell, nil)
		for range 3 { // the bell rings, and the query has the same answer
			c.want(`next bell {"data":{"changed":true}}`)
			clinic.Exec(`SELECT caregraph_changed('P', $1)`, id)
		}
		c.want(`next bell {"data":{"changed":true}}`)
		c.send(`{"type":"complete","id":"bell"}`)
		rename(clinic, "Arjun Rao, seen by the "+name)
		c.want(nameOf("Arjun Rao, seen by the " + name))
		rename(clinic, graphtest.PatientName)
		c.want(nameOf(graphtest.PatientName))
		c.send(`{"type":"complete","id":"a"}`)
		until(t, func() bool { return clinic.Streams.Subscriptions() == 0 })
	}
}

// TestLive_EachPushEqualsTheQuery: for every kind of caller, with hidden fields.
func TestLive_EachPushEqualsTheQuery(t *testing.T) {
	t.Parallel()
	clinic := graphtest.New(t, graphtest.Options{}).NewClinic()
	const fields = `{ p: patient(id: $id) { name medicalHistory emergencyContact doctors(first: 5) { totalCount nodes { name account { username } } } }
		patients(first: 3) { totalCount edges { cursor node { id } } } doctors(first: 3) { nodes { name } } me { id } __typename }`
	for name, client := range map[string]*graphtest.Client{
		"owner": clinic.Rahul, "doctor": clinic.Priya, "doctor before": clinic.Dev, "unverified": clinic.Neha, "stranger": clinic.Asha,
		"admin": clinic.Admin, "desk": clinic.Member("desk", model.LevelDesk), "patient": clinic.Claimant("arjun"),
	} {
		for _, redact := range []string{"", "@redact"} {
			t.Run(name+redact, func(t *testing.T) {
				t.Parallel()
				variables := map[string]any{"id": clinic.Patient}
				want := client.Do(`query ($id: ID!) `+redact+fields, variables)
				c := connect(t, client)
				c.subscribe("a", `subscription ($id: ID!) `+redact+` { kept: live `+fields+` }`, variables)
				var got graphtest.Answer
				testutil.Must(t, json.Unmarshal(c.receive().Payload, &got))
				testutil.Equal(t, "the answer", withoutPlaces(t, got), below(t, "kept", []byte(want.Body)))
			})
		}
	}
}

// below returns an answer whose data is below a field, without places in the document.
func below(t *testing.T, field string, answer []byte) string {
	t.Helper()
	var a graphtest.Answer
	testutil.Must(t, json.Unmarshal(answer, &a))
	a.Data = map[string]any{field: a.Data}
	for _, err := range a.Errors {
		err["path"] = append([]any{field}, err["path"].([]any)...)
	}
	if redacted, ok := a.Extensions["redacted"].([]any); ok {
		for i, path := range redacted {
			redacted[i] = append([]any{field}, path.([]any)...)
		}
	}
	return withoutPlaces(t, a)
}

func withoutPlaces(t *testing.T, a graphtest.Answer) string {
	t.Helper()
	for _, err := range a.Errors {
		delete(err, "locations")
	}
	text, err := json.Marshal(map[string]any{"data": a.Data, "errors": a.Errors, "extensions": a.Extensions})
	testutil.Must(t, err)
	return string(text)
}

// TestLive_LostAccessReachesTheClient: a doctor sees the record vanish when the mapping ends.
func TestLive_LostAccessReachesTheClient(t *testing.T) {
	t.Parallel()
	clinic := graphtest.New(t, graphtest.Options{}).NewClinic()
	c := connect(t, clinic.Priya)
	c.subscribe("a", livePatient, map[string]any{"id": clinic.Patient})
	c.want(nameOf(graphtest.PatientName))
	clinic.Rahul.Remove(clinic.PriyasMapping)
	clinic.Exec(`SELECT caregraph_changed('M', $1)`, model.ParseID(clinic.PriyasMapping).Num)
	c.want(`next a {"data":{"live":{"patient":null}}}`)
}

// TestLive_AnotherStandingIsAnotherAnswer: an account that is no administrator any more.
func TestLive_AnotherStandingIsAnotherAnswer(t *testing.T) {
	t.Parallel()
	clinic := graphtest.New(t, graphtest.Options{Listen: true}).NewClinic()
	c := connect(t, clinic.Admin)
	c.subscribe("a", livePatient, map[string]any{"id": clinic.Patient})
	c.want(nameOf(graphtest.PatientName))
	clinic.Exec(`UPDATE users SET role = 'PATIENT' WHERE id = $1`, clinic.Admin.UserID)
	c.want(`next a {"data":{"live":{"patient":null}}}`)
}

// TestLive_FollowsTheEntriesAndAccountsInItsAnswer: of doctors and owners.
func TestLive_FollowsTheEntriesAndAccountsInItsAnswer(t *testing.T) {
	t.Parallel()
	clinic := graphtest.New(t, graphtest.Options{}).NewClinic()
	c := connect(t, clinic.Priya)
	c.subscribe("a", `subscription ($id: ID!) { live { patient(id: $id) { createdBy { id username } } mapping: mappings(first: 1) { nodes { doctor { id name } } } } }`,
		map[string]any{"id": clinic.Patient})
	first := c.receive()
	for _, statement := range []string{
		`WITH d AS (UPDATE doctors SET name = 'Dr. Renamed' WHERE id = ` + strconv.FormatInt(model.ParseID(clinic.PriyasEntry).Num, 10) + ` RETURNING id) SELECT caregraph_changed('D', id) FROM d`,
		`WITH u AS (UPDATE users SET username = 'renamed' WHERE id = ` + strconv.FormatInt(clinic.Rahul.UserID, 10) + ` RETURNING id) SELECT caregraph_changed('U', id) FROM u`,
	} {
		clinic.Exec(statement)
		next := c.receive()
		if next.Type != "next" || !strings.Contains(strings.ToLower(string(next.Payload)), "renamed") || string(next.Payload) == string(first.Payload) {
			t.Errorf("after %s: %s %s", statement, next.Type, next.Payload)
		}
		first = next
	}
}

// TestChanged_StrangerHearsNothing: of what others change. Asha's own change comes after it.
func TestChanged_StrangerHearsNothing(t *testing.T) {
	t.Parallel()
	clinic := graphtest.New(t, graphtest.Options{}).NewClinic()
	asha, rahul := connect(t, clinic.Asha), connect(t, clinic.Rahul)
	const ring = `next a {"data":{"changed":true}}`
	for _, c := range []*client{asha, rahul} {
		c.subscribe("a", `subscription { changed(types: PATIENT) }`, nil)
		c.want(ring)
	}
	for _, name := range []string{"Arjun Rao", "Arjun Iyer"} { // the second ring comes when a wrong first one had come
		rename(clinic, name)
		rahul.want(ring)
	}
	asha.send(`{"type":"ping"}`)
	asha.want(`pong`)
	mine := clinic.Asha.Patient("Asha's own")
	clinic.Exec(`SELECT caregraph_changed('P', $1)`, model.ParseID(mine).Num)
	asha.want(ring)
}

// TestChanged_RingsForItsTypes: a second bell rings twice where the first one must not.
func TestChanged_RingsForItsTypes(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	c := connect(t, rahul)
	ring := func(id string) { t.Helper(); c.want(`next ` + id + ` {"data":{"changed":true}}`) }
	for id, kind := range map[string]string{"patients": "PATIENT", "doctors": "[DOCTOR]"} {
		c.subscribe(id, `subscription { changed(types: `+kind+`) }`, nil)
		ring(id)
	}
	for _, news := range []*store.News{
		{Accounts: map[int64]model.Topics{rahul.UserID: model.TopicDoctors | model.TopicAccounts}},
		{Accounts: map[int64]model.Topics{rahul.UserID + 1: model.TopicPatients}, Topics: model.TopicDoctors},
		{Admins: model.TopicPatients, Topics: model.TopicDoctors},
	} {
		for range 2 {
			s.Streams.Tell(news)
			ring("doctors")
		}
	}
	s.Streams.Tell(&store.News{Accounts: map[int64]model.Topics{rahul.UserID: model.TopicPatients}})
	ring("patients")
	s.Streams.Tell(&store.News{Topics: model.TopicPatients})
	ring("patients")
}

func TestSubscriptions_Refused(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	c := connect(t, s.Account("Rahul", model.RolePatient))
	for name, document := range map[string]string{
		"schema":         `subscription { live { __schema { queryType { name } } } }`,
		"type":           `subscription { live { ...f } } fragment f on Query { __type(name: "Query") { name } }`,
		"two fields":     `subscription { live { me { id } } changed }`,
		"two answers":    `subscription { a: changed b: changed }`,
		"two fragments":  `subscription { ...f ...g } fragment f on Subscription { a: changed } fragment g on Subscription { b: changed }`,
		"skip":           `subscription ($s: Boolean = true) { live @skip(if: $s) { me { id } } }`,
		"skip fragment":  `subscription ($s: Boolean = true) { ... @include(if: $s) { changed } }`,
		"typename":       `subscription { __typename }`,
		"no selection":   `subscription { live }`,
		"unknown type":   `subscription { changed(types: [SECRET]) }`,
		"live in a live": `subscription { live { live { me { id } } } }`,
	} {
		c.subscribe(name, document, nil)
		m := c.receive()
		if m.Type != "error" || m.ID != name {
			t.Errorf("%s: %s %s %s", name, m.Type, m.ID, m.Payload)
		}
	}
	c.subscribe("costly", `subscription { live { `+strings.Repeat("patients(first: 100) { nodes { doctors(first: 100) { nodes { patients(first: 100) { nodes { ", 1)+
		`id } } } } } } } }`, nil)
	c.wantCode("costly", "LIMIT_EXCEEDED")
	if n := s.Streams.Subscriptions(); n != 0 {
		t.Errorf("%d subscriptions are open", n)
	}
}

// TestSubscriptions_OpenToWhomThePolicyAdmits: each root field has an attempt here.
func TestSubscriptions_OpenToWhomThePolicyAdmits(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	attempts := map[string]string{"changed": bell, "live": `subscription { live { me { id } } }`}
	for _, field := range graph.Schema().Subscription.Fields {
		if attempts[field.Name] == "" {
			t.Errorf("%s has no attempt in this test", field.Name)
			continue
		}
		answer := s.Nobody().Do(attempts[field.Name], nil)
		if answer.Data != nil || len(answer.Errors) != 1 {
			t.Errorf("%s over plain HTTP: %s", field.Name, answer.Body)
		}
		c := connect(t, s.Account("Of"+field.Name, model.RolePatient))
		c.subscribe("a", attempts[field.Name], nil)
		if m := c.receive(); m.Type != "next" {
			t.Errorf("%s: %s %s", field.Name, m.Type, m.Payload)
		}
	}
}

// TestSubscriptions_OfEndedStreamsEnd: nothing is left of them.
func TestSubscriptions_OfEndedStreamsEnd(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	c := connect(t, rahul)
	for _, id := range []string{"a", "b"} {
		c.subscribe(id, bell, nil)
		c.want(`next ` + id + ` {"data":{"changed":true}}`)
	}
	if n := s.Streams.Subscriptions(); n != 2 {
		t.Errorf("%d subscriptions", n)
	}
	c.send(`{"type":"complete","id":"a"}`)
	until(t, func() bool { return s.Streams.Subscriptions() == 1 })
	testutil.Must(t, c.conn.CloseNow())
	until(t, func() bool { return s.Streams.Subscriptions() == 0 && s.Streams.Open() == 0 })
}

// TestLive_SurvivesADatabaseThatFails: the subscription stays, and answers later.
func TestLive_SurvivesADatabaseThatFails(t *testing.T) {
	t.Parallel()
	clinic := graphtest.New(t, graphtest.Options{}).NewClinic()
	c := connect(t, clinic.Rahul)
	c.subscribe("a", livePatient, map[string]any{"id": clinic.Patient})
	c.want(nameOf(graphtest.PatientName))
	id := model.ParseID(clinic.Patient).Num
	clinic.Exec(`UPDATE patients SET name = 'Arjun Rao', updated_at = now() WHERE id = $1`, id)
	clinic.Exec(`SELECT caregraph_changed('P', $1)`, id)
	clinic.Exec(`SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'caregraph'`)
	c.want(nameOf("Arjun Rao"))
}

// TestLive_ASlowReaderHoldsNothingUp: its socket ends, and others go on.
func TestLive_ASlowReaderHoldsNothingUp(t *testing.T) {
	t.Parallel()
	clinic := graphtest.New(t, graphtest.Options{}).NewClinic()
	clinic.Streams.SetWrite(time.Second)
	slow, quick := connect(t, clinic.Rahul), connect(t, clinic.Priya)
	var fields strings.Builder
	for i := range 40 { // of 20 KB each
		fmt.Fprintf(&fields, "f%d: patient(id: $id) { medicalHistory } ", i)
	}
	slow.subscribe("a", `subscription ($id: ID!) { live { `+fields.String()+`} }`, map[string]any{"id": clinic.Patient})
	quick.subscribe("a", `subscription ($id: ID!) { live { patient(id: $id) { medicalHistory } } }`, map[string]any{"id": clinic.Patient})
	quick.receive()
	for i := 0; clinic.Streams.Open() > 1; i++ {
		clinic.Rahul.Must(`mutation ($id: ID!, $text: String!) { updatePatient(id: $id, input: {medicalHistory: $text}) { userErrors { code } } }`,
			map[string]any{"id": clinic.Patient, "text": strings.Repeat(string(rune('a'+i%26)), 20_000)})
		clinic.Exec(`SELECT caregraph_changed('P', $1)`, model.ParseID(clinic.Patient).Num)
		if m := quick.receive(); m.Type != "next" {
			t.Errorf("%s %s", m.Type, m.Payload)
		}
	}
	if n := clinic.Streams.Closes()["1013"]; n != 1 {
		t.Errorf("closes: %v", clinic.Streams.Closes())
	}
}

// TestLive_OneAnswerForASlowReaderIsInMemory, however many subscriptions its socket has. What
// the connection takes is not in memory; another socket of the account gets its answer.
func TestLive_OneAnswerForASlowReaderIsInMemory(t *testing.T) {
	t.Parallel()
	const subscriptions, taken = 16, 6 // of 3 MB each
	clinic := graphtest.New(t, graphtest.Options{Answers: &graphtest.Answers{One: 1 << 30, Account: 1 << 30, All: 1 << 30}}).NewClinic()
	var answers atomic.Int64
	rahul := clinic.Rahul.At(clinic.With(func(c *graph.Config) {
		c.OnOperation = func(string, string, []string) { answers.Add(1) }
	}))
	rahul.Must(`mutation ($id: ID!, $text: String!) { updatePatient(id: $id, input: {medicalHistory: $text}) { userErrors { code } } }`,
		map[string]any{"id": clinic.Patient, "text": strings.Repeat("अ", 20_000)})
	var fields strings.Builder
	for i := range 50 {
		fmt.Fprintf(&fields, "f%d: patient(id: $id) { medicalHistory } ", i)
	}
	slow := connect(t, rahul)
	for i := range subscriptions {
		slow.subscribe(fmt.Sprint(i), `subscription ($id: ID!) { live { `+fields.String()+`} }`, map[string]any{"id": clinic.Patient})
	}
	until(t, func() bool { return clinic.Streams.Subscriptions() == subscriptions })
	quick := connect(t, rahul)
	quick.subscribe("a", livePatient, map[string]any{"id": clinic.Patient})
	quick.want(nameOf(graphtest.PatientName))
	if n := answers.Load(); n > 1+taken+1+1 { // the change, those taken, the one that waits, that of the quick reader
		t.Errorf("%d answers were made for a client that reads none", n)
	}
}
