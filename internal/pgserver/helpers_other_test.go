//go:build !linux

package pgserver

// becomeRole does nothing: only Linux has capabilities to drop.
func becomeRole(string) error { return nil }
