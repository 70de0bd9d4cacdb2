package streams_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/jackc/pgx/v5"

	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
)

// client is a WebSocket of a test.
type client struct {
	t    *testing.T
	conn *websocket.Conn
}

// received is a message of the server.
type received struct {
	Type, ID string
	Payload  json.RawMessage
}

// noSubprotocol is in place of a header for a client that asks for no subprotocol.
const noSubprotocol = "No-Subprotocol"

// dial connects. The headers come in pairs.
func dial(t *testing.T, s *graphtest.Server, headers ...string) *client {
	t.Helper()
	c, response, err := tryDial(t, s, headers...)
	if err != nil {
		t.Fatalf("%v: %v", err, response)
	}
	return c
}

func tryDial(t *testing.T, s *graphtest.Server, headers ...string) (*client, *http.Response, error) {
	t.Helper()
	options := &websocket.DialOptions{HTTPHeader: http.Header{}, Subprotocols: []string{"graphql-transport-ws"}}
	for i := 0; i < len(headers); i += 2 {
		options.HTTPHeader.Set(headers[i], headers[i+1])
		if headers[i] == noSubprotocol {
			options.Subprotocols = nil
		}
	}
	conn, response, err := websocket.Dial(t.Context(), s.URL+"/graphql", options)
	if response != nil && response.Body != nil {
		t.Cleanup(func() { _ = response.Body.Close() })
	}
	if err != nil {
		return nil, response, err
	}
	conn.SetReadLimit(-1)
	t.Cleanup(func() { _ = conn.CloseNow() })
	return &client{t, conn}, response, nil
}

// connect connects with the token of an account, until the server has accepted it.
func connect(t *testing.T, of *graphtest.Client) *client {
	t.Helper()
	c := dial(t, of.Server)
	c.init(of.Token)
	if m := c.receive(); m.Type != "connection_ack" {
		t.Fatalf("%+v", m)
	}
	return c
}

func (c *client) init(token string) {
	c.t.Helper()
	c.send(`{"type":"connection_init","payload":{"Authorization":"Bearer ` + token + `"}}`)
}

func (c *client) send(message string) {
	c.t.Helper()
	testutil.Must(c.t, c.conn.Write(c.t.Context(), websocket.MessageText, []byte(message)))
}

// subscribe begins an operation.
func (c *client) subscribe(id, query string, variables map[string]any) {
	c.t.Helper()
	message, err := json.Marshal(map[string]any{
		"type": "subscribe", "id": id, "payload": map[string]any{"query": query, "variables": variables},
	})
	testutil.Must(c.t, err)
	c.send(string(message))
}

func (c *client) receive() (m received) {
	c.t.Helper()
	_, text, err := c.conn.Read(c.t.Context())
	testutil.Must(c.t, err)
	testutil.Must(c.t, json.Unmarshal(text, &m))
	return m
}

// want receives one message as "type id payload".
func (c *client) want(message string) {
	c.t.Helper()
	m := c.receive()
	got := strings.TrimSpace(strings.Join([]string{m.Type, m.ID, string(m.Payload)}, " "))
	if got != message {
		c.t.Errorf("got %s\nwant %s", got, message)
	}
}

// wantCode receives an error of one operation with a code.
func (c *client) wantCode(id, code string) {
	c.t.Helper()
	m := c.receive()
	if m.Type != "error" || m.ID != id || !strings.Contains(string(m.Payload), `"code":"`+code+`"`) {
		c.t.Errorf("got %s %s %s, want the error %s of %s", m.Type, m.ID, m.Payload, code, id)
	}
}

// wantClose skips messages until the server closes with the code and the reason.
func (c *client) wantClose(code websocket.StatusCode, reason string) {
	c.t.Helper()
	for {
		_, _, err := c.conn.Read(context.WithoutCancel(c.t.Context()))
		if err == nil {
			continue
		}
		closed, isClosed := errors.AsType[websocket.CloseError](err)
		if !isClosed || closed.Code != code || reason != "" && closed.Reason != reason {
			c.t.Errorf("%v, want %d %s", err, code, reason)
		}
		return
	}
}

// until waits for what other goroutines do.
func until(t *testing.T, holds func() bool) {
	t.Helper()
	for ; !holds(); <-time.After(time.Millisecond) {
		if t.Context().Err() != nil {
			t.FailNow()
		}
	}
}

// clock is ahead of the real one, or of the time at which it stands.
type clock struct {
	ahead atomic.Int64
	still time.Time
}

// standing is a clock that only set moves, from the start of a second, as tokens have no parts.
func standing() *clock { return &clock{still: time.Now().Truncate(time.Second)} }

func (c *clock) now() time.Time {
	now := c.still
	if now.IsZero() {
		now = time.Now()
	}
	return now.Add(time.Duration(c.ahead.Load()))
}

func (c *clock) set(ahead time.Duration) { c.ahead.Store(int64(ahead)) }

// lockPatient locks the row of the clinic's patient until unlock.
func lockPatient(t *testing.T, clinic *graphtest.Clinic) (unlock func()) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), clinic.DatabaseURL)
	testutil.Must(t, err)
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	tx, err := conn.Begin(t.Context())
	testutil.Must(t, err)
	_, err = tx.Exec(t.Context(), `SELECT FROM patients WHERE id = $1 FOR UPDATE`, model.ParseID(clinic.Patient).Num)
	testutil.Must(t, err)
	return func() { testutil.Must(t, tx.Rollback(t.Context())) }
}
