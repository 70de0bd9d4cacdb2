package rest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/jackc/pgx/v5"

	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/internal/rest"
	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
)

// crowd makes patients of the client; the last one is the first in lists.
func crowd(s *graphtest.Server, owner *graphtest.Client, patients int, address string) {
	s.Exec(`INSERT INTO patients (name, date_of_birth, gender, phone, address, emergency_contact, created_by, created_at)
		SELECT 'Patient ' || n, '1990-01-01', 'FEMALE', '+919876543210', $3, '+919876543210', $1, now() + n * interval '1 ms'
		FROM generate_series(1, $2::int) AS n`, owner.UserID, patients, address)
}

// watched is a transport that a test can observe.
type watched struct {
	graphql.Transport
	around func(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor, next func(http.ResponseWriter, graphql.GraphExecutor))
}

func (x watched) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	x.around(w, r, exec, func(w http.ResponseWriter, exec graphql.GraphExecutor) { x.Transport.Do(w, r, exec) })
}

func watch(
	t *testing.T, tracer pgx.QueryTracer,
	around func(http.ResponseWriter, *http.Request, graphql.GraphExecutor, func(http.ResponseWriter, graphql.GraphExecutor)),
) server {
	t.Helper()
	transport, err := rest.New(schema(t), rest.Options{VerifyToken: func(context.Context, string) error { return nil }})
	testutil.Must(t, err)
	return server{t: t, Server: graphtest.New(t, graphtest.Options{Tracer: tracer, Transports: []graphql.Transport{watched{transport, around}}})}
}

// written holds the size of one call of Write and the number of statements
// until then.
type written struct {
	bytes      int
	statements int64
}

// meter is a ResponseWriter that counts.
type meter struct {
	http.ResponseWriter
	statements *counter
	writes     []written
	// broken is the number of writes after which all writes fail.
	broken int
}

func (m *meter) Write(p []byte) (int, error) {
	if m.broken > 0 && len(m.writes) >= m.broken {
		return 0, errors.New("the client is gone")
	}
	m.writes = append(m.writes, written{len(p), m.statements.Load()})
	return m.ResponseWriter.Write(p)
}

func (m *meter) Unwrap() http.ResponseWriter { return m.ResponseWriter }

// At any time: each page is written before the next one is read.
func TestList_OfTenThousandIsWholeAndHoldsOnePage(t *testing.T) {
	t.Parallel()
	const total, pages = 10_000, 100
	var c counter
	meters := make(chan *meter, 2)
	s := watch(t, &c, func(w http.ResponseWriter, _ *http.Request, exec graphql.GraphExecutor, next func(http.ResponseWriter, graphql.GraphExecutor)) {
		m := &meter{ResponseWriter: w, statements: &c}
		next(m, exec)
		meters <- m
	})
	rahul := s.Account("Rahul", model.RolePatient)
	crowd(s.Server, rahul, total, "Here")
	got := s.as(rahul, http.MethodGet, patients, "", "Accept-Encoding", "identity")
	var list []struct {
		ID   int
		Name string
	}
	got.decode(t, &list)
	if len(list) != total || list[0].Name != "Patient 10000" || list[total-1].Name != "Patient 1" {
		t.Fatalf("%d entries", len(list))
	}
	for i := 1; i < total; i++ {
		if list[i].ID != list[i-1].ID-1 {
			t.Fatalf("after %d comes %d", list[i-1].ID, list[i].ID)
		}
	}
	if got.header.Get("Content-Length") != "" {
		t.Error("its length was known beforehand")
	}
	last := <-meters
	if len(last.writes) != pages+1 {
		t.Fatalf("%d writes, want one for each page and the end", len(last.writes))
	}
	for i, now := range last.writes[:pages] {
		if now.bytes > 100*500 {
			t.Errorf("write %d has %d bytes", i, now.bytes)
		}
		if i == 0 {
			continue
		}
		if n := now.statements - last.writes[i-1].statements; n < 1 || n > 4 {
			t.Errorf("before write %d there were %d statements", i, n)
		}
	}
	// HEAD reads only the first page.
	before := c.Load()
	s.want(s.as(rahul, http.MethodHead, patients, ""), http.StatusOK, "")
	if n := c.Load() - before; n > 4 {
		t.Errorf("HEAD took %d statements", n)
	}
}

// get reads an answer that may break, as it is on the wire.
func (s server) get(who *graphtest.Client, path string, headers ...string) (response *http.Response, body string, err error) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.URL+path, http.NoBody)
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+who.Token)
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	client := http.Client{Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true}}
	response, err = client.Do(request)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	return response, string(text), err
}

// wantPatients wants a list of the crowd, and all of it.
func wantPatients(t *testing.T, body string, total int) {
	t.Helper()
	var list []struct{ Name string }
	if err := json.Unmarshal([]byte(body), &list); err != nil || len(list) != total {
		t.Fatalf("%d entries, want %d: %v", len(list), total, err)
	}
	for i, patient := range list {
		if want := fmt.Sprintf("Patient %d", total-i); patient.Name != want {
			t.Fatalf("entry %d is %s, want %s", i, patient.Name, want)
		}
	}
}

