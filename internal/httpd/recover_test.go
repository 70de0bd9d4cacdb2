package httpd

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func TestRecover_AnswersFaultAndHidesTheValue(t *testing.T) {
	t.Parallel()
	var j journal
	h := Handler(route("/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "3")
		w.Header().Set("Etag", `"7"`)
		w.Header().Set("Cache-Control", "public")
		panic(&url.Error{Op: "store", URL: "Asha's allergy"})
	}), Options{Log: j.logger(), CORSOrigins: []string{"https://a.example"}, TrustedProxies: thePeer()})
	w := ask(t, h, http.MethodGet, "/", requestIDHeader, "r1", "Origin", "https://a.example")

	if w.Code != http.StatusInternalServerError || w.Body.String() != `{"detail":"Internal server error.","request_id":"r1"}` {
		t.Errorf("answered %d %s", w.Code, w.Body)
	}
	if !json.Valid(w.Body.Bytes()) {
		t.Error("the body is no JSON")
	}
	for name, want := range map[string]string{
		"Content-Type": "application/json", "Content-Length": "", "Etag": "", "Cache-Control": "no-store",
		"X-Content-Type-Options": "nosniff", "Access-Control-Allow-Origin": "https://a.example", requestIDHeader: "r1",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	lines := j.lines(t, "panic")
	if len(lines) != 1 || lines[0]["level"] != "ERROR" || lines[0]["request_id"] != "r1" || lines[0]["type"] != "*url.Error" {
		t.Errorf("panic lines %v", lines)
	}
	if stack, _ := lines[0]["stack"].(string); !strings.Contains(stack, "recover_test.go") {
		t.Errorf("the stack does not lead to the fault: %s", stack)
	}
	if got := j.lines(t, "request"); len(got) != 1 || got[0]["status"] != 500. || got[0]["level"] != "ERROR" {
		t.Errorf("access lines %v", got)
	}
	if strings.Contains(j.String()+w.Body.String(), "allergy") {
		t.Error("the panic's text came out")
	}
}

// Over a real connection: half a response must not look like a complete one.
func TestRecover_BreaksAnAnswerThatHadBegun(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]any{"a panic": "allergy", "an abort": http.ErrAbortHandler} {
		var j journal
		server := httptest.NewUnstartedServer(Handler(route("GET /{id}", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusEarlyHints) // not the response yet
			_, _ = io.WriteString(w, "half")
			w.(http.Flusher).Flush()
			panic(value)
		}), Options{Log: j.logger()}))
		server.Config.ErrorLog = newServer(t.Context(), nil, Options{Log: j.logger()}).ErrorLog
		server.Start()
		response := fetch(t, server.Client(), server.URL+"/1")
		body, err := io.ReadAll(response.Body)
		if response.StatusCode != http.StatusOK || string(body) != "half" || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: status %d, body %q, error %v", name, response.StatusCode, body, err)
		}
		_ = response.Body.Close()
		server.Close() // waits for the log line

		if got := j.lines(t, "request"); len(got) != 1 || got[0]["aborted"] != true || got[0]["route"] != "GET /{id}" || got[0]["status"] != 200. || got[0]["bytes"] != 4. {
			t.Errorf("%s: access lines %v", name, got)
		}
		if want := map[string]int{"a panic": 1, "an abort": 0}[name]; len(j.lines(t, "panic")) != want {
			t.Errorf("%s: %d panic lines, want %d", name, len(j.lines(t, "panic")), want)
		}
		if strings.Contains(j.String(), "allergy") {
			t.Errorf("%s: the text came out", name)
		}
	}
}

func TestRecover_AbortBeforeTheAnswerPassesThrough(t *testing.T) {
	t.Parallel()
	var j journal
	h := Handler(route("/", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), Options{Log: j.logger()})
	defer func() {
		if err, _ := recover().(error); !errors.Is(err, http.ErrAbortHandler) {
			t.Errorf("recovered %v", err)
		}
		if got := j.lines(t, "request"); len(got) != 1 || got[0]["aborted"] != true || got[0]["status"] != 0. {
			t.Errorf("access lines %v", got)
		}
	}()
	ask(t, h, http.MethodGet, "/")
}
