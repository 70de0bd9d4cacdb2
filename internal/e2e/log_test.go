package e2e

import (
	"context"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/caregraph/caregraph/internal/testutil"
)

// TestServer_LogThatNobodyReadsStopsNothing: the pipe of the log is full, or closed.
// Requests go on, and the server stops when it is asked to.
func TestServer_LogThatNobodyReadsStopsNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		close  bool
		signal os.Signal
	}{
		"full, SIGTERM":  {false, syscall.SIGTERM},
		"closed, SIGHUP": {true, syscall.SIGHUP},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			read, write, err := os.Pipe()
			testutil.Must(t, err)
			defer func() { _ = read.Close() }()
			path, err := binary()
			testutil.Must(t, err)
			server := startBinary(t, path, write, dataDir(t))
			testutil.Must(t, write.Close())
			if c.close {
				testutil.Must(t, read.Close())
			}
			const moreThanAPipeHolds = 1_000 // lines of the access log
			for range moreThanAPipeHolds {
				if answer := server.get("/health/"); !strings.HasPrefix(answer, "200 OK") {
					t.Fatal(answer)
				}
			}
			if signal.Ignored(c.signal) { // as under nohup: the server ignores it, too
				c.signal = syscall.SIGTERM
			}
			testutil.Must(t, server.process.Process.Signal(c.signal))
			if err := server.process.Wait(); err != nil {
				t.Errorf("the server ended with %v", err)
			}
		})
	}
}

// TestServe_StoppedWhileItStarts: that is no failure.
func TestServe_StoppedWhileItStarts(t *testing.T) {
	t.Parallel()
	path, err := binary()
	testutil.Must(t, err)
	data := dataDir(t)
	process := exec.CommandContext(context.WithoutCancel(t.Context()), path, "--addr", "127.0.0.1:0", "--data", data)
	process.Env = cleanEnv()
	var log strings.Builder
	process.Stderr = &log
	testutil.Must(t, process.Start())
	for {
		if _, err := os.Stat(data); err == nil { // it makes the database now
			break
		}
	}
	testutil.Must(t, process.Process.Signal(syscall.SIGTERM))
	if err := process.Wait(); err != nil {
		t.Errorf("it ended with %v: %s", err, log.String())
	}
}

// TestServer_LogsWhatRunsAndWhyItStops, with the settings that are not the defaults.
func TestServer_LogsWhatRunsAndWhyItStops(t *testing.T) {
	t.Parallel()
	server := start(t, dataDir(t), "--max-depth", "9", "--trusted-proxies", "10.0.0.0/8")
	server.get("/health/")
	server.stop()
	for _, want := range []string{
		`msg=serving version=\S+ revision=0123abc schema=\d{14} postgres="?\d+\.\S+.* pooler=none server=[A-Z2-7]{8} addr=127\.0\.0\.1:\d+ tls=proxy data=\S+ settings\.addr=127\.0\.0\.1:0 settings\.data=\S+.* settings\.max-depth=9`,
		`msg=stopped reason="signal: interrupt" requests_finished=1 requests_cut=0`,
	} {
		if !regexp.MustCompile(want).MatchString(server.log.String()) {
			t.Errorf("no line with %s in\n%s", want, server.log)
		}
	}
}
