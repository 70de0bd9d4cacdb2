package httpd

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

const (
	headerTimeout  = 5 * time.Second
	idleTimeout    = 2 * time.Minute
	maxHeaderBytes = 32 << 10
	// transferGrace is what the limits of a connection allow beyond the request
	// timeout: for sending the response, and for the context to end with
	// ErrTimeout first. A read deadline that passes would cancel it without
	// that cause. See awaitBody for a slow body.
	transferGrace = 5 * time.Second
)

type stoppingKey struct{}

// stopping returns the context that ends when the shutdown begins. Outside of
// Serve it never ends.
func stopping(ctx context.Context) context.Context {
	if s, ok := ctx.Value(stoppingKey{}).(context.Context); ok {
		return s
	}
	return context.Background()
}

// Serve answers the requests that arrive at listener until ctx ends: over TLS 1.2 or
// newer with HTTP/2 and HTTP/1.1 if there is a certificate, else over plain HTTP. Then
// /ready answers 503, streams are notified, and answers close their connections.
// After the drain delay the listener closes, requests in flight complete, and
// Serve returns nil. The contexts of requests hold the
// values of ctx but do not end with it.
//
// Serve returns an error if the listener fails, or if requests are still in
// flight after the shutdown timeout: then their contexts end with the cause
// ErrShutdown, and their connections are closed. The listener is closed in any
// case.
func Serve(ctx context.Context, listener net.Listener, handler http.Handler, o Options) error {
	base, cancelRequests := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancelRequests(ErrShutdown)
	var requests inFlight
	server := newServer(context.WithValue(base, stoppingKey{}, ctx), requests.count(handler), o)
	if o.OnStop != nil {
		defer func() { o.OnStop(requests.began.Load()-requests.cut, requests.cut) }()
	}

	served := make(chan error, 1)
	if o.Certificate == nil {
		go func() { served <- server.Serve(onePiece{listener}) }()
	} else {
		defer o.Certificate.watch(base)()
		go func() { served <- server.ServeTLS(listener, "", "") }()
	}
	select {
	case err := <-served:
		_ = server.Close() // the listener's error is the one to return
		return fmt.Errorf("serve HTTP: %w", err)
	case <-ctx.Done():
	}
	select {
	case <-time.After(o.DrainDelay):
	case <-o.SkipDrain:
	}

	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.ShutdownTimeout)
	defer cancel()
	err := server.Shutdown(limit)
	<-served //nolint:errcheck // always http.ErrServerClosed
	if err != nil {
		requests.cut = requests.began.Load() - requests.ended.Load()
		cancelRequests(ErrShutdown)
		_ = server.Close() // nothing else can be done for those connections
		return fmt.Errorf("shut down HTTP, requests were cut off: %w", err)
	}
	return nil
}

// inFlight counts requests.
type inFlight struct {
	began, ended atomic.Int64
	cut          int64
}

func (f *inFlight) count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.began.Add(1)
		defer f.ended.Add(1)
		next.ServeHTTP(w, r)
	})
}

func newServer(base context.Context, handler http.Handler, o Options) *http.Server {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		BaseContext:       func(net.Listener) context.Context { return base },
		ConnContext:       withConn,
		ErrorLog:          log.New(problems{o.log(), o.Certificate}, "", 0),
	}
	server.Protocols = new(http.Protocols)
	server.Protocols.SetHTTP1(true)
	if o.Certificate != nil {
		server.Protocols.SetHTTP2(true)
		server.TLSConfig = o.Certificate.config()
	} else {
		// For proxies that know it. RFC 9113 has no upgrade to HTTP/2 any more.
		server.Protocols.SetUnencryptedHTTP2(true)
	}
	if o.RequestTimeout > 0 {
		server.ReadTimeout = o.RequestTimeout + transferGrace
		server.WriteTimeout = o.RequestTimeout + transferGrace
	}
	return server
}
