package server

import (
	"context"
	"log/slog"
	"time"

	"github.com/caregraph/caregraph/internal/auth"
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
	ctx = context.WithoutCancel(ctx)
	write := func() {
		if err := db.WriteCollected(ctx); err != nil {
			log.WarnContext(ctx, "security events could not be stored", "error", err)
		}
	}
	end := every(time.Minute, write)
	return func() { end(); write() }
}

// enroll stores that the server runs, for migrations and operators, until stop is called. The
// private PostgreSQL has one server and no rows. Renewals would fill its archive while nobody
// writes.
func enroll(ctx context.Context, db *store.Store, s settings.Settings, version, id string, log *slog.Logger) (stop func()) {
	if s.DatabaseURL == "" {
		return func() {}
	}
	ctx = context.WithoutCancel(ctx)
	renew := func() error {
		me := store.Server{ID: id, Version: version}
		if keys, err := auth.LoadKeys(s.Keys, s.JWTAlgorithm); err == nil { // else it has none
			me.Keys = keys.IDs()
		}
		return db.RenewServer(ctx, me)
	}
	failing := false
	renewed := func() {
		err := renew()
		if err != nil && !failing {
			log.WarnContext(ctx, "migrations and caregraph check do not see this server until the database answers", "error", err)
		}
		failing = err != nil
	}
	renewed()
	end := every(store.ServerRenewal, renewed)
	return func() {
		end()
		if err := db.RemoveServer(ctx, id); err != nil {
			log.WarnContext(ctx, "migrations see this server for another minute", "error", err)
		}
	}
}

// every calls do at each interval until stop is called.
func every(interval time.Duration, do func()) (stop func()) {
	ticker, stopped, done := time.NewTicker(interval), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-ticker.C:
				do()
			case <-stopped:
				ticker.Stop()
				return
			}
		}
	}()
	return func() { close(stopped); <-done }
}
