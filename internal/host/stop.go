package host

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// StopSignals returns a context that ends with the first SIGINT, SIGTERM or SIGHUP, whose
// cause names the signal, and a channel that closes with the second. SIGHUP counts only if it was not ignored
// at the start, as under nohup. SIGPIPE has no effect: a closed log does not end the
// process.
func StopSignals(parent context.Context) (ctx context.Context, again <-chan struct{}, release func()) {
	ctx, cancel := context.WithCancelCause(parent)
	second := make(chan struct{})
	signals, pipe := make(chan os.Signal, 2), make(chan os.Signal, 1)
	signal.Notify(pipe, syscall.SIGPIPE)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(signals, syscall.SIGHUP)
	}
	go func() {
		select {
		case got := <-signals:
			cancel(errors.New("signal: " + got.String()))
		case <-ctx.Done():
			return
		}
		<-signals
		close(second)
	}()
	return ctx, second, func() { signal.Stop(signals); cancel(nil) }
}

// ExitWithin ends the process with code 1 when the time has passed since the end of
// ctx, with all that still runs. The caller calls release when it has ended by itself.
func ExitWithin(ctx context.Context, limit time.Duration, log *slog.Logger) (release func()) {
	ended := make(chan struct{})
	go func() {
		select {
		case <-ctx.Done():
		case <-ended:
			return
		}
		select {
		case <-time.After(limit):
			log.ErrorContext(ctx, "the shutdown took too long and was cut off", "limit", limit)
			<-time.After(flushTime) // for the log
			os.Exit(1)
		case <-ended:
		}
	}()
	return func() { close(ended) }
}
