// Package e2e tests the built binary over the network, as its users run it, and
// the documents that describe it. It has tests only.
package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
)

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
		"/rights/":               "CareGraph",
		"/openapi.json":          `"openapi":"3.1`,
		"/swagger/":              "CareGraph",
		"/schema.graphqls":       "@owner(read: CLINICAL, write: TREATERS)",
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

func TestServer_SaysThatItHasStopped(t *testing.T) {
	t.Parallel()
	server := start(t, dataDir(t))
	server.stop()
	if !strings.HasSuffix(server.output.String(), "CareGraph has stopped.\n") {
		t.Errorf("printed %q", server.output)
	}
}
