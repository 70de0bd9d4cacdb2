package demo_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/internal/auth"
	"github.com/caregraph/caregraph/internal/demo"
	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
)

// clinic is the handler of an example clinic over a graph.
type clinic struct {
	*graphtest.Server

	t       *testing.T
	handler http.Handler
}

func open(t *testing.T) clinic {
	t.Helper()
	s := graphtest.New(t, graphtest.Options{})
	c, err := demo.Open(t.Context(), s.Accounts)
	testutil.Must(t, err)
	return clinic{s, t, c.Handler()}
}

// request returns a request of a page of this server.
func (c clinic) request(method, path, body string) *http.Request {
	r := httptest.NewRequestWithContext(c.t.Context(), method, "http://127.0.0.1:8080"+path, strings.NewReader(body))
	r.RemoteAddr = "127.0.0.1:4711"
	for name, value := range map[string]string{"Content-Type": "application/json", "Origin": "http://127.0.0.1:8080", "Sec-Fetch-Site": "same-origin"} {
		r.Header.Set(name, value)
	}
	return r
}

func (c clinic) answer(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	c.handler.ServeHTTP(w, r)
	return w
}

type person struct{ ID, Name, About, Role string }

func (c clinic) people() (all []person) {
	c.t.Helper()
	w := c.answer(c.request(http.MethodGet, "/demo/people", ""))
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" {
		c.t.Fatalf("people: %d %s", w.Code, w.Body)
	}
	testutil.Must(c.t, json.Unmarshal(w.Body.Bytes(), &all))
	return all
}

// as continues as a person.
func (c clinic) as(id string) *graphtest.Client {
	c.t.Helper()
	w := c.answer(c.request(http.MethodPost, "/demo/continue", `{"id":"`+id+`"}`))
	var in struct{ Access string }
	if err := json.Unmarshal(w.Body.Bytes(), &in); err != nil || w.Code != http.StatusOK {
		c.t.Fatalf("continue: %d %s", w.Code, w.Body)
	}
	return &graphtest.Client{Server: c.Server, Token: in.Access}
}

// TestClinic_ShowsTheRules: every person sees something else.
func TestClinic_ShowsTheRules(t *testing.T) {
	t.Parallel()
	c := open(t)
	type sees struct{ patients, histories, contacts int }
	want := map[string]sees{
		"owner": {10, 10, 10}, "colleague": {10, 0, 10}, "doctor": {5, 5, 5}, "patient": {1, 1, 1}, "administrator": {10, 0, 0}, "stranger": {0, 0, 0},
	}
	all := c.people()
	testutil.Equal(t, "people", len(all), len(want))
	for _, p := range all {
		answer := c.as(p.ID).Do(`query @redact { me { id } patients(first: 20) { nodes { medicalHistory emergencyContact doctors { nodes { name } } } } }`, nil)
		if len(answer.Errors) > 0 || !strings.Contains(answer.Body, p.ID) || p.Name == "" || p.About == "" {
			t.Fatalf("%+v: %s", p, answer.Body)
		}
		var got sees
		for _, node := range answer.Data["patients"].(map[string]any)["nodes"].([]any) {
			got.patients++
			if node.(map[string]any)["medicalHistory"] != nil {
				got.histories++
			}
			if node.(map[string]any)["emergencyContact"] != nil {
				got.contacts++
			}
		}
		testutil.Equal(t, p.Role, got, want[p.Role])
		delete(want, p.Role)
	}
	testutil.Equal(t, "people who are missing", len(want), 0)
}

