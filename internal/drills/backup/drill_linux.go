package backup

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"filippo.io/age"

	"github.com/caregraph/caregraph/internal/drills/process"
)

const writers = 4

// drill is a server with clients that write to it.
type drill struct {
	Options

	dir, data, archive string
	key, recipients    string // files
	log                *os.File
	server             *server
	took               time.Duration // of a whole backup
	last               string        // the last whole backup

	stopWriters func()
}

func newDrill(ctx context.Context, o Options, dir string) (*drill, error) {
	d := &drill{
		Options: o, dir: dir, data: filepath.Join(dir, "data"), archive: filepath.Join(dir, "archive"),
		key: filepath.Join(dir, "key"), recipients: filepath.Join(dir, "recipients"), last: filepath.Join(dir, "last.age"),
	}
	pair, err := age.GenerateX25519Identity()
	if err != nil {
		return nil, err
	}
	// The user of PostgreSQL runs the program, and may not reach its first place.
	program, err := os.ReadFile(o.Binary)
	if err != nil {
		return nil, err
	}
	d.Binary = filepath.Join(dir, "caregraph")
	d.log, err = os.Create(filepath.Join(o.Logs, "server.log"))
	err = errors.Join(
		err, os.WriteFile(d.Binary, program, 0o755), //nolint:gosec // G306: see above
		os.WriteFile(d.key, []byte(pair.String()+"\n"), 0o600), os.WriteFile(d.recipients, []byte(pair.Recipient().String()+"\n"), 0o600),
	)
	if err != nil {
		return nil, err
	}
	if d.server, err = d.start(ctx, d.data, "--archive-dir", d.archive, "--recipients-file", d.recipients); err != nil {
		return nil, err
	}
	if err := d.server.register(ctx); err != nil {
		return nil, errors.Join(err, d.close())
	}
	d.write(ctx)
	return d, nil
}

func (d *drill) start(ctx context.Context, data string, flags ...string) (*server, error) {
	running, err := process.Start(ctx, d.Binary, "", data, d.log, append([]string{"--data", data}, flags...)...)
	if err != nil {
		return nil, err
	}
	return &server{Server: running}, nil
}

// write lets clients write until close.
func (d *drill) write(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	var clients sync.WaitGroup
	for i := range writers {
		clients.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				_ = d.server.create(ctx, fmt.Sprintf("Patient %d-%d", i, n)) // the end of ctx ends the last one
			}
		})
	}
	d.stopWriters = func() { cancel(); clients.Wait() }
}

func (d *drill) close() error {
	if d.stopWriters != nil {
		d.stopWriters()
	}
	d.server.Stop()
	return d.log.Close()
}

// command runs the program to its end. The error is what it said last.
func (d *drill) command(ctx context.Context, args ...string) error {
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, d.Binary, args...) //nolint:gosec // G204: the server under test
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		lines := strings.Split(strings.TrimSpace(said.String()), "\n")
		return errors.New(lines[len(lines)-1])
	}
	return nil
}

func (d *drill) backup(file string) []string {
	return []string{"backup", file, "--data", d.data, "--keys", filepath.Join(d.data, "keys.json"), "--recipients-file", d.recipients}
}

// killed kills backups at random moments. A file that is there must verify.
func (d *drill) killed(ctx context.Context) (string, error) {
	before := time.Now()
	if err := d.command(ctx, d.backup(d.last)...); err != nil {
		return "", err
	}
	d.took = time.Since(before)
	there := 0
	for i := range d.Kills {
		file := filepath.Join(d.dir, fmt.Sprintf("killed-%d.age", i))
		if err := d.kill(ctx, file); err != nil {
			return "", err
		}
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		there++
		if err := d.command(ctx, "backup", "verify", file, "--identity", d.key); err != nil {
			return "", fmt.Errorf("a killed backup left a file that is not good: %w", err)
		}
	}
	return fmt.Sprintf("%d killed within %s: %d files, all of them good", d.Kills, d.took.Round(time.Millisecond), there), nil
}

