package pgserver

import (
	"os"
	"syscall"
)

// hasUserNamespaces is true on Linux, though the system may refuse to create
// one.
const hasUserNamespaces = true

// attr puts the child into a process group of its own: otherwise Ctrl-C would
// stop the database before the API has answered its last requests. The kernel
// sends onDeath to the child if we are killed.
func (a account) attr(onDeath syscall.Signal) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: onDeath}
	switch a.how {
	case ourOwn:
	case switched:
		attr.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)} //nolint:gosec // G115: both come from the system's own tables
	case mapped:
		attr.Cloneflags = syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: a.uid, HostID: os.Geteuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: a.gid, HostID: os.Getegid(), Size: 1}}
	}
	return attr
}
