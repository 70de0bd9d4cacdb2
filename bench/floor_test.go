package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/caregraph/caregraph/store/storetest"
)

// filledDataset is a filled database without a server.
func filledDataset(t *testing.T, patients int) *dataset {
	t.Helper()
	w := &dataset{url: storetest.Database(t), size: size{patients: patients, owners: []int{fullPage}}}
	db := connect(t, w.url)
	register := func(name string) (a account) {
		a.name = name
		must(t, db.QueryRow(t.Context(), "INSERT INTO users (username, email, role, password_hash) VALUES ($1, $2, 'PATIENT', '-') RETURNING id",
			name, email(name)).Scan(&a.id))
		return a
	}
	w.owners = []account{register("owner")}
	w.owners[0].patients = fullPage
	w.carer, w.clerk = register("carer"), register("clerk")
	must(t, fill(t.Context(), db, w))
	var err error
	w.owners[0].patientIDs, err = patientsOf(t.Context(), db, w.owners[0].id)
	must(t, err)
	return w
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	db, err := pgx.Connect(t.Context(), url)
	must(t, err)
	t.Cleanup(func() { _ = db.Close(context.WithoutCancel(t.Context())) })
	return db
}

// serveFloor returns a floor in this process.
func serveFloor(t *testing.T, o floorOptions, url string) contender {
	t.Helper()
	f, err := newFloor(t.Context(), o, url)
	must(t, err)
	server := httptest.NewUnstartedServer(f.handler())
	if o.tuned {
		server.Listener = wholeAnswers{server.Listener}
	}
	server.Start()
	t.Cleanup(server.Close)
	return contender{name: o.name(), process: &process{addr: server.Listener.Addr().String()}, request: floorRequest}
}

func TestFloors_AnswerWithTheSameBytes(t *testing.T) {
	t.Parallel()
	w := filledDataset(t, 1000)
	both := []contender{serveFloor(t, floorOptions{}, w.url), serveFloor(t, floorOptions{tuned: true}, w.url)}
	for _, load := range workloads() {
		calls := w.calls(load, w.owners[0], usualPage)
		must(t, sameBytes(t.Context(), both, load, calls))
		body, err := both[1].answer(t.Context(), load, calls[0])
		must(t, err)
		var answer any
		must(t, json.Unmarshal(body, &answer))
		// Each mapping of a patient is there, and so is each patient.
		least := map[string]int{"W1": 5, "W2": 20 * 5, "W3": 50 * 13, "W4": 5, "W5": 51}[load.name]
		if n := leaves(answer); n < least {
			t.Errorf("%s has %d values, at least %d are expected", load.name, n, least)
		}
	}
}

func TestFloor_TunedStatementsNeitherSortNorCache(t *testing.T) {
	t.Parallel()
	w := filledDataset(t, 30_000) // with fewer, PostgreSQL takes these plans anyway
	for _, load := range workloads() {
		if load.writes {
			continue // it has no rows to sort
		}
		p, err := newParts(t.Context(), w.url, load, w.calls(load, w.owners[0], usualPage)[0])
		must(t, err)
		_, err = p.db.Exec(t.Context(), "PREPARE task AS "+p.task.sql)
		must(t, err)
		values := strings.Trim(strings.ReplaceAll(fmt.Sprint(p.arguments), " ", ", "), "[]")
		rows, err := p.db.Query(t.Context(), "EXPLAIN EXECUTE task ("+values+")", pgx.QueryExecModeSimpleProtocol)
		must(t, err)
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		must(t, err)
		plan := strings.Join(lines, "\n")
		for _, node := range []string{"Sort", "Hash Join", "Merge", "Memoize", "Gather"} {
			if strings.Contains(plan, node) {
				t.Errorf("the plan of %s has a %s\n%s", load.name, node, plan)
			}
		}
		must(t, p.close(t.Context()))
	}
}

