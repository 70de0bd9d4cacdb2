package session

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/caregraph/caregraph/internal/pgpipe"
)

// Announced is a condition that is true. A statement that ends sessions and has it does
// not call the triggers, which need plpgsql; its caller calls Announce afterwards.
const Announced = "set_config('caregraph.announces', 'on', true) = 'on'"

// announceTimeout bounds the wait for a connection and for the answer.
const announceTimeout = 2 * time.Second

// AllOf is the message that all sessions of an account have ended.
func AllOf(userID int64) string { return "user " + strconv.FormatInt(userID, 10) }

// Announce notifies the listeners of all servers of sessions that have ended: by their
// ids, or by AllOf. The end of ctx does not stop it.
func Announce(ctx context.Context, pool *pgpipe.Pool, messages ...string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), announceTimeout)
	defer cancel()
	// It writes nothing, so it does not wait for the disk.
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("announce: %w", err)
	}
	defer conn.Release()
	_, err = conn.Exec(ctx, "SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, message) FROM unnest($2::text[]) AS message",
		sessionsChannel, messages)
	if err != nil {
		return fmt.Errorf("announce: %w", err)
	}
	return nil
}

// changesChannel is the channel of Ring.
const changesChannel = "caregraph_changes"

// Ring notifies the listeners of all servers that the change feed has grown.
func Ring(ctx context.Context, pool *pgpipe.Pool) error {
	ctx, cancel := context.WithTimeout(ctx, announceTimeout)
	defer cancel()
	conn, err := pool.AcquireFirst(ctx)
	if err != nil {
		return fmt.Errorf("ring: %w", err)
	}
	defer conn.Release()
	// It writes nothing, so it does not wait for the disk.
	if _, err := conn.Exec(ctx, "SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, '')", changesChannel); err != nil {
		return fmt.Errorf("ring: %w", err)
	}
	return nil
}
