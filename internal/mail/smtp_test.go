package mail

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	smtpd "github.com/emersion/go-smtp"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/storetest"
)

// exchanger is an SMTP server that keeps the mails which it accepts.
type exchanger struct {
	addr  string
	roots *x509.CertPool
	// refuse returns what the server says to a mail; may be nil.
	refuse func(to string) error
	// afterwards is called with the connection of a mail before the server answers that it
	// has accepted it; may be nil.
	afterwards func(net.Conn)

	mu       sync.Mutex
	signedIn bool
	accepted []*netmail.Message
	bodies   []string
}

type session struct {
	*exchanger

	conn net.Conn
	to   string
}

func (s *session) Mail(string, *smtpd.MailOptions) error { return nil }

func (s *session) Rcpt(to string, _ *smtpd.RcptOptions) error {
	s.to = to
	if s.refuse == nil {
		return nil
	}
	return s.refuse(to)
}

func (s *session) Data(r io.Reader) error {
	m, err := netmail.ReadMessage(r)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(m.Body)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accepted, s.bodies = append(s.accepted, m), append(s.bodies, string(text))
	if s.afterwards != nil {
		s.afterwards(s.conn)
	}
	return nil
}

// AuthMechanisms and Auth ask for the password of TestSMTP_SignsIn.
func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, username, password string) error {
		if username != "desk@clinic" || password != "p@ss" {
			return errors.New("wrong")
		}
		s.signedIn = true
		return nil
	}), nil
}

func (*session) Reset()        {}
func (*session) Logout() error { return nil }

// exchange starts an SMTP server, perhaps with STARTTLS, that ends with the test.
func exchange(t *testing.T, withTLS bool) *exchanger { return exchangeWith(t, withTLS, false) }

func exchangeWith(t *testing.T, withTLS, implicit bool) *exchanger {
	t.Helper()
	e := &exchanger{}
	server := smtpd.NewServer(smtpd.BackendFunc(func(c *smtpd.Conn) (smtpd.Session, error) {
		return &session{exchanger: e, conn: c.Conn()}, nil
	}))
	if withTLS {
		server.TLSConfig, e.roots = certificate(t)
	}
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	testutil.Must(t, err)
	e.addr = listener.Addr().String()
	if implicit {
		listener = tls.NewListener(listener, server.TLSConfig)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close(); <-done })
	return e
}

// certificate returns one for 127.0.0.1, and the pool that trusts it.
func certificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	testutil.Must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	content, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	testutil.Must(t, err)
	parsed, err := x509.ParseCertificate(content)
	testutil.Must(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{content}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}, roots
}

// sender returns a sender of the clinic's mails to the SMTP server.
func sender(t *testing.T, c *storetest.Clinic, e *exchanger, log io.Writer) *Sender {
	t.Helper()
	return senderTo(t, c, e, "smtp://"+e.addr, log)
}

func senderTo(t *testing.T, c *storetest.Clinic, e *exchanger, to string, log io.Writer) *Sender {
	t.Helper()
	s, err := New(to, "CareGraph <desk@clinic.example>", slog.New(slog.NewTextHandler(log, nil)))
	testutil.Must(t, err)
	s.Store, s.PublicURL = c.Store, "https://care.clinic.example"
	s.to.(*smtp).tls = &tls.Config{RootCAs: e.roots, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}
	return s
}

type clock struct{ now time.Time }

func (c *clock) use(o *store.Options) { o.Now = func() time.Time { return c.now } }

func (e *exchanger) ids() (ids []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, m := range e.accepted {
		ids = append(ids, m.Header.Get("Message-Id"))
	}
	return ids
}

func TestSMTP_SendsWhatTheOwnerNeeds(t *testing.T) {
	t.Parallel()
	c, e := storetest.New(t), exchange(t, true)
	c.Owner("Asha")
	s := sender(t, c, e, io.Discard)
	s.Deliver(t.Context())
	s.Deliver(t.Context())
	testutil.Equal(t, "counts", s.Counts(), map[string]int64{"sent": 1, "failed": 0, "dropped": 0})
	testutil.Equal(t, "mails", len(e.accepted), 1)
	header, body := e.accepted[0].Header, e.bodies[0]
	for name, want := range map[string]string{
		"To": "<asha@clinic.example>", "From": `"CareGraph" <desk@clinic.example>`, "Subject": "Confirm your e-mail address",
		"Auto-Submitted": "auto-generated", "Content-Type": "text/plain; charset=UTF-8",
	} {
		testutil.Equal(t, name, header.Get(name), want)
	}
	if id := header.Get("Message-Id"); !strings.HasPrefix(id, "<1.") || !strings.HasSuffix(id, "@clinic.example>") {
		t.Errorf("Message-Id: %s", id)
	}
	for _, want := range []string{"Hello,", "https://care.clinic.example/account/#confirm=3D"} {
		if !strings.Contains(body, want) {
			t.Errorf("the mail lacks %q: %s", want, body)
		}
	}
}

