package e2e

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// trusted writes a new certificate for this machine and its key, and returns who trusts it.
func trusted(t *testing.T, certFile, keyFile string) *x509.CertPool {
	t.Helper()
	writeCertificate(t, certFile, keyFile)
	text, err := os.ReadFile(certFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	return roots
}

// ready asks /ready, and returns the answer without its body.
func ready(t *testing.T, client *http.Client, base string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/ready", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	return response
}

// TestServer_SpeaksTLS: HTTP/2 for requests, HTTP/1.1 for WebSockets, and a new
// certificate without a failed request.
func TestServer_SpeaksTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	roots := trusted(t, cert, key)
	server := start(t, dataDir(t), "--tls-cert", cert, "--tls-key", key, "--metrics-addr", "127.0.0.1:0")
	over := func(roots *x509.CertPool) *http.Client {
		return &http.Client{Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true, DisableKeepAlives: true,
		}}
	}
	first := ready(t, over(roots), server.base)
	if !strings.HasPrefix(server.base, "https://") || first.StatusCode != http.StatusOK || first.Proto != "HTTP/2.0" || first.Header.Get("Strict-Transport-Security") == "" {
		t.Errorf("%s: %s %s %v", server.base, first.Status, first.Proto, first.Header)
	}
	server.client = over(roots)
	token := server.register("asha")
	socket, _, err := websocket.Dial(t.Context(), server.base+"/graphql", &websocket.DialOptions{
		Subprotocols: []string{"graphql-transport-ws"},
		HTTPClient:   &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := socket.Write(t.Context(), websocket.MessageText, []byte(`{"type":"connection_init","payload":{"Authorization":"Bearer `+token+`"}}`)); err != nil {
		t.Fatal(err)
	}
	if _, text, err := socket.Read(t.Context()); err != nil || !bytes.Contains(text, []byte("connection_ack")) {
		t.Errorf("the socket: %s, %v", text, err)
	}
	_ = socket.Close(websocket.StatusNormalClosure, "")
	if out, failure := run(t, "", "health", "--addr", strings.TrimPrefix(server.base, "https://"), "--tls-cert", cert); failure != "" {
		t.Errorf("health: %s, %s", failure, out)
	}
	if !strings.Contains(server.fetch(server.metrics), "caregraph_tls_not_after_timestamp_seconds") {
		t.Error("no metric of the end of the certificate")
	}
	renewed := trusted(t, cert, key)
	both := over(nil)
	both.Transport.(*http.Transport).TLSClientConfig.InsecureSkipVerify = true
	server.client = over(renewed)
	if _, err := server.ask("", "{ __typename }", nil); err == nil { // the client refuses the old certificate
		t.Error("the old certificate is trusted")
	}
	for isOld := true; isOld; { // each request is answered with one or the other
		isOld = ready(t, both, server.base).TLS.PeerCertificates[0].Equal(first.TLS.PeerCertificates[0])
	}
	if response := ready(t, over(renewed), server.base); response.StatusCode != http.StatusOK {
		t.Errorf("with the new certificate: %s", response.Status)
	}
	server.stop()
}

func TestServer_RefusesHalfOfTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	trusted(t, cert, key)
	data := dataDir(t)
	refused := func(want string, flags ...string) {
		t.Helper()
		_, failure := run(t, "", append([]string{"serve", "--addr", "127.0.0.1:0", "--data", data}, flags...)...)
		if failure != "caregraph: "+want {
			t.Errorf("got  %s\nwant %s", failure, want)
		}
	}
	refused("--tls-key: must be the file of the key of --tls-cert", "--tls-cert", cert)
	refused("--tls-cert: must be the file of the certificate of --tls-key", "--tls-key", key)
	if err := os.Chmod(key, 0o644); err != nil {
		t.Fatal(err)
	}
	refused("--tls-cert and --tls-key: other users can read or write "+key+": run chmod o-rw on it", "--tls-cert", cert, "--tls-key", key)
	if _, err := os.Stat(data); !os.IsNotExist(err) {
		t.Errorf("a data directory was made: %v", err)
	}
}

// TestServer_OnAUnixSocket: a supervisor learns of the start and of the stop.
func TestServer_OnAUnixSocket(t *testing.T) {
	dir, err := os.MkdirTemp("", "caregraph-") //nolint:usetesting // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	supervisor, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = supervisor.Close() }()
	said := func() string {
		text := make([]byte, 100)
		n, err := supervisor.Read(text)
		if err != nil {
			t.Fatal(err)
		}
		return string(text[:n])
	}
	path := filepath.Join(dir, "http.sock")
	t.Setenv("NOTIFY_SOCKET", filepath.Join(dir, "notify"))
	server := start(t, dataDir(t), "--addr", "unix:"+path)
	if got := said(); got != "READY=1" {
		t.Errorf("at the start: %s", got)
	}
	var dialer net.Dialer
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return dialer.DialContext(ctx, "unix", path)
	}}}
	defer client.CloseIdleConnections()
	if response := ready(t, client, "http://localhost"); response.StatusCode != http.StatusOK || response.Header.Get("Strict-Transport-Security") != "" {
		t.Errorf("%s, %v", response.Status, response.Header)
	}
	if _, failure := run(t, "", "health", "--addr", "unix:"+path); failure != "" {
		t.Error(failure)
	}
	server.stop()
	if got := said(); got != "STOPPING=1" {
		t.Errorf("at the stop: %s", got)
	}
	if _, failure := run(t, "", "health", "--addr", "unix:"+path); failure == "" {
		t.Error("a server that is gone is ready")
	}
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("the socket is left: %v", err)
	}
}

// TestServer_WarnsAboutPlainHTTP that other machines can reach, and about nothing else.
func TestServer_WarnsAboutPlainHTTP(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	trusted(t, cert, key)
	data := dataDir(t)
	for _, c := range []struct {
		warns bool
		flags []string
	}{
		{true, []string{"--addr", "0.0.0.0:0"}},
		{false, []string{"--addr", "0.0.0.0:0", "--trusted-proxies", "10.0.0.0/8"}},
		{false, []string{"--addr", "0.0.0.0:0", "--tls-cert", cert, "--tls-key", key}},
		{false, []string{"--addr", "127.0.0.1:0"}},
	} {
		server := start(t, data, c.flags...)
		if err := server.process.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		<-server.outputEnded
		if err := server.process.Wait(); err != nil {
			t.Fatal(err)
		}
		if warned := strings.Contains(server.log.String(), "other machines can reach this address without TLS"); warned != c.warns {
			t.Errorf("%q: %s", c.flags, server.log)
		}
	}
}
