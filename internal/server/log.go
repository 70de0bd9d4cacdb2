package server

import (
	"context"
	"log/slog"
	"net"

	"github.com/caregraph/caregraph/internal/auth"
	"github.com/caregraph/caregraph/internal/cli"
	"github.com/caregraph/caregraph/internal/httpd"
)

// logStart says what runs, in one line.
func (c Server) logStart(ctx context.Context, a *app, p cli.Process, addr net.Addr) {
	tls := "off"
	switch {
	case p.TLSCert != "":
		tls = "on"
	case len(p.TrustedProxies) > 0:
		tls = "proxy"
	}
	b := cli.BuildOf(c.Version)
	p.Log.LogAttrs(ctx, slog.LevelInfo, "serving",
		slog.String("version", b.Version), slog.String("revision", b.Name()), slog.String("schema", b.Schema),
		slog.String("postgres", a.store.ServerVersion()), slog.String("pooler", string(a.store.Pooler())),
		slog.String("server", a.id), slog.String("addr", addr.String()), slog.String("tls", tls), slog.String("data", p.Data), slog.GroupAttrs("settings", p.Changed...))
}

// logStop returns a function that says why the server stops, and what became of its requests.
func logStop(ctx context.Context, log *slog.Logger) func(finished, cut int64) {
	return func(finished, cut int64) {
		reason := "the address of the server failed"
		if cause := context.Cause(ctx); cause != nil {
			reason = cause.Error()
		}
		log.InfoContext(ctx, "stopped", "reason", reason, "requests_finished", finished, "requests_cut", cut)
	}
}

// logCaller appends to the attributes of a request what it asked of the database, and whose
// session it was.
func logCaller(ctx context.Context, attrs []slog.Attr) []slog.Attr {
	caller := auth.CallerFrom(ctx)
	if trips, waited := caller.Used(); trips > 0 {
		attrs = append(attrs, slog.Int64("trips", trips), httpd.Milliseconds("pool_wait_ms", waited))
	}
	if session := caller.Session(); session != "" {
		attrs = append(attrs, slog.String("session", session))
	}
	return attrs
}
