package httpd

import (
	"bytes"
	"context"
	"log/slog"
)

// problems logs what package http reports about connections, without the addresses of
// clients and what they sent.
type problems struct {
	log         *slog.Logger
	certificate *Certificate // nil: plain HTTP
}

// Write logs one problem. Package http writes the address of the client after " from " or
// " serving ", and what is known about the failure after that.
func (p problems) Write(line []byte) (int, error) {
	text := bytes.TrimSpace(line)
	for _, mark := range []string{" from ", " serving "} {
		text, _, _ = bytes.Cut(text, []byte(mark))
	}
	level := slog.LevelWarn
	if p.certificate != nil && bytes.HasSuffix(text, []byte("TLS handshake error")) {
		p.certificate.look()    // the client may miss the new certificate
		level = slog.LevelDebug // each scan of ports is one
	}
	p.log.Log(context.Background(), level, "a connection has a problem", "problem", string(text))
	return len(line), nil
}
