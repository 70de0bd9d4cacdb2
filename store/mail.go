package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/uptrace/bun"

	"github.com/caregraph/caregraph/model"
)

// sendMail writes a mail to an account in the transaction that causes it; DeliverMail
// sends it after the commit. Data has what the text of the kind needs, and never a name or
// value of a patient. An account that is not active, or has not confirmed its address,
// gets no mail; see MailKind.ForUnconfirmed.
func (s *Store) sendMail(ctx context.Context, db bun.IDB, account int64, kind model.MailKind, data map[string]string) error {
	sealed := []byte{}
	if len(data) > 0 {
		text, err := json.Marshal(data)
		if err != nil {
			return fmt.Errorf("write mail: %w", err)
		}
		if sealed, err = s.secrets.seal(mailPurpose(account, kind), text); err != nil {
			return fmt.Errorf("write mail: %w", err)
		}
	}
	now := s.now()
	_, err := db.NewRaw(`INSERT INTO mail (account_id, kind, data, created_at, next_at)
		SELECT id, ?, ?, ?, ? FROM users WHERE id = ? AND is_active AND (is_confirmed OR ?)`,
		kind, sealed, now, now, account, kind.ForUnconfirmed()).Exec(ctx)
	return err
}

// mailPurpose binds sealed data to its row.
func mailPurpose(account int64, kind model.MailKind) string {
	return "mail " + strconv.FormatInt(account, 10) + " " + string(kind)
}

// Mail is a mail that waits to be sent.
type Mail struct {
	ID        int64
	Kind      model.MailKind
	To        model.EmailAddress
	Username  string
	Data      map[string]string
	CreatedAt time.Time

	account int64
	sealed  []byte // Data
	tries   int
}

const (
	// firstMailPause and longestMailPause are the times until a mail that could not be sent is
	// tried again; each pause is twice the one before.
	firstMailPause, longestMailPause = time.Minute, 6 * time.Hour
	// mailPatience is how long a mail is tried, and mailTTL how long its row stays.
	mailPatience, mailTTL = 3 * 24 * time.Hour, 7 * 24 * time.Hour
	// mailBatch is how many mails one server sends before others may.
	mailBatch = 100
	// outboxKey is the key of the advisory lock of the server that sends.
	outboxKey = 0x6d61696c
)

// Delivered counts what DeliverMail did: mails that were sent, that could not be sent and
// wait, and that were given up.
type Delivered struct{ Sent, Failed, Dropped int64 }

// DeliverMail sends the mails that are due. Of all servers on the database one sends at a
// time, and the others do nothing: a lock on a connection of its own sees to that. A mail
// is marked after send returns, so it is sent again, with the same id, if the server is
// killed in between. A mail that cannot be sent waits a minute, then longer, and is given
// up after three days.
func (s *Store) DeliverMail(ctx context.Context, send func(context.Context, *Mail) error) (d Delivered, err error) {
	if m, err := s.nextMail(ctx); m == nil {
		return d, err
	}
	conn, err := pgx.ConnectConfig(ctx, s.connection.config.ConnConfig)
	if err != nil {
		return d, fmt.Errorf("connect for mail: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		// The transaction does nothing while mails are sent.
		const lock = `SELECT pg_try_advisory_xact_lock($1), set_config('idle_in_transaction_session_timeout', '0', true)`
		var mine bool
		err := tx.QueryRow(ctx, lock, int64(outboxKey)).Scan(&mine, nil)
		for n := 0; err == nil && mine && n < mailBatch; n++ {
			if mine, err = s.deliverOne(ctx, send, &d); err == nil {
				err = conn.Ping(ctx) // the lock is held as long as its connection
			}
		}
		return err
	})
	return d, err
}

// deliverOne sends the mail that is due longest, and reports whether there was one.
func (s *Store) deliverOne(ctx context.Context, send func(context.Context, *Mail) error, d *Delivered) (found bool, err error) {
	m, err := s.nextMail(ctx)
	if m == nil {
		return false, err
	}
	if err = s.openMail(m); err == nil {
		err = send(ctx, m)
	}
	if ctx.Err() != nil {
		return false, ctx.Err() // the server stops: it was no try
	}
	return true, s.markMail(ctx, m, err == nil, d)
}

const nextMail = `SELECT m.id, m.account_id, m.kind, u.email, u.username, m.data, m.created_at, m.tries
	FROM mail AS m JOIN users AS u ON u.id = m.account_id AND u.is_active
	WHERE m.sent_at IS NULL AND m.dropped_at IS NULL AND m.next_at <= $1 ORDER BY m.next_at, m.id LIMIT 1`

// nextMail returns the mail that is due longest, or nil.
func (s *Store) nextMail(ctx context.Context) (*Mail, error) {
	var m Mail
	err := s.readReserved(func(p pool) error {
		return p.on(ctx, func(conn *pgx.Conn, mode pgx.QueryExecMode) error {
			return conn.QueryRow(ctx, nextMail, mode, s.now()).
				Scan(&m.ID, &m.account, &m.Kind, &m.To, &m.Username, &m.sealed, &m.CreatedAt, &m.tries)
		})
	})
	if isNoRows(err) {
		return nil, nil //nolint:nilnil // no mail is due
	}
	if err != nil {
		return nil, fmt.Errorf("look for mail: %w", err)
	}
	return &m, nil
}

func (s *Store) openMail(m *Mail) error {
	if len(m.sealed) == 0 {
		return nil
	}
	text, err := s.secrets.open(mailPurpose(m.account, m.Kind), m.sealed)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, &m.Data)
}

const markMail = `UPDATE mail SET tries = tries + 1, sent_at = $2, dropped_at = $3, next_at = $4 WHERE id = $1`

// markMail stores the result of a try.
func (s *Store) markMail(ctx context.Context, m *Mail, isSent bool, d *Delivered) error {
	now := s.now()
	var sent, dropped *time.Time
	next := now.Add(mailPause(m.tries))
	switch {
	case isSent:
		d.Sent++
		sent = &now
	case now.Sub(m.CreatedAt) >= mailPatience:
		d.Dropped++
		dropped = &now
	default:
		d.Failed++
	}
	return s.writeReserved(func(p pool) error { return p.exec(ctx, markMail, m.ID, sent, dropped, next) })
}

// mailPause returns the time until the next try after a number of failed ones.
func mailPause(tries int) time.Duration {
	pause := firstMailPause
	for ; tries > 0 && pause < longestMailPause; tries-- {
		pause *= 2
	}
	return min(pause, longestMailPause)
}

// SweepMail removes old mails, and codes that have expired.
func (s *Store) SweepMail(ctx context.Context) error {
	now := s.now()
	return s.writeReserved(func(p pool) error {
		if err := p.exec(ctx, `DELETE FROM mail WHERE created_at < $1`, now.Add(-mailTTL)); err != nil {
			return err
		}
		return p.exec(ctx, `DELETE FROM codes WHERE expires_at <= $1`, now)
	})
}
