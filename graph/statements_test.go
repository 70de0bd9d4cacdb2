package graph_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/caregraph/caregraph/graph"
	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
)

// statements records the statements. It counts lookups of sessions separately, because a
// cached session needs none.
type statements struct {
	mu       sync.Mutex
	sent     []string
	sessions int
}

func (s *statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case strings.Contains(data.SQL, "FROM sessions"):
		s.sessions++
	case strings.Contains(data.SQL, "pg_notify"): // some time after a mutation, of no request
	default:
		s.sent = append(s.sent, data.SQL)
	}
	return ctx
}

func (*statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// of sends a query and returns the statements that it took.
func (s *statements) of(client *graphtest.Client, query string) []string {
	s.mu.Lock()
	s.sent, s.sessions = nil, 0
	s.mu.Unlock()
	client.Must(query, nil)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sent
}

// fewest returns the best result of many calls of of: on a busy machine a loader may not
// wait long enough for its last key.
func (s *statements) fewest(client *graphtest.Client, query string) []string {
	best := s.of(client, query)
	for range 20 {
		if sent := s.of(client, query); len(sent) < len(best) {
			best = sent
		}
	}
	return best
}

// atMost calls of until it takes no more statements than these, or 200 times, for the
// reason of fewest. It returns the last result.
func (s *statements) atMost(most int, client *graphtest.Client, query string) []string {
	sent := s.of(client, query)
	for i := 0; i < 200 && len(sent) > most; i++ {
		sent = s.of(client, query)
	}
	return sent
}

// addPatients inserts patients of the client, each with all the doctors.
func addPatients(s *graphtest.Server, owner *graphtest.Client, patients int, doctors ...string) {
	s.Exec(`INSERT INTO patients (name, date_of_birth, gender, phone, address, emergency_contact, created_by)
		SELECT 'Patient ' || n, '1990-01-01', 'FEMALE', '+919876543210', 'Here', '+919876543210', $1 FROM generate_series(1, $2) AS n`,
		owner.UserID, patients)
	for _, doctor := range doctors {
		s.Exec("INSERT INTO mappings (patient_id, doctor_id, created_by) SELECT id, $1, $2 FROM patients", num(doctor), owner.UserID)
	}
}

// TestNestedQuery_CostsAStatementForEachLevel at most, for any number of rows: a plan has
// one for each list, or one for the first two levels; the loaders, which serve payloads,
// also have one for each kind of record.
func TestNestedQuery_CostsAStatementForEachLevel(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("-short: under the race detector a loader may never wait long enough for its last key")
	}
	for _, patients := range []int{2, 20} {
		sent := &statements{}
		s := graphtest.New(t, graphtest.Options{Tracer: sent})
		loaders := s.With(func(c *graph.Config) { c.ReferenceOnly = true })
		rahul := s.Account("Rahul", model.RolePatient)
		addPatients(s, rahul, patients, rahul.Entry("Dr. One"), rahul.Entry("Dr. Two"), rahul.Entry("Dr. Three"))
		for _, tc := range []struct {
			what, query     string
			planned, loaded int
		}{
			{"the list", `{ patients { nodes { name age phone viewer { canUpdate } } edges { node { name } } pageInfo { endCursor } } }`, 1, 1},
			{"a count", `{ patients { totalCount nodes { name } } }`, 2, 2},
			{"owners", `{ patients { nodes { createdBy { username } } } }`, 1, 2},
			{"mappings", `{ patients { nodes { mappings { nodes { notes } } } } }`, 1, 2},
			{"counts of mappings", `{ patients { nodes { mappings { totalCount nodes { notes } } } } }`, 2, 3},
			{"doctors", `{ patients { nodes { doctors { nodes { name } edges { mapping { notes } } } } } }`, 1, 3},
			{"doctors through mappings", `{ patients { nodes { mappings { nodes { doctor { name } } } } } }`, 1, 3},
			{"their patients", `{ patients { nodes { doctors(first: 3) { nodes { patients(first: 20) { nodes { name } } } } } } }`, 2, 5},
			{"mappings of wide patients", `{ patients { nodes { address mappings { nodes { notes } } } } }`, 2, 2},
			{"two lists", `{ patients { nodes { name mappings { nodes { notes } } doctors { nodes { name } } } } }`, 3, 3},
			{"all of it", `{ patients { totalCount nodes { createdBy { username } doctors(first: 3) { totalCount nodes { createdBy { username } } } } } }`, 4, 6},
			{"doctor profiles", `{ patients { nodes { createdBy { doctorProfile { name } } } } }`, 1, 3},
		} {
			if got := sent.of(rahul, tc.query); len(got) != tc.planned {
				t.Errorf("%s of %d patients: %d statements by a plan, want %d:\n%s", tc.what, patients, len(got), tc.planned, strings.Join(got, "\n"))
			}
			if got := sent.atMost(tc.loaded, rahul.At(loaders), tc.query); len(got) != tc.loaded {
				t.Errorf("%s of %d patients: %d statements by loaders, want %d:\n%s", tc.what, patients, len(got), tc.loaded, strings.Join(got, "\n"))
			}
		}
	}
}

