package httpd

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caregraph/caregraph/internal/testutil"
)

func overSocket(path string) *http.Client {
	var dialer net.Dialer
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return dialer.DialContext(ctx, "unix", path)
	}}}
}

// TestListen_AUnixSocketBelongsToTheGroup: it answers, drains like an address, and is
// gone afterwards.
func TestListen_AUnixSocketBelongsToTheGroup(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "http.sock")
	testutil.Must(t, CheckFree(t.Context(), "--addr", "unix:"+path))
	listener, err := Listen(t.Context(), "--addr", "unix:"+path)
	testutil.Must(t, err)
	info, err := os.Stat(path)
	testutil.Must(t, err)
	if info.Mode().Perm() != 0o660 {
		t.Errorf("mode %o", info.Mode().Perm())
	}
	_, err = Listen(t.Context(), "--addr", "unix:"+path)
	if err == nil || err.Error() != "--addr unix:"+path+" is in use: stop the other program, or choose another address with --addr" {
		t.Errorf("a second listener: %v", err)
	}
	mux := route("/", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, ClientAddr(r.Context()).String())
	})
	Probes(mux, func(context.Context) error { return nil })
	ctx, end := context.WithCancel(t.Context())
	skip, result := make(chan struct{}), make(chan error, 1)
	o := Options{
		DrainDelay: time.Hour, SkipDrain: skip, ShutdownTimeout: time.Hour,
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
	}
	go func() { result <- Serve(ctx, listener, Handler(mux, o), o) }()
	get := func(target string) (int, string) {
		r := httpGet(t, "http://localhost"+target)
		r.Header.Set("X-Forwarded-For", "203.0.113.9")
		response, err := overSocket(path).Do(r)
		testutil.Must(t, err)
		defer func() { _ = response.Body.Close() }()
		body, err := io.ReadAll(response.Body)
		testutil.Must(t, err)
		return response.StatusCode, string(body)
	}
	if status, client := get("/"); status != http.StatusOK || client != "203.0.113.9" {
		t.Errorf("%d, the client is %s", status, client)
	}
	end()
	if status, _ := get("/ready"); status != http.StatusServiceUnavailable {
		t.Errorf("/ready while draining: %d", status)
	}
	close(skip)
	testutil.Must(t, <-result)
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("the socket is left: %v", err)
	}
}

func TestListen_ReplacesTheSocketOfAKilledServer(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "http.sock")
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	testutil.Must(t, err)
	dead.SetUnlinkOnClose(false)
	testutil.Must(t, dead.Close())
	listener, err := Listen(t.Context(), "--addr", "unix:"+path)
	testutil.Must(t, err)
	testutil.Must(t, listener.Close())
	testutil.Must(t, os.WriteFile(path, []byte("a file"), 0o600))
	if _, err := Listen(t.Context(), "--addr", "unix:"+path); err == nil || !strings.HasPrefix(err.Error(), "--addr") {
		t.Errorf("over a file: %v", err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "a file" {
		t.Errorf("the file is gone: %v", err)
	}
}
