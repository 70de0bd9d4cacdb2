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

// ProfileOnSignal records the CPU from SIGUSR1 to SIGUSR2, as often as the
// signals come, until ctx ends. The benchmark builds the server with the tag
// profile for it; no address and no setting starts a profile in production.
func ProfileOnSignal(ctx context.Context, log *slog.Logger) {
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
					file, err = beginProfile()
				} else if s == syscall.SIGUSR2 && file != nil {
					err, file = endProfile(file), nil
				}
			}
			if err != nil {
				log.ErrorContext(ctx, "profile", "error", err)
			}
		}
	}()
}

func beginProfile() (*os.File, error) {
	file, err := os.Create(ProfileName + ".part")
	if err != nil {
		return nil, err
	}
	return file, pprof.StartCPUProfile(file)
}

func endProfile(file *os.File) error {
	pprof.StopCPUProfile()
	if err := file.Close(); err != nil {
		return err
	}
	return os.Rename(file.Name(), ProfileName)
}
