package host

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"syscall"
)

var openFiles = regexp.MustCompile(`(?m)^Max open files +(\d+) `)

// OpenFiles returns how many files a process may open, or this one if the other is not there or
// not shown.
func OpenFiles(pid int) int64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/limits", pid))
	if found := openFiles.FindSubmatch(text); found != nil {
		if limit, err := strconv.ParseInt(string(found[1]), 10, 64); err == nil {
			return limit
		}
	}
	var own syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &own) != nil {
		return 0
	}
	return int64(own.Cur) //nolint:gosec // no limit is that high
}
