package store

import (
	"context"
	"crypto/rand"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// sessionsChannel is where the triggers of the migrations tell of each session that
// has ended or changed.
const sessionsChannel = "caregraph_sessions"

const (
	// proven is how long after a signal was sent that came back everything is
	// taken for heard. PostgreSQL hands out notifications in the order of the
	// commits, so whatever ended before the signal has been heard then.
	proven = 3 * time.Second
	// signalEvery is the time between two signals, while sessions are recalled.
	signalEvery = time.Second
	// relistenAfter is the time until a connection that failed is replaced.
	relistenAfter = time.Second
)

// listener hears of sessions that end, on a connection of its own, and has them
// forgotten. That it hears is not assumed but proved, again and again, by a
// signal to itself through another connection: a network that fails in silence
// or a pooler that keeps notifications to itself only make the store ask for
// each session again.
type listener struct {
	store *Store
	// channel is where the signals come back, numbered.
	channel string
	sent    int
	signals chan string
}

// listen hears of sessions that end until stop is called, which waits.
func (s *Store) listen(ctx context.Context) (stop func()) {
	l := &listener{store: s, channel: "caregraph_" + strings.ToLower(rand.Text()), signals: make(chan string, 1)}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			_ = l.connected(ctx) // requests tell of a database that cannot be reached
			wait(ctx, relistenAfter)
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
	conn, err := pgx.ConnectConfig(ctx, l.store.writes.Config().ConnConfig)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer hangUp(context.WithoutCancel(ctx), conn)
	for _, channel := range []string{sessionsChannel, l.channel} {
		if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{channel}.Sanitize()); err != nil {
			return fmt.Errorf("listen: %w", err)
		}
	}
	l.store.living.forgetAll() // what was learned before was not listened for
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { defer close(done); defer cancel(); l.prove(ctx) }()
	err = l.hear(ctx, conn)
	cancel()
	<-done
	l.store.living.forgetAll()
	return err
}

// hangUp does not wait long for a network that is gone.
func hangUp(ctx context.Context, conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(ctx, relistenAfter)
	defer cancel()
	_ = conn.Close(ctx) // the connection is given up in any case
}

// hear has sessions forgotten that end.
func (l *listener) hear(ctx context.Context, conn *pgx.Conn) error {
	for {
		heard, err := conn.WaitForNotification(ctx)
		switch {
		case err != nil:
			return fmt.Errorf("wait: %w", err)
		case heard.Channel == l.channel:
			select {
			case l.signals <- heard.Payload:
			case <-ctx.Done():
			}
		default:
			l.store.living.heard(heard.Payload)
		}
	}
}

// prove sends signals while sessions are recalled, until one of them does not
// come back.
func (l *listener) prove(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-l.store.living.recalled:
			if !l.signal(ctx) {
				return
			}
			wait(ctx, signalEvery)
		}
	}
}

// signal has what is remembered relied on if the signal comes back.
func (l *listener) signal(ctx context.Context) (heard bool) {
	start := time.Now()
	ctx, cancel := context.WithDeadline(ctx, start.Add(proven))
	defer cancel()
	l.sent++
	number := strconv.Itoa(l.sent)
	// It is no record of anything: nobody need wait for the disk.
	_, err := l.store.writes.Exec(ctx, "SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, $2)", l.channel, number)
	if err != nil {
		return true // all connections are in use, or the one that listens has failed, too
	}
	for {
		select {
		case got := <-l.signals:
			if got == number { // and not one that was given up
				l.store.living.rely(start.Add(proven))
				return true
			}
		case <-ctx.Done():
			return false
		}
	}
}
