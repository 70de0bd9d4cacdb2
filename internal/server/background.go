package server

import (
	"context"
	"log/slog"
	"time"

	"github.com/caregraph/caregraph/internal/settings"
	"github.com/caregraph/caregraph/store"
)

// migrate prepares the schema. What takes long is left to caregraph migrate, unless
// the PostgreSQL is private and so has one server: then finish begins it in the
// background, and returns a function that stops it.
func migrate(ctx context.Context, s settings.Settings, url string, log *slog.Logger) (finish func() (stop func()), err error) {
	complete, err := store.Prepare(ctx, url, store.Preparation{Migrate: s.Migrate, AdminURL: string(s.AdminURL), Log: log})
	nothing := func() func() { return func() {} }
	switch {
	case err != nil || complete:
		return nothing, err
	case s.DatabaseURL != "" || !s.Migrate:
		log.InfoContext(ctx, "the database lacks indexes or values of new columns, so some requests take longer: run caregraph migrate")
		return nothing, nil
	}
	return func() func() {
		ctx, cancel := context.WithCancel(ctx)
		done := make(chan struct{})
		go func() {
			defer close(done)
			if err := store.Migrate(ctx, url, log); err != nil && ctx.Err() == nil {
				log.ErrorContext(ctx, "the database still lacks indexes or values of new columns", "error", err)
			}
		}()
		return func() { cancel(); <-done }
	}, nil
}

// writeEachMinute stores what the store collects until stop is called, and once more then.
func writeEachMinute(ctx context.Context, db *store.Store, log *slog.Logger) (stop func()) {
	ticker, stopped, done := time.NewTicker(time.Minute), make(chan struct{}), make(chan struct{})
	ctx = context.WithoutCancel(ctx)
	write := func() {
		if err := db.WriteCollected(ctx); err != nil {
			log.WarnContext(ctx, "security events could not be stored", "error", err)
		}
	}
	go func() {
		defer close(done)
		for {
			select {
			case <-ticker.C:
				write()
			case <-stopped:
				ticker.Stop()
				write()
				return
			}
		}
	}()
	return func() { close(stopped); <-done }
}
