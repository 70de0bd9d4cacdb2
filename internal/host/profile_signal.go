//go:build profile && unix

package host

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"
)

// OnSignal records the CPU from SIGUSR1 to SIGUSR2, as often as it is asked to,
// until ctx ends.
func OnSignal(ctx context.Context, log *slog.Logger) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1, syscall.SIGUSR2)
	go func() {
		defer signal.Stop(signals)
		var file *os.File
		for {
			var err error
			select {
			case <-ctx.Done():
				return
			case s := <-signals:
				if s == syscall.SIGUSR1 && file == nil {
					file, err = begin()
				} else if s == syscall.SIGUSR2 && file != nil {
					err, file = end(file), nil
				}
			}
			if err != nil {
				log.ErrorContext(ctx, "profile", "error", err)
			}
		}
	}()
}

func begin() (*os.File, error) {
	file, err := os.Create(Name + ".part")
	if err != nil {
		return nil, err
	}
	return file, pprof.StartCPUProfile(file)
}

func end(file *os.File) error {
	pprof.StopCPUProfile()
	if err := file.Close(); err != nil {
		return err
	}
	return os.Rename(file.Name(), Name)
}
