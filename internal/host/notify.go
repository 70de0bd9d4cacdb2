package host

import (
	"context"
	"fmt"
	"net"
)

// The states of a service for Notify.
const (
	Ready    = "READY=1"
	Stopping = "STOPPING=1"
)

// Notify sends the state to the supervisor that listens on the socket, as sd_notify(3) of
// systemd defines it. The socket is that of $NOTIFY_SOCKET; without one Notify does
// nothing.
func Notify(ctx context.Context, socket, state string) error {
	if socket == "" {
		return nil
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unixgram", socket)
	if err != nil {
		return fmt.Errorf("notify the supervisor: %w", err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.Write([]byte(state)); err != nil {
		return fmt.Errorf("notify the supervisor: %w", err)
	}
	return nil
}