func TestParts_EncodeTheRowsToTheSameAnswer(t *testing.T) {
	t.Parallel()
	w := filledDataset(t, 1000)
	for _, load := range workloads() {
		p, err := newParts(t.Context(), w.url, load, w.calls(load, w.owners[0], usualPage)[0])
		must(t, err)
		answer := bytes.Clone(p.scratch.buf)
		for range 2 {
			must(t, p.execute(t.Context()))
			must(t, p.roundTrip(t.Context()))
			p.scratch.flatRow = flatRow{}
			must(t, p.encode(t.Context()))
			if !bytes.Equal(p.scratch.buf, answer) {
				t.Errorf("%s: from memory\n%s\nwant\n%s", load.name, p.scratch.buf, answer)
			}
		}
		if want := "/HTTP/" + strconv.Itoa(len(answer)) + " "; !bytes.Contains(p.onlyHTTP().requests[0], []byte(want)) {
			t.Errorf("%s asks %s", load.name, p.onlyHTTP().requests[0])
		}
		must(t, p.close(t.Context()))
	}
}

func TestOnlyHTTP_AnswersWithSoManyBytes(t *testing.T) {
	t.Parallel()
	f := floor{tasks: floorOptions{}.tasks()}
	f.scratch.New = func() any { return newScratch() }
	for _, n := range []int{0, 7, 100_000} {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, fmt.Sprintf("/HTTP/%d", n), strings.NewReader("body"))
		f.handler().ServeHTTP(w, r)
		if w.Code != http.StatusOK || w.Body.Len() != n {
			t.Errorf("%d bytes, status %d, want %d bytes", w.Body.Len(), w.Code, n)
		}
	}
}

// pieces keeps what is sent to a client.
type pieces struct {
	net.Conn
	sent []string
}

func (p *pieces) Write(b []byte) (int, error) {
	p.sent = append(p.sent, string(b))
	return len(b), nil
}

func (p *pieces) Close() error { return nil }

func TestWholeConn_HoldsAnAnswerUntilItsLastByte(t *testing.T) {
	t.Parallel()
	head := func(n int) string { return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", n) }
	tests := map[string]struct {
		writes []string
		after  string // what the client has after all writes
	}{
		"complete":        {[]string{head(2) + "ab"}, head(2) + "ab"},
		"empty":           {[]string{head(0)}, head(0)},
		"last is missing": {[]string{head(5) + "ab", "cd"}, ""},
		"last arrives":    {[]string{head(5) + "ab", "cd", "e"}, head(5) + "abcde"},
		"the next one":    {[]string{head(2) + "a", "b", head(3) + "a"}, head(2) + "ab"},
		"no length":       {[]string{"HTTP/1.1 200 OK\r\n\r\n", "ab"}, "HTTP/1.1 200 OK\r\n\r\nab"},
	}
	for name, test := range tests {
		var p pieces
		c := wholeConn{Conn: &p}
		all := ""
		for _, w := range test.writes {
			n, err := c.Write([]byte(w))
			must(t, err)
			if n != len(w) {
				t.Errorf("%s: wrote %d of %d bytes", name, n, len(w))
			}
			all += w
		}
		if got := strings.Join(p.sent, ""); got != test.after {
			t.Errorf("%s: the client has %q, want %q", name, got, test.after)
		}
		must(t, c.Close())
		if got := strings.Join(p.sent, ""); got != all {
			t.Errorf("%s: after Close the client has %q, want %q", name, got, all)
		}
	}
}

// The lengths around 4096 are those where net/http begins to send in pieces.
func TestWholeAnswers_ArriveOverHTTP(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.Atoi(r.URL.Path[1:])
		must(t, err)
		w.Header().Set("Content-Length", strconv.Itoa(n))
		_, _ = w.Write(bytes.Repeat([]byte("x"), n))
	}))
	server.Listener = wholeAnswers{server.Listener}
	server.Start()
	defer server.Close()
	link, err := dial(t.Context(), server.Listener.Addr().String())
	must(t, err)
	defer link.close()
	lengths := []int{0, 1, 2048, 8192, 100_000}
	for n := 3900; n <= 4100; n++ {
		lengths = append(lengths, n)
	}
	for _, n := range lengths {
		body, err := link.do(httpRequest("GET", "/"+strconv.Itoa(n), nil))
		must(t, err)
		if len(body) != n {
			t.Errorf("%d bytes, want %d", len(body), n)
		}
	}
}

func TestFloors_HaveNamesOfTheirOwn(t *testing.T) {
	t.Parallel()
	var names []string
	for _, o := range floors() {
		names = append(names, o.name())
	}
	if got := strings.Join(names, ", "); got != "floor-0.1, floor, floor-0.1 half, floor half" {
		t.Errorf("got %s", got)
	}
	if err := runFloor(t.Context(), "floor-0.2"); err == nil {
		t.Error("a floor that does not exist ran")
	}
}
