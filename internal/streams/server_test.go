package streams_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/internal/httpd"
	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
)

// logbook collects the lines of a log.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logbook) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

// line returns the line with a message, or nil.
func (l *logbook) line(t *testing.T, message string) map[string]any {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for text := range strings.Lines(l.text.String()) {
		var line map[string]any
		testutil.Must(t, json.Unmarshal([]byte(text), &line))
		if line["msg"] == message {
			return line
		}
	}
	return nil
}

// serve puts the real HTTP server around the graph. A request may take a moment only.
func serve(t *testing.T, s *graphtest.Server, log *slog.Logger) *graphtest.Server {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	testutil.Must(t, err)
	mux := http.NewServeMux()
	mux.Handle("/graphql", s.Handler)
	options := httpd.Options{Log: log, MaxBody: 1 << 20, RequestTimeout: time.Second / 2, ShutdownTimeout: time.Second}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = httpd.Serve(ctx, listener, httpd.Handler(mux, options), options)
	}()
	t.Cleanup(func() { stop(); <-done })
	around := *s
	around.URL = "http://" + listener.Addr().String()
	return &around
}

// TestStreams_OutliveTheirRequest: under the HTTP server with its time limits. The log has a
// second line for each, with nothing of the client.
func TestStreams_OutliveTheirRequest(t *testing.T) {
	t.Parallel()
	var book logbook
	log := slog.New(slog.NewJSONHandler(&book, nil))
	s := graphtest.New(t, graphtest.Options{Log: log})
	around := serve(t, s, log)
	rahul := s.Account("Rahul", model.RolePatient)
	socket := connect(t, rahul.At(around))
	socket.subscribe("a", bell, nil)
	events := listen(t, rahul.At(around), bell, nil)
	http2 := &http.Transport{Protocols: new(http.Protocols)}
	http2.Protocols.SetUnencryptedHTTP2(true)
	shared := listenOver(t, &http.Client{Transport: http2}, rahul.At(around), bell, nil)
	const ring = `{"data":{"changed":true}}`
	for _, patient := range []string{"Arjun", "Arjuna"} { // the second ring comes a second later
		socket.want("next a " + ring)
		events.want("next " + ring)
		shared.want("next " + ring)
		rahul.Patient(patient)
		s.Exec(`SELECT caregraph_changed('P', max(id)) FROM patients`)
	}
	if id := events.response.Header.Get("X-Request-Id"); id == "" {
		t.Error("the head of the events has no request id")
	}
	testutil.Must(t, socket.conn.CloseNow())
	until(t, func() bool { return book.line(t, "socket") != nil })
	rahul.Must(`mutation { logout { userErrors { code } } }`, nil)
	until(t, func() bool { return book.line(t, "events") != nil && s.Streams.Open() == 0 })
	shared.next() // why it ends
	shared.want("complete")
	shared.want("end")
	for message, code := range map[string]float64{"socket": 1006, "events": 4401} {
		line := book.line(t, message)
		if line["code"] != code || line["answers"].(float64) < 2 || len(line["request_id"].(string)) != 26 {
			t.Errorf("%s: %v", message, line)
		}
	}
	if line := book.line(t, "request"); line["status"] != 101.0 {
		t.Errorf("%v", line)
	}
	for _, secret := range []string{"127.0.0.1", rahul.Token, "rahul", "Arjun", "changed"} {
		if strings.Contains(book.text.String(), secret) {
			t.Errorf("the log contains %q: %s", secret, book.text.String())
		}
	}
}
