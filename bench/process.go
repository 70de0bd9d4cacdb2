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

// process is a server that was started for the benchmark.
type process struct {
	addr string
	cmd  *exec.Cmd
	done chan struct{}
}

const (
	startTimeout = 30 * time.Second
	stopTimeout  = 5 * time.Second
)

// command says how to start a server, on a port that the benchmark chooses.
type command struct {
	name string
	args func(port string) []string
	env  []string
	dir  string
	// log receives the output of the server; nil discards it.
	log io.Writer
}

// start returns when the server takes connections.
func (c command) start(ctx context.Context) (*process, error) {
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	args := c.args(port)
	p := &process{addr: net.JoinHostPort("127.0.0.1", port), done: make(chan struct{})}
	p.cmd = exec.CommandContext(ctx, args[0], args[1:]...) //nolint:gosec // G204: the servers that are compared
	p.cmd.Dir = c.dir
	p.cmd.Env = append(cleanEnv(), append(c.env, "PORT="+port)...)
	p.cmd.Stdout, p.cmd.Stderr = c.log, c.log
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = stopTimeout
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", c.name, err)
	}
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // an error is usual: a signal stops it
	}()
	if err := p.awaitReady(ctx); err != nil {
		p.stop()
		return nil, fmt.Errorf("start %s: %w", c.name, err)
	}
	return p, nil
}

func (p *process) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	var dialer net.Dialer
	for {
		if conn, err := dialer.DialContext(ctx, "tcp", p.addr); err == nil {
			return conn.Close()
		}
		select {
		case <-p.done:
			return fmt.Errorf("it ended (%s); see --log", p.cmd.ProcessState)
		case <-ctx.Done():
			return fmt.Errorf("it took no connection: %w", ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (p *process) pid() int { return p.cmd.Process.Pid }

func (p *process) signal(s os.Signal) error { return p.cmd.Process.Signal(s) }

func (p *process) stop() {
	_ = p.signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(stopTimeout):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// freePort returns a port that is free now. The caller starts a server on it
// at once.
func freePort(ctx context.Context) (string, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	port := l.Addr().(*net.TCPAddr).Port
	return strconv.Itoa(port), l.Close()
}

// cleanEnv returns the environment without settings of a server or a database.
func cleanEnv() []string {
	var env []string
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, "CAREGRAPH_") && name != "DATABASE_URL" && !strings.HasPrefix(name, "PG") {
			env = append(env, entry)
		}
	}
	return env
}
