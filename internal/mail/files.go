package mail

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	gomail "github.com/wneessen/go-mail"

	"github.com/caregraph/caregraph/store"
)

// files writes each mail to a file in a directory, for a server that sends no mail.
type files struct{ dir string }

func (f files) String() string { return "files in " + f.dir }

// encoding leaves the text as it is, for people.
func (files) encoding() gomail.Encoding { return gomail.NoEncoding }

// send writes the file whole or not at all. Only the owner can read it.
func (f files) send(_ context.Context, m *store.Mail, message *gomail.Msg) error {
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return fmt.Errorf("write mail: %w", err)
	}
	temp, err := os.CreateTemp(f.dir, ".mail-*") // mode 0600
	if err != nil {
		return fmt.Errorf("write mail: %w", err)
	}
	defer func() { _ = os.Remove(temp.Name()) }() // a leftover file does no harm
	_, err = message.WriteTo(temp)
	if err := errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return fmt.Errorf("write mail: %w", err)
	}
	name := fmt.Sprintf("%06d-%s.eml", m.ID, strings.ToLower(string(m.Kind)))
	if err := os.Rename(temp.Name(), filepath.Join(f.dir, name)); err != nil {
		return fmt.Errorf("write mail: %w", err)
	}
	return nil
}
