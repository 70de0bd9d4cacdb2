package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is the server under test.
type process struct {
	cmd  *exec.Cmd
	base string
	done chan struct{}
}

// startServer starts the binary on the database, and returns when it is ready.
func startServer(ctx context.Context, binary, database, dir string, log io.Writer) (*process, error) {
	var config net.ListenConfig
	free, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	addr := free.Addr().String()
	if err := free.Close(); err != nil {
		return nil, err
	}
	p := &process{base: "http://" + addr, done: make(chan struct{})}
	p.cmd = exec.CommandContext(ctx, binary, "--addr", addr, "--keys", dir+"/keys.json", "--log-level", "warn") //nolint:gosec // G204: the server under test
	p.cmd.Env = append(os.Environ(), "DATABASE_URL="+database)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // a signal stops it
	}()
	for until := time.Now().Add(time.Minute); time.Now().Before(until); pause(ctx, 50*time.Millisecond) {
		if got, err := newAPI(p.base).get(ctx, "/ready"); err == nil && got.outcome() == "ok" {
			return p, nil
		}
	}
	p.stop()
	return nil, fmt.Errorf("the server was not ready in a minute; see --log")
}

func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	<-p.done
}

// resetPeak lets the kernel measure the peak from now on.
func (p *process) resetPeak() error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.cmd.Process.Pid), []byte("5"), 0o200)
}

// peak returns the highest resident memory in MB since resetPeak.
func (p *process) peak() (int, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	kilobytes, err := strconv.Atoi(strings.Fields(after)[0])
	return kilobytes >> 10, err
}
