package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"

	gomail "github.com/wneessen/go-mail"

	"github.com/caregraph/caregraph/store"
)

// smtp gives mails to an SMTP server over TLS.
type smtp struct {
	// tls checks the server's certificate.
	tls *tls.Config

	host     string
	implicit bool // TLS from the start
	options  []gomail.Option
}

func (s *smtp) String() string { return "the SMTP server " + s.host }

// encoding suits every server.
func (*smtp) encoding() gomail.Encoding { return gomail.EncodingQP }

func newSMTP(setting string) (*smtp, error) {
	u, err := url.Parse(setting)
	if err != nil {
		return nil, errors.New("--mail cannot be read") // its text may hold a password
	}
	s := &smtp{host: u.Hostname(), tls: &tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS12}}
	s.implicit = u.Scheme == "smtps"
	port, add := gomail.DefaultPortTLS, gomail.WithTLSPolicy(gomail.TLSMandatory)
	if s.implicit {
		port, add = gomail.DefaultPortSSL, gomail.WithSSL()
	}
	if text := u.Port(); text != "" {
		if port, err = strconv.Atoi(text); err != nil {
			return nil, errors.New("--mail has a port that cannot be read")
		}
	}
	s.options = append(s.options, add, gomail.WithPort(port))
	if password, ok := u.User.Password(); ok {
		s.options = append(s.options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover),
			gomail.WithUsername(u.User.Username()), gomail.WithPassword(password))
	}
	return s, nil
}

// send returns when the server has accepted the mail. With STARTTLS it also returns when
// ctx ends; with TLS from the start it waits for the answer, for 15 seconds at most.
func (s *smtp) send(ctx context.Context, _ *store.Mail, message *gomail.Msg) error {
	forget := func() bool { return true }
	defer func() { forget() }()
	options := slices.Concat(s.options, []gomail.Option{gomail.WithTLSConfig(s.tls)})
	if !s.implicit { // otherwise the client must dial itself to know of the TLS
		options = append(options, gomail.WithDialContextFunc(func(dialing context.Context, network, address string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(dialing, network, address)
			if err == nil {
				forget = context.AfterFunc(ctx, func() { _ = conn.Close() })
			}
			return conn, err
		}))
	}
	client, err := gomail.NewClient(s.host, options...)
	if err != nil {
		return fmt.Errorf("SMTP client: %w", err)
	}
	if err := client.DialWithContext(ctx); err != nil {
		return fmt.Errorf("reach the SMTP server: %w", err)
	}
	// A server that has accepted the mail may close the connection as it likes.
	defer func() { _ = client.Close() }()
	return withoutAddress(client.Send(message))
}

// withoutAddress returns what an error of a server says in numbers: its text can quote the
// address.
func withoutAddress(err error) error {
	if err == nil {
		return nil
	}
	refused, ok := errors.AsType[*gomail.SendError](err)
	if !ok {
		return errors.New("the SMTP server ended the connection")
	}
	return fmt.Errorf("the SMTP server refused the mail: code %d, %s", refused.ErrorCode(), refused.Reason)
}
