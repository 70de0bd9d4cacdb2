// Package profile lets the benchmark record where the server spends its time.
// It does so only in binaries built with the tag profile: there is no address
// and no setting by which anybody could start it in production.
package host

// Name is the file that a profile is written to, in the working directory. It
// has this name only once it is complete.
const Name = "cpu.pprof"
