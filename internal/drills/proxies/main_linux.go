// Command proxies tests the examples of proxies on this machine, in front of a server that
// runs: it checks the syntax of each, starts the proxy, and sends a query over HTTP/2, a
// body that is too long, and a WebSocket through it. It ends all of them. It needs caddy,
// nginx and haproxy. Linux only.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/caregraph/caregraph/internal/drills/process"
)

// proxy is an example and how its program runs. DIR and FILE stand for the directory of the
// drill and the example in it.
type proxy struct {
	name, file string
	// changes are pairs of a text of the example and what the drill puts in its place: it
	// has ports, a certificate and files of its own. ADDR is the address of the proxy, SECOND
	// one more.
	changes    []string
	check, run []string
}

func proxies() []proxy {
	return []proxy{{
		name: "caddy", file: "Caddyfile",
		changes: []string{
			"\n{\n", "\n{\n\tadmin off\n\tauto_https off\n",
			"care.clinic.example {", "https://ADDR {\n\ttls DIR/fullchain.pem DIR/privkey.pem",
		},
		check: []string{"caddy", "validate", "--config", "FILE", "--adapter", "caddyfile"},
		run:   []string{"caddy", "run", "--config", "FILE", "--adapter", "caddyfile"},
	}, {
		name: "nginx", file: "nginx.conf",
		changes: []string{
			"pid /run/nginx.pid", "daemon off; pid DIR/nginx.pid", "/var/log/nginx", "DIR", "/etc/caregraph/tls", "DIR",
			"listen 443", "listen ADDR", "\t\tlisten [::]:443 ssl http2;\n", "", "listen 80", "listen SECOND", "\t\tlisten [::]:80;\n", "",
		},
		check: []string{"nginx", "-t", "-c", "FILE"},
		run:   []string{"nginx", "-c", "FILE"},
	}, {
		name: "haproxy", file: "haproxy.cfg",
		changes: []string{"/etc/caregraph/tls", "DIR", "bind :443", "bind ADDR"},
		check:   []string{"haproxy", "-c", "-f", "FILE"},
		run:     []string{"haproxy", "-f", "FILE"},
	}}
}

type options struct{ upstream, examples string }

func main() {
	var o options
	flag.StringVar(&o.upstream, "upstream", "127.0.0.1:8080", "the server that runs")
	flag.StringVar(&o.examples, "examples", "packaging/examples", "the directory of the examples")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "proxies:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, out io.Writer) error {
	dir, remove, err := process.Dir()
	if err != nil {
		return err
	}
	defer remove()
	roots, err := writeCertificate(dir)
	if err != nil {
		return err
	}
	for _, p := range proxies() {
		addr, err := p.prepare(ctx, o, dir)
		if err == nil {
			err = p.test(ctx, dir, visitor{"https://" + addr, client(roots)})
		}
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		if _, err := fmt.Fprintf(out, "%s: syntax, query, long body and socket are good\n", p.name); err != nil {
			return err
		}
	}
	return nil
}

// prepare writes the example with the changes, and returns the address of the proxy.
func (p proxy) prepare(ctx context.Context, o options, dir string) (addr string, err error) {
	text, err := os.ReadFile(filepath.Join(o.examples, p.file))
	if err != nil {
		return "", err
	}
	if addr, err = process.FreeAddr(ctx); err != nil {
		return "", err
	}
	plain, err := process.FreeAddr(ctx)
	if err != nil {
		return "", err
	}
	example := string(text)
	for i := 0; i < len(p.changes); i += 2 {
		if !strings.Contains(example, p.changes[i]) {
			return "", fmt.Errorf("the example has no %q", p.changes[i])
		}
		example = strings.ReplaceAll(example, p.changes[i], p.changes[i+1])
	}
	example = strings.NewReplacer("127.0.0.1:8080", o.upstream, "ADDR", addr, "SECOND", plain, "DIR", dir).Replace(example)
	return addr, os.WriteFile(filepath.Join(dir, p.file), []byte(example), 0o600)
}

// test checks the example, and uses the proxy while it runs.
func (p proxy) test(ctx context.Context, dir string, v visitor) error {
	if out, err := p.command(ctx, p.check, dir).CombinedOutput(); err != nil {
		return fmt.Errorf("the example: %w: %s", err, out)
	}
	said := &strings.Builder{}
	cmd := p.command(ctx, p.run, dir)
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		return err
	}
	err := process.Within(ctx, time.Minute, "it does not reach the server within a minute", func() bool { return v.isReady(ctx) })
	if err == nil {
		err = errors.Join(v.query(ctx), v.longBody(ctx), v.socket(ctx))
	}
	_ = cmd.Process.Signal(syscall.SIGTERM)
	_ = cmd.Wait() // the signal ended it
	if err != nil {
		return fmt.Errorf("%w: %s", err, said)
	}
	return nil
}

func (p proxy) command(ctx context.Context, args []string, dir string) *exec.Cmd {
	words := make([]string, len(args))
	for i, word := range args {
		words[i] = strings.NewReplacer("FILE", filepath.Join(dir, p.file), "DIR", dir).Replace(word)
	}
	cmd := exec.CommandContext(ctx, words[0], words[1:]...) //nolint:gosec // G204: a program of the table
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	return cmd
}
