// Package process starts the server under test, for the drills, and prints what they
// found.
package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// Server is a running server.
type Server struct {
	Base string // its address, such as http://127.0.0.1:8080

	cmd  *exec.Cmd
	done chan struct{}
}

// Start starts the binary on the database with further flags, and returns when it is
// ready. Its keys are in the directory. It ends with the context or with the drill.
func Start(ctx context.Context, binary, database, dir string, log *os.File, flags ...string) (*Server, error) {
	addr, err := FreeAddr(ctx)
	if err != nil {
		return nil, err
	}
	flags = append([]string{"--addr", addr, "--keys", filepath.Join(dir, "keys.json")}, flags...)
	cmd := exec.CommandContext(ctx, binary, flags...) //nolint:gosec // G204: the server under test
	cmd.Env = append(os.Environ(), "CAREGRAPH_DATABASE_URL="+database)
	cmd.Stdout, cmd.Stderr = log, log // a file, so that no line is dropped
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	s := &Server{"http://" + addr, cmd, make(chan struct{})}
	go func() {
		defer close(s.done)
		_ = cmd.Wait() // a signal ends it
	}()
	err = Within(ctx, time.Minute, "the server was not ready in a minute; see its log", func() bool { return s.hasEnded() || s.isReady(ctx) })
	if err == nil && s.hasEnded() {
		err = errors.New("the server ended at its start; see its log")
	}
	if err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

// Stop ends the server, and returns when it has ended.
func (s *Server) Stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	<-s.done
}

func (s *Server) hasEnded() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// PID returns the number of the process.
func (s *Server) PID() int { return s.cmd.Process.Pid }

func (s *Server) isReady(ctx context.Context) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Base+"/ready", http.NoBody)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	_, _ = io.Copy(io.Discard, response.Body)
	return response.Body.Close() == nil && response.StatusCode == http.StatusOK
}

// FreeAddr returns an address of this machine that no program uses.
func FreeAddr(ctx context.Context) (string, error) {
	var config net.ListenConfig
	free, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return free.Addr().String(), free.Close()
}

// Dir makes the directory of a drill. remove removes it.
func Dir() (dir string, remove func(), err error) {
	if dir, err = os.MkdirTemp("", "caregraph-drill-"); err != nil {
		return "", nil, err
	}
	remove = func() { _ = os.RemoveAll(dir) }
	if err := os.Chmod(dir, 0o711); err != nil { //nolint:gosec // G302: for root, PostgreSQL runs as another user
		remove()
		return "", nil, err
	}
	return dir, remove, nil
}

// Within waits until done reports true. If that takes longer than the limit, the error is
// failure.
func Within(ctx context.Context, limit time.Duration, failure string, done func() bool) error {
	for until := time.Now().Add(limit); !done(); Pause(ctx, 50*time.Millisecond) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if time.Now().After(until) {
			return errors.New(failure)
		}
	}
	return nil
}

// Pause waits, or until the context ends.
func Pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
