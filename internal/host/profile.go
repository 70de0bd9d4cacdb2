package host

// ProfileName is the file in the working directory that ProfileOnSignal writes
// the CPU profile to. The file has this name only once it is complete.
const ProfileName = "cpu.pprof"
