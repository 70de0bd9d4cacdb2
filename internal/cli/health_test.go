package cli

import (
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/caregraph/caregraph/internal/testutil"
)

// TestHealth_AsksTheAddressOfTheServer: TCP, TLS and a Unix socket.
func TestHealth_AsksTheAddressOfTheServer(t *testing.T) {
	t.Parallel()
	var answers atomic.Int32
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/ready" {
			t.Errorf("asked for %s", r.URL.Path)
		}
		w.WriteHeader(int(answers.Load()))
	})
	plain, secure := httptest.NewServer(h), httptest.NewTLSServer(h)
	defer plain.Close()
	defer secure.Close()
	path := filepath.Join(t.TempDir(), "http.sock")
	socket := httptest.NewUnstartedServer(h)
	testutil.Must(t, socket.Listener.Close())
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "unix", path)
	testutil.Must(t, err)
	socket.Listener = listener
	socket.Start()
	defer socket.Close()
	for _, status := range []int32{http.StatusOK, http.StatusServiceUnavailable} {
		answers.Store(status)
		for _, args := range [][]string{
			{"--addr", plain.Listener.Addr().String()},
			{"--addr", secure.Listener.Addr().String(), "--tls-cert", "/c"},
			{"--addr", "unix:" + path},
		} {
			r := run(t, nil, append([]string{"health"}, args...)...)
			if ready := r.err == nil; ready != (status == http.StatusOK) || r.out.Len() > 0 {
				t.Errorf("%d: %v: %v", status, args, r.err)
			}
			if status != http.StatusOK && !strings.Contains(r.err.Error(), "is not ready: 503") {
				t.Errorf("%v: %v", args, r.err)
			}
		}
	}
	socket.Close()
	if r := run(t, nil, "health", "--addr", "unix:"+path); r.err == nil {
		t.Error("a server that is gone is ready")
	}
}

func TestSettings_ShowWhereTheyComeFrom(t *testing.T) {
	t.Parallel()
	env := map[string]string{"DATABASE_URL": "postgres://u:hunter2@h/d", "CAREGRAPH_MAX_DEPTH": "9"}
	r := run(t, env, "settings", "--data", "/d", "--max-cost=20000")
	lines := map[string]string{}
	for line := range strings.Lines(r.out.String()) {
		name, rest, _ := strings.Cut(line, " ")
		lines[name] = strings.Join(strings.Fields(rest), " ")
	}
	for name, want := range map[string]string{
		"SETTING": "VALUE SOURCE", "data": "/d --data", "keys": "/d/keys.json default", "database-url": "(set) DATABASE_URL",
		"max-depth": "9 CAREGRAPH_MAX_DEPTH", "max-cost": "20000 --max-cost", "addr": "127.0.0.1:8080 default", "database-url-file": "default",
	} {
		if lines[name] != want {
			t.Errorf("%s: %q, want %q", name, lines[name], want)
		}
	}
	if r.err != nil || strings.Contains(r.out.String(), "hunter2") {
		t.Errorf("%v\n%s", r.err, &r.out)
	}
	if r := run(t, env, "settings", "--data", "/d", "--max-cost=1"); r.err == nil || r.out.Len() > 0 {
		t.Errorf("a bad setting: %v, %s", r.err, &r.out)
	}
}
