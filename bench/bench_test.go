package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestPercentile_IsTheNearestRank(t *testing.T) {
	t.Parallel()
	var times []time.Duration
	for i := range 200 {
		times = append(times, time.Duration(i+1))
	}
	for p, want := range map[int]time.Duration{0: 1, 50: 100, 99: 198, 100: 200} {
		if got := percentile(times, p); got != want {
			t.Errorf("p%d = %d, want %d", p, got, want)
		}
	}
	if got := percentile(nil, 99); got != 0 {
		t.Errorf("p99 of nothing = %d", got)
	}
}

func TestSummarize_TakesTheMedianOfEachFigure(t *testing.T) {
	t.Parallel()
	r := result{Runs: []figures{{ServerCPU: 1, PostgresCPU: 9}, {ServerCPU: 5, PostgresCPU: 1}, {ServerCPU: 3, PostgresCPU: 4}}}
	r.summarize()
	if r.Median.ServerCPU != 3 || r.Median.PostgresCPU != 4 || r.CPU != 7 {
		t.Errorf("got %+v", r)
	}
	if got := median(r.Runs[:2], figures.CPU); got != 8 {
		t.Errorf("the median of 10 and 6 is %v", got)
	}
}

func TestMarkdown_AlignsNumbersToTheRight(t *testing.T) {
	t.Parallel()
	got := markdown([][]string{{"", "what", "ms"}, {"W1", "é", "1.5"}, {"W2", "longer", "10.25"}})
	want := "" +
		"|     | what   |    ms |\n" +
		"| --- | ------ | ----: |\n" +
		"| W1  | é      |   1.5 |\n" +
		"| W2  | longer | 10.25 |\n"
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// message returns one of the wire protocol of PostgreSQL; kind 0 is the start-up.
func message(kind byte, body string) []byte {
	var m []byte
	if kind != 0 {
		m = append(m, kind)
	}
	return append(append(m, 0, 0, 0, byte(4+len(body))), body...)
}

func TestProxy_CountsStatementsAndRoundTrips(t *testing.T) {
	t.Parallel()
	sent := slices.Concat(
		message(0, "EQS start-up"), message('p', "secret"),
		message('Q', "BEGIN"),
		message('P', "EEE"), message('B', "SSS"), message('D', ""), message('E', "one"),
		message('B', ""), message('E', "two"), message('S', ""),
	)
	var arrived bytes.Buffer
	var p proxy
	if err := p.forward(bytes.NewReader(sent), &arrived); !errors.Is(err, io.EOF) {
		t.Errorf("forward = %v", err)
	}
	if !bytes.Equal(arrived.Bytes(), sent) {
		t.Error("what arrived is not what was sent")
	}
	if s, r := p.statements.Load(), p.roundTrips.Load(); s != 3 || r != 2 {
		t.Errorf("%d statements and %d round trips, want 3 and 2", s, r)
	}
}

func TestConn_ReadsBothKindsOfBodiesOneAfterTheOther(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("0123456789", 20_000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/short":
			_, _ = io.WriteString(w, "short")
		case "/long":
			_, _ = io.WriteString(w, long) // is sent in chunks
		case "/echo":
			_, _ = io.Copy(w, r.Body)
		default:
			http.Error(w, "no", http.StatusTeapot)
		}
	}))
	defer server.Close()
	link, err := dial(t.Context(), server.Listener.Addr().String())
	must(t, err)
	defer link.close()
	for path, want := range map[string]string{"/short": "short", "/long": long} {
		for range 2 {
			body, err := link.do(httpRequest("GET", path, nil))
			must(t, err)
			if string(body) != want {
				t.Errorf("%s: %d bytes, want %d", path, len(body), len(want))
			}
		}
	}
	body, err := link.do(httpRequest("POST", "/echo", []byte("body"), "Authorization: Bearer t"))
	must(t, err)
	if string(body) != "body" {
		t.Errorf("echo = %q", body)
	}
	if _, err := link.do(httpRequest("GET", "/other", nil)); err == nil || !strings.Contains(err.Error(), "418") {
		t.Errorf("err = %v, want status 418", err)
	}
}

