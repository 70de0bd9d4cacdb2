package streams_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/internal/streams"
	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
)

// eventReader reads server-sent events.
type eventReader struct {
	t        *testing.T
	response *http.Response
	lines    *bufio.Scanner
}

// listen sends an operation as a POST request that accepts events.
func listen(t *testing.T, of *graphtest.Client, query string, variables map[string]any) *eventReader {
	t.Helper()
	return listenOver(t, http.DefaultClient, of, query, variables)
}

func listenOver(t *testing.T, over *http.Client, of *graphtest.Client, query string, variables map[string]any) *eventReader {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	testutil.Must(t, err)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, of.Server.URL+"/graphql", bytes.NewReader(body))
	testutil.Must(t, err)
	request.Header.Set("Content-Type", "application/json")
	return listenTo(t, over, of, request)
}

func listenTo(t *testing.T, over *http.Client, of *graphtest.Client, request *http.Request) *eventReader {
	t.Helper()
	request.Header.Set("Accept", "text/event-stream")
	if of.Token != "" {
		request.Header.Set("Authorization", "Bearer "+of.Token)
	}
	response, err := over.Do(request)
	testutil.Must(t, err)
	t.Cleanup(func() { _ = response.Body.Close() })
	return &eventReader{t, response, bufio.NewScanner(response.Body)}
}

// want reads one event as "name data", and skips comments. "end" is the end of the stream.
func (e *eventReader) want(event string) {
	e.t.Helper()
	if got := e.next(); got != event {
		e.t.Errorf("got %s\nwant %s", got, event)
	}
}

func (e *eventReader) next() string {
	var name, data string
	for e.lines.Scan() {
		field, value, _ := strings.Cut(e.lines.Text(), ":")
		switch value = strings.TrimPrefix(value, " "); {
		case field == "event":
			name = value
		case field == "data":
			data = value
		case e.lines.Text() == "" && name != "":
			return strings.TrimSpace(name + " " + data)
		}
	}
	return "end"
}

func TestEvents_LiveAndChanged(t *testing.T) {
	t.Parallel()
	clinic := graphtest.New(t, graphtest.Options{}).NewClinic()
	live := listen(t, clinic.Rahul, livePatient, map[string]any{"id": clinic.Patient})
	if kind := live.response.Header.Get("Content-Type"); kind != "text/event-stream; charset=utf-8" {
		t.Errorf("Content-Type: %s", kind)
	}
	live.want(nameOf(graphtest.PatientName)[:5] + nameOf(graphtest.PatientName)[7:])
	query := url.Values{"query": {bell}}.Encode()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, clinic.URL+"/graphql?"+query, http.NoBody)
	testutil.Must(t, err)
	changed := listenTo(t, http.DefaultClient, clinic.Rahul, request)
	changed.want(`next {"data":{"changed":true}}`)
	rename(clinic, "Arjun Rao")
	live.want(`next {"data":{"live":{"patient":{"name":"Arjun Rao"}}}}`)
	changed.want(`next {"data":{"changed":true}}`)
}

func TestEvents_AnswerQueriesToo(t *testing.T) {
	t.Parallel()
	clinic := graphtest.New(t, graphtest.Options{}).NewClinic()
	e := listen(t, clinic.Rahul, patientName, map[string]any{"id": clinic.Patient})
	e.want(`next {"data":{"patient":{"name":"Arjun Sharma"}}}`)
	e.want(`complete`)
	e.want(`end`)
}

// TestEvents_ErrorsOfTheRequestAreJSON: before the stream begins.
func TestEvents_ErrorsOfTheRequestAreJSON(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{ChangeStreams: func(o *streams.Options) { o.MaxStreams = 1 }})
	rahul := s.Account("Rahul", model.RolePatient)
	ended := rahul.NewSession()
	ended.Must(`mutation { logout { userErrors { code } } }`, nil)
	for name, tc := range map[string]struct {
		client   *graphtest.Client
		document string
		status   int
		want     string
	}{
		"no token":       {s.Nobody(), bell, http.StatusUnauthorized, `"reason":"TOKEN_MISSING"`},
		"ended session":  {ended, bell, http.StatusUnauthorized, `"reason":"SESSION_ENDED"`},
		"not valid":      {rahul, `subscription { nonsense }`, http.StatusBadRequest, `"code":"GRAPHQL_VALIDATION_FAILED"`},
		"introspection":  {rahul, `subscription { live { __schema { queryType { name } } } }`, http.StatusBadRequest, `__schema`},
		"no valid query": {rahul, `{ nonsense }`, http.StatusBadRequest, `"code":"GRAPHQL_VALIDATION_FAILED"`},
	} {
		response := listen(t, tc.client, tc.document, nil).response
		body, err := io.ReadAll(response.Body)
		testutil.Must(t, err)
		if response.StatusCode != tc.status || !strings.HasPrefix(response.Header.Get("Content-Type"), "application/") || !strings.Contains(string(body), tc.want) {
			t.Errorf("%s: %d %s", name, response.StatusCode, body)
		}
	}
	first := listen(t, rahul, bell, nil)
	first.want(`next {"data":{"changed":true}}`)
	second := listen(t, rahul, bell, nil).response
	if second.StatusCode != http.StatusServiceUnavailable || second.Header.Get("Retry-After") == "" {
		t.Errorf("a second stream: %d %v", second.StatusCode, second.Header)
	}
}

func TestEvents_EndWithTheirSession(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{Listen: true})
	rahul := s.Account("Rahul", model.RolePatient)
	e := listen(t, rahul, bell, nil)
	e.want(`next {"data":{"changed":true}}`)
	rahul.Must(`mutation { logout { userErrors { code } } }`, nil)
	if event := e.next(); !strings.HasPrefix(event, "next ") || !strings.Contains(event, `"reason":"SESSION_ENDED"`) {
		t.Error(event)
	}
	e.want(`complete`)
	e.want(`end`)
	until(t, func() bool { return s.Streams.Open() == 0 && s.Streams.Subscriptions() == 0 })
}

func TestEvents_EndWithTheirToken(t *testing.T) {
	t.Parallel()
	clock := standing()
	s := graphtest.New(t, graphtest.Options{Now: clock.now})
	rahul := s.Account("Rahul", model.RolePatient)
	clock.set(24*time.Hour - 50*time.Millisecond)
	e := listen(t, rahul, bell, nil)
	e.want(`next {"data":{"changed":true}}`)
	clock.set(24 * time.Hour)
	if event := e.next(); !strings.Contains(event, `"reason":"TOKEN_EXPIRED"`) {
		t.Error(event)
	}
	e.want(`complete`)
}

// TestEvents_AClientThatLeftIsNoticed: when the server writes.
func TestEvents_AClientThatLeftIsNoticed(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	s.Streams.SetPing(time.Millisecond)
	e := listen(t, rahul, bell, nil)
	e.want(`next {"data":{"changed":true}}`)
	testutil.Must(t, e.response.Body.Close())
	until(t, func() bool { return s.Streams.Open() == 0 && s.Streams.Subscriptions() == 0 })
}
