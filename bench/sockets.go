package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

const (
	// listeners is how many WebSockets are open, each with one subscription, and perListener
	// how many an account may open.
	listeners   = 10_000
	perListener = 20
	// joinEvery keeps the server from refusing them, and so do several addresses.
	joinEvery     = time.Second / 150
	joinAddresses = 8
	// settled is longer than the time between two pings.
	settled = 30 * time.Second
	// events are counted in one measurement, each with a read of the feed of its own. Of so
	// many measurements only some have a garbage collection, and the median has none.
	events      = 32
	eventEvery  = 125 * time.Millisecond
	eventRounds = 9
	// bellsTimeout is how long a bell may take to reach all.
	bellsTimeout = time.Minute
)

// audience are clients with open WebSockets.
type audience struct {
	addr    string
	clients []*http.Client
	bells   atomic.Int64
	reading sync.WaitGroup
}

func newAudience(addr string) *audience {
	a := &audience{addr: addr}
	for i := range joinAddresses {
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(2+i))}}
		a.clients = append(a.clients, &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext}})
	}
	return a
}

// sockets measures idle WebSockets, events of the change feed, and what is sent.
func (b *benchmark) sockets(ctx context.Context, s *stage) (rows []liveRow, err error) {
	s.us.stop() // it would hear of the events, too
	tokens, err := b.listenerTokens(ctx, s.dataset.url)
	if err != nil {
		return nil, err
	}
	server, err := b.tools.serve(ctx, s.dataset.url)
	if err != nil {
		return nil, err
	}
	defer server.stop()
	db, err := pgx.Connect(ctx, s.dataset.url)
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close(ctx) }()
	reading, stop := context.WithCancel(ctx)
	a := newAudience(server.addr)
	defer func() { stop(); a.reading.Wait() }()
	m := &meter{benchmark: b, server: server, db: db}
	if err := a.join(reading, tokens[:1]); err != nil {
		return nil, err
	}
	few, err := m.event(ctx)
	if err != nil {
		return nil, err
	}
	b.say(fmt.Sprintf("opening %d WebSockets", listeners))
	if err := errors.Join(a.join(reading, tokens[1:]), pause(ctx, settled)); err != nil {
		return nil, err
	}
	resident, err := treeRSS(server.pid())
	if err != nil {
		return nil, err
	}
	many, err := m.event(ctx)
	if err != nil {
		return nil, err
	}
	sent, err := m.delivery(ctx, a)
	if err != nil {
		return nil, err
	}
	return []liveRow{
		{What: "server with 10000 WebSockets, each with a subscription", Value: float64(resident) / (1 << 20), Unit: "MB resident", Most: 220},
		{What: "event at 10000 subscribers, server + PostgreSQL", Value: many, Unit: "ms CPU", Most: 0.6},
		{What: "the same, to that at 1 subscriber", Value: many / few, Unit: "x CPU", Most: 1.5},
		{What: "delivery of 250 bytes, server", Value: sent, Unit: "us CPU", Most: 15},
	}, nil
}

// listenerTokens registers accounts, each for as many WebSockets as it may open, and returns
// an access token for each WebSocket. Another server does that, which needs memory for it.
func (b *benchmark) listenerTokens(ctx context.Context, url string) ([]string, error) {
	server, err := b.tools.serve(ctx, url, "--max-registrations=100000,1s")
	if err != nil {
		return nil, err
	}
	defer server.stop()
	link, err := dial(ctx, server.addr)
	if err != nil {
		return nil, err
	}
	defer link.close()
	var tokens []string
	for n := 0; len(tokens) < listeners; n++ {
		listener, err := link.register(fmt.Sprintf("bench_listener_%d", n), "PATIENT")
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, slices.Repeat([]string{listener.token}, perListener)...)
	}
	return tokens, nil
}

// join opens a WebSocket with each token, and reads from it until ctx ends.
func (a *audience) join(ctx context.Context, tokens []string) error {
	var group errgroup.Group
	group.SetLimit(joinAddresses)
	ticker := time.NewTicker(joinEvery)
	defer ticker.Stop()
	for i, token := range tokens {
		<-ticker.C
		group.Go(func() error { return a.open(ctx, a.clients[i%len(a.clients)], token) })
	}
	return group.Wait()
}

