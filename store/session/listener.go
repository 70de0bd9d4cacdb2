package session

import (
	"context"
	"crypto/rand"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/caregraph/caregraph/internal/pgpipe"
)

// sessionsChannel is the channel of Announce, and of the triggers of the migrations,
// which notify of each session that an operator has ended or changed by SQL.
const sessionsChannel = "caregraph_sessions"

const (
	// heartbeatTTL is how long entries are certain after the start of a ping that comes
	// back. PostgreSQL delivers notifications in the order of the commits, so every
	// session whose end was announced before the ping has been removed by then.
	heartbeatTTL = 3 * time.Second
	// pingEvery is the time between two pings while requests use the cache.
	pingEvery = time.Second
	// reconnectAfter is the time until a failed connection is replaced.
	reconnectAfter = time.Second
)

// listener receives the notifications on its own connection and invalidates entries.
// It pings itself through another connection, which proves that notifications arrive.
// If the network fails silently or a pooler drops notifications, the store looks up
// each session again.
type listener struct {
	cache  *Cache
	config *pgx.ConnConfig
	pool   *pgpipe.Pool
	// channel is the channel of the pings, which are numbered.
	channel string
	sent    int
	pongs   chan string
	rung    func()
}

// Listen invalidates entries of the cache, and calls rung after each Ring, until stop is
// called, which waits for the end. The configuration is that of the connection that listens; the pool sends the
// pings.
func Listen(ctx context.Context, config *pgx.ConnConfig, pool *pgpipe.Pool, cache *Cache, rung func()) (stop func()) {
	l := &listener{cache: cache, config: config, pool: pool, channel: "caregraph_" + strings.ToLower(rand.Text()), pongs: make(chan string, 1), rung: rung}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			_ = l.connected(ctx) // requests report a database that cannot be reached
			wait(ctx, reconnectAfter)
		}
	}()
	return func() { cancel(); <-done }
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// connected listens until it fails.
func (l *listener) connected(ctx context.Context) error {
	conn, err := pgx.ConnectConfig(ctx, l.config)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer hangUp(context.WithoutCancel(ctx), conn)
	if err := l.listen(ctx, conn); err != nil {
		return err
	}
	l.cache.listening.Store(true)
	defer l.cache.listening.Store(false)
	l.cache.Clear() // notifications may have been missed
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { defer close(done); defer cancel(); l.heartbeat(ctx) }()
	err = l.receive(ctx, conn)
	cancel()
	<-done
	l.cache.Clear()
	return err
}

// listen subscribes to the channels. A server that hangs does not answer.
func (l *listener) listen(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, announceTimeout)
	defer cancel()
	for _, channel := range []string{sessionsChannel, changesChannel, l.channel} {
		if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{channel}.Sanitize()); err != nil {
			return fmt.Errorf("listen: %w", err)
		}
	}
	return nil
}

// hangUp closes the connection without a long wait for a failed network. First it listens no
// more: PostgreSQL logs a lost client if it cannot deliver a notification.
func hangUp(ctx context.Context, conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(ctx, reconnectAfter)
	defer cancel()
	_, _ = conn.Exec(ctx, "UNLISTEN *") // fails if the connection has
	_ = conn.Close(ctx)                 // the connection is closed in any case
}

// receive handles notifications until the connection fails.
func (l *listener) receive(ctx context.Context, conn *pgx.Conn) error {
	for {
		got, err := conn.WaitForNotification(ctx)
		switch {
		case err != nil:
			return fmt.Errorf("wait: %w", err)
		case got.Channel == l.channel:
			select {
			case l.pongs <- got.Payload:
			case <-ctx.Done():
			}
		case got.Channel == changesChannel:
			l.rung()
		default:
			l.cache.invalidate(got.Payload)
		}
	}
}

// heartbeat pings while requests use the cache, until a ping does not come back.
func (l *listener) heartbeat(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-l.cache.wanted:
			if !l.ping(ctx) {
				return
			}
			wait(ctx, pingEvery)
		}
	}
}

// ping makes the entries certain if its notification comes back.
func (l *listener) ping(ctx context.Context) (alive bool) {
	start := Now()
	ctx, cancel := context.WithTimeout(ctx, heartbeatTTL)
	defer cancel()
	l.sent++
	number := strconv.Itoa(l.sent)
	if l.send(ctx, number) != nil {
		return true // the connection is in use, or the listening one has failed, too
	}
	for {
		select {
		case got := <-l.pongs:
			if got == number { // not that of an earlier ping
				l.cache.setValidUntil(start.Add(heartbeatTTL))
				return true
			}
		case <-ctx.Done():
			return false
		}
	}
}

func (l *listener) send(ctx context.Context, number string) error {
	conn, err := l.pool.AcquireFirst(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	// It writes nothing, so it does not wait for the disk.
	_, err = conn.Exec(ctx, "SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, $2)", l.channel, number)
	return err
}