// TestSMTP_SignsIn with the password of the address, with both kinds of TLS.
func TestSMTP_SignsIn(t *testing.T) {
	t.Parallel()
	for scheme, implicit := range map[string]bool{"smtp": false, "smtps": true} {
		c, e := storetest.New(t), exchangeWith(t, true, implicit)
		c.Owner("Asha")
		s := senderTo(t, c, e, scheme+"://desk%40clinic:p%40ss@"+e.addr, io.Discard)
		s.Deliver(t.Context())
		testutil.Equal(t, scheme, s.Counts()["sent"], 1)
		testutil.Equal(t, scheme+": signed in", e.signedIn, true)
	}
}

// TestSMTP_Greylisted mails are sent when the server takes them. The log names no address.
func TestSMTP_Greylisted(t *testing.T) {
	t.Parallel()
	now := &clock{time.Now()}
	c, e := storetest.New(t, now.use), exchange(t, true)
	e.refuse = func(to string) error {
		return &smtpd.SMTPError{Code: 451, EnhancedCode: smtpd.EnhancedCode{4, 7, 1}, Message: "come back later, " + to}
	}
	c.Owner("Asha")
	var log strings.Builder
	s := sender(t, c, e, &log)
	s.Deliver(t.Context())
	e.refuse = nil
	s.Deliver(t.Context())
	testutil.Equal(t, "at once", s.Counts(), map[string]int64{"sent": 0, "failed": 1, "dropped": 0})
	now.now = now.now.Add(time.Minute)
	s.Deliver(t.Context())
	testutil.Equal(t, "after a minute", s.Counts(), map[string]int64{"sent": 1, "failed": 1, "dropped": 0})
	if text := log.String(); !strings.Contains(text, "451") || strings.Contains(strings.ToLower(text), "asha") {
		t.Errorf("the log says %s", text)
	}
}

// TestSMTP_DroppedConnection after the server has the mail: the mail comes once more, and
// is the same.
func TestSMTP_DroppedConnection(t *testing.T) {
	t.Parallel()
	now := &clock{time.Now()}
	c, e := storetest.New(t, now.use), exchange(t, true)
	e.afterwards = func(conn net.Conn) { _ = conn.Close() }
	c.Owner("Asha")
	s := sender(t, c, e, io.Discard)
	s.Deliver(t.Context())
	e.afterwards = nil
	for range 3 {
		now.now = now.now.Add(time.Minute)
		s.Deliver(t.Context())
	}
	ids := e.ids()
	if len(ids) != 2 || ids[0] != ids[1] {
		t.Errorf("the server has %v", ids)
	}
}

func TestSMTP_SendsNothingWithoutTLS(t *testing.T) {
	t.Parallel()
	for what, e := range map[string]*exchanger{"no STARTTLS": exchange(t, false), "an unknown certificate": exchange(t, true)} {
		e.roots = x509.NewCertPool()
		c := storetest.New(t)
		c.Owner("Asha")
		s := sender(t, c, e, io.Discard)
		s.Deliver(t.Context())
		testutil.Equal(t, what, s.Counts(), map[string]int64{"sent": 0, "failed": 1, "dropped": 0})
		testutil.Equal(t, what, len(e.accepted), 0)
	}
}

// TestSender_StopsAtOnce also while a mail is on its way.
func TestSender_StopsAtOnce(t *testing.T) {
	t.Parallel()
	c, e := storetest.New(t), exchange(t, true)
	c.Owner("Asha")
	arrived, stopped := make(chan struct{}), make(chan struct{})
	e.refuse = func(string) error { close(arrived); <-stopped; return errors.New("too late") }
	s := sender(t, c, e, io.Discard)
	stop := s.Start(context.Background())
	<-arrived
	stop()
	close(stopped)
	testutil.Equal(t, "counts", s.Counts(), map[string]int64{"sent": 0, "failed": 0, "dropped": 0})
}
