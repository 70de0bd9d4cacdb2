package e2e

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"reflect"
	"strings"
	"testing"
)

// demoRequest returns a request of a program of this machine.
func (p *program) demoRequest(method, path, body string) *http.Request {
	p.t.Helper()
	request, err := http.NewRequestWithContext(p.t.Context(), method, p.base+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	return request
}

func (p *program) roundTrip(client *http.Client, request *http.Request) (status int, body string) {
	p.t.Helper()
	response, err := client.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

type demoPerson struct{ ID, Name, About, Role string }

func (p *program) demoPeople() (people []demoPerson) {
	p.t.Helper()
	status, body := p.roundTrip(http.DefaultClient, p.demoRequest(http.MethodGet, "/demo/people", ""))
	if err := json.Unmarshal([]byte(body), &people); err != nil || status != http.StatusOK || len(people) != 6 {
		p.t.Fatalf("the people: %d %s", status, body)
	}
	return people
}

// continueAs signs in as the person with the part.
func (p *program) continueAs(part string) (token string) {
	p.t.Helper()
	for _, person := range p.demoPeople() {
		if person.Role != part {
			continue
		}
		status, body := p.roundTrip(http.DefaultClient, p.demoRequest(http.MethodPost, "/demo/continue", `{"id":"`+person.ID+`"}`))
		var in struct{ Access string }
		if err := json.Unmarshal([]byte(body), &in); err != nil || status != http.StatusOK {
			p.t.Fatalf("continue as %s: %d %s", person.Name, status, body)
		}
		return in.Access
	}
	p.t.Fatalf("no %s", part)
	return ""
}

// refusesDemo checks that both addresses answer 404 to changed requests.
func (p *program) refusesDemo(name string, client *http.Client, change func(*http.Request)) {
	p.t.Helper()
	for _, request := range []*http.Request{
		p.demoRequest(http.MethodGet, "/demo/people", ""), p.demoRequest(http.MethodPost, "/demo/continue", `{"id":"usr_1"}`),
	} {
		change(request)
		if status, body := p.roundTrip(client, request); status != http.StatusNotFound || strings.Contains(body, "{") {
			p.t.Errorf("%s: %s answers %d %s", name, request.URL.Path, status, body)
		}
	}
}

func unchanged(*http.Request) {}

// TestDemo_StartsAgainUntilThereIsAForeignAccount follows a demo from its first start.
func TestDemo_StartsAgainUntilThereIsAForeignAccount(t *testing.T) {
	t.Parallel()
	server := start(t, dataDir(t), "--demo")
	people := server.demoPeople()
	accounts := at(t, server.must(server.continueAs("administrator"), `{ accounts { totalCount } }`, nil), "accounts", "totalCount")
	if accounts != 6.0 {
		t.Errorf("the administrator sees %v accounts", accounts)
	}
	if _, err := server.ask("", registerDocument, map[string]any{"name": "zubin", "email": "zubin@clinic.example"}); err == nil || !strings.Contains(err.Error(), "FORBIDDEN") {
		t.Errorf("registration is open: %v", err)
	}
	server.stop()

	server = start(t, server.data, "--demo")
	if again := server.demoPeople(); !reflect.DeepEqual(again, people) {
		t.Errorf("after a restart the people are %v, and were %v", again, people)
	}
	for part, want := range map[string]int{"owner": 10, "doctor": 5, "patient": 1, "stranger": 0} {
		if seen := len(server.names(server.continueAs(part))); seen != want {
			t.Errorf("the %s sees %d patients, want %d", part, seen, want)
		}
	}

	if _, failure := run(t, "Secure@12345\n", "admin", "create", "--email", "boss@clinic.example", "--data", server.data); failure != "" {
		t.Fatal(failure)
	}
	server.refusesDemo("with a foreign account", http.DefaultClient, unchanged)
	server.stop()

	_, failure := run(t, "", "serve", "--demo", "--addr", "127.0.0.1:0", "--data", server.data)
	if !strings.HasPrefix(failure, "caregraph: --demo: this database has accounts that are not of the demo") {
		t.Errorf("the next start: %s", failure)
	}
	server = start(t, server.data)
	server.refusesDemo("without --demo", http.DefaultClient, unchanged)
	server.stop()
}

// TestDemo_IsForThisMachineAlone sends requests of other machines, names and pages.
func TestDemo_IsForThisMachineAlone(t *testing.T) {
	t.Parallel()
	server := start(t, dataDir(t), "--demo", "--cors-origins", "*")
	defer server.stop()
	for name, change := range map[string]func(*http.Request){
		"rebinding":            func(r *http.Request) { r.Host = "evil.example" },
		"another origin":       func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") },
		"another port":         func(r *http.Request) { r.Header.Set("Origin", "http://127.0.0.1:1") },
		"a cross-site request": func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
	} {
		server.refusesDemo(name, http.DefaultClient, change)
	}
	if client := fromOtherAddress(t, server); client != nil {
		server.refusesDemo("another address", client, unchanged)
	}
	server.demoPeople()

	data := dataDir(t)
	for _, addr := range []string{"0.0.0.0:0", ":0", "[::]:0"} {
		_, failure := run(t, "", "serve", "--demo", "--addr", addr, "--data", data)
		if want := "caregraph: --demo: --addr must be an address of this machine alone, such as 127.0.0.1:8080, not \"" + addr + "\""; failure != want {
			t.Errorf("got  %s\nwant %s", failure, want)
		}
	}
	if _, err := os.Stat(data); !os.IsNotExist(err) {
		t.Errorf("a data directory was made: %v", err)
	}
}

// fromOtherAddress returns a client whose connections come from an address that is not
// loopback, as those of other machines do; nil if this machine has none.
func fromOtherAddress(t *testing.T, server *program) *http.Client {
	t.Helper()
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range addresses {
		network, ok := address.(*net.IPNet)
		if !ok || network.IP.IsLoopback() || network.IP.To4() == nil {
			continue
		}
		dial := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: network.IP}}).DialContext
		conn, err := dial(t.Context(), "tcp", strings.TrimPrefix(server.base, "http://"))
		if err != nil {
			continue
		}
		_ = conn.Close()
		return &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}
	}
	t.Log("no other address of this machine reaches the server")
	return nil
}
