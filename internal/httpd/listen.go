package httpd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
)

// Listen opens the TCP address host:port of the flag. Its errors name the flag.
func Listen(ctx context.Context, flag, addr string) (net.Listener, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s %s is in use: stop the other program, or choose another address with %s", flag, addr, flag)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	return listener, nil
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
