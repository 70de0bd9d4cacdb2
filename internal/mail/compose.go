package mail

import (
	"embed"
	"errors"
	"fmt"
	"strings"
	"text/template"

	gomail "github.com/wneessen/go-mail"

	"github.com/caregraph/caregraph/store"
)

// texts has a text for each kind. Its first line is the subject, the second is empty.
//
//go:embed texts/*.txt
var texts embed.FS

// content is what a text can use.
type content struct {
	*store.Mail

	PublicURL string
}

// Time is when the mail was caused.
func (c content) Time() string { return c.CreatedAt.UTC().Format("2 January 2006, 15:04 UTC") }

var errCompose = errors.New("the mail cannot be written")

// compose returns the message. Its id follows from the row, so that a mail that is sent
// twice is the same mail. Its errors contain no address.
func (s *Sender) compose(m *store.Mail) (*gomail.Msg, error) {
	subject, body, err := s.text(m)
	if err != nil {
		return nil, err
	}
	message := gomail.NewMsg(gomail.WithEncoding(s.to.encoding()), gomail.WithNoDefaultUserAgent())
	if message.From(s.from) != nil || message.To(string(m.To)) != nil {
		return nil, errCompose
	}
	_, host, _ := strings.Cut(message.GetFrom()[0].Address, "@")
	message.SetMessageIDWithValue(fmt.Sprintf("%d.%d@%s", m.ID, m.CreatedAt.UnixMicro(), host))
	message.SetDateWithValue(m.CreatedAt)
	message.Subject(subject)
	message.SetGenHeader("Auto-Submitted", "auto-generated")
	message.SetBodyString(gomail.TypeTextPlain, body)
	return message, nil
}

// text returns the subject and the body of a mail.
func (s *Sender) text(m *store.Mail) (subject, body string, err error) {
	name := strings.ToLower(string(m.Kind)) + ".txt"
	t, err := template.New(name).Option("missingkey=zero").ParseFS(texts, "texts/"+name)
	if err != nil {
		return "", "", fmt.Errorf("text of mail: %w", err)
	}
	var text strings.Builder
	if err := t.Execute(&text, content{m, s.PublicURL}); err != nil {
		return "", "", errCompose
	}
	subject, body, _ = strings.Cut(text.String(), "\n\n")
	return subject, body, nil
}
