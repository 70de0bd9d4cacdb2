package e2e

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// TestServer_BudgetsAreSettings: each refusal names its setting, and Retry-After is the
// interval of the setting. No other budget has the same interval.
func TestServer_BudgetsAreSettings(t *testing.T) {
	t.Parallel()
	server := start(t, dataDir(t), "--max-sign-in-failures=1,10m", "--max-sign-in-failures-per-address=2,20m",
		"--max-registrations=2,30m", "--max-taken=1,40m", "--max-taken-per-address=2,50m")
	defer server.stop()
	login := func(name string) answer {
		return server.post("/api/auth/login/", "", `{"email":"`+name+`@clinic.example","password":"Wrong@4567"}`)
	}
	rename := func(token, name string) answer {
		return server.post("/graphql", token, `{"query":"mutation { updateMe(input: {username: \"`+name+`\"}) { userErrors { code } } }"}`)
	}
	asha, ravi := server.register("asha"), server.register("ravi")
	meera := `{"username":"meera","email":"meera@clinic.example","password":"Secure@123","role":"patient"}`
	server.post("/api/auth/register/", "", meera).wantRefused(t, "--max-registrations ", 30)

	login("asha").wantText(t, "No active account")
	login("asha").wantRefused(t, "--max-sign-in-failures ", 10)
	login("ravi").wantText(t, "No active account")
	login("meera").wantRefused(t, "--max-sign-in-failures-per-address ", 20)

	rename(asha, "ravi").wantText(t, "TAKEN")
	rename(asha, "ravi").wantRefused(t, "--max-taken ", 40)
	rename(ravi, "asha").wantText(t, "TAKEN")
	rename(ravi, "asha").wantRefused(t, "--max-taken-per-address ", 50)
}

func TestServer_QueuesOfPasswordsAreSettings(t *testing.T) {
	t.Parallel()
	server := start(t, dataDir(t), "--hash-concurrency=1", "--max-waiting-hashes=1", "--max-waiting-registrations=1")
	defer server.stop()
	for setting, send := range map[string]func(i int) answer{
		"--max-waiting-hashes ": func(i int) answer {
			return server.post("/api/auth/login/", "", fmt.Sprintf(`{"email":"u%d@clinic.example","password":"Wrong@4567"}`, i))
		},
		"--max-waiting-registrations ": func(i int) answer {
			return server.post("/api/auth/register/", "",
				fmt.Sprintf(`{"username":"u%d","email":"u%d@clinic.example","password":"Secure@123","role":"patient"}`, i, i))
		},
	} {
		answers := make([]answer, 40)
		var all sync.WaitGroup
		for i := range answers {
			all.Go(func() { answers[i] = send(i) })
		}
		all.Wait()
		refused := 0
		for _, a := range answers {
			if a.header.Get("Retry-After") == "2" && strings.Contains(a.text, setting) {
				refused++
			}
		}
		if refused == 0 {
			t.Errorf("no answer is refused by %s, such as %s", setting, answers[0].text)
		}
	}
}

// answer is an answer of the server.
type answer struct {
	header http.Header
	text   string
}

// post sends JSON to an address of the server.
func (p *program) post(path, token, body string) answer {
	request, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.base+path, strings.NewReader(body))
	if err != nil {
		p.t.Error(err)
		return answer{}
	}
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		p.t.Error(err)
		return answer{}
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Error(err)
	}
	return answer{response.Header, string(text)}
}

func (a answer) wantText(t *testing.T, text string) {
	t.Helper()
	if !strings.Contains(a.text, text) {
		t.Errorf("answer without %q: %s", text, a.text)
	}
}

// wantRefused wants the setting in the text, and a wait of the minutes, of which less
// than ten have passed.
func (a answer) wantRefused(t *testing.T, setting string, minutes int) {
	t.Helper()
	a.wantText(t, setting)
	seconds, err := strconv.Atoi(a.header.Get("Retry-After"))
	if err != nil || seconds > minutes*60 || seconds <= (minutes-10)*60 {
		t.Errorf("%s: Retry-After is %q, want %d minutes", setting, a.header.Get("Retry-After"), minutes)
	}
}