// TestContinue_AnswersAsLoginOfREST, with the keys in their order.
func TestContinue_AnswersAsLoginOfREST(t *testing.T) {
	t.Parallel()
	c := open(t)
	for _, p := range c.people() {
		w := c.answer(c.request(http.MethodPost, "/demo/continue", `{"id":"`+p.ID+`"}`))
		want := regexp.MustCompile(`^\{"refresh":"[\w.-]+","access":"[\w.-]+","user":\{"id":\d+,"email":"[a-z.]+@neemtree\.example","role":"(patient|doctor|admin)"\}\}$`)
		if w.Code != http.StatusOK || !want.MatchString(w.Body.String()) {
			t.Errorf("%s: %d %s", p.Name, w.Code, w.Body)
		}
	}
	for body, want := range map[string]int{
		`{"id":"usr_7"}`: http.StatusNotFound, `{"id":"pat_1"}`: http.StatusNotFound, `{}`: http.StatusNotFound, `{"id":1}`: http.StatusBadRequest, `id=usr_1`: http.StatusBadRequest,
	} {
		if w := c.answer(c.request(http.MethodPost, "/demo/continue", body)); w.Code != want || strings.Contains(w.Body.String(), "access") {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
	for _, media := range []string{"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"} {
		r := c.request(http.MethodPost, "/demo/continue", `{"id":"usr_1"}`)
		r.Header.Set("Content-Type", media)
		testutil.Equal(t, media, c.answer(r).Code, http.StatusUnsupportedMediaType)
	}
	owner := c.people()[0]
	_, err := c.Store.DisableAccount(t.Context(), model.Operator(), model.ParseID(owner.ID).Num, "left")
	testutil.Must(t, err)
	testutil.Equal(t, "a disabled account", c.answer(c.request(http.MethodPost, "/demo/continue", `{"id":"`+owner.ID+`"}`)).Code, http.StatusUnauthorized)
}

// TestClinic_IsForThisMachineAndItsPageAlone: for all others its addresses do not exist.
func TestClinic_IsForThisMachineAndItsPageAlone(t *testing.T) {
	t.Parallel()
	c := open(t)
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	for name, refused := range map[string]func(*http.Request){
		"another machine":              func(r *http.Request) { r.RemoteAddr = "192.0.2.1:4711" },
		"another machine, by IPv6":     func(r *http.Request) { r.RemoteAddr = "[2001:db8::1]:4711" },
		"another machine, mapped":      func(r *http.Request) { r.RemoteAddr = "[::ffff:192.0.2.1]:4711" },
		"no address":                   func(r *http.Request) { r.RemoteAddr = "@" },
		"a machine that says loopback": func(r *http.Request) { r.RemoteAddr = "192.0.2.1:4711"; r.Header.Set("X-Forwarded-For", "127.0.0.1") },
		"a proxy":                      header("X-Forwarded-For", "127.0.0.1"),
		"a proxy of RFC 7239":          header("Forwarded", "for=127.0.0.1"),
		"a proxy with a host":          header("X-Forwarded-Host", "localhost"),
		"a proxy with a scheme":        header("X-Forwarded-Proto", "https"),
		"a proxy with an address":      header("X-Real-IP", "127.0.0.1"),
		"a proxy of RFC 9110":          header("Via", "1.1 proxy"),
		"rebinding": func(r *http.Request) {
			r.Host = "evil.example:8080"
			r.Header.Set("Origin", "http://evil.example:8080")
		},
		"rebinding, without an origin":   func(r *http.Request) { r.Host = "evil.example"; r.Header.Del("Origin") },
		"a name like a loopback address": func(r *http.Request) { r.Host = "127.0.0.1.evil.example"; r.Header.Del("Origin") },
		"a name like localhost":          func(r *http.Request) { r.Host = "localhost.evil.example"; r.Header.Del("Origin") },
		"no name":                        func(r *http.Request) { r.Host = ""; r.Header.Del("Origin") },
		"all addresses":                  func(r *http.Request) { r.Host = "0.0.0.0:8080"; r.Header.Del("Origin") },
		"another origin":                 header("Origin", "https://evil.example"),
		"another port":                   header("Origin", "http://127.0.0.1:3000"),
		"another scheme":                 header("Origin", "https://127.0.0.1:8080"),
		"a sandboxed page":               header("Origin", "null"),
		"a cross-site request":           header("Sec-Fetch-Site", "cross-site"),
		"a same-site request":            header("Sec-Fetch-Site", "same-site"),
		"a link of another site":         func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site"); r.Header.Del("Origin") },
	} {
		for _, r := range []*http.Request{c.request(http.MethodGet, "/demo/people", ""), c.request(http.MethodPost, "/demo/continue", `{"id":"usr_1"}`)} {
			refused(r)
			if w := c.answer(r); w.Code != http.StatusNotFound || w.Body.String() != "404 page not found\n" {
				t.Errorf("%s: %s answers %d %s", name, r.URL.Path, w.Code, w.Body)
			}
		}
	}
	for name, admitted := range map[string]func(*http.Request){
		"localhost": func(r *http.Request) { r.Host = "localhost:8080"; r.Header.Set("Origin", "http://localhost:8080") },
		"IPv6": func(r *http.Request) {
			r.RemoteAddr, r.Host = "[::1]:4711", "[::1]:8080"
			r.Header.Set("Origin", "http://[::1]:8080")
		},
		"mapped":       func(r *http.Request) { r.RemoteAddr = "[::ffff:127.0.0.1]:4711" },
		"no port":      func(r *http.Request) { r.Host = "localhost"; r.Header.Set("Origin", "http://localhost") },
		"no browser":   func(r *http.Request) { r.Header.Del("Origin"); r.Header.Del("Sec-Fetch-Site") },
		"typed by one": func(r *http.Request) { r.Header.Del("Origin"); r.Header.Set("Sec-Fetch-Site", "none") },
	} {
		r := c.request(http.MethodGet, "/demo/people", "")
		admitted(r)
		if w := c.answer(r); w.Code != http.StatusOK {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}

// TestClinic_EndsWithAForeignAccount: also with one of an administrator, and one with a
// name of the clinic.
func TestClinic_EndsWithAForeignAccount(t *testing.T) {
	t.Parallel()
	for name, role := range map[string]model.Role{"zubin": model.RolePatient, "aaron": model.RoleAdmin, "neemtree.example": model.RoleDoctor} {
		c := open(t)
		id := c.people()[0].ID
		c.Account(name, role)
		for _, r := range []*http.Request{
			c.request(http.MethodGet, "/demo/people", ""), c.request(http.MethodPost, "/demo/continue", `{"id":"`+id+`"}`), c.request(http.MethodGet, "/demo/continue", ""),
		} {
			if w := c.answer(r); w.Code != http.StatusNotFound || w.Body.String() != "404 page not found\n" {
				t.Errorf("%s: %s answers %d %s", name, r.URL.Path, w.Code, w.Body)
			}
		}
		if _, err := demo.Open(t.Context(), c.Accounts); err == nil || !strings.Contains(err.Error(), "accounts that are not of the demo") {
			t.Errorf("%s: the next start: %v", name, err)
		}
	}
}

// TestOpen_KnowsItsOwnClinic, also after its people have changed it.
func TestOpen_KnowsItsOwnClinic(t *testing.T) {
	t.Parallel()
	c := open(t)
	before := c.people()
	c.as(before[0].ID).Must(`mutation { deletePatient(id: "pat_2") { userErrors { code } } updateMe(input: {username: "front.desk"}) { userErrors { code } } }`, nil)
	again, err := demo.Open(t.Context(), c.Accounts)
	testutil.Must(t, err)
	c.handler = again.Handler()
	testutil.Equal(t, "people", c.people(), before)
	patients := c.as(before[0].ID).Must(`{ patients { totalCount } }`, nil)
	testutil.Equal[any](t, "patients", patients.At("patients", "totalCount").Value, 9.0)
}

func TestOpen_RefusesAPartOfTheClinic(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		email model.EmailAddress
		role  model.Role
		says  string
	}{
		{"rahul.kumar@neemtree.example", model.RolePatient, "the example clinic is incomplete"},
		{"kavita.rao@neemtree.example", model.RolePatient, "accounts that are not of the demo"},
		{"rahul.kumar@neemtree.example", model.RoleAdmin, "accounts that are not of the demo"},
	} {
		s := graphtest.New(t, graphtest.Options{})
		_, err := auth.CreateAccount(t.Context(), s.Store, s.Accounts.Hasher, &model.User{Username: "someone", Email: test.email, Role: test.role}, graphtest.Password)
		testutil.Must(t, err)
		if _, err := demo.Open(t.Context(), s.Accounts); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s %s: %v", test.role, test.email, err)
		}
	}
}

func TestAnnounce_SaysThatThereIsADemo(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	demo.Announce(http.NotFoundHandler()).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/schema.graphqls", nil))
	if got := w.Header().Get("X-CareGraph-Demo"); got != "1" || w.Code != http.StatusNotFound {
		t.Errorf("%d with %q", w.Code, got)
	}
}
