package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// The tests of this package use the built binary, with its private PostgreSQL,
// over the network.

// programs is a directory for what the tests build.
var programs = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "caregraph-e2e-") })

var binary = sync.OnceValues(func() (string, error) {
	dir, err := programs()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "caregraph")
	out, err := exec.CommandContext(context.Background(), "go", "build", "-pgo=off", "-ldflags", stampFlag+"0123abc", "-o", path, "../..").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := programs(); err == nil {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

// program is a started server.
type program struct {
	t       *testing.T
	base    string
	metrics string // the address of the metrics, if it has them
	data    string
	client  *http.Client
	process *exec.Cmd
	log     *bytes.Buffer

	// output is what it printed once it was ready. It is complete when outputEnded is
	// closed.
	output      *bytes.Buffer
	outputEnded chan struct{}
}

// dataDir returns a directory that the user of PostgreSQL can reach.
func dataDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "caregraph-test-") //nolint:usetesting // TempDir is closed to others
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil { // PostgreSQL runs as another user
		t.Fatal(err)
	}
	return filepath.Join(dir, "data")
}

func start(t *testing.T, data string, flags ...string) *program {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	return startBinary(t, path, nil, data, flags...)
}

// startBinary is start for the binary at the path, and with a file for the log; nil is
// the buffer log.
func startBinary(t *testing.T, path string, file *os.File, data string, flags ...string) *program {
	t.Helper()
	p := &program{t: t, data: data, client: http.DefaultClient, log: &bytes.Buffer{}, output: &bytes.Buffer{}, outputEnded: make(chan struct{})}
	args := append([]string{"serve", "--addr", "127.0.0.1:0", "--data", data}, flags...)
	p.process = exec.CommandContext(context.WithoutCancel(t.Context()), path, args...)
	p.process.Env = append(cleanEnv(), "CAREGRAPH_SLOW=0s") // other tests use the machine, too
	p.process.Stderr = p.log
	if file != nil {
		p.process.Stderr = file
	}
	out, err := p.process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.process.Process.Kill(); _ = p.process.Wait() })
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, base, found := strings.Cut(lines.Text(), "Start here"); found {
			p.base = strings.TrimSuffix(strings.TrimSpace(base), "/")
		}
		if _, metrics, found := strings.Cut(lines.Text(), "Metrics"); found {
			p.metrics = strings.TrimSpace(metrics)
		}
		if strings.Contains(lines.Text(), "first administrator") || strings.HasPrefix(lines.Text(), "This is the demo") {
			go func() {
				defer close(p.outputEnded)
				for lines.Scan() {
					p.output.WriteString(lines.Text() + "\n")
				}
			}()
			return p
		}
	}
	_ = p.process.Wait()
	t.Fatalf("the server did not start: %s", p.log)
	return nil
}

// run runs a command of the binary to its end. It returns what the command
// printed, and its last message if it failed.
func run(t *testing.T, stdin string, args ...string) (out, failure string) {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	return runBinary(t, path, stdin, args...)
}

// runBinary is run for the binary at the path.
func runBinary(t *testing.T, path, stdin string, args ...string) (out, failure string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = cleanEnv(), strings.NewReader(stdin), &stdout, &stderr
	if err := cmd.Run(); err != nil {
		lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
		failure = lines[len(lines)-1]
	}
	return stdout.String() + stderr.String(), failure
}

// cleanEnv returns the environment without settings of this server.
func cleanEnv() []string {
	var kept []string
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "CAREGRAPH_") && !strings.HasPrefix(entry, "DATABASE_URL=") {
			kept = append(kept, entry)
		}
	}
	return kept
}

