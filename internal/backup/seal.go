// Package backup copies the database of a server to a file and back: while others write,
// with the signing keys, encrypted to age recipients (age-encryption.org/v1). It also
// archives PostgreSQL's log for a point-in-time recovery, and moves a database to another
// major version of PostgreSQL. It never holds an identity that could read a backup while
// it writes one.
//
// A backup is a tar of members, compressed by zstd, then encrypted by age, so that the
// standard tools can read it: age -d -i KEY FILE | zstd -d | tar -x. The last member,
// manifest.json, has the SHA-256 of all others.
package backup

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"
)

const ageIntro = "age-encryption.org/v1"

// Recipients returns the age recipients of the texts and of the file, which has one per
// line. An empty name is no file.
func Recipients(texts []string, file string) ([]string, error) {
	all := texts
	if file != "" {
		content, err := os.ReadFile(file) //nolint:gosec // G304: the operator names the file
		if err != nil {
			return nil, fmt.Errorf("--recipients-file: %w", err)
		}
		for line := range strings.Lines(string(content)) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
				all = append(all, line)
			}
		}
		if len(all) == len(texts) {
			return nil, fmt.Errorf("--recipients-file: %s names no recipient", file)
		}
	}
	_, err := parseRecipients(all)
	return all, err
}

func parseRecipients(texts []string) ([]age.Recipient, error) {
	if len(texts) == 0 {
		return nil, nil
	}
	recipients, err := age.ParseRecipients(strings.NewReader(strings.Join(texts, "\n")))
	if err != nil {
		// The text of the error could quote an identity that was given by mistake.
		return nil, errors.New("--recipient: must be age recipients such as age1..., one each")
	}
	return recipients, nil
}

// readIdentities reads a file of age-keygen; "" is none.
func readIdentities(path string) (identities []age.Identity, err error) {
	if path == "" {
		return nil, nil
	}
	file, err := os.Open(path) //nolint:gosec // G304: the operator names the file
	if err != nil {
		return nil, fmt.Errorf("--identity: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if identities, err = age.ParseIdentities(file); err != nil {
		return nil, fmt.Errorf("--identity: %s is no file of age-keygen", path) // err could quote a key
	}
	return identities, nil
}

// seal returns a writer that compresses, and encrypts unless there are no recipients.
// Close ends the stream, and leaves w open.
func seal(w io.Writer, recipients []string) (io.WriteCloser, error) {
	to, err := parseRecipients(recipients)
	if err != nil {
		return nil, err
	}
	s := &sealed{}
	if len(to) > 0 {
		if s.age, err = age.Encrypt(w, to...); err != nil {
			return nil, fmt.Errorf("encrypt: %w", err)
		}
		w = s.age
	}
	if s.Encoder, err = zstd.NewWriter(w, zstd.WithEncoderConcurrency(1)); err != nil {
		return nil, err
	}
	return s, nil
}

type sealed struct {
	*zstd.Encoder

	age io.WriteCloser
}

func (s *sealed) Close() error {
	err := s.Encoder.Close()
	if err == nil && s.age != nil {
		err = s.age.Close()
	}
	return err
}

// unseal returns the reader of what seal wrote. release frees its memory.
func unseal(r io.Reader, identities []age.Identity) (plain io.Reader, release func(), err error) {
	buffered := bufio.NewReaderSize(r, 1<<16)
	intro, _ := buffered.Peek(len(ageIntro)) // a short file is no age file
	r = buffered
	if bytes.Equal(intro, []byte(ageIntro)) {
		if len(identities) == 0 {
			return nil, nil, errors.New("the file is encrypted: name its key with --identity")
		}
		r, err = age.Decrypt(buffered, identities...)
		if _, other := errors.AsType[*age.NoIdentityMatchError](err); other {
			return nil, nil, errors.New("--identity: the file is encrypted to other keys")
		}
		if err != nil {
			return nil, nil, &DamagedError{Part: "the header", Err: err}
		}
	}
	decoder, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, nil, &DamagedError{Part: "the header", Err: err}
	}
	return decoder, decoder.Close, nil
}

// DamagedError says which part of a backup or an archive cannot be used.
type DamagedError struct {
	Part string // such as "member keys.json"
	Err  error
}

func (e *DamagedError) Error() string {
	return "the backup is damaged: " + e.Part + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *DamagedError) Unwrap() error { return e.Err }
