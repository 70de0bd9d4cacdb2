package streams_test

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/internal/streams"
	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
)

const patientName = `query ($id: ID!) { patient(id: $id) { name } }`

func TestSockets_AnswerQueriesAndMutationsAsHTTPDoes(t *testing.T) {
	t.Parallel()
	clinic := graphtest.New(t, graphtest.Options{}).NewClinic()
	c := connect(t, clinic.Rahul)
	c.subscribe("a", patientName, map[string]any{"id": clinic.Patient})
	c.want(`next a {"data":{"patient":{"name":"Arjun Sharma"}}}`)
	c.want(`complete a`)

	c.subscribe("a", `mutation ($id: ID!) { updatePatient(id: $id, input: {name: "Arjun Rao"}) { patient { name } userErrors { code } } }`,
		map[string]any{"id": clinic.Patient})
	c.want(`next a {"data":{"updatePatient":{"patient":{"name":"Arjun Rao"},"userErrors":[]}}}`)
	c.want(`complete a`)

	asha := connect(t, clinic.Asha)
	asha.subscribe("a", patientName, map[string]any{"id": clinic.Patient})
	asha.want(`next a {"data":{"patient":null}}`)
	asha.want(`complete a`)

	admin := connect(t, clinic.Admin)
	const hidden = `query ($id: ID!) { patient(id: $id) { medicalHistory } }`
	admin.subscribe("a", hidden, map[string]any{"id": clinic.Patient})
	over := clinic.Admin.Do(hidden, map[string]any{"id": clinic.Patient})
	admin.want("next a " + strings.TrimSpace(over.Body))
	admin.want(`complete a`)
}

// The operations of a socket share the header that opened it, so none is explained.
func TestSockets_OperationsAreNotExplained(t *testing.T) {
	t.Parallel()
	asha := graphtest.New(t, graphtest.Options{}).Account("Asha", model.RolePatient)
	c := dial(t, asha.Server, "X-CareGraph-Explain", "1")
	c.init(asha.Token)
	if m := c.receive(); m.Type != "connection_ack" {
		t.Fatalf("%+v", m)
	}
	c.subscribe("1", "{ me { username } }", nil)
	c.want(`next 1 {"data":{"me":{"username":"Asha"}}}`)
}

func TestSockets_ARequestErrorKeepsTheSocketOpen(t *testing.T) {
	t.Parallel()
	clinic := graphtest.New(t, graphtest.Options{}).NewClinic()
	c := connect(t, clinic.Rahul)
	c.subscribe("a", `{ nonsense }`, nil)
	c.wantCode("a", "GRAPHQL_VALIDATION_FAILED")
	c.subscribe("a", `{`, nil)
	c.wantCode("a", "GRAPHQL_PARSE_FAILED")
	c.subscribe("a", patientName, map[string]any{"id": 1.5})
	c.wantCode("a", "BAD_USER_INPUT")
	c.send(`{"type":"subscribe","id":"a","payload":{"query":7}}`)
	c.wantCode("a", "BAD_USER_INPUT")
	c.subscribe("a", `{ a: `+strings.Repeat("patients { nodes { doctors { nodes { ", 9)+"id"+strings.Repeat("}", 37), nil)
	c.wantCode("a", "LIMIT_EXCEEDED")
	c.send(`{"type":"ping"}`)
	c.want(`pong`)
	c.send(`{"type":"pong"}`)
	c.send(`{"type":"complete","id":"unknown"}`)
	c.subscribe("a", `{ __typename }`, nil)
	c.want(`next a {"data":{"__typename":"Query"}}`)
	c.want(`complete a`)
}

// TestSockets_TokensStayOnHTTP: a socket never carries new tokens, and never ends its own
// session.
func TestSockets_TokensStayOnHTTP(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	c := connect(t, rahul)
	for name, mutation := range map[string]string{
		"login": `mutation { login(input: {email: "rahul@clinic.example", password: "` + graphtest.Password + `"}) { tokens { access } } }`,
		"register": `mutation { register(input: {username: "eve", email: "eve@clinic.example", password: "` + graphtest.Password + `", role: PATIENT}) {
			userErrors { code } } }`,
		"refresh":    `mutation { x: refreshToken(refresh: "` + rahul.Refresh + `") { user { id } } }`,
		"logout":     `mutation { ...out } fragment out on Mutation { logout { userErrors { code } } }`,
		"everywhere": `mutation { logoutEverywhere { userErrors { code } } }`,
		"password":   `mutation { changePassword(input: {currentPassword: "x", newPassword: "y"}) { tokens { access } } }`,
		"totp":       `mutation { finishTotp(code: "123456") { userErrors { code } } }`,
	} {
		c.subscribe(name, mutation, nil)
		c.wantCode(name, "BAD_USER_INPUT")
	}
	if n := s.Row(`SELECT count(*)::text FROM sessions WHERE ended_at IS NULL`); n != "1" {
		t.Errorf("%s sessions", n)
	}
}

