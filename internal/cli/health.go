package cli

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// healthTimeout is longer than the second that /ready takes at most.
const healthTimeout = 3 * time.Second

func health() Command {
	return Command{
		name: "health", summary: "ask the server at --addr whether it is ready: exit code 0, else 1", anywhere: true,
		run: func(ctx context.Context, c call) error {
			ctx, cancel := context.WithTimeout(ctx, healthTimeout)
			defer cancel()
			return c.askReady(ctx)
		},
	}
}

// askReady returns nil if /ready answers 200.
func (c call) askReady(ctx context.Context) error {
	network, place, scheme := "tcp", c.Addr, "http"
	if path, isSocket := strings.CutPrefix(c.Addr, "unix:"); isSocket {
		network, place = "unix", path
	}
	if c.TLSCert != "" {
		scheme = "https"
	}
	var dialer net.Dialer
	client := http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, place)
		},
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // G402: the certificate is for the public name, and nothing secret is sent
	}}
	defer client.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://localhost/ready", http.NoBody)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("ask the server at %s: %w", c.Addr, err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the server at %s is not ready: %s", c.Addr, response.Status)
	}
	return nil
}