// kill starts a backup, and kills it at a random moment of the time that one takes.
func (d *drill) kill(ctx context.Context, file string) error {
	moment, err := rand.Int(rand.Reader, big.NewInt(int64(d.took)*11/10))
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, d.Binary, d.backup(file)...) //nolint:gosec // G204: the server under test
	if err := cmd.Start(); err != nil {
		return err
	}
	process.Pause(ctx, time.Duration(moment.Int64()))
	_ = cmd.Process.Kill() // it may have ended
	_ = cmd.Wait()         // the kill is the error
	return nil
}

// restored makes a backup, checks it, and starts a server on the copy.
func (d *drill) restored(ctx context.Context) (string, error) {
	copied := filepath.Join(d.dir, "copied")
	for _, command := range [][]string{
		d.backup(d.last),
		{"backup", "verify", d.last, "--identity", d.key, "--start"},
		{"restore", d.last, "--identity", d.key, "--data", copied}, // it compares the rows with the manifest
	} {
		if err := d.command(ctx, command...); err != nil {
			return "", err
		}
	}
	s, err := d.start(ctx, copied)
	if err != nil {
		return "", err
	}
	defer s.Stop()
	s.token = d.server.token
	if _, err := s.names(ctx); err == nil || !strings.Contains(err.Error(), "UNAUTHENTICATED") {
		return "", fmt.Errorf("a session of before goes on: %w", err)
	}
	names, err := s.signedIn(ctx)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d patients, sessions ended", len(names)), nil
}

// recovered recovers to a moment between two writes.
func (d *drill) recovered(ctx context.Context) (string, error) {
	if err := d.server.create(ctx, "Before"); err != nil {
		return "", err
	}
	process.Pause(ctx, time.Second) // the time of the recovery is given in seconds
	at := time.Now().Truncate(time.Second)
	process.Pause(ctx, time.Second)
	if err := d.server.create(ctx, "After"); err != nil {
		return "", err
	}
	// The segment with the moment is archived within a minute.
	copied := filepath.Join(d.dir, "recovered")
	var last error
	err := process.Within(ctx, 2*time.Minute, "the log was not archived", func() bool {
		last = d.command(ctx, "restore", d.last, "--identity", d.key, "--archive", d.archive, "--to", at.Format(time.RFC3339), "--data", copied)
		return last == nil || !strings.Contains(last.Error(), "recovery ended before")
	})
	if err := errors.Join(err, last); err != nil {
		return "", err
	}
	s, err := d.start(ctx, copied)
	if err != nil {
		return "", err
	}
	defer s.Stop()
	names, err := s.signedIn(ctx)
	switch {
	case err != nil:
		return "", err
	case !names["Before"] || names["After"]:
		return "", errors.New("the recovery did not end at its time")
	}
	return fmt.Sprintf("%s, %d patients", at.Format(time.RFC3339), len(names)), nil
}

// refused breaks the last backup, and reads it with another key.
func (d *drill) refused(ctx context.Context) (string, error) {
	other, err := age.GenerateX25519Identity()
	if err != nil {
		return "", err
	}
	key, broken := filepath.Join(d.dir, "other"), filepath.Join(d.dir, "broken.age")
	content, err := os.ReadFile(d.last)
	if err != nil {
		return "", err
	}
	content[len(content)/2] ^= 1
	if err := errors.Join(os.WriteFile(key, []byte(other.String()+"\n"), 0o600), os.WriteFile(broken, content, 0o600)); err != nil {
		return "", err
	}
	copied := filepath.Join(d.dir, "refused")
	if err := d.command(ctx, "restore", d.last, "--identity", key, "--data", copied); err == nil || !strings.Contains(err.Error(), "other keys") {
		return "", fmt.Errorf("another key: %w", err)
	}
	flipped := d.command(ctx, "restore", broken, "--identity", d.key, "--data", copied)
	if flipped == nil || !strings.Contains(flipped.Error(), "damaged: member ") {
		return "", fmt.Errorf("a flipped bit: %w", flipped)
	}
	if left, err := filepath.Glob(copied + "*"); err != nil || len(left) > 0 {
		return "", fmt.Errorf("a refused restore left %v: %w", left, err)
	}
	return flipped.Error(), nil
}
