// Package e2e tests the built binary over the network, as its users run it, and
// the documents that describe it. It has tests only.
package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// The tests of this package use the built binary, with its private PostgreSQL,
// over the network.

var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "caregraph-binary-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "caregraph")
	out, err := exec.CommandContext(context.Background(), "go", "build", "-ldflags", stampFlag+"0123abc", "-o", path, "../..").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := binary(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// program is a started server.
type program struct {
	t       *testing.T
	base    string
	metrics string // the address of the metrics, if it has them
	data    string
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
	p := &program{t: t, data: data, log: &bytes.Buffer{}, output: &bytes.Buffer{}, outputEnded: make(chan struct{})}
	args := append([]string{"serve", "--addr", "127.0.0.1:0", "--data", data}, flags...)
	p.process = exec.CommandContext(context.WithoutCancel(t.Context()), path, args...)
	p.process.Env = cleanEnv()
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
		if strings.Contains(lines.Text(), "first administrator") {
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
	response, err := http.DefaultClient.Do(request)
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

// writeUntilKilled creates patients from several clients until the server is
// gone, kills it once enough were acknowledged, and returns their names.
func (p *program) writeUntilKilled(token string, enough int) map[string]bool {
	var (
		mu           sync.Mutex
		acknowledged = map[string]bool{}
		clients      sync.WaitGroup
		kill         = sync.OnceFunc(p.kill)
	)
	for client := range 8 {
		clients.Go(func() {
			for i := 0; ; i++ {
				name := fmt.Sprintf("Patient %d of client %d", i, client)
				if _, err := p.ask(token, createDocument, map[string]any{"name": name}); err != nil {
					return
				}
				mu.Lock()
				acknowledged[name] = true
				full := len(acknowledged) >= enough
				mu.Unlock()
				if full {
					kill()
					return
				}
			}
		})
	}
	clients.Wait()
	return acknowledged
}

func TestServer_KilledWhileWritingLosesNothingAcknowledged(t *testing.T) {
	t.Parallel()
	data := dataDir(t)
	server := start(t, data)
	token := server.register("rahul")
	acknowledged := map[string]bool{}
	for round := range 3 {
		for name := range server.writeUntilKilled(token, 100*(round+1)) {
			acknowledged[name] = true
		}
		server = start(t, data) // the same key: the token is still good
	}
	seen := server.names(token)
	for name := range acknowledged {
		if seen[name] == 0 {
			t.Errorf("%s was acknowledged and is lost", name)
		}
	}
	if len(acknowledged) < 100 {
		t.Errorf("only %d writes were acknowledged", len(acknowledged))
	}
	server.stop()
}

func TestServer_StrangerSeesNothingOfTheNestedGraph(t *testing.T) {
	t.Parallel()
	server := start(t, dataDir(t))
	rahul, stranger := server.register("rahul"), server.register("stranger")
	server.must(rahul, createDocument, map[string]any{"name": "Arjun Sharma"})
	const nested = `{ patients { totalCount nodes { name doctors { nodes { name } } } } patient(id: "pat_1") { name } }`
	if got := fmt.Sprint(server.must(rahul, nested, nil)); !strings.Contains(got, "Arjun Sharma") {
		t.Errorf("the owner sees %s", got)
	}
	got := fmt.Sprint(server.must(stranger, nested, nil))
	if want := "map[patient:<nil> patients:map[nodes:[] totalCount:0]]"; got != want {
		t.Errorf("the stranger sees %s, want %s", got, want)
	}
	server.stop()
}

func TestServer_AdministratorIsMadeBesideTheRunningServer(t *testing.T) {
	t.Parallel()
	server := start(t, dataDir(t))
	out, failure := run(t, "Strong&Long1\n", "admin", "create", "--email", "boss@clinic.example", "--data", server.data)
	if failure != "" {
		t.Fatal(failure)
	}
	data := server.must("", `mutation { login(input: {email: "boss@clinic.example", password: "Strong&Long1"}) { user { role } } }`, nil)
	if role := at(t, data, "login", "user", "role"); role != "ADMIN" {
		t.Errorf("role is %v", role)
	}
	if strings.Contains(out, "Strong&Long1") {
		t.Error("the password was printed")
	}
	server.stop()
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

// TestServer_RotatedKeyKeepsEverybodySignedIn: two servers on one database share the key
// file. One is restarted after the rotation. Tokens of either work on both.
func TestServer_RotatedKeyKeepsEverybodySignedIn(t *testing.T) {
	t.Parallel()
	one := start(t, dataDir(t))
	keys := filepath.Join(one.data, "keys.json")
	flags := []string{"--keys", keys, "--database-url", one.databaseURL()}
	two := start(t, one.data, flags...)
	old := one.register("rahul")
	before, err := os.ReadFile(keys)
	if err != nil {
		t.Fatal(err)
	}
	if _, failure := run(t, "", "keys", "rotate", "--data", one.data); failure != "" {
		t.Fatal(failure)
	}
	after, err := os.ReadFile(keys)
	if err != nil || bytes.Equal(before, after) {
		t.Fatalf("the keys were not rotated: %v", err)
	}
	late := one.register("meera") // signed by the old key
	two.stop()
	two = start(t, one.data, flags...)
	fresh := two.register("priya")
	for _, server := range []*program{one, two} {
		for _, token := range []string{old, late, fresh} {
			server.must(token, `{ me { username } }`, nil)
		}
	}
	if a, b := one.get("/.well-known/jwks.json"), two.get("/.well-known/jwks.json"); a != b {
		t.Errorf("they publish different keys: %s, %s", a, b)
	}
	two.stop()
	one.stop()
}

// TestServer_MissingKeyFile: the first start says nothing about it. A later one warns in
// one line that everyone is signed out.
func TestServer_MissingKeyFile(t *testing.T) {
	t.Parallel()
	server := start(t, dataDir(t))
	token := server.register("rahul")
	server.stop()
	if err := os.Remove(filepath.Join(server.data, "keys.json")); err != nil {
		t.Fatal(err)
	}
	server = start(t, server.data)
	if _, err := server.ask(token, `{ me { username } }`, nil); err == nil {
		t.Error("the old token is good")
	}
	server.kill()
	var warnings []string
	for line := range strings.Lines(server.log.String()) {
		if strings.Contains(line, "level=WARN") {
			warnings = append(warnings, line)
		}
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0], "signed out") || !strings.Contains(warnings[0], "keys.json") {
		t.Errorf("the warnings are %q", warnings)
	}
}

func TestServer_SecondOneOnTheSameDataIsRefused(t *testing.T) {
	t.Parallel()
	server := start(t, dataDir(t))
	_, failure := run(t, "", "--data", server.data, "--addr", "127.0.0.1:0")
	want := fmt.Sprintf("is in use by another server (pid %d): use --data OTHER, or DATABASE_URL to share one database", server.process.Process.Pid)
	if !strings.Contains(failure, want) {
		t.Errorf("got %q, want ... %s", failure, want)
	}
	server.stop()
}

func TestServer_AddressesThatNeedNoAccount(t *testing.T) {
	t.Parallel()
	server := start(t, dataDir(t), "--introspection=false")
	for path, want := range map[string]string{
		"/":                      "<title>CareGraph",
		"/health/":               "Healthcare Backend API is running!",
		"/ready":                 "ready",
		"/docs/":                 "CareGraph",
		"/openapi.json":          `"openapi":"3.1`,
		"/swagger/":              "CareGraph",
		"/schema.graphqls":       "@owner(read: CLINICAL, write: CLINICAL)",
		"/.well-known/jwks.json": `"kid"`,
	} {
		if got := server.get(path); !strings.HasPrefix(got, "200") || !strings.Contains(got, want) {
			t.Errorf("%s: got %.200s, want %s", path, got, want)
		}
	}
	if got := server.get("/.well-known/jwks.json"); strings.Contains(got, `"d"`) {
		t.Error("the private key is published")
	}
	if _, err := server.ask("", `{ __schema { queryType { name } } }`, nil); err == nil || !strings.Contains(err.Error(), "FORBIDDEN") {
		t.Errorf("introspection is switched off, got %v", err)
	}
	server.stop()
}

// TestServer_AsksForATokenBeforeCostlyWork: a long body is refused without a token, and
// nothing else is.
func TestServer_AsksForATokenBeforeCostlyWork(t *testing.T) {
	t.Parallel()
	server := start(t, dataDir(t))
	defer server.stop()
	token := server.register("asha")
	post := func(path, token, body string) (status int, text string) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.base+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		if token != "" {
			request.Header.Set("Authorization", "Bearer "+token)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		all, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(all)
	}
	unknown := `{"query":"{__typename}","variables":{"a":"` + strings.Repeat("a", 100<<10) + `"}}`
	commas := `{"query":"{__typename` + strings.Repeat(",", 200<<10) + `}"}`
	for _, c := range []struct {
		name, path, token, body, says string
		status                        int
	}{
		{"unknown variables", "/graphql", "", unknown, "--max-anonymous-body", http.StatusRequestEntityTooLarge},
		{"unknown variables, with a bad token", "/graphql", "bad", unknown, "--max-anonymous-body", http.StatusRequestEntityTooLarge},
		{"unknown variables, with a token", "/graphql", token, unknown, `"data"`, http.StatusOK},
		{"commas", "/graphql", "", commas, "--max-anonymous-body", http.StatusRequestEntityTooLarge},
		{"commas, with a token", "/graphql", token, commas, "--max-document", http.StatusBadRequest},
		{"introspection", "/graphql", "", `{"query":"{__schema{types{name}}}"}`, "Patient", http.StatusOK},
		{"introspection, with a token", "/graphql", token, `{"query":"{__schema{types{name}}}"}`, "Patient", http.StatusOK},
		{"nesting", "/graphql", "", `{"variables":` + strings.Repeat("[", 1_000), "too deep", http.StatusBadRequest},
		{"nesting, with a token", "/graphql", token, `{"variables":` + strings.Repeat("[", 500_000), "too deep", http.StatusBadRequest},
		{"REST", "/api/auth/login/", "", unknown, "longer than 65536 bytes", http.StatusRequestEntityTooLarge},
	} {
		if status, text := post(c.path, c.token, c.body); status != c.status || !strings.Contains(text, c.says) {
			t.Errorf("%s: %d %.300s", c.name, status, text)
		}
	}
}

// A taken address is found before anything is made, and the message names the flag.
func TestServer_TakenAddressMakesNothing(t *testing.T) {
	t.Parallel()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	taken := listener.Addr().String()
	for flag, flags := range map[string][]string{
		"--addr":         {"--addr", taken},
		"--metrics-addr": {"--addr", "127.0.0.1:0", "--metrics-addr", taken},
	} {
		data := dataDir(t)
		_, failure := run(t, "", append([]string{"serve", "--data", data}, flags...)...)
		want := "caregraph: " + flag + " " + taken + " is in use: stop the other program, or choose another address with " + flag
		if failure != want {
			t.Errorf("got  %s\nwant %s", failure, want)
		}
		if _, err := os.Stat(data); !os.IsNotExist(err) {
			t.Errorf("%s: a data directory was made: %v", flag, err)
		}
	}
}

// Without the server's --data a command writes to another database: it says so.
func TestServer_CommandsNameTheDatabase(t *testing.T) {
	t.Parallel()
	server, other := start(t, dataDir(t)), dataDir(t)
	const warning = "a server runs on another data directory"
	for _, command := range [][]string{
		{"admin", "create", "--email", "boss@clinic.example"}, {"accounts", "create", "--email", "asha@clinic.example"}, {"migrate"},
	} {
		out, failure := run(t, "Secure@123", append(command, "--data", other)...)
		if failure != "" || !strings.Contains(out, "The database is in "+other+".\n") {
			t.Errorf("%s: %s, %s", command[0], failure, out)
		}
		if !strings.Contains(out, warning) || !strings.Contains(out, server.data) {
			t.Errorf("%s does not warn about %s: %s", command[0], server.data, out)
		}
		out, failure = run(t, "Secure@123", append(command, "--data", server.data)...)
		if failure != "" || !strings.Contains(out, "The database is in "+server.data+".\n") || strings.Contains(out, warning) {
			t.Errorf("%s on the server's own data: %s, %s", command[0], failure, out)
		}
	}
	server.stop()
}

func TestServer_SaysThatItHasStopped(t *testing.T) {
	t.Parallel()
	server := start(t, dataDir(t))
	server.stop()
	if !strings.HasSuffix(server.output.String(), "CareGraph has stopped.\n") {
		t.Errorf("printed %q", server.output)
	}
}

func TestServer_MetricsHaveTheFreeDisk(t *testing.T) {
	t.Parallel()
	server := start(t, dataDir(t), "--metrics-addr", "127.0.0.1:0")
	_, after, found := strings.Cut(server.scrape(), "\ncaregraph_disk_free_bytes ")
	value, _, _ := strings.Cut(after, "\n")
	if free, err := strconv.ParseFloat(value, 64); !found || err != nil || free <= 0 {
		t.Errorf("the free disk is %q", value)
	}
	server.stop()
}
