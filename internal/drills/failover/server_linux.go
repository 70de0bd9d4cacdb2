package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/caregraph/caregraph/internal/drills/process"
)

// server is the server under test, as its clients see it.
type server struct {
	*process.Server

	metrics string // the address of the metrics
	client  *http.Client
	token   string
}

// startServer starts the binary, and returns when it is ready.
func startServer(ctx context.Context, binary, database, dir string, log *os.File) (*server, error) {
	metrics, err := process.FreeAddr(ctx)
	if err != nil {
		return nil, err
	}
	running, err := process.Start(ctx, binary, database, dir, log, "--metrics-addr", metrics, "--log-format", "json")
	if err != nil {
		return nil, err
	}
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: writers}}
	return &server{Server: running, metrics: "http://" + metrics, client: client}, nil
}

func (s *server) get(ctx context.Context, url string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return "", err
	}
	response, err := s.client.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", url, response.Status)
	}
	return string(text), err
}

// counter returns a counter of /metrics as an operator sees it.
func (s *server) counter(ctx context.Context, name string) (n int, err error) {
	text, err := s.get(ctx, s.metrics+"/metrics")
	if err != nil {
		return 0, err
	}
	_, after, found := strings.Cut(text, "\n"+name+" ")
	if !found {
		return 0, fmt.Errorf("/metrics has no %s", name)
	}
	_, err = fmt.Sscan(after, &n)
	return n, err
}

// reply is an answer of GraphQL.
type reply struct {
	id     string // of the request
	status int    // 0: the connection broke
	Data   struct {
		Register struct{ Tokens struct{ Access string } }
		// CreatePatient is nil if the request failed.
		CreatePatient *struct{ Patient *struct{ ID string } }
		Patients      struct {
			Nodes    []struct{ Name string }
			PageInfo struct {
				HasNextPage bool
				EndCursor   string
			}
		}
	}
	Errors []struct {
		Message    string
		Extensions struct{ Code string }
	}
}

func (s *server) ask(ctx context.Context, document string, variables map[string]any) (got reply, err error) {
	var body bytes.Buffer
	// Texts and maps of texts always have a JSON form.
	_ = json.NewEncoder(&body).Encode(map[string]any{"query": document, "variables": variables})
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Base+"/graphql", &body)
	if err != nil {
		return got, err
	}
	request.Header.Set("Content-Type", "application/json")
	if s.token != "" {
		request.Header.Set("Authorization", "Bearer "+s.token)
	}
	response, err := s.client.Do(request)
	if err != nil {
		return got, err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return got, err
	}
	got.id, got.status = response.Header.Get("X-Request-Id"), response.StatusCode
	if err := json.Unmarshal(text, &got); err != nil {
		return got, fmt.Errorf("the answer is no JSON: %w", err)
	}
	return got, nil
}

// register makes the account of the writers.
func (s *server) register(ctx context.Context) error {
	got, err := s.ask(ctx, `mutation($i: RegisterInput!) { register(input: $i) { tokens { access } } }`, map[string]any{"i": map[string]any{
		"username": "writer", "email": "writer@clinic.example", "password": "Secure@1234", "role": "PATIENT",
	}})
	if s.token = got.Data.Register.Tokens.Access; err == nil && s.token == "" {
		err = fmt.Errorf("register: %v", got.Errors)
	}
	return err
}

// names returns the names of all patients.
func (s *server) names(ctx context.Context) (map[string]bool, error) {
	all := map[string]bool{}
	for after, more := any(nil), true; more; {
		got, err := s.ask(ctx, `query($after: String) { patients(first: 100, after: $after) { nodes { name } pageInfo { hasNextPage endCursor } } }`, map[string]any{"after": after})
		if err == nil && len(got.Errors) > 0 {
			err = fmt.Errorf("read the patients: %v", got.Errors)
		}
		if err != nil {
			return nil, err
		}
		for _, patient := range got.Data.Patients.Nodes {
			all[patient.Name] = true
		}
		after, more = got.Data.Patients.PageInfo.EndCursor, got.Data.Patients.PageInfo.HasNextPage
	}
	return all, nil
}

// explained returns the ids of the requests whose line in the log has the cause of an
// outage.
func explained(log io.ReadSeeker) (map[string]bool, error) {
	if _, err := log.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(log)
	if err != nil {
		return nil, err
	}
	ids := map[string]bool{}
	for line := range bytes.Lines(text) {
		var entry struct {
			ID       string `json:"request_id"`
			Database struct{ Cause string }
		}
		if json.Unmarshal(line, &entry) == nil && entry.Database.Cause != "" {
			ids[entry.ID] = true
		}
	}
	return ids, nil
}
