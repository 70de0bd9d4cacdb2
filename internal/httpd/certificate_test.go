package httpd

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"io/fs"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/caregraph/caregraph/internal/testutil"
)

// pair is a certificate for 127.0.0.1 in two files.
type pair struct {
	cert, key string
	writes    int
}

func newPair(t *testing.T, serial int64) *pair {
	t.Helper()
	dir := t.TempDir()
	p := &pair{cert: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem")}
	p.replace(t, serial)
	return p
}

// made returns a new certificate and its key in PEM.
func made(t *testing.T, serial int64) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	testutil.Must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), NotBefore: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2050, 1, 1, 0, 0, 0, 0, time.UTC), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	testutil.Must(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	testutil.Must(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}

func (p *pair) replace(t *testing.T, serial int64) {
	t.Helper()
	cert, key := made(t, serial)
	p.write(t, p.cert, cert)
	p.write(t, p.key, key)
}

// write gives the file a time stamp of its own: two writes can come within one tick.
func (p *pair) write(t *testing.T, name string, text []byte) {
	t.Helper()
	testutil.Must(t, os.WriteFile(name, text, 0o600))
	p.writes++
	at := time.Date(2026, 1, 1, 0, 0, p.writes, 0, time.UTC)
	testutil.Must(t, os.Chtimes(name, at, at))
}

// secure is a server with TLS.
type secure struct {
	served

	log  *journal
	cert *Certificate
}

func serveTLS(t *testing.T, mux http.Handler, p *pair, o Options) secure {
	t.Helper()
	s := secure{log: &journal{}}
	o.Log = s.log.logger()
	cert, err := LoadCertificate(p.cert, p.key, o.Log)
	testutil.Must(t, err)
	o.Certificate, s.cert = cert, cert
	s.served = serve(t, mux, o)
	s.url = strings.Replace(s.url, "http:", "https:", 1)
	return s
}

// client trusts the certificate in the file.
func client(t *testing.T, certFile string, configure func(*tls.Config)) *http.Client {
	t.Helper()
	text, err := os.ReadFile(certFile)
	testutil.Must(t, err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	config := &tls.Config{RootCAs: roots}
	if configure != nil {
		configure(config)
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true, DisableKeepAlives: true}}
}

func (s secure) get(t *testing.T, c *http.Client) (*http.Response, string, error) {
	t.Helper()
	response, err := c.Do(httpGet(t, s.url))
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return response, string(body), err
}

func protocol(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) }

func TestServe_SpeaksTLSWithHTTP2AndHTTP1(t *testing.T) {
	t.Parallel()
	p := newPair(t, 1)
	s := serveTLS(t, route("/", protocol), p, Options{RequestTimeout: time.Minute, ShutdownTimeout: time.Minute})
	for want, configure := range map[string]func(*tls.Config){
		"HTTP/2.0": nil,
		"HTTP/1.1": func(c *tls.Config) { c.NextProtos = []string{"http/1.1"} },
	} {
		h := client(t, p.cert, configure)
		h.Transport.(*http.Transport).ForceAttemptHTTP2 = configure == nil
		response, body, err := s.get(t, h)
		if err != nil || body != want || response.Header.Get("Strict-Transport-Security") != "max-age=31536000" {
			t.Errorf("%s: %q, %v", want, body, err)
		}
	}
	old := client(t, p.cert, func(c *tls.Config) { c.MaxVersion, c.MinVersion = tls.VersionTLS11, tls.VersionTLS10 })
	old.Transport.(*http.Transport).ForceAttemptHTTP2 = false // HTTP/2 refuses it by itself
	if _, _, err := s.get(t, old); err == nil {
		t.Error("TLS 1.1 is accepted")
	}
	if _, _, err := s.get(t, client(t, p.cert, func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 })); err != nil {
		t.Errorf("TLS 1.2: %v", err)
	}
	plain := s
	plain.url = strings.Replace(s.url, "https:", "http:", 1)
	if response, _, err := plain.get(t, http.DefaultClient); err != nil || response.StatusCode != http.StatusBadRequest {
		t.Errorf("plain HTTP: %v, %v", response, err)
	}
	s.end()
	testutil.Must(t, <-s.result)
	if strings.Contains(s.log.String(), "127.0.0.1") {
		t.Errorf("the log has the address of a client: %s", s.log)
	}
}

func TestServe_SendsNoTransportSecurityWithoutTLS(t *testing.T) {
	t.Parallel()
	if w := ask(t, Handler(route("/", protocol), Options{}), http.MethodGet, "/"); w.Header()["Strict-Transport-Security"] != nil {
		t.Errorf("%v", w.Header())
	}
}