// TestSession_IsRecalledAndStillRefusedAtOnce: a listening server looks up no live session
// again, and the first request after a logout is still refused.
func TestSession_IsRecalledAndStillRefusedAtOnce(t *testing.T) {
	t.Parallel()
	sent := &statements{}
	s := graphtest.New(t, graphtest.Options{Tracer: sent, Listen: true})
	for name, logout := range map[string]string{
		"Rahul": `mutation { logout { userErrors { code } } }`, "Asha": `mutation { logoutEverywhere { userErrors { code } } }`,
	} {
		rahul := s.Account(name, model.RolePatient)
		for end := time.Now().Add(30 * time.Second); ; {
			if sent.of(rahul, `{ patients { totalCount } }`); sent.sessions == 0 {
				break
			}
			if time.Now().After(end) {
				t.Fatal("each query asks for the session")
			}
		}
		rahul.Must(logout, nil)
		for _, query := range []string{`{ patients { totalCount } }`, `mutation { logout { userErrors { code } } }`} {
			if answer := rahul.Do(query, nil); !strings.Contains(answer.Body, "UNAUTHENTICATED") {
				t.Errorf("after %s: %s", logout, answer.Body)
			}
		}
	}
}

func TestTotalCount_IsComputedOnlyWhenItIsSelected(t *testing.T) {
	t.Parallel()
	sent := &statements{}
	c := graphtest.New(t, graphtest.Options{Tracer: sent}).NewClinic()
	for _, list := range []string{
		`{ patients { %s nodes { id } } }`, `{ doctors { %s nodes { id } } }`, `{ mappings { %s nodes { id } } }`,
		`{ patient(id: 1) { mappings { %s nodes { id } } } }`, `{ patient(id: 1) { doctors { %s pageInfo { hasNextPage } } } }`,
		`{ doctor(id: 2) { patients { %s pageInfo { hasNextPage } } } }`, `{ doctor(id: 2) { mappings { %s nodes { id } } } }`,
	} {
		without, with := sent.of(c.Rahul, fmt.Sprintf(list, "")), sent.of(c.Rahul, fmt.Sprintf(list, "totalCount"))
		if counts(without) != 0 || counts(with) != 1 || len(with) != len(without)+1 {
			t.Errorf("%s: %d counts without and %d with totalCount:\n%s", list, counts(without), counts(with), strings.Join(with, "\n"))
		}
	}
}

func counts(statements []string) int {
	n := 0
	for _, statement := range statements {
		if strings.Contains(strings.ToLower(statement), "count(*)") {
			n++
		}
	}
	return n
}

// TestNodes_ReadsEachKindTogether for any number of ids.
func TestNodes_ReadsEachKindTogether(t *testing.T) {
	t.Parallel()
	sent := &statements{}
	c := graphtest.New(t, graphtest.Options{Tracer: sent}).NewClinic()
	query := fmt.Sprintf(`{ nodes(ids: [%q, %q, %q, %q, %q, "pat_7", "nonsense"]) { id } }`,
		c.Patient, c.PriyasMapping, c.DevsMapping, c.PriyasEntry, c.Rahul.ID())
	if got := sent.of(c.Rahul, query); len(got) != 4 { // one for each kind
		t.Errorf("%d statements:\n%s", len(got), strings.Join(got, "\n"))
	}
}

var updateStatements = flag.Bool("update-statements", false, "write testdata/statements.sql")

// TestStatements_WithoutGrants compares the SQL for accounts without grants, and of every
// role, with testdata/statements.sql, which is that of before there were grants: they cost
// the other accounts nothing. A change of the file needs a measurement in the commit.
func TestStatements_WithoutGrants(t *testing.T) {
	t.Parallel()
	sent := &statements{}
	s := graphtest.New(t, graphtest.Options{Tracer: sent})
	admin := s.Account("Admin", model.RoleAdmin)
	doctor := s.Account("Priya", model.RoleDoctor)
	entry := doctor.VerifiedDoctor(admin, "Dr. Priya Patel")
	var texts strings.Builder
	for _, who := range []struct {
		role   string
		client *graphtest.Client
	}{{"PATIENT", s.Account("Rahul", model.RolePatient)}, {"DOCTOR", doctor}, {"ADMIN", admin}} {
		for _, query := range []string{
			`query @redact { patient(id: 1) { id name phone medicalHistory viewer { relations } } }`,
			`query @redact { patients(first: 5) { nodes { id name bloodGroup mappings { nodes { notes doctor { name } } } } } }`,
			`{ patients(first: 5, orderBy: {field: NAME}, search: "asha", filter: {gender: FEMALE, bloodGroup: A_POSITIVE}) { totalCount nodes { id } } }`,
			`{ patients(first: 5, filter: {deleted: INCLUDE}) { nodes { id deletedAt createdBy { username } } } }`,
			`query @redact { mappings(first: 5) { totalCount nodes { id notes patient { name } createdBy { username } } } }`,
			`query @redact { doctor(id: "` + entry + `") { patients { nodes { name } } mappings { totalCount nodes { notes } } } }`,
			`query @redact { doctors(first: 5) { nodes { name account { username } patients { totalCount nodes { id } } } } }`,
		} {
			fmt.Fprintf(&texts, "-- %s: %s\n", who.role, query)
			for _, statement := range sent.of(who.client, query) {
				texts.WriteString(statement + ";\n")
			}
		}
	}
	const path = "testdata/statements.sql"
	if *updateStatements {
		testutil.Must(t, os.WriteFile(path, []byte(texts.String()), 0o600))
	}
	want, err := os.ReadFile(path)
	if err != nil || texts.String() != string(want) {
		t.Errorf("%v: the statements are\n%s", err, texts.String())
	}
}
