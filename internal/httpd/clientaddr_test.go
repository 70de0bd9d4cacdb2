package httpd

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

func TestClientAddr(t *testing.T) {
	t.Parallel()
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for name, c := range map[string]struct {
		peer      string
		forwarded []string
		want      string
	}{
		"no proxy":                        {"198.51.100.7:5000", nil, "198.51.100.7"},
		"a stranger's header":             {"198.51.100.7:5000", []string{"203.0.113.9"}, "198.51.100.7"},
		"one proxy":                       {"10.0.0.1:5000", []string{"203.0.113.9"}, "203.0.113.9"},
		"a forged entry stands left":      {"10.0.0.1:5000", []string{"1.1.1.1, 203.0.113.9"}, "203.0.113.9"},
		"a forged header stands first":    {"10.0.0.1:5000", []string{"1.1.1.1", "203.0.113.9"}, "203.0.113.9"},
		"a trusted address is forged too": {"10.0.0.1:5000", []string{"10.9.9.9, 203.0.113.9"}, "203.0.113.9"},
		"two proxies":                     {"10.0.0.1:5000", []string{"203.0.113.9,10.0.0.2"}, "203.0.113.9"},
		"only proxies":                    {"10.0.0.1:5000", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		"a proxy without header":          {"10.0.0.1:5000", nil, "10.0.0.1"},
		"nonsense next to the proxy":      {"10.0.0.1:5000", []string{"203.0.113.9, unknown"}, "10.0.0.1"},
		"nonsense behind a proxy":         {"10.0.0.1:5000", []string{"unknown, 10.0.0.2"}, "10.0.0.2"},
		"entries with ports":              {"10.0.0.1:5000", []string{"203.0.113.9:1234"}, "203.0.113.9"},
		"IPv6 with port":                  {"[fd00::1]:5000", []string{"[2001:db8::9]:1234"}, "2001:db8::9"},
		"IPv4 written as IPv6":            {"[::ffff:10.0.0.1]:5000", []string{"::ffff:203.0.113.9"}, "203.0.113.9"},
		"a zone":                          {"[fe80::1%eth0]:5000", nil, "fe80::1"},
		"a Unix socket":                   {"@", []string{"203.0.113.9"}, ""},
	} {
		var got netip.Addr
		h := Handler(route("/", func(_ http.ResponseWriter, r *http.Request) { got = ClientAddr(r.Context()) }), Options{TrustedProxies: proxies})
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
		r.RemoteAddr = c.peer
		r.Header["X-Forwarded-For"] = c.forwarded
		h.ServeHTTP(httptest.NewRecorder(), r)
		want, _ := netip.ParseAddr(c.want)
		if got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

func TestClientAddr_NobodyIsTrustedByDefault(t *testing.T) {
	t.Parallel()
	var got netip.Addr
	h := Handler(route("/", func(_ http.ResponseWriter, r *http.Request) { got = ClientAddr(r.Context()) }), Options{})
	ask(t, h, http.MethodGet, "/", "X-Forwarded-For", "203.0.113.9")
	if got != netip.MustParseAddr("192.0.2.1") { // the peer of httptest
		t.Errorf("got %v", got)
	}
}

// TestClientAddr_UntrustedProxyIsReportedOnce: its clients share the budgets of one
// address, which nobody sees otherwise. The warning names no address.
func TestClientAddr_UntrustedProxyIsReportedOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		peer      string
		forwarded []string
		trusted   []netip.Prefix
		want      int
	}{
		"a private proxy":         {"10.0.0.1:5000", []string{"203.0.113.9"}, nil, 1},
		"a proxy on this machine": {"[::1]:5000", []string{"203.0.113.9"}, nil, 1},
		"a stranger's header":     {"198.51.100.7:5000", []string{"203.0.113.9"}, nil, 0},
		"no header":               {"10.0.0.1:5000", nil, nil, 0},
		"a trusted proxy":         {"10.0.0.1:5000", []string{"203.0.113.9"}, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, 0},
	} {
		var log bytes.Buffer
		h := Handler(route("/", func(http.ResponseWriter, *http.Request) {}), Options{
			TrustedProxies: c.trusted, Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn})),
		})
		for range 3 {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
			r.RemoteAddr = c.peer
			if c.forwarded != nil {
				r.Header["X-Forwarded-For"] = c.forwarded
			}
			h.ServeHTTP(httptest.NewRecorder(), r)
		}
		if got := strings.Count(log.String(), "--trusted-proxies"); got != c.want || strings.Contains(log.String(), "203.0.113.9") {
			t.Errorf("%s: %d warnings, want %d: %s", name, got, c.want, &log)
		}
	}
}
