package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// mailpit is an SMTP server with an HTTP API to read the mails.
var mailpit = sync.OnceValues(func() (string, error) {
	dir, err := programs()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "mailpit")
	return path, exec.Command("go", "build", "-C", "../../tools", "-o", path, "github.com/axllent/mailpit").Run()
})

type mailServer struct {
	t                    *testing.T
	smtp, api, cert, dir string
	process              *exec.Cmd
}

// mailServerAt returns an SMTP server that is not started yet. Its certificate is in the
// file cert.
func mailServerAt(t *testing.T) *mailServer {
	t.Helper()
	m := &mailServer{t: t, dir: t.TempDir()}
	m.smtp, m.api = freeAddresses(t)
	m.cert = filepath.Join(m.dir, "cert.pem")
	writeCertificate(t, m.cert, filepath.Join(m.dir, "key.pem"))
	return m
}

// freeAddresses returns two addresses below the ports that the system hands out, so that they
// are still free when the server starts.
func freeAddresses(t *testing.T) (one, other string) {
	t.Helper()
	var found []string
	for range 1000 {
		listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", fmt.Sprint("127.0.0.1:", 20_000+mathrand.IntN(10_000)))
		if err != nil {
			continue // another program has it
		}
		defer func() { _ = listener.Close() }()
		if found = append(found, listener.Addr().String()); len(found) == 2 {
			return found[0], found[1]
		}
	}
	t.Fatal("no port is free")
	return "", ""
}

func writeCertificate(t *testing.T, certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	content, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: content}, keyFile: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func (m *mailServer) start() {
	m.t.Helper()
	path, err := mailpit()
	if err != nil {
		m.t.Fatal(err)
	}
	m.process = exec.CommandContext(m.t.Context(), path, "--smtp", m.smtp, "--listen", m.api, "--disable-version-check", "--smtp-auth-accept-any",
		"--smtp-tls-cert", m.cert, "--smtp-tls-key", filepath.Join(m.dir, "key.pem"), "--smtp-require-starttls")
	if err := m.process.Start(); err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() { _ = m.process.Process.Kill(); _ = m.process.Wait() })
	m.wait()
}

// wait returns when the server accepts connections.
func (m *mailServer) wait() {
	m.t.Helper()
	var dialer net.Dialer
	for end := time.Now().Add(time.Minute); ; <-time.After(20 * time.Millisecond) {
		conn, err := dialer.DialContext(m.t.Context(), "tcp", m.smtp)
		if err == nil {
			_ = conn.Close()
			return
		}
		if time.Now().After(end) {
			m.t.Fatal(err)
		}
	}
}

// mails returns subject and text of each mail, oldest first, and their ids, once there are
// as many.
func (m *mailServer) mails(want int) (texts, ids []string) {
	m.t.Helper()
	for end := time.Now().Add(time.Minute); ; <-time.After(20 * time.Millisecond) {
		var list struct {
			Messages []struct{ ID, MessageID, Subject string }
		}
		m.read("/api/v1/messages", &list)
		if len(list.Messages) < want && time.Now().Before(end) {
			continue
		}
		slices.Reverse(list.Messages)
		for _, one := range list.Messages {
			var message struct{ Text string }
			m.read("/api/v1/message/"+one.ID, &message)
			texts, ids = append(texts, one.Subject+"\n"+message.Text), append(ids, one.MessageID)
		}
		if len(texts) != want {
			m.t.Fatalf("%d mails, want %d: %q", len(texts), want, texts)
		}
		return texts, ids
	}
}

func (m *mailServer) read(path string, into any) {
	request, err := http.NewRequestWithContext(m.t.Context(), http.MethodGet, "http://"+m.api+path, http.NoBody)
	if err != nil {
		m.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return // it does not listen yet
	}
	defer func() { _ = response.Body.Close() }()
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		m.t.Fatal(err)
	}
}

// TestMail_ThroughARealServer: nothing is lost while the SMTP server is down; then the code
// of a mail confirms the address, and its link sets a new password.
func TestMail_ThroughARealServer(t *testing.T) {
	smtp := mailServerAt(t)
	t.Setenv("SSL_CERT_FILE", smtp.cert)
	server := start(t, dataDir(t), "--mail", "smtp://desk:hunter2@"+smtp.smtp, "--mail-from", "CareGraph <desk@clinic.example>",
		"--public-url", "https://care.clinic.example", "--metrics-addr", "127.0.0.1:0")
	token := server.register("asha")
	for strings.Contains(server.scrape(), `caregraph_mails_total{outcome="failed"} 0`) {
		<-time.After(20 * time.Millisecond)
	}
	smtp.start()
	server.sql("UPDATE mail SET next_at = now()") // an hour passes
	texts, _ := smtp.mails(1)
	code := regexp.MustCompile(`(?m)^(\d{6})\r?$`).FindStringSubmatch(texts[0])
	if code == nil {
		t.Fatalf("no code in %s", texts[0])
	}
	server.must(token, `mutation ($code: String!) { confirmEmail(code: $code) { userErrors { code } } }`, map[string]any{"code": code[1]})

	server.must("", `mutation { requestPasswordReset(email: "asha@clinic.example") { userErrors { code } } }`, nil)
	server.must("", `mutation { requestPasswordReset(email: "nobody@clinic.example") { userErrors { code } } }`, nil)
	texts, _ = smtp.mails(2)
	link := regexp.MustCompile(`https://care\.clinic\.example/account/#reset=(\S+)`).FindStringSubmatch(texts[1])
	if link == nil {
		t.Fatalf("no link in %s", texts[1])
	}
	server.must("", `mutation ($token: String!) { resetPassword(token: $token, newPassword: "Another@4567") { userErrors { code } } }`, map[string]any{"token": link[1]})
	if _, err := server.ask(token, `{ me { id } }`, nil); err == nil {
		t.Error("the old session goes on")
	}
	texts, ids := smtp.mails(3)
	if !strings.HasPrefix(texts[2], "Your password was changed") {
		t.Errorf("the last mail is %s", texts[2])
	}
	slices.Sort(ids)
	if len(slices.Compact(ids)) != 3 {
		t.Errorf("the ids of the mails are %v", ids)
	}
	server.kill() // then the log is complete
	for _, secret := range []string{"asha", code[1], link[1], "hunter2"} {
		if strings.Contains(strings.ToLower(server.log.String()), strings.ToLower(secret)) {
			t.Errorf("the log contains %q:\n%s", secret, server.log)
		}
	}
}
