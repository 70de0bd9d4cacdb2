package httpd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
)

// socketMode lets the user of the server and its group connect, whose members are the
// proxies of this machine.
const socketMode = 0o660

// Listen opens the address of the flag: the TCP address host:port, or the Unix socket
// unix:PATH for the group of the server. It replaces the socket of a server that was
// killed. Its errors name the flag.
func Listen(ctx context.Context, flag, addr string) (net.Listener, error) {
	network := "tcp"
	place, isSocket := strings.CutPrefix(addr, "unix:")
	if isSocket {
		network = "unix"
		removeAbandoned(ctx, place)
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, network, place)
	if err == nil && isSocket {
		if err = os.Chmod(place, socketMode); err != nil {
			err = errors.Join(err, listener.Close())
		}
	}
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s %s is in use: stop the other program, or choose another address with %s", flag, addr, flag)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	return listener, nil
}

// removeAbandoned removes a socket on which nobody listens any more. Of everything else
// that is in the way, Listen says that it is.
func removeAbandoned(ctx context.Context, path string) {
	info, err := os.Lstat(path)
	if err != nil || info.Mode()&fs.ModeSocket == 0 {
		return
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", path)
	switch {
	case err == nil:
		_ = conn.Close()
	case errors.Is(err, syscall.ECONNREFUSED):
		_ = os.Remove(path)
	}
}

// CheckFree fails if nothing can listen on the address of the flag. Nothing listens
// there afterwards, so that no client waits for a server that still starts. The empty
// address is free.
func CheckFree(ctx context.Context, flag, addr string) error {
	if addr == "" {
		return nil
	}
	listener, err := Listen(ctx, flag, addr)
	if err != nil {
		return err
	}
	return listener.Close()
}
