package rest_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/jackc/pgx/v5"
	"github.com/vektah/gqlparser/v2/gqlerror"

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

func TestList_EndsWithAClientThatGoesAway(t *testing.T) {
	t.Parallel()
	var c counter
	ended := make(chan int64, 1)
	s := watch(t, &c, func(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor, next func(http.ResponseWriter, graphql.GraphExecutor)) {
		before := c.Load()
		next(w, exec)
		if r.Method == http.MethodGet {
			ended <- c.Load() - before
		}
	})
	rahul := s.Account("Rahul", model.RolePatient)
	crowd(s.Server, rahul, 10_000, strings.Repeat("long address ", 300)) // about 40 MB: more than the buffers of the system
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+patients, http.NoBody)
	testutil.Must(t, err)
	request.Header.Set("Authorization", "Bearer "+rahul.Token)
	request.Header.Set("Accept-Encoding", "identity")
	response, err := http.DefaultClient.Do(request)
	testutil.Must(t, err)
	defer func() { _ = response.Body.Close() }()
	if _, err := bufio.NewReader(response.Body).ReadString('}'); err != nil {
		t.Fatal(err)
	}
	leave()
	if n := <-ended; n >= 100 {
		t.Errorf("%d statements for a client that had left", n)
	}
}

func TestList_EndsWhenWritingFails(t *testing.T) {
	t.Parallel()
	for _, encoding := range []string{"identity", "gzip"} {
		var c counter
		ended := make(chan int64, 1)
		s := watch(t, &c, func(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor, next func(http.ResponseWriter, graphql.GraphExecutor)) {
			before := c.Load()
			if r.URL.Path == patients {
				next(&meter{ResponseWriter: w, statements: &c, broken: 2}, exec)
				ended <- c.Load() - before
				return
			}
			next(w, exec)
		})
		rahul := s.Account("Rahul", model.RolePatient)
		crowd(s.Server, rahul, 3_000, "Here")
		_, _, _ = s.get(rahul, patients, "Accept-Encoding", encoding)
		if n := <-ended; n >= 30 {
			t.Errorf("%s: %d statements", encoding, n)
		}
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

// failing is an executor whose pages fail from the third on.
type failing struct {
	graphql.GraphExecutor
	pages *int
	fault func(context.Context) graphql.ResponseHandler
}

func (f failing) DispatchOperation(ctx context.Context, op *graphql.OperationContext) (graphql.ResponseHandler, context.Context) {
	if op.Operation.Name == "Patients" {
		if *f.pages++; *f.pages >= 3 {
			return f.fault(ctx), ctx
		}
	}
	return f.GraphExecutor.DispatchOperation(ctx, op)
}

// The status was sent already: half a list must not look like a complete one.
func TestList_AFaultInTheMiddleBreaksTheConnection(t *testing.T) {
	t.Parallel()
	for why, fault := range map[string]func(context.Context) graphql.ResponseHandler{
		"an error": func(context.Context) graphql.ResponseHandler {
			err := gqlerror.Errorf("broken")
			err.Extensions = map[string]any{"code": "INTERNAL"}
			return graphql.OneShot(&graphql.Response{Errors: gqlerror.List{err}})
		},
		"an entry that is too long": func(context.Context) graphql.ResponseHandler {
			err := gqlerror.Errorf("too long")
			err.Extensions = map[string]any{"code": "LIMIT_EXCEEDED"}
			return graphql.OneShot(&graphql.Response{Errors: gqlerror.List{err}})
		},
		"the time is up": func(context.Context) graphql.ResponseHandler {
			return func(context.Context) *graphql.Response { return nil }
		},
		"data that is none": func(context.Context) graphql.ResponseHandler {
			return graphql.OneShot(&graphql.Response{Data: json.RawMessage(`{"patients":7}`)})
		},
	} {
		for _, encoding := range []string{"identity", "gzip"} {
			s := watch(t, nil, func(w http.ResponseWriter, _ *http.Request, exec graphql.GraphExecutor, next func(http.ResponseWriter, graphql.GraphExecutor)) {
				next(w, failing{exec, new(int), fault})
			})
			rahul := s.Account("Rahul", model.RolePatient)
			crowd(s.Server, rahul, 1_000, strings.Repeat("address ", 50))
			_, body, err := s.get(rahul, patients, "Accept-Encoding", encoding)
			if err == nil || json.Valid([]byte(body)) {
				t.Errorf("%s, %s: %d bytes came as if they were all", why, encoding, len(body))
			}
			if encoding == "gzip" && err == nil {
				if zip, err := gzip.NewReader(strings.NewReader(body)); err == nil {
					if _, err := io.ReadAll(zip); err == nil {
						t.Errorf("%s: it is whole", why)
					}
				}
			}
		}
	}
}

// watchedHeader is the header of a request that pagesOf watches.
const watchedHeader = "Test-Watched"

// pagesOf returns a server that calls before for each try to read a page of patients, for
// a request with the header.
func pagesOf(t *testing.T, before func(try int)) server {
	t.Helper()
	return watch(t, nil, func(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor, next func(http.ResponseWriter, graphql.GraphExecutor)) {
		if r.Header.Get(watchedHeader) != "" {
			exec = hooked{exec, new(int), before}
		}
		next(w, exec)
	})
}

type hooked struct {
	graphql.GraphExecutor

	tries  *int
	before func(try int)
}

func (h hooked) DispatchOperation(ctx context.Context, op *graphql.OperationContext) (graphql.ResponseHandler, context.Context) {
	*h.tries++
	h.before(*h.tries)
	return h.GraphExecutor.DispatchOperation(ctx, op)
}

// TestList_LaterPagesWaitForTheirTurn: other requests of the account fill its queue after
// the second page. The third one is refused, waits, and the list is whole.
func TestList_LaterPagesWaitForTheirTurn(t *testing.T) {
	t.Parallel()
	var s server
	var rahul *graphtest.Client
	var others sync.WaitGroup
	var tries int
	lock := func(string) {}
	s = pagesOf(t, func(try int) {
		switch tries = try; try {
		case 3:
			lock("BEGIN; LOCK TABLE patients IN ACCESS EXCLUSIVE MODE")
			full := make(chan struct{})
			isFull := sync.OnceFunc(func() { close(full) })
			for range 64 {
				others.Go(func() {
					if s.as(rahul, http.MethodGet, patients, "").status == http.StatusTooManyRequests {
						isFull()
					}
				})
			}
			<-full
		case 4:
			lock("ROLLBACK")
		}
	})
	rahul = s.Account("Rahul", model.RolePatient)
	crowd(s.Server, rahul, 1_000, "Here")
	db, err := pgx.Connect(t.Context(), s.DatabaseURL)
	testutil.Must(t, err)
	defer func() { _ = db.Close(context.WithoutCancel(t.Context())) }()
	lock = func(statement string) {
		if _, err := db.Exec(t.Context(), statement); err != nil {
			t.Error(err)
		}
	}
	_, body, err := s.get(rahul, patients, watchedHeader, "yes")
	testutil.Must(t, err)
	others.Wait()
	wantPatients(t, body, 1_000)
	if tries <= 10 {
		t.Errorf("no page was refused: %d tries", tries)
	}
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

// TestList_EndsWithAClientThatLeavesWhileItWaits for its turn.
func TestList_EndsWithAClientThatLeavesWhileItWaits(t *testing.T) {
	t.Parallel()
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	ended := make(chan struct{})
	s := watch(t, nil, func(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor, next func(http.ResponseWriter, graphql.GraphExecutor)) {
		if r.URL.Path != patients {
			next(w, exec)
			return
		}
		defer close(ended)
		next(w, failing{exec, new(int), func(context.Context) graphql.ResponseHandler {
			leave()
			err := gqlerror.Errorf("too much at once")
			err.Extensions = map[string]any{"code": "RATE_LIMITED", "retryAfter": 3600}
			return graphql.OneShot(&graphql.Response{Errors: gqlerror.List{err}})
		}})
	})
	rahul := s.Account("Rahul", model.RolePatient)
	crowd(s.Server, rahul, 1_000, "Here")
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+patients, http.NoBody)
	testutil.Must(t, err)
	request.Header.Set("Authorization", "Bearer "+rahul.Token)
	response, err := http.DefaultClient.Do(request)
	if err == nil {
		_ = response.Body.Close()
	}
	<-ended
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

func TestAnswers_AreZippedWhenTheyAreLong(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	rahul.Patient("Arjun")
	unzip := func(body string) string {
		zip, err := gzip.NewReader(strings.NewReader(body))
		testutil.Must(t, err)
		text, err := io.ReadAll(zip)
		testutil.Must(t, err)
		return string(text)
	}
	check := func(path, accept string, zipped bool) {
		t.Helper()
		_, plain, err := s.get(rahul, path)
		testutil.Must(t, err)
		response, body, err := s.get(rahul, path, "Accept-Encoding", accept)
		testutil.Must(t, err)
		if is := response.Header.Get("Content-Encoding") == "gzip"; is != zipped {
			t.Errorf("%s, %s: zipped is %t", path, accept, is)
		} else if is {
			if len(body) > len(plain)/2 {
				t.Errorf("%s: %d bytes of %d", path, len(body), len(plain))
			}
			body = unzip(body)
		}
		if body != plain {
			t.Errorf("%s, %s: %s", path, accept, body)
		}
	}
	check(patients, "gzip", false) // it is short
	for _, size := range []int{10, 250} {
		crowd(s.Server, rahul, size, "Here")
		for accept, zipped := range map[string]bool{
			"gzip": true, "gzip, deflate, br": true, "br;q=1.0, gzip;q=0.8, *;q=0.1": true, "*": true, "x-gzip": true, "GZIP": true,
			"": false, "identity": false, "br": false, "gzip;q=0": false, "*, gzip;q=0": false, "*;q=0": false, ";;": false,
		} {
			check(patients, accept, zipped)
		}
	}
	// A strong tag identifies exactly these bytes.
	s.Exec(`UPDATE patients SET medical_history = repeat('x', 5000)`)
	check(patients+"1/", "gzip", false)
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
