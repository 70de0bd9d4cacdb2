//go:build !linux

package pgserver

import "syscall"

// hasUserNamespaces is false: only Linux has them.
const hasUserNamespaces = false

// attr puts the child into a process group of its own: otherwise Ctrl-C would
// stop the database before the API has answered its last requests. Nothing ends
// the child if we are killed: the next start finds it.
func (a account) attr(_ syscall.Signal) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if a.how == switched {
		attr.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)} //nolint:gosec // G115: both come from the system's own tables
	}
	return attr
}