func TestSockets_CloseWithTheCodesOfTheProtocol(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	const begin = `{"type":"subscribe","id":"a","payload":{"query":"{ me { id } }"}}`
	for name, tc := range map[string]struct {
		code     websocket.StatusCode
		reason   string
		messages []string
	}{
		"no JSON":             {4400, "", []string{`{`}},
		"unknown type":        {4400, "", []string{`{"type":"start","id":"a"}`}},
		"no id":               {4400, "", []string{`{"type":"subscribe","payload":{"query":"{ me { id } }"}}`}},
		"no payload":          {4400, "", []string{`{"type":"subscribe","id":"a"}`}},
		"bad payload of init": {4400, "", []string{`{"type":"connection_init","payload":7}`}},
		"deep":                {4400, "", []string{`{"type":"ping","payload":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`}},
		"before the token":    {4401, "TOKEN_MISSING", []string{begin}},
		"no token":            {4401, "TOKEN_MISSING", []string{`{"type":"connection_init"}`}},
		"a forged token":      {4401, "TOKEN_INVALID", []string{`{"type":"connection_init","payload":{"Authorization":"Bearer forged"}}`}},
		"the wrong token":     {4401, "TOKEN_INVALID", []string{`{"type":"connection_init","payload":{"Authorization":"Bearer ` + rahul.Refresh + `"}}`}},
		"second init": {4429, "", []string{
			`{"type":"connection_init","payload":{"Authorization":"Bearer ` + rahul.Token + `"}}`, `{"type":"connection_init"}`,
		}},
		"long": {websocket.StatusMessageTooBig, "", []string{`{"type":"ping","x":"` + strings.Repeat("x", 64<<10) + `"}`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := dial(t, s)
			for _, message := range tc.messages {
				c.send(message)
			}
			c.wantClose(tc.code, tc.reason)
		})
	}
	t.Run("binary", func(t *testing.T) {
		t.Parallel()
		c := dial(t, s)
		testutil.Must(t, c.conn.Write(t.Context(), websocket.MessageBinary, []byte(`{"type":"ping"}`)))
		c.wantClose(4400, "")
	})
	t.Run("no subprotocol", func(t *testing.T) {
		t.Parallel()
		dial(t, s, noSubprotocol, "").wantClose(4406, "")
	})
}

// TestSockets_AnIDInUse: the operation waits for a row that the test has locked.
func TestSockets_AnIDInUse(t *testing.T) {
	t.Parallel()
	clinic := graphtest.New(t, graphtest.Options{}).NewClinic()
	unlock := lockPatient(t, clinic)
	defer unlock()
	c := connect(t, clinic.Rahul)
	c.subscribe("a", renamePatient, map[string]any{"id": clinic.Patient})
	c.subscribe("a", `{ me { id } }`, nil)
	c.wantClose(4409, "")
}

const renamePatient = `mutation ($id: ID!) { updatePatient(id: $id, input: {name: "Arjun Rao"}) { userErrors { code } } }`

// TestSockets_AMutationRunsToItsEnd: also if its client does not want the answer, or has
// closed the socket.
func TestSockets_AMutationRunsToItsEnd(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(*client){
		"complete": func(c *client) {
			c.send(`{"type":"complete","id":"a"}`)
			c.send(`{"type":"ping"}`)
			c.want(`pong`)
		},
		"close": func(c *client) { _ = c.conn.Close(websocket.StatusNormalClosure, "") },
		"gone":  func(c *client) { _ = c.conn.CloseNow() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clinic := graphtest.New(t, graphtest.Options{}).NewClinic()
			unlock := lockPatient(t, clinic)
			c := connect(t, clinic.Rahul)
			c.subscribe("a", renamePatient, map[string]any{"id": clinic.Patient})
			until(t, func() bool {
				return clinic.Row(`SELECT count(*)::text FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`) == "1"
			})
			leave(c)
			unlock()
			until(t, func() bool {
				return clinic.Row(`SELECT name FROM patients WHERE id = $1`, model.ParseID(clinic.Patient).Num) == "Arjun Rao"
			})
		})
	}
}