// TestCertificate_FollowsTheFiles: with the look of each interval, and at once if a client
// refuses the old certificate.
func TestCertificate_FollowsTheFiles(t *testing.T) {
	t.Parallel()
	p := newPair(t, 1)
	s := serveTLS(t, route("/", protocol), p, Options{ShutdownTimeout: time.Minute})
	serial := func() int64 {
		response, _, err := s.get(t, client(t, p.cert, func(c *tls.Config) { c.InsecureSkipVerify = true }))
		testutil.Must(t, err)
		return response.TLS.PeerCertificates[0].SerialNumber.Int64()
	}
	p.replace(t, 2)
	if got := serial(); got != 1 {
		t.Errorf("before a look: %d", got)
	}
	s.cert.look()
	if got := serial(); got != 2 {
		t.Errorf("after a look: %d", got)
	}
	p.replace(t, 3)
	newOnly := client(t, p.cert, nil)
	if _, _, err := s.get(t, newOnly); err == nil {
		t.Error("the client that trusts only the new certificate accepts the old one")
	}
	for range 100 { // the failed handshake may still be on its way
		if _, _, err := s.get(t, newOnly); err == nil {
			break
		}
	}
	if got := serial(); got != 3 {
		t.Errorf("after a failed handshake: %d", got)
	}
	if got := s.log.lines(t, "the TLS certificate has changed"); len(got) != 2 || got[1]["not_after"] != "2050-01-01T00:00:00Z" {
		t.Errorf("log: %v", got)
	}
}

// TestCertificate_ABrokenPairChangesNothing: each problem is logged once, and the next
// good pair is used.
func TestCertificate_ABrokenPairChangesNothing(t *testing.T) {
	t.Parallel()
	cert, key := made(t, 2)
	const broken = "the new TLS certificate or its key cannot be used, so the server keeps the one it has"
	for name, damage := range map[string]func(*testing.T, *pair){
		"the certificate of another key": func(t *testing.T, p *pair) { p.write(t, p.cert, cert) },
		"the key of another certificate": func(t *testing.T, p *pair) { p.write(t, p.key, key) },
		"no PEM":                         func(t *testing.T, p *pair) { p.write(t, p.cert, []byte("hunter2")) },
		"no certificate":                 func(t *testing.T, p *pair) { testutil.Must(t, os.Remove(p.cert)) },
		"a key that others can read": func(t *testing.T, p *pair) {
			p.write(t, p.cert, cert)
			p.write(t, p.key, key)
			testutil.Must(t, os.Chmod(p.key, 0o644))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, log := newPair(t, 1), &journal{}
			c, err := LoadCertificate(p.cert, p.key, log.logger())
			testutil.Must(t, err)
			serial := func() int64 { return c.current.Load().Leaf.SerialNumber.Int64() }
			damage(t, p)
			for range 3 {
				c.look()
			}
			if got := log.lines(t, broken); serial() != 1 || len(got) != 1 || strings.Contains(log.String(), "hunter2") {
				t.Errorf("serial %d, log %v", serial(), got)
			}
			if _, err := LoadCertificate(p.cert, p.key, log.logger()); err == nil || !strings.HasPrefix(err.Error(), "--tls-cert and --tls-key: ") {
				t.Errorf("a server starts with it: %v", err)
			}
			testutil.Must(t, os.RemoveAll(p.key))
			p.replace(t, 4)
			if c.look(); serial() != 4 {
				t.Errorf("the good pair is not used: %s", log)
			}
		})
	}
}

// TestCertificate_SaysWhoMustReadIt: root can read every file, so the error is made here.
func TestCertificate_SaysWhoMustReadIt(t *testing.T) {
	t.Parallel()
	self, err := user.Current()
	testutil.Must(t, err)
	closed := &fs.PathError{Op: "open", Path: "key.pem", Err: syscall.EACCES}
	want := "open key.pem: permission denied: the server runs as the user " + self.Username + ", who must be able to read it"
	if got := explain(closed).Error(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	absent := &fs.PathError{Op: "open", Path: "key.pem", Err: syscall.ENOENT}
	if got := explain(absent); got.Error() != absent.Error() {
		t.Errorf("another error becomes %q", got)
	}
}

// TestServe_LogsProblemsWithoutTheClient: what package http reports names the client, and
// quotes what it sent.
func TestServe_LogsProblemsWithoutTheClient(t *testing.T) {
	t.Parallel()
	log := &journal{}
	server := newServer(context.Background(), nil, Options{Log: log.logger()})
	for _, line := range []string{
		"http: TLS handshake error from 192.0.2.7:4711: EOF",
		"http2: panic serving [2001:db8::1]:4711: Asha",
		`http2: server: error reading preface from client 192.0.2.7:4711: bogus greeting "Asha"`,
		"http: Accept error: accept tcp 127.0.0.1:8080: too many open files; retrying in 5ms",
	} {
		server.ErrorLog.Print(line)
	}
	got := log.lines(t, "a connection has a problem")
	if len(got) != 4 || got[2]["problem"] != "http2: server: error reading preface" || !strings.Contains(log.String(), "too many open files") {
		t.Errorf("%v", got)
	}
	for _, never := range []string{"192.0.2.7", "2001:db8", "Asha", "4711"} {
		if strings.Contains(log.String(), never) {
			t.Errorf("the log has %s: %s", never, log)
		}
	}
}
