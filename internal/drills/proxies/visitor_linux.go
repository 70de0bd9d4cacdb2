package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// writeCertificate writes a certificate for 127.0.0.1 and its key into the directory, as
// the examples name them.
func writeCertificate(dir string) (*x509.CertPool, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return nil, err
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, err
	}
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	key := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded})
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(cert)
	return roots, errors.Join(
		os.WriteFile(filepath.Join(dir, "fullchain.pem"), cert, 0o600),
		os.WriteFile(filepath.Join(dir, "privkey.pem"), key, 0o600),
		os.WriteFile(filepath.Join(dir, "haproxy.pem"), append(cert, key...), 0o600),
	)
}

func client(roots *x509.CertPool) *http.Client {
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true,
	}}
}

// visitor is a client of the proxy.
type visitor struct {
	base string
	http *http.Client
}

// answer is what came back.
type answer struct {
	status, major int // of HTTP
	header        http.Header
	text          string
}

func (v visitor) send(ctx context.Context, method, path, body string) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, method, v.base+path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := v.http.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.ProtoMajor, response.Header, string(text)}, err
}

func (v visitor) isReady(ctx context.Context) bool {
	got, err := v.send(ctx, http.MethodGet, "/ready", "")
	return err == nil && got.status == http.StatusOK
}

func (v visitor) query(ctx context.Context) error {
	got, err := v.send(ctx, http.MethodPost, "/graphql", `{"query":"{__typename}"}`)
	switch {
	case err != nil:
		return fmt.Errorf("query: %w", err)
	case got.status != http.StatusOK || got.text != `{"data":{"__typename":"Query"}}`:
		return fmt.Errorf("query: %d %s", got.status, got.text)
	case got.major != 2:
		return fmt.Errorf("query: HTTP/%d instead of HTTP/2", got.major)
	case got.header.Get("Strict-Transport-Security") == "":
		return errors.New("query: no Strict-Transport-Security")
	}
	return nil
}

// longBody sends more than 1 MiB, which the proxy or the server refuses.
func (v visitor) longBody(ctx context.Context) error {
	got, err := v.send(ctx, http.MethodPost, "/graphql", strings.Repeat(" ", 2<<20))
	if err != nil {
		return fmt.Errorf("long body: %w", err)
	}
	if got.status != http.StatusRequestEntityTooLarge && got.status != http.StatusBadGateway { // the latter is of Caddy 2.6
		return fmt.Errorf("long body: %d", got.status)
	}
	return nil
}

// register returns the token of a new account.
func (v visitor) register(ctx context.Context) (token string, err error) {
	name := "drill-" + strings.ToLower(rand.Text()[:8])
	const document = `mutation ($name: String!, $email: EmailAddress!) {
		register(input: {username: $name, email: $email, password: \"Secure@123\", role: PATIENT}) { tokens { access } } }`
	body := fmt.Sprintf(`{"query":"%s","variables":{"name":"%s","email":"%[2]s@clinic.example"}}`, strings.Join(strings.Fields(document), " "), name)
	got, err := v.send(ctx, http.MethodPost, "/graphql", body)
	if err != nil {
		return "", fmt.Errorf("register: %w", err)
	}
	type tokens struct{ Access string }
	type payload struct{ Tokens tokens }
	type data struct{ Register payload }
	var account struct{ Data data }
	if err := json.Unmarshal([]byte(got.text), &account); err != nil || account.Data.Register.Tokens.Access == "" {
		return "", fmt.Errorf("register: %s", got.text)
	}
	return account.Data.Register.Tokens.Access, nil
}

// socket opens a WebSocket over HTTP/1.1.
func (v visitor) socket(ctx context.Context) error {
	token, err := v.register(ctx)
	if err != nil {
		return err
	}
	over := v.http.Transport.(*http.Transport).Clone()
	over.ForceAttemptHTTP2, over.TLSClientConfig.NextProtos = false, []string{"http/1.1"}
	socket, _, err := websocket.Dial(ctx, v.base+"/graphql", &websocket.DialOptions{ //nolint:bodyclose // the body of an upgrade is the socket
		Subprotocols: []string{"graphql-transport-ws"}, HTTPClient: &http.Client{Transport: over},
	})
	if err != nil {
		return fmt.Errorf("socket: %w", err)
	}
	defer func() { _ = socket.CloseNow() }()
	if err := socket.Write(ctx, websocket.MessageText, []byte(`{"type":"connection_init","payload":{"Authorization":"Bearer `+token+`"}}`)); err != nil {
		return fmt.Errorf("socket: %w", err)
	}
	_, text, err := socket.Read(ctx)
	if err != nil || !bytes.Contains(text, []byte("connection_ack")) {
		return fmt.Errorf("socket: %s, %w", text, errors.Join(err, errors.New("no acknowledgement")))
	}
	return nil
}
