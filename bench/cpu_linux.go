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

// tick is the unit of times in /proc: Linux always shows 1/100 s.
const tick = 10 * time.Millisecond

// readCPU returns what the trees of the server and of PostgreSQL, this process
// and foreign ones have used so far, and the idle time. It lists the processes first, which takes
// milliseconds, and then reads all clocks within a fraction of one.
func readCPU(server, postgres int) (c cpu, err error) {
	all, err := listProcesses()
	if err != nil {
		return c, err
	}
	if c.server, err = all.treeCPU(server); err != nil {
		return c, err
	}
	if c.postgres, err = all.treeCPU(postgres); err != nil {
		return c, err
	}
	if c.load, err = processClock(os.Getpid()); err != nil {
		return c, err
	}
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return c, err
	}
	m, err := parseMachine(text)
	if err != nil {
		return c, err
	}
	c.idle, c.all = m.idle, m.busy+m.idle+m.rest
	c.foreign, err = all.foreignCPU(m.busy)
	return c, err
}

// treeCPU returns the CPU time, user and system, that a process and its
// descendants have used so far. The clock of a living process has nanoseconds
// and includes threads that have ended. Ended processes are in the account of
// their parent, in ticks.
func treeCPU(root int) (time.Duration, error) {
	all, err := listProcesses()
	if err != nil {
		return 0, err
	}
	return all.treeCPU(root)
}

func (all processes) treeCPU(root int) (sum time.Duration, err error) {
	err = all.walkTree(root, func(pid int, stat procStat) error {
		used, err := processClock(pid)
		if err != nil {
			return err
		}
		sum += used + stat.reaped
		return nil
	})
	return sum, err
}

// foreignCPU returns the part of the busy time that the machine has spent so far
// on processes other than this one and its descendants. All servers and
// PostgreSQL are descendants. Kernel threads do not count as foreign: they
// write to disk for PostgreSQL. Only the difference of two results has a
// meaning.
func (all processes) foreignCPU(busy time.Duration) (time.Duration, error) {
	own, err := all.treeCPU(os.Getpid())
	if err != nil {
		return 0, err
	}
	foreign := busy - own
	for pid, stat := range all {
		if stat.kernel {
			used, _ := processClock(pid) // one that has ended used next to nothing
			foreign -= used
		}
	}
	return foreign, nil
}

// machine is the time of all processors since the start.
type machine struct {
	// busy leaves out interrupts, which the clocks of processes leave out, too.
	busy time.Duration
	// idle includes waiting for a disk.
	idle time.Duration
	// rest is the time of interrupts and of other virtual machines.
	rest time.Duration
}

// parseMachine reads the first line of /proc/stat, see proc_stat(5).
func parseMachine(text []byte) (machine, error) {
	var user, nice, system, idle, disk, hard, soft, stolen int64
	_, err := fmt.Sscanf(string(text), "cpu %d %d %d %d %d %d %d %d",
		&user, &nice, &system, &idle, &disk, &hard, &soft, &stolen)
	if err != nil {
		return machine{}, fmt.Errorf("read /proc/stat: %w", err)
	}
	return machine{
		busy: time.Duration(user+nice+system) * tick,
		idle: time.Duration(idle+disk) * tick,
		rest: time.Duration(hard+soft+stolen) * tick,
	}, nil
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
func treeRSS(root int) (sum int64, err error) {
	all, err := listProcesses()
	if err != nil {
		return 0, err
	}
	err = all.walkTree(root, func(_ int, stat procStat) error {
		sum += stat.rss
		return nil
	})
	return sum, err
}

// processes are all processes of the machine by their ids.
type processes map[int]procStat

// walkTree visits a process and its descendants. It skips a descendant that
// has ended since it was listed: only short-lived helpers of PostgreSQL do.
func (all processes) walkTree(root int, visit func(pid int, stat procStat) error) error {
	if _, found := all[root]; !found {
		return fmt.Errorf("process %d has ended", root)
	}
	for pid, stat := range all {
		if !all.descends(pid, root) {
			continue
		}
		err := visit(pid, stat)
		if err != nil && (pid == root || !errors.Is(err, unix.EINVAL)) {
			return err
		}
	}
	return nil
}

func (all processes) descends(pid, root int) bool {
	for pid != root {
		stat, found := all[pid]
		if !found || stat.parent == pid {
			return false
		}
		pid = stat.parent
	}
	return true
}

func listProcesses() (processes, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	all := processes{}
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
		if all[pid], err = parseStat(text); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// procStat has fields of /proc/PID/stat, see proc_pid_stat(5).
type procStat struct {
	parent int
	reaped time.Duration
	rss    int64 // bytes
	kernel bool  // a thread of the kernel
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
		// Some unused fields are larger than an int64.
		numbers[i], _ = strconv.ParseInt(fields[i], 10, 64)
	}
	const kernelThread = 0x0020_0000 // PF_KTHREAD
	return procStat{
		parent: int(numbers[1]),
		kernel: numbers[6]&kernelThread != 0,
		reaped: time.Duration(numbers[13]+numbers[14]) * tick,
		rss:    numbers[21] * int64(os.Getpagesize()),
	}, nil
}
