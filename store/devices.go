package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// DeviceTTL is how long a device is known after its first sign-in.
	DeviceTTL = 180 * 24 * time.Hour
	// MaxDevices is how many devices of one account are known: those used last.
	MaxDevices = 20
)

const knowsDevice = `SELECT EXISTS (
	SELECT FROM (SELECT hash, created_at FROM devices WHERE account_id = $1 ORDER BY last_used_at DESC, hash LIMIT $2) AS latest
	WHERE hash = $3 AND created_at > $4)`

// KnowsDevice reports whether the device with the hashed token has signed in to the
// account before.
func (s *Store) KnowsDevice(ctx context.Context, userID int64, hash []byte) (known bool, err error) {
	err = s.readReserved(func(p pool) error {
		return p.on(ctx, func(conn *pgx.Conn, mode pgx.QueryExecMode) error {
			return conn.QueryRow(ctx, knowsDevice, mode, userID, MaxDevices, hash, s.now().Add(-DeviceTTL)).Scan(&known)
		})
	})
	return known, s.translate(ctx, "read device", err)
}

const rememberDevice = `WITH used AS (
		INSERT INTO devices (account_id, hash, created_at, last_used_at) VALUES ($1, $2, $3, $3)
		ON CONFLICT (account_id, hash) DO UPDATE SET last_used_at = $3
	)
	DELETE FROM devices WHERE account_id = $1 AND hash <> $2 AND (created_at <= $4 OR hash = ANY (ARRAY (
		SELECT hash FROM devices WHERE account_id = $1 AND hash <> $2 ORDER BY last_used_at DESC, hash OFFSET $5)))`

// RememberDevice stores that the device with the hashed token signs in to the account
// now. It deletes the devices of the account that are not known any more.
func (s *Store) RememberDevice(ctx context.Context, userID int64, hash []byte) error {
	now := s.now()
	err := s.writeReserved(func(p pool) error {
		return p.exec(ctx, rememberDevice, userID, hash, now, now.Add(-DeviceTTL), MaxDevices-1)
	})
	return s.translate(ctx, "remember device", err)
}
