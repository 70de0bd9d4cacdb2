//go:build !linux

package pgserver

import "syscall"

// hasUserNamespaces: there are no user namespaces.
const hasUserNamespaces = false

// attr puts the child in a process group of its own, since Ctrl-C would
// otherwise stop the database before the API has answered its last requests.
// Nothing ends the child when we are killed: the next start finds it.
func (a account) attr(_ syscall.Signal) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if a.how == switched {
		attr.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)} //nolint:gosec // G115: both come from the system's own tables
	}
	return attr
}
