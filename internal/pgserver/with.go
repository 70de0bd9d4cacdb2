package pgserver

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// Database says which PostgreSQL With uses.
type Database struct {
	// URL is the address of a PostgreSQL that runs already. Empty: the private
	// cluster of DataDir.
	URL     string
	DataDir string
	// Attach allows With to use the cluster that another process runs on
	// DataDir. Otherwise such a process is an error.
	Attach bool
	// StopTimeout is the time that a clean shutdown of the cluster may take.
	StopTimeout time.Duration
	// Log gets what PostgreSQL says; see Options. May be nil.
	Log *slog.Logger
	// Archive is that of Options. It has no effect on a cluster that runs already.
	Archive *Archive
}

// With calls f with the address of the database. If no one runs it, With starts
// the private cluster and stops it when f returns. If the cluster ends by
// itself, the context of f ends, and its cause says so. The error joins those of f and of the stop.
func With(ctx context.Context, d Database, f func(ctx context.Context, url string) error) (err error) {
	if d.URL != "" {
		return f(ctx, d.URL)
	}
	if d.Attach {
		url, running, err := Attach(d.DataDir)
		switch {
		case err != nil:
			return err
		case running:
			return f(ctx, url)
		}
	}
	server, err := Start(ctx, Options{DataDir: d.DataDir, Log: d.Log, Archive: d.Archive})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		<-server.Done()
		cancel(errors.New("the private PostgreSQL has ended"))
	}()
	defer func() {
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), d.StopTimeout)
		defer cancel()
		err = errors.Join(err, server.Stop(stopping))
	}()
	return f(ctx, server.URL())
}
