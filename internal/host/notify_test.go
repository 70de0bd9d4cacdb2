package host_test

import (
	"net"
	"path/filepath"
	"testing"

	"github.com/caregraph/caregraph/internal/host"
)

func TestNotify_SendsTheStateAsOneDatagram(t *testing.T) {
	t.Parallel()
	for _, socket := range []string{filepath.Join(t.TempDir(), "notify"), "@caregraph-" + filepath.Base(t.TempDir())} {
		supervisor, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = supervisor.Close() }()
		if err := host.Notify(t.Context(), socket, host.Ready); err != nil {
			t.Error(err)
		}
		text := make([]byte, 100)
		n, err := supervisor.Read(text)
		if err != nil || string(text[:n]) != "READY=1" {
			t.Errorf("%q, %v", text[:n], err)
		}
	}
}

func TestNotify_NeedsNoSupervisor(t *testing.T) {
	t.Parallel()
	if err := host.Notify(t.Context(), "", host.Stopping); err != nil {
		t.Error(err)
	}
	if err := host.Notify(t.Context(), filepath.Join(t.TempDir(), "none"), host.Stopping); err == nil {
		t.Error("a missing supervisor makes no error")
	}
}