// open returns once the subscription has begun. Its messages have 250 bytes, most of which
// are the id that the client chose.
func (a *audience) open(ctx context.Context, client *http.Client, token string) error {
	conn, response, err := websocket.Dial(ctx, "ws://"+a.addr+"/graphql",
		&websocket.DialOptions{HTTPClient: client, Subprotocols: []string{"graphql-transport-ws"}})
	if response != nil && response.Body != nil {
		_ = response.Body.Close()
	}
	if err != nil {
		return err
	}
	id := strings.Repeat("i", 250-len(`{"id":"","type":"next","payload":{"data":{"changed":true}}}`))
	for _, message := range []string{
		`{"type":"connection_init","payload":{"Authorization":"Bearer ` + token + `"}}`,
		`{"type":"subscribe","id":"` + id + `","payload":{"query":"subscription { changed }"}}`,
	} {
		if err := conn.Write(ctx, websocket.MessageText, []byte(message)); err != nil {
			return err
		}
		if _, _, err := conn.Read(ctx); err != nil { // that it is accepted, and the first bell
			return err
		}
	}
	a.reading.Go(func() {
		for {
			if _, _, err := conn.Read(ctx); err != nil {
				return
			}
			a.bells.Add(1)
		}
	})
	return nil
}

// meter measures one server with its PostgreSQL.
type meter struct {
	*benchmark

	server *process
	db     *pgx.Conn // makes the changes
	made   int
}

// change adds a row to the change feed, and rings.
func (m *meter) change(ctx context.Context, kind string) error {
	m.made++
	if _, err := m.db.Exec(ctx, `SELECT caregraph_changed($1::text::"char", $2)`, kind, 2+m.made%1000); err != nil {
		return err
	}
	_, err := m.db.Exec(ctx, "NOTIFY caregraph_changes")
	return err
}

// spent returns the CPU that the server and PostgreSQL use while f runs, without that of the
// connection that makes the changes.
func (m *meter) spent(f func() error) (server, postgres time.Duration, err error) {
	clock := func() (cpu, time.Duration) {
		now, readErr := readCPU(m.server.pid(), m.cluster.pid)
		own, clockErr := processClock(int(m.db.PgConn().PID()))
		err = errors.Join(err, readErr, clockErr)
		return now, now.postgres - own
	}
	before, postgresBefore := clock()
	if err := f(); err != nil {
		return 0, 0, err
	}
	after, postgresAfter := clock()
	return after.server - before.server, postgresAfter - postgresBefore, err
}

// event returns the cost of a change that concerns none of the subscribers, in milliseconds,
// in addition to what they cost without changes.
func (m *meter) event(ctx context.Context) (float64, error) {
	var costs []float64
	for range eventRounds {
		idleServer, idlePostgres, err := m.spent(func() error { return pause(ctx, events*eventEvery) })
		if err != nil {
			return 0, err
		}
		server, postgres, err := m.spent(func() error {
			for range events {
				if err := errors.Join(m.change(ctx, "P"), pause(ctx, eventEvery)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return 0, err
		}
		costs = append(costs, milliseconds(server+postgres-idleServer-idlePostgres)/events)
		m.say(fmt.Sprintf("  event          %.3f ms (%.3f + %.3f)", costs[len(costs)-1], milliseconds(server-idleServer)/events, milliseconds(postgres-idlePostgres)/events))
	}
	return quantile(costs, 0.5), nil
}

// delivery returns the cost of a message to one of all subscribers, in microseconds of the
// server.
func (m *meter) delivery(ctx context.Context, a *audience) (float64, error) {
	var costs []float64
	for range m.plan.repeats {
		before, began := a.bells.Load(), time.Now()
		server, _, err := m.spent(func() error {
			err := m.change(ctx, "D") // of which everyone hears
			for err == nil && a.bells.Load() < before+listeners {
				if time.Since(began) > bellsTimeout {
					return fmt.Errorf("%d of %d bells have come", a.bells.Load()-before, listeners)
				}
				err = pause(ctx, 50*time.Millisecond)
			}
			return err
		})
		if err != nil {
			return 0, err
		}
		idle, _, err := m.spent(func() error { return pause(ctx, time.Since(began)) })
		if err != nil {
			return 0, err
		}
		costs = append(costs, 1000*milliseconds(server-idle)/listeners)
		m.say(fmt.Sprintf("  delivery       %.1f us", costs[len(costs)-1]))
	}
	return quantile(costs, 0.5), nil
}
