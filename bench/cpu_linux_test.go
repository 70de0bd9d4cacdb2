package main

import (
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
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

func TestParseStat_KnowsThreadsOfTheKernel(t *testing.T) {
	for flags, want := range map[string]bool{"2129984": true, "4194560": false} {
		got, err := parseStat([]byte("9 (kworker) I 2 0 0 0 -1 " + flags + " 0 0 0 0 0 11 0 0 0 20 0 1 0 99 0 0 1\n"))
		must(t, err)
		if got.kernel != want {
			t.Errorf("flags %s: kernel is %v", flags, got.kernel)
		}
	}
}

func TestParseMachine_KeepsIdleTimeAndInterruptsApart(t *testing.T) {
	got, err := parseMachine([]byte("cpu  100 20 3 5000 600 70 8 9 0 0\ncpu0 1 1 1 1\n"))
	must(t, err)
	if want := (machine{busy: 123 * tick, idle: 5600 * tick, rest: 87 * tick}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if _, err := parseMachine([]byte("intr 7")); err == nil {
		t.Error("a file without processors was accepted")
	}
}

// While this process keeps every processor busy, the time of others is what
// remains.
func TestReadCPU_LeavesThisProcessOutOfForeign(t *testing.T) {
	processors := time.Duration(runtime.GOMAXPROCS(0))
	start := time.Now()
	before, err := readCPU(os.Getpid(), os.Getpid())
	must(t, err)
	var group errgroup.Group
	for range processors {
		group.Go(func() error { return awaitCPU(os.Getpid(), 100*time.Millisecond*processors) })
	}
	must(t, group.Wait())
	after, err := readCPU(os.Getpid(), os.Getpid())
	must(t, err)
	used, foreign := after.server-before.server, after.foreign-before.foreign
	if load := after.load - before.load; load < 100*time.Millisecond*processors {
		t.Errorf("only %v of this process were counted", load)
	}
	if all, took := after.all-before.all, time.Since(start); after.idle < before.idle || all < took/2 {
		t.Errorf("in %v the processors had %v, idle %v", took, all, after.idle-before.idle)
	}
	if used < 100*time.Millisecond*processors {
		t.Errorf("only %v were counted", used)
	}
	if most := processors*time.Since(start) - used; foreign > most+2*tick*processors {
		t.Errorf("%v are foreign, at most %v can be", foreign, most)
	}
}

// burn uses CPU time of this process.
func burn(t *testing.T, d time.Duration) {
	t.Helper()
	must(t, awaitCPU(os.Getpid(), d))
}

// awaitCPU returns when a process has used that much more CPU time. It keeps a
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