func TestSockets_ManyOperationsAtOnce(t *testing.T) {
	t.Parallel()
	clinic := graphtest.New(t, graphtest.Options{}).NewClinic()
	unlock := lockPatient(t, clinic)
	c := connect(t, clinic.Rahul)
	for i := range 32 {
		c.subscribe(strconv.Itoa(i), renamePatient, map[string]any{"id": clinic.Patient})
	}
	c.subscribe("32", `{ me { id } }`, nil)
	c.wantCode("32", "RATE_LIMITED")
	unlock()
	var done []string
	for len(done) < 32 {
		if m := c.receive(); m.Type != "next" {
			done = append(done, m.ID)
		}
	}
	if slices.Sort(done); len(slices.Compact(done)) != 32 {
		t.Errorf("ended: %v", done)
	}
}

func TestSockets_Origins(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		allowed []string
		origin  string
		want    int
	}{
		"no page":            {nil, "", http.StatusSwitchingProtocols},
		"a page of ours":     {nil, "http://HOST", http.StatusSwitchingProtocols},
		"an allowed page":    {[]string{"https://app.example"}, "https://app.example", http.StatusSwitchingProtocols},
		"any page":           {[]string{"*"}, "https://evil.example", http.StatusSwitchingProtocols},
		"a foreign page":     {[]string{"https://app.example"}, "https://evil.example", http.StatusForbidden},
		"another scheme":     {[]string{"https://app.example"}, "http://app.example", http.StatusForbidden},
		"part of a name":     {[]string{"https://app.example"}, "https://app.example.evil.example", http.StatusForbidden},
		"a page of no site":  {nil, "null", http.StatusForbidden},
		"a page from a file": {[]string{"https://app.example"}, "file://", http.StatusForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := graphtest.New(t, graphtest.Options{ChangeStreams: func(o *streams.Options) { o.Origins = tc.allowed }})
			origin := strings.ReplaceAll(tc.origin, "HOST", strings.TrimPrefix(s.URL, "http://"))
			_, response, _ := tryDial(t, s, "Origin", origin)
			if response == nil || response.StatusCode != tc.want {
				t.Errorf("%v, want %d", response, tc.want)
			}
		})
	}
}

func TestSockets_EndWithTheirSession(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{Listen: true})
	admin := s.Account("Admin", model.RoleAdmin)
	for name, end := range map[string]func(*graphtest.Client){
		"logout": func(c *graphtest.Client) { c.Must(`mutation { logout { userErrors { code } } }`, nil) },
		"everywhere": func(c *graphtest.Client) {
			c.NewSession().Must(`mutation { logoutEverywhere { userErrors { code } } }`, nil)
		},
		"password": func(c *graphtest.Client) {
			c.Must(`mutation { changePassword(input: {currentPassword: "`+graphtest.Password+`", newPassword: "An0ther@Secret"}) { userErrors { code } } }`, nil)
		},
		"disabled": func(c *graphtest.Client) {
			admin.Must(`mutation ($id: ID!) { disableAccount(id: $id, reason: "left") { userErrors { code } } }`, map[string]any{"id": c.ID()})
		},
		"erased": func(c *graphtest.Client) {
			c.Must(`mutation { eraseMe(password: "`+graphtest.Password+`") { userErrors { code } } }`, nil)
		},
		"by SQL": func(c *graphtest.Client) {
			s.Exec(`UPDATE sessions SET ended_at = now() WHERE user_id = $1`, c.UserID)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			other := connect(t, admin)
			account := s.Account("Of"+strings.ReplaceAll(name, " ", ""), model.RolePatient)
			c := connect(t, account)
			end(account)
			c.wantClose(4401, "SESSION_ENDED")
			other.subscribe("a", `{ __typename }`, nil)
			other.want(`next a {"data":{"__typename":"Query"}}`)
		})
	}
}

func TestSockets_EndWithTheirToken(t *testing.T) {
	t.Parallel()
	var ahead clock
	s := graphtest.New(t, graphtest.Options{Now: ahead.now})
	rahul := s.Account("Rahul", model.RolePatient)
	c := connect(t, rahul)
	ahead.set(24 * time.Hour)
	c.subscribe("a", `{ me { id } }`, nil)
	c.wantClose(4403, "TOKEN_EXPIRED")

	late := dial(t, s)
	late.init(rahul.Token)
	late.wantClose(4403, "TOKEN_EXPIRED")
}

