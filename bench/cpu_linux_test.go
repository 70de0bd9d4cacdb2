package main

import (
	"os"
	"os/exec"
	"testing"
	"time"
)

func TestTreeCPU_CountsOurselvesTheLivingAndTheEnded(t *testing.T) {
	before, err := treeCPU(os.Getpid())
	must(t, err)
	burn(t, 30*time.Millisecond)
	alone, err := treeCPU(os.Getpid())
	must(t, err)
	if alone-before < 20*time.Millisecond {
		t.Errorf("we used 30 ms and %v were counted", alone-before)
	}

	child := exec.CommandContext(t.Context(), "sh", "-c", "while :; do :; done")
	must(t, child.Start())
	must(t, awaitCPU(child.Process.Pid, 50*time.Millisecond))
	living, err := treeCPU(os.Getpid())
	must(t, err)
	if living-alone < 50*time.Millisecond {
		t.Errorf("a child used 50 ms and %v were counted", living-alone)
	}
	must(t, child.Process.Kill())
	_ = child.Wait() // killed
	ended, err := treeCPU(os.Getpid())
	must(t, err)
	if ended < living-2*tick {
		t.Errorf("what the child had used is forgotten: %v, then %v", living, ended)
	}
}

func TestTreeCPU_OfNobodyIsAnError(t *testing.T) {
	if used, err := treeCPU(1 << 30); err == nil {
		t.Errorf("got %v", used)
	}
}

func TestTreeRSS_IsThatOfAProgram(t *testing.T) {
	got, err := treeRSS(os.Getpid())
	must(t, err)
	if got < 1<<20 || got > 1<<34 {
		t.Errorf("we have %d bytes", got)
	}
}

func TestParseStat_NameMayHoldAnything(t *testing.T) {
	line := "42 (a) b (c) S 7 1 1 0 -1 0 0 0 0 0 11 12 3 4 20 0 1 0 99 1000 5 18446744073709551615 1\n"
	got, err := parseStat([]byte(line))
	must(t, err)
	want := procStat{parent: 7, reaped: 7 * tick, rss: 5 * int64(os.Getpagesize())}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if _, err := parseStat([]byte("42 (a) S 7")); err == nil {
		t.Error("a line that is cut off was taken")
	}
}

// burn uses the CPU for so long of our own time.
func burn(t *testing.T, d time.Duration) {
	t.Helper()
	must(t, awaitCPU(os.Getpid(), d))
}

// awaitCPU returns when a process has used so much more than now. It keeps a
// CPU busy itself.
func awaitCPU(pid int, d time.Duration) error {
	start, err := processClock(pid)
	for err == nil {
		var now time.Duration
		if now, err = processClock(pid); now-start >= d {
			return err
		}
	}
	return err
}
