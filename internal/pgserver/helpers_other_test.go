//go:build !linux

package pgserver

// becomeRole: only Linux has capabilities to give up.
func becomeRole(string) error { return nil }
