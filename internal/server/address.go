package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"

	"github.com/caregraph/caregraph/internal/host"
	"github.com/caregraph/caregraph/internal/httpd"
	"github.com/caregraph/caregraph/internal/settings"
)

// loadCertificate returns the certificate of the settings; nil for plain HTTP.
func loadCertificate(s settings.Settings, log *slog.Logger) (*httpd.Certificate, error) {
	switch {
	case s.TLSCert == "" && s.TLSKey == "":
		return nil, nil //nolint:nilnil // plain HTTP has no certificate
	case s.TLSKey == "":
		return nil, errors.New("--tls-key: must be the file of the key of --tls-cert")
	case s.TLSCert == "":
		return nil, errors.New("--tls-cert: must be the file of the certificate of --tls-key")
	}
	return httpd.LoadCertificate(s.TLSCert, s.TLSKey, log)
}

// warnAboutPlainHTTP warns that other machines can reach the server and read along.
func warnAboutPlainHTTP(ctx context.Context, addr net.Addr, s settings.Settings, log *slog.Logger) {
	tcp, ok := addr.(*net.TCPAddr)
	if ok && !tcp.IP.IsLoopback() && len(s.TrustedProxies) == 0 && s.TLSCert == "" {
		log.WarnContext(ctx, "other machines can reach this address without TLS: set --tls-cert and --tls-key, or put a proxy with TLS in front and name it with --trusted-proxies", "addr", addr.String())
	}
}

// notify reports to the supervisor that the server is ready, and later that it stops.
func notify(ctx context.Context, log *slog.Logger) {
	sending, socket := context.WithoutCancel(ctx), os.Getenv("NOTIFY_SOCKET")
	send := func(state string) {
		if err := host.Notify(sending, socket, state); err != nil {
			log.WarnContext(sending, "the supervisor does not know the state of the server", "error", err)
		}
	}
	send(host.Ready)
	context.AfterFunc(ctx, func() { send(host.Stopping) })
}
