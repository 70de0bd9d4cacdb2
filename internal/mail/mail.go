// Package mail sends the mails that wait in the outbox of the store: to an SMTP server, or
// as files to a directory. Its texts are in texts, one for each kind. It never decides who
// gets a mail, and it logs no address and no text.
package mail

import (
	"cmp"
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/caregraph/caregraph/store"
)

const (
	pollEvery  = time.Second
	sweepEvery = time.Hour
)

// Sender sends mails. Set Store and PublicURL before the first mail.
type Sender struct {
	Store *store.Store
	// PublicURL is what clients see of the server's address, without a slash at its end.
	PublicURL string

	to                    transport
	from                  string
	log                   *slog.Logger
	sent, failed, dropped atomic.Int64
	waits                 bool // for the database
}

// New returns a sender to file:DIR, smtp://user:password@host:587, which requires STARTTLS,
// or smtps://user:password@host:465. An empty from is caregraph@localhost.
func New(to, from string, log *slog.Logger) (*Sender, error) {
	s := &Sender{from: cmp.Or(from, "caregraph@localhost"), log: log}
	if dir, ok := strings.CutPrefix(to, "file:"); ok {
		s.to = files{dir}
		return s, nil
	}
	server, err := newSMTP(to)
	s.to = server
	return s, err
}

// transport takes a mail to where it can be read.
type transport interface {
	// send returns when the mail is in safe hands. Its error contains no address.
	send(ctx context.Context, m *store.Mail, message *gomail.Msg) error
	// encoding is that of the text.
	encoding() gomail.Encoding
	// String says where that is, without a password.
	String() string
}

// Counts returns how many mails were sent, how often one could not be sent and waits, and
// how many were given up.
func (s *Sender) Counts() map[string]int64 {
	return map[string]int64{"sent": s.sent.Load(), "failed": s.failed.Load(), "dropped": s.dropped.Load()}
}

// Start sends mails until the caller calls stop. A mail on its way is then sent again by
// the next server.
func (s *Sender) Start(ctx context.Context) (stop func()) {
	s.log.InfoContext(ctx, "mails", "where", s.to.String())
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.run(ctx)
	}()
	return func() { cancel(); <-done }
}

func (s *Sender) run(ctx context.Context) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	var swept time.Time
	for {
		s.Deliver(ctx)
		if now := time.Now(); now.Sub(swept) >= sweepEvery {
			swept = now
			_ = s.Store.SweepMail(ctx) // the next time removes what this time did not
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Deliver sends the mails that are due.
func (s *Sender) Deliver(ctx context.Context) {
	d, err := s.Store.DeliverMail(ctx, s.send)
	s.sent.Add(d.Sent)
	s.failed.Add(d.Failed)
	s.dropped.Add(d.Dropped)
	if d.Dropped > 0 {
		s.log.ErrorContext(ctx, "mails were given up: they could not be sent for three days", "count", d.Dropped)
	}
	if err != nil && !s.waits && ctx.Err() == nil {
		s.log.WarnContext(ctx, "mails wait: the database does not answer")
	}
	s.waits = err != nil
}

func (s *Sender) send(ctx context.Context, m *store.Mail) error {
	message, err := s.compose(m)
	if err == nil {
		err = s.to.send(ctx, m, message)
	}
	if err != nil && ctx.Err() == nil {
		s.log.WarnContext(ctx, "a mail could not be sent and will be tried again", "mail", m.ID, "kind", string(m.Kind), "error", err)
	}
	return err
}