// stop ends the server as Ctrl-C does. The test fails if the server reports an
// error or logs a warning.
func (p *program) stop() {
	p.t.Helper()
	if err := p.process.Process.Signal(os.Interrupt); err != nil {
		p.t.Fatal(err)
	}
	<-p.outputEnded // Wait closes the pipe
	if err := p.process.Wait(); err != nil {
		p.t.Fatalf("the server did not end well: %v\n%s", err, p.log)
	}
	if log := p.log.String(); strings.Contains(log, "level=WARN") || strings.Contains(log, "level=ERROR") {
		p.t.Errorf("the server complained:\n%s", log)
	}
}

func (p *program) kill() {
	p.t.Helper()
	if err := p.process.Process.Signal(syscall.SIGKILL); err != nil {
		p.t.Fatal(err)
	}
	_ = p.process.Wait()
}

// ask sends an operation and returns its data. Errors in the answer are errors.
func (p *program) ask(token, query string, variables map[string]any) (map[string]any, error) {
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.base+"/graphql", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := p.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	var answer struct {
		Data   map[string]any `json:"data"`
		Errors []any          `json:"errors"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return nil, err
	}
	if len(answer.Errors) > 0 {
		return nil, fmt.Errorf("errors: %v", answer.Errors)
	}
	return answer.Data, nil
}

func (p *program) must(token, query string, variables map[string]any) map[string]any {
	p.t.Helper()
	data, err := p.ask(token, query, variables)
	if err != nil {
		p.t.Fatalf("%v\n%s", err, p.log)
	}
	return data
}

func (p *program) get(path string) string { return p.fetch(p.base + path) }

// fetch returns the status and the body of an address.
func (p *program) fetch(address string) string {
	p.t.Helper()
	request, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return response.Status + "\n" + string(text)
}

const registerDocument = `mutation ($email: EmailAddress!, $name: String!) {
	register(input: {username: $name, email: $email, password: "Secure@123", role: PATIENT}) {
		tokens { access } userErrors { message } } }`

func (p *program) register(name string) (token string) {
	p.t.Helper()
	data := p.must("", registerDocument, map[string]any{"name": name, "email": name + "@clinic.example"})
	return at(p.t, data, "register", "tokens", "access").(string)
}

func at(t *testing.T, data any, path ...string) any {
	t.Helper()
	for _, step := range path {
		object, ok := data.(map[string]any)
		if !ok {
			t.Fatalf("no %q of %v in %v", step, path, data)
		}
		data = object[step]
	}
	return data
}

const createDocument = `mutation ($name: String!) {
	createPatient(input: {name: $name, dateOfBirth: "1990-05-15", gender: MALE, phone: "9876543210",
		address: "Bengaluru", emergencyContact: "9876543211"}) { patient { id } userErrors { message } } }`

// names reads all patients, page by page.
func (p *program) names(token string) map[string]int {
	p.t.Helper()
	const query = `query ($after: String) { patients(first: 100, after: $after, orderBy: {field: CREATED_AT}) {
		nodes { name } pageInfo { hasNextPage endCursor } } }`
	seen := map[string]int{}
	for after := any(nil); ; {
		page := at(p.t, p.must(token, query, map[string]any{"after": after}), "patients")
		for _, node := range at(p.t, page, "nodes").([]any) {
			seen[at(p.t, node, "name").(string)]++
		}
		if at(p.t, page, "pageInfo", "hasNextPage") != true {
			return seen
		}
		after = at(p.t, page, "pageInfo", "endCursor")
	}
}

// databaseURL returns the address of the private PostgreSQL of a running server.
func (p *program) databaseURL() string {
	p.t.Helper()
	lock, err := os.ReadFile(filepath.Join(p.data, "postgres.lock"))
	if err != nil {
		p.t.Fatal(err)
	}
	secret, err := os.ReadFile(filepath.Join(p.data, "postgres", "caregraph.secret"))
	if err != nil {
		p.t.Fatal(err)
	}
	return fmt.Sprintf("host=%s port=5432 user=caregraph dbname=postgres sslmode=disable password=%s",
		strings.Split(string(lock), "\n")[1], strings.TrimSpace(string(secret)))
}
