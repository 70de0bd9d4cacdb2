package mail

import (
	"bytes"
	"io"
	"log/slog"
	netmail "net/mail"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/storetest"
)

func TestTexts_EveryKindHasOneInPlainWords(t *testing.T) {
	t.Parallel()
	s := &Sender{PublicURL: "https://care.example"}
	data := map[string]string{"code": "123456", "token": "the-token", "address": "192.0.2.7"}
	clinical := regexp.MustCompile(`(?i)patient|doctor|clinic|medic|health|diagnos|record`)
	for _, kind := range model.MailKinds() {
		m := &store.Mail{Kind: kind, Username: "asha", Data: data, CreatedAt: time.Date(2026, 11, 29, 6, 0, 0, 0, time.UTC)}
		subject, body, err := s.text(m)
		testutil.Must(t, err)
		hello := "Hello asha,\n"
		if kind == model.MailConfirmEmail { // a stranger may have chosen the username
			hello = "Hello,\n"
		}
		if subject == "" || strings.Contains(subject, "\n") || !strings.HasPrefix(body, hello) || !strings.Contains(body, "29 November 2026, 06:00 UTC") {
			t.Errorf("%s: %q, %q", kind, subject, body)
		}
		if word := clinical.FindString(subject + body); word != "" {
			t.Errorf("%s contains %q", kind, word)
		}
		for line := range strings.Lines(body) {
			if len(line) > 80 || strings.Contains(line, "<no value>") {
				t.Errorf("%s: %q", kind, line)
			}
		}
		m.Data = nil
		if _, body, err := s.text(m); err != nil || strings.Contains(body, "<no value>") {
			t.Errorf("%s without data: %v, %s", kind, err, body)
		}
	}
	files, err := texts.ReadDir("texts")
	testutil.Must(t, err)
	testutil.Equal(t, "texts", len(files), len(model.MailKinds()))
}

// TestFiles_ANewcomerReadsTheMail: each mail is one file, which only its owner can read.
func TestFiles_ANewcomerReadsTheMail(t *testing.T) {
	t.Parallel()
	c, dir := storetest.New(t), filepath.Join(t.TempDir(), "mail")
	c.Owner("Asha")
	c.Owner("Ärzte")
	var log bytes.Buffer
	s, err := New("file:"+dir, "", slog.New(slog.NewTextHandler(&log, nil)))
	testutil.Must(t, err)
	s.Store, s.PublicURL = c.Store, "http://127.0.0.1:8080"
	s.Deliver(t.Context())
	s.Start(t.Context())()
	if !strings.Contains(log.String(), dir) {
		t.Errorf("the log does not say where the mails are: %s", &log)
	}
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	testutil.Must(t, err)
	testutil.Equal(t, "files", names, []string{filepath.Join(dir, "000001-confirm_email.eml"), filepath.Join(dir, "000002-confirm_email.eml")})
	info, err := os.Stat(names[0])
	testutil.Must(t, err)
	testutil.Equal(t, "mode", info.Mode().Perm(), 0o600)
	text, err := os.ReadFile(names[0])
	testutil.Must(t, err)
	m, err := netmail.ReadMessage(bytes.NewReader(text))
	testutil.Must(t, err)
	body, err := io.ReadAll(m.Body)
	testutil.Must(t, err)
	if !regexp.MustCompile(`(?m)^\d{6}\r?$`).Match(body) || !regexp.MustCompile(`(?m)^http://127\.0\.0\.1:8080/account/#confirm=[\w-]{43}\r?$`).Match(body) {
		t.Errorf("the mail is not readable: %s", body)
	}
}

func TestNew_RefusesWhatItCannotRead(t *testing.T) {
	t.Parallel()
	for _, setting := range []string{"smtp://u:hunter2@host:x", "smtp://u:hunter2@[::1", "smtps://u:hunter2@h:99999999999999999999"} {
		if _, err := New(setting, "", slog.New(slog.DiscardHandler)); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", setting, err)
		}
	}
}
