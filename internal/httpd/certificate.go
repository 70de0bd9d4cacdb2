package httpd

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/user"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caregraph/caregraph/internal/host"
)

// certificateInterval is how often Serve looks whether the files have changed.
const certificateInterval = 10 * time.Second

// Certificate is the certificate of the server and its private key, from two files in
// PEM. While Serve runs, it follows changes of the files.
type Certificate struct {
	certFile, keyFile string
	log               *slog.Logger
	current           atomic.Pointer[tls.Certificate]

	mu       sync.Mutex
	seen     stamps // of the pair in use
	reported string // the problem that was logged last
}

// stamps are the times at which the two files were changed.
type stamps [2]time.Time

// LoadCertificate reads the files. It refuses a key that other users of the machine can
// read, and a pair that does not fit.
func LoadCertificate(certFile, keyFile string, log *slog.Logger) (*Certificate, error) {
	c := &Certificate{certFile: certFile, keyFile: keyFile, log: log}
	at, err := c.stamps()
	if err == nil {
		err = c.read(at)
	}
	if err != nil {
		return nil, fmt.Errorf("--tls-cert and --tls-key: %w", explain(err))
	}
	return c, nil
}

// explain adds to the error of a file that is closed to the server who must be able to
// read it.
func explain(err error) error {
	if self, unknown := user.Current(); unknown == nil && errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w: the server runs as the user %s, who must be able to read it", err, self.Username)
	}
	return err
}

// NotAfter returns the end of the certificate in use.
func (c *Certificate) NotAfter() time.Time { return c.current.Load().Leaf.NotAfter }

// config returns the TLS of the server. The certificate is the one in use at the time of
// each handshake.
func (c *Certificate) config() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current.Load(), nil },
	}
}

func (c *Certificate) stamps() (at stamps, err error) {
	for i, name := range []string{c.certFile, c.keyFile} {
		info, err := os.Stat(name)
		if err != nil {
			return at, err
		}
		at[i] = info.ModTime()
	}
	return at, nil
}

// read puts the pair of the files in use. The stamps are older than what it reads, so a
// later look finds a change that came in between.
func (c *Certificate) read(at stamps) error {
	cert, err := os.ReadFile(c.certFile)
	if err != nil {
		return err
	}
	key, err := host.ReadPrivate(c.keyFile)
	if err != nil {
		return err
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return err
	}
	c.current.Store(&pair)
	c.seen = at
	return nil
}

// look reads the files again if they have changed. It keeps the pair in use if the new
// one is broken, as between the writing of its two files, and logs each problem once.
func (c *Certificate) look() {
	c.mu.Lock()
	defer c.mu.Unlock()
	at, err := c.stamps()
	if err == nil {
		if at == c.seen {
			return
		}
		err = c.read(at)
	}
	switch {
	case err == nil:
		c.reported = ""
		c.log.Info("the TLS certificate has changed", "not_after", c.NotAfter())
	case err.Error() != c.reported:
		c.reported = err.Error()
		c.log.Error("the new TLS certificate or its key cannot be used, so the server keeps the one it has", "error", explain(err))
	}
}

// watch looks at the files at each interval until stop is called.
func (c *Certificate) watch(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(certificateInterval)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				c.look()
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() { cancel(); <-done }
}