func TestList_IsCompleteAtTheEdgesOfPages(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	doctor := rahul.Entry("Dr. Priya")
	for i, total := range []int{0, 1, 99, 100, 101, 200, 201} {
		s.Exec(`DELETE FROM mappings`)
		s.Exec(`DELETE FROM patients`)
		crowd(s.Server, rahul, total, "Here")
		s.Exec(`INSERT INTO mappings (patient_id, doctor_id, created_by) SELECT id, $1, $2 FROM patients`, number(doctor), rahul.UserID)
		s.Exec(`DELETE FROM doctors WHERE id::text <> $1`, number(doctor))
		s.Exec(`INSERT INTO doctors (name, email, phone, specialization, license_number, experience_years, address, consultation_fee, availability, created_by)
			SELECT 'Dr. ' || n, 'd@x.example', '+919876543210', 'ENT', $2 || '-' || n, 1, 'Here', 1, 'Now', $1 FROM generate_series(2, $3::int) AS n`,
			rahul.UserID, string(rune('a'+i)), total)
		for path, want := range map[string]int{patients: total, mappings: total, doctors: max(total, 1)} {
			var list []struct{ ID int }
			s.as(rahul, http.MethodGet, path, "").decode(t, &list)
			seen := map[int]bool{}
			for _, entry := range list {
				seen[entry.ID] = true
			}
			if len(list) != want || len(seen) != want {
				t.Errorf("%s: %d entries, %d of them different, want %d", path, len(list), len(seen), want)
			}
		}
	}
}

func TestList_OfOnePatientsMappingsIsCompleteToo(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	rahul.Patient("Arjun")
	s.Exec(`INSERT INTO doctors (name, email, phone, specialization, license_number, experience_years, address, consultation_fee, availability, created_by)
		SELECT 'Dr. ' || n, 'd@x.example', '+919876543210', 'ENT', n::text, 1, 'Here', 1, 'Now', $1 FROM generate_series(1, 150) AS n`, rahul.UserID)
	s.Exec(`INSERT INTO mappings (patient_id, doctor_id, created_by) SELECT 1, id, $1 FROM doctors`, rahul.UserID)
	for _, path := range []string{mappings + "1/", patients + "1/mappings/"} {
		var list []struct{ Doctor int }
		s.as(rahul, http.MethodGet, path, "").decode(t, &list)
		seen := map[int]bool{}
		for _, entry := range list {
			seen[entry.Doctor] = true
		}
		if len(list) != 150 || len(seen) != 150 {
			t.Errorf("%s: %d entries, %d of them different", path, len(list), len(seen))
		}
	}
}

// And no other statements.
func TestList_CostsTheStatementsOfItsDocument(t *testing.T) {
	t.Parallel()
	var c counter
	s := serve(t, graphtest.Options{Tracer: &c})
	rahul := s.Account("Rahul", model.RolePatient)
	doctor := rahul.Entry("Dr. Priya")
	crowd(s.Server, rahul, 50, "Here")
	s.Exec(`INSERT INTO mappings (patient_id, doctor_id, created_by) SELECT id, $1, $2 FROM patients`, number(doctor), rahul.UserID)
	// fewest: on a busy machine a loader may not wait long enough for the last
	// of its keys.
	fewest := func(send func()) int64 {
		best := int64(1 << 30)
		for range 15 {
			before := c.Load()
			send()
			best = min(best, c.Load()-before)
		}
		return best
	}
	documents := rest.Documents()
	for path, at := range map[string]string{
		patients: "", doctors: "", mappings: "", patients + "{id}/mappings/": "1", mappings + "{id}/": "1", patients + "{id}/": "1", doctors + "{id}/": "1",
	} {
		document := documents[path]
		graph := fewest(func() { rahul.Must(document, map[string]any{"id": at}) })
		api := fewest(func() { s.as(rahul, http.MethodGet, strings.Replace(path, "{id}", at, 1), "") })
		if api != graph || api > 6 {
			t.Errorf("%s: %d statements, its document %d", path, api, graph)
		}
	}
}

// TestList_LongPagesAreReadInSmallerOnes after the first one, which decides the status.
func TestList_LongPagesAreReadInSmallerOnes(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{Answers: &graphtest.Answers{One: 1 << 20, Account: 16 << 20, All: 16 << 20}})
	rahul := s.Account("Rahul", model.RolePatient)
	crowd(s.Server, rahul, 250, "Here")
	s.Exec(`UPDATE patients SET address = repeat('a', 20000), medical_history = repeat('h', 20000) WHERE id <= 120`)
	got := s.as(rahul, http.MethodGet, patients, "", "Accept-Encoding", "identity")
	wantPatients(t, got.text, 250)
}

// TestList_IsLongerThanAnAnswerMayBe: each page counts, and the whole list does not. A page
// that is too long is refused.
func TestList_IsLongerThanAnAnswerMayBe(t *testing.T) {
	t.Parallel()
	const page = 2 << 20
	s := serve(t, graphtest.Options{Answers: &graphtest.Answers{One: page + 1<<20, Account: 5 * page, All: 5 * page}})
	rahul := s.Account("Rahul", model.RolePatient)
	crowd(s.Server, rahul, 400, "Here")
	s.Exec(`UPDATE patients SET address = repeat('a', 20000)`)
	got := s.as(rahul, http.MethodGet, patients, "", "Accept-Encoding", "identity")
	if got.status != http.StatusOK || len(got.text) < 4*page*9/10 || !strings.HasSuffix(got.text, "]") {
		t.Errorf("%d with %d bytes", got.status, len(got.text))
	}
	s.Exec(`UPDATE patients SET medical_history = repeat('h', 20000)`)
	got = s.as(rahul, http.MethodGet, patients, "")
	if got.status != http.StatusRequestEntityTooLarge || !strings.Contains(got.text, "--max-answer ") {
		t.Errorf("%d %.300s", got.status, got.text)
	}
}
