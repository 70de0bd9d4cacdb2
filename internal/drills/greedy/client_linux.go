package greedy

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// account is a registered account.
type account struct {
	email, token string
	id           int64
}

// api is the server under test.
type api struct {
	base   string
	client *http.Client
}

func newAPI(base string) api {
	transport := &http.Transport{MaxIdleConnsPerHost: 100, DisableCompression: true}
	return api{base, &http.Client{Transport: transport, Timeout: time.Minute}}
}

// answer is what the drill looks at in an answer.
type answer struct {
	status int
	// begin is the first part of the body, and size its length.
	begin []byte
	size  int64
}

// begins is how much of an answer is kept. Some have megabytes.
const begins = 64 << 10

func (a api) post(ctx context.Context, token string, body []byte) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, a.base+"/graphql", bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	return a.do(request)
}

func (a api) get(ctx context.Context, path string) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, a.base+path, http.NoBody)
	if err != nil {
		return answer{}, err
	}
	return a.do(request)
}

func (a api) do(request *http.Request) (answer, error) {
	response, err := a.client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	begin, err := io.ReadAll(io.LimitReader(response.Body, begins))
	if err != nil {
		return answer{}, err
	}
	rest, err := io.Copy(io.Discard, response.Body)
	return answer{response.StatusCode, begin, int64(len(begin)) + rest}, err
}

// outcome is "ok", or the first code of the answer, or its status.
func (a answer) outcome() string {
	_, code, found := bytes.Cut(a.begin, []byte(`"code":"`))
	switch {
	case found:
		code, _, _ = bytes.Cut(code, []byte(`"`))
		return string(code)
	case a.status != http.StatusOK:
		return fmt.Sprint(a.status)
	default:
		return "ok"
	}
}

const password = "Secure@1234"

// register makes an account.
func (a api) register(ctx context.Context, name string) (account, error) {
	email := name + "@clinic.example"
	got, err := a.post(ctx, "", body(`mutation($i: RegisterInput!) { register(input: $i) { user { id } tokens { access } userErrors { message } } }`,
		map[string]any{"i": map[string]any{"username": name, "email": email, "password": password, "role": "PATIENT"}}))
	if err != nil {
		return account{}, err
	}
	var out struct {
		Data struct {
			Register struct {
				User   struct{ ID string }
				Tokens struct{ Access string }
			}
		}
	}
	if err := json.Unmarshal(got.begin, &out); err != nil || out.Data.Register.Tokens.Access == "" {
		return account{}, fmt.Errorf("register %s: %s", name, got.begin)
	}
	made := account{email: email, token: out.Data.Register.Tokens.Access}
	_, err = fmt.Sscanf(strings.ReplaceAll(out.Data.Register.User.ID, "_", " "), "usr %d", &made.id)
	return made, err
}