func TestRefuseErrors_RefusesErrorsOfEitherKind(t *testing.T) {
	t.Parallel()
	for body, good := range map[string]bool{
		`{"data":{"a":1}}`: true,
		`{"data":{"createPatient":{"userErrors":[]}}}`:                   true,
		`{"errors":[{"message":"no"}],"data":null}`:                      false,
		`{"data":{"createPatient":{"userErrors":[{"code":"INVALID"}]}}}`: false,
	} {
		if err := refuseErrors([]byte(body)); (err == nil) != good {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestAppendText_IsJSON(t *testing.T) {
	t.Parallel()
	for _, want := range []string{"", "plain", "अर्जुन", "a\"b\\c\nd\te\x01\x1f\u2028</x>", `\`} {
		var got string
		must(t, json.Unmarshal(appendText(nil, text(want)), &got))
		if got != want {
			t.Errorf("%q became %q", want, got)
		}
	}
	if got := string(appendText(nil, nil)); got != "null" {
		t.Errorf("NULL became %s", got)
	}
}

func TestAppendTime_HasSixDigitsAndIsUTC(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 31, 15, 0, 7, 1_020_000, time.FixedZone("IST", 5*3600+1800))
	if got := string(appendTime(nil, at)); got != `"2026-01-31T09:30:07.001020Z"` {
		t.Errorf("got %s", got)
	}
}

func TestFilledIn_PutsNumbersInPlaceOfWords(t *testing.T) {
	t.Parallel()
	c := call{patient: 4, doctor: 5, owner: 6, name: "Meera"}
	got := filledIn(map[string]any{
		"id": "$PATIENT", "input": map[string]any{"name": "$NAME", "ids": []any{"$OWNER", "$DOCTOR", "$", 1.0}},
	}, c)
	want := map[string]any{
		"id": int64(4), "input": map[string]any{"name": "Meera", "ids": []any{int64(6), int64(5), "$", 1.0}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestLeaves_CountsValues(t *testing.T) {
	t.Parallel()
	var value any
	must(t, json.Unmarshal([]byte(`{"a": {"b": null, "c": [{"d": 1}, {"d": "2"}]}, "e": []}`), &value))
	if got := leaves(value); got != 3 {
		t.Errorf("%d values, want 3", got)
	}
}

func TestParse_RefusesWhatThereIsNot(t *testing.T) {
	t.Parallel()
	for _, args := range []string{"--only W9", "--repeats 0", "--seconds -1", "more"} {
		if _, err := parse(strings.Fields(args), io.Discard); err == nil {
			t.Errorf("%s was taken", args)
		}
	}
	o, err := parse([]string{"--only", "W1,W3", "--seconds", "0.5"}, io.Discard)
	must(t, err)
	if !o.wants(workload{name: "W3"}) || o.wants(workload{name: "W2"}) || o.counted != time.Second/2 {
		t.Errorf("got %+v", o)
	}
}

func TestLoad_CountsAnswersAndRefusesErrors(t *testing.T) {
	t.Parallel()
	for answer, good := range map[string]bool{`{"data":{}}`: true, `{"errors":[{}]}`: false} {
		ctx, cancel := context.WithCancel(t.Context())
		var asked atomic.Int64
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if asked.Add(1) == 5 {
				cancel()
			}
			_, _ = io.WriteString(w, answer)
		}))
		var c client
		var counting atomic.Bool
		counting.Store(true)
		err := c.load(ctx, server.Listener.Addr().String(), always(httpRequest("GET", "/", nil)), 0, &counting)
		if (err == nil) != good || good && len(c.times) != 5 {
			t.Errorf("%s: %d requests, %v", answer, len(c.times), err)
		}
		cancel()
		server.Close()
	}
}
