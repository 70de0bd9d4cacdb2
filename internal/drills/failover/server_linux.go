package failover

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/caregraph/caregraph/internal/drills/process"
)

// The two servers: one knows all hosts of the database, the other one asks HAProxy.
const (
	byHosts = iota
	byHAProxy
	numServers
)

// server is a server under test.
type server struct {
	*process.Server

	metrics string // the address of the metrics
	log     string // the file of its log
}

// startServer starts the binary with the database of a file of the configuration.
func startServer(ctx context.Context, binary string, c *cluster, name string) (s server, err error) {
	variables, err := c.environment(name+".env", c.replace)
	if err != nil {
		return s, err
	}
	_, database, _ := strings.Cut(variables[0], "=")
	metrics, err := process.FreeAddr(ctx)
	if err != nil {
		return s, err
	}
	s = server{metrics: "http://" + metrics + "/metrics", log: filepath.Join(c.logs, "server-"+name+".log")}
	log, err := os.Create(s.log)
	if err != nil {
		return s, err
	}
	defer func() { _ = log.Close() }()
	s.Server, err = process.Start(ctx, binary, database, c.dir, log, "--metrics-addr", metrics, "--log-format", "json")
	return s, err
}

// unavailable returns how many answers UNAVAILABLE /metrics counts.
func (s server) unavailable(ctx context.Context) (n int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.metrics, http.NoBody)
	if err != nil {
		return 0, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err
	}
	_, after, found := strings.Cut(string(text), "\ncaregraph_errors_total{code=\"UNAVAILABLE\"} ")
	if !found {
		return 0, errors.New("/metrics does not count UNAVAILABLE")
	}
	_, err = fmt.Sscan(after, &n)
	return n, err
}

// explain adds the ids of the requests whose line in the log has a cause. The server has
// ended.
func (s server) explain(ids map[string]bool) error {
	text, err := os.ReadFile(s.log)
	if err != nil {
		return err
	}
	for line := range bytes.Lines(text) {
		var entry struct {
			ID       string `json:"request_id"`
			Database struct{ Cause string }
			Stopped  string
		}
		if json.Unmarshal(line, &entry) == nil && entry.Database.Cause+entry.Stopped != "" {
			ids[entry.ID] = true
		}
	}
	return nil
}

// client is an account that uses one server.
type client struct {
	server      int
	base, token string
	http        http.Client
}

// reply is an answer of GraphQL.
type reply struct {
	id     string // of the request
	status int
	Data   struct {
		Register      struct{ Tokens struct{ Access string } }
		CreatePatient struct{ Patient struct{ ID string } }
		Patient       *struct{ Name string }
	}
	Errors []struct {
		Message    string
		Extensions struct{ Code string }
	}
}

func (c *client) ask(ctx context.Context, document string, variables map[string]any) (got reply, err error) {
	var body bytes.Buffer
	// Texts and maps of texts always have a JSON form.
	_ = json.NewEncoder(&body).Encode(map[string]any{"query": document, "variables": variables})
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+"/graphql", &body)
	if err != nil {
		return got, err
	}
	request.Header.Set("Content-Type", "application/json")
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	response, err := c.http.Do(request)
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
		return got, fmt.Errorf("%s is no answer of GraphQL: %w", response.Status, err)
	}
	return got, nil
}

// newClient registers an account.
func newClient(ctx context.Context, s server, number, writer int) (*client, error) {
	c := &client{server: number, base: s.Base, http: http.Client{Timeout: time.Minute, Transport: &http.Transport{}}}
	name := fmt.Sprintf("writer%d", writer)
	got, err := c.ask(ctx, `mutation($i: RegisterInput!) { register(input: $i) { tokens { access } } }`, map[string]any{"i": map[string]any{
		"username": name, "email": name + "@clinic.example", "password": "Secure@1234", "role": "PATIENT",
	}})
	if c.token = got.Data.Register.Tokens.Access; err == nil && c.token == "" {
		err = fmt.Errorf("register: %v", got.Errors)
	}
	return c, err
}

func (c *client) create(ctx context.Context, name string) (reply, error) {
	return c.ask(ctx, `mutation($i: CreatePatientInput!) { createPatient(input: $i) { patient { id } } }`, map[string]any{"i": map[string]any{
		"name": name, "dateOfBirth": "1990-05-15", "gender": "MALE", "phone": "+919876543210",
		"address": "12 MG Road", "emergencyContact": "+919876500000",
	}})
}

func (c *client) read(ctx context.Context, id string) (reply, error) {
	return c.ask(ctx, `query($id: ID!) { patient(id: $id) { name } }`, map[string]any{"id": id})
}
