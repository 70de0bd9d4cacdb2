package storetest

import (
	"context"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/caregraph/caregraph/internal/testutil"
)

// Pooler is a small connection pooler. Like PgBouncer it refuses startup parameters
// that it does not track, and has process ids of its own.
type Pooler struct {
	// URL is the address of the database through the pooler.
	URL string
	// Session keeps one server connection for each client. Otherwise each transaction
	// gets another server connection than the one before.
	Session bool
	// Cut, if set, resets the connection to the client after the answer to a statement
	// for which it returns true.
	Cut func(sql string) bool
	// Standby answers the question of a client for a primary like a standby.
	Standby bool

	tb     testing.TB
	server string

	mu   sync.Mutex
	idle []*pgconn.HijackedConn
	open map[net.Conn]bool
	// silenced are the clients that get no more answers.
	clients, silenced uint32
}

// Clients returns how many connections clients have opened.
func (p *Pooler) Clients() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return int(p.clients)
}

// Demote lets it answer like a standby from now on.
func (p *Pooler) Demote() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.Standby = true
}

func (p *Pooler) isStandby() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.Standby
}

// Silence lets the present clients wait until the test ends. New ones get answers.
func (p *Pooler) Silence() {
	p.tb.Cleanup(p.closeAll) // a store that closes would wait for answers
	p.mu.Lock()
	defer p.mu.Unlock()
	p.silenced = p.clients
}

func (p *Pooler) isSilenced(client uint32) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return client <= p.silenced
}

// Start listens in front of the database at the URL until the test ends.
func (p *Pooler) Start(tb testing.TB, database string) *Pooler {
	tb.Helper()
	listener, err := (&net.ListenConfig{}).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	testutil.Must(tb, err)
	u, err := url.Parse(database)
	testutil.Must(tb, err)
	p.tb, p.server, p.open = tb, database, map[net.Conn]bool{}
	p.URL = "postgres://caregraph@" + listener.Addr().String() + u.Path + "?sslmode=disable"
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			if p.track(client) {
				serving.Go(func() { p.serve(client) })
			}
		}
	})
	tb.Cleanup(func() {
		_ = listener.Close()
		p.closeAll()
		serving.Wait()
	})
	return p
}

// track remembers a connection for the end. After the end it closes it.
func (p *Pooler) track(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open == nil {
		_ = conn.Close()
		return false
	}
	p.open[conn] = true
	return true
}

func (p *Pooler) closeAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.open {
		_ = conn.Close()
	}
	p.open = nil
}

func (p *Pooler) forget(conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, conn)
	_ = conn.Close()
}

func (p *Pooler) serve(client net.Conn) {
	defer p.forget(client)
	backend := pgproto3.NewBackend(client, client)
	number, ok := p.greet(backend)
	if !ok {
		return
	}
	var server *pgconn.HijackedConn
	for {
		batch, texts, ok := receiveBatch(backend)
		if !ok || p.isSilenced(number) {
			if ok {
				_, _ = io.Copy(io.Discard, client) // until the client goes
			}
			break
		}
		if p.isStandby() && strings.Contains(texts, "pg_is_in_recovery") {
			batch, _ = (&pgproto3.Query{String: "SELECT true"}).Encode(nil) // fails for a text of gigabytes only
		}
		if server == nil {
			if server = p.take(); server == nil {
				return
			}
		}
		inTransaction, ok := relay(client, server, batch)
		if !ok {
			break
		}
		if p.Cut != nil && p.Cut(texts) {
			_ = client.(*net.TCPConn).SetLinger(0)
			break
		}
		if !inTransaction && !p.Session {
			p.give(server)
			server = nil
		}
	}
	if server != nil {
		p.forget(server.Conn)
	}
}

// greet answers the startup message, and returns the number of the client.
func (p *Pooler) greet(backend *pgproto3.Backend) (number uint32, ok bool) {
	message, err := backend.ReceiveStartupMessage()
	start, ok := message.(*pgproto3.StartupMessage)
	if err != nil || !ok { // a cancel request has no effect
		return 0, false
	}
	for name := range start.Parameters {
		switch strings.ToLower(name) {
		case "user", "database", "application_name", "timezone", "client_encoding":
		default:
			backend.Send(&pgproto3.ErrorResponse{Severity: "FATAL", Code: "08P01", Message: "unsupported startup parameter: " + name})
			_ = backend.Flush()
			return 0, false
		}
	}
	server := p.take()
	if server == nil {
		return 0, false
	}
	p.mu.Lock()
	p.clients++
	number = p.clients
	p.mu.Unlock()
	backend.Send(&pgproto3.AuthenticationOk{})
	for name, value := range server.ParameterStatuses {
		backend.Send(&pgproto3.ParameterStatus{Name: name, Value: value})
	}
	backend.Send(&pgproto3.BackendKeyData{ProcessID: 1<<30 + number, SecretKey: []byte{1, 2, 3, 4}})
	backend.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	p.give(server)
	return number, backend.Flush() == nil
}

// receiveBatch reads messages up to a Sync or a simple query, and returns their bytes
// and the texts of their statements.
func receiveBatch(backend *pgproto3.Backend) (batch []byte, texts string, ok bool) {
	for {
		message, err := backend.Receive()
		if err != nil {
			return nil, "", false
		}
		if batch, err = message.Encode(batch); err != nil {
			return nil, "", false
		}
		switch message := message.(type) {
		case *pgproto3.Parse:
			texts += message.Query + "\n"
		case *pgproto3.Query:
			return batch, texts + message.String, true
		case *pgproto3.Sync:
			return batch, texts, true
		case *pgproto3.Terminate:
			return nil, "", false
		}
	}
}

// relay sends a batch to the server and the answers to the client.
func relay(client net.Conn, server *pgconn.HijackedConn, batch []byte) (inTransaction, ok bool) {
	if _, err := server.Conn.Write(batch); err != nil {
		return false, false
	}
	for {
		message, err := server.Frontend.Receive()
		if err != nil {
			return false, false
		}
		answer, err := message.Encode(nil)
		if err != nil {
			return false, false
		}
		if _, err := client.Write(answer); err != nil {
			return false, false
		}
		if ready, ok := message.(*pgproto3.ReadyForQuery); ok {
			return ready.TxStatus != 'I', true
		}
	}
}

// take returns the server connection that was unused for longest, or a new one. There
// are always two, so that a client does not get the same one again.
func (p *Pooler) take() *pgconn.HijackedConn {
	p.mu.Lock()
	if len(p.idle) > 1 {
		server := p.idle[0]
		p.idle = p.idle[1:]
		p.mu.Unlock()
		return server
	}
	p.mu.Unlock()
	config, err := pgconn.ParseConfig(p.server)
	if err != nil {
		return nil
	}
	config.RuntimeParams["timezone"] = "UTC" // as all clients ask for
	conn, err := pgconn.ConnectConfig(context.WithoutCancel(p.tb.Context()), config)
	if err != nil {
		return nil
	}
	server, err := conn.Hijack()
	if err != nil || !p.track(server.Conn) {
		return nil
	}
	return server
}

func (p *Pooler) give(server *pgconn.HijackedConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, server)
}
