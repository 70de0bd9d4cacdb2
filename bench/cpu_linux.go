package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// tick is the unit of utime and its like, which Linux fixed at 1/100 s for
// programs.
const tick = 10 * time.Millisecond

// treeCPU returns the CPU time, user and system, that a process and its
// descendants have used so far. Those that live are asked for nanoseconds by
// the clock of their process, which knows threads that have ended, too. Those
// that have ended are in their parent's account, in ticks.
func treeCPU(root int) (time.Duration, error) {
	var sum time.Duration
	err := walkTree(root, func(pid int, stat procStat) error {
		alive, err := processClock(pid)
		if err != nil {
			return err
		}
		sum += alive + stat.reaped
		return nil
	})
	return sum, err
}

// processClock reads clock_getcpuclockid(3) of a process.
func processClock(pid int) (time.Duration, error) {
	const scheduled = 2 // CPUCLOCK_SCHED
	var used unix.Timespec
	clock := int32(^uint32(pid)<<3 | scheduled) //nolint:gosec // G115: the kernel's own encoding
	if err := unix.ClockGettime(clock, &used); err != nil {
		return 0, fmt.Errorf("CPU clock of process %d: %w", pid, err)
	}
	return time.Duration(used.Nano()), nil
}

// treeRSS returns the resident memory of a process and its descendants.
func treeRSS(root int) (int64, error) {
	var sum int64
	err := walkTree(root, func(_ int, stat procStat) error {
		sum += stat.rss
		return nil
	})
	return sum, err
}

// walkTree visits a process and its descendants. One that ends meanwhile is
// passed over: only short-lived helpers of PostgreSQL do.
func walkTree(root int, visit func(pid int, stat procStat) error) error {
	processes, err := allProcesses()
	if err != nil {
		return err
	}
	if _, found := processes[root]; !found {
		return fmt.Errorf("process %d has ended", root)
	}
	for pid, stat := range processes {
		if !descends(processes, pid, root) {
			continue
		}
		err := visit(pid, stat)
		if err != nil && (pid == root || !errors.Is(err, unix.EINVAL)) {
			return err
		}
	}
	return nil
}

func descends(processes map[int]procStat, pid, root int) bool {
	for pid != root {
		stat, found := processes[pid]
		if !found || stat.parent == pid {
			return false
		}
		pid = stat.parent
	}
	return true
}

func allProcesses() (map[int]procStat, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	processes := map[int]procStat{}
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		text, err := os.ReadFile("/proc/" + entry.Name() + "/stat")
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if processes[pid], err = parseStat(text); err != nil {
			return nil, err
		}
	}
	return processes, nil
}

// procStat is what we read of /proc/PID/stat, see proc_pid_stat(5).
type procStat struct {
	parent int
	reaped time.Duration
	rss    int64 // bytes
}

func parseStat(text []byte) (procStat, error) {
	// The name, in parentheses, may hold anything.
	end := bytes.LastIndexByte(text, ')')
	fields := strings.Fields(string(text[end+1:]))
	if end < 0 || len(fields) < 22 {
		return procStat{}, fmt.Errorf("/proc/PID/stat has %d fields", len(fields))
	}
	var numbers [22]int64
	for i := 1; i < len(numbers); i++ {
		// Some that we do not read are larger than an int64.
		numbers[i], _ = strconv.ParseInt(fields[i], 10, 64)
	}
	return procStat{
		parent: int(numbers[1]),
		reaped: time.Duration(numbers[13]+numbers[14]) * tick,
		rss:    numbers[21] * int64(os.Getpagesize()),
	}, nil
}