// TestSockets_EndAtTheExpiryOfTheirToken: without any message.
func TestSockets_EndAtTheExpiryOfTheirToken(t *testing.T) {
	t.Parallel()
	clock := standing()
	s := graphtest.New(t, graphtest.Options{Now: clock.now})
	rahul := s.Account("Rahul", model.RolePatient)
	clock.set(24*time.Hour - 50*time.Millisecond)
	c := connect(t, rahul)
	clock.set(24 * time.Hour)
	c.wantClose(4403, "TOKEN_EXPIRED")
}

func TestSockets_OfOneAccountAreLimited(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{ChangeStreams: func(o *streams.Options) { o.MaxStreams = 2 }})
	rahul, asha := s.Account("Rahul", model.RolePatient), s.Account("Asha", model.RolePatient)
	first := connect(t, rahul)
	connect(t, rahul)
	third := dial(t, s)
	third.init(rahul.Token)
	third.wantClose(websocket.StatusTryAgainLater, "")
	connect(t, asha)
	testutil.Equal(t, "open", s.Streams.Transports(), map[string]int64{"websocket": 3, "sse": 0})
	testutil.Must(t, first.conn.Close(4711, "")) // a code that no one knows
	until(t, func() bool { return s.Streams.Open() == 2 })
	until(t, func() bool { return s.Streams.Closes()["other"] == 1 })
	testutil.Equal(t, "codes", len(s.Streams.Closes()), 13)
	connect(t, rahul)
}

func TestSockets_AStoppingServerSendsThemAway(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	ctx, stop := context.WithCancel(t.Context())
	wait := s.Streams.Start(ctx)
	c, silent := connect(t, rahul), dial(t, s)
	stop()
	c.wantClose(websocket.StatusGoingAway, "")
	silent.wantClose(websocket.StatusGoingAway, "")
	wait()
	if n := s.Streams.Open(); n != 0 {
		t.Errorf("%d streams are open", n)
	}
	_, response, err := tryDial(t, s)
	if err == nil || response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") == "" {
		t.Errorf("%v %v", response, err)
	}
}

func TestSockets_WithoutATokenEnd(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	s.Streams.SetInit(time.Millisecond)
	dial(t, s).wantClose(4408, "")
}

// TestSockets_AreAskedWhetherTheyLive: a client that answers stays, one that reads nothing
// does not.
func TestSockets_AreAskedWhetherTheyLive(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	rahul, asha := s.Account("Rahul", model.RolePatient), s.Account("Asha", model.RolePatient)
	s.Streams.SetPing(10 * time.Millisecond)
	s.Streams.SetWrite(2 * time.Second)
	c := connect(t, rahul)
	connect(t, asha) // reads no more
	c.subscribe("a", `{ __typename }`, nil)
	c.want(`next a {"data":{"__typename":"Query"}}`)
	c.want(`complete a`)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _, _ = c.conn.Read(t.Context())
	}()
	until(t, func() bool { return s.Streams.Open() == 1 })
	select {
	case <-ended:
		t.Error("the other one ended, too")
	default:
	}
	testutil.Must(t, c.conn.CloseNow())
	<-ended
}

// TestSockets_AStoppingServerEndsItsOperationsFirst: the mutation waits for a row.
func TestSockets_AStoppingServerEndsItsOperationsFirst(t *testing.T) {
	t.Parallel()
	clinic := graphtest.New(t, graphtest.Options{}).NewClinic()
	unlock := lockPatient(t, clinic)
	c := connect(t, clinic.Rahul)
	idle := connect(t, clinic.Asha)
	c.subscribe("a", renamePatient, map[string]any{"id": clinic.Patient})
	until(t, func() bool {
		return clinic.Row(`SELECT count(*)::text FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`) == "1"
	})
	ctx, stop := context.WithCancel(t.Context())
	wait := clinic.Streams.Start(ctx)
	stop()
	idle.wantClose(websocket.StatusGoingAway, "")
	unlock()
	c.want(`next a {"data":{"updatePatient":{"userErrors":[]}}}`)
	c.want(`complete a`)
	c.wantClose(websocket.StatusGoingAway, "")
	wait()
}
