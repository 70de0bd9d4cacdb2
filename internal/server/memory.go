package server

import (
	"os"
	"runtime/debug"
	"time"
)

const (
	// memoryBase is the memory in bytes, without answers, from which on the garbage
	// collector works harder.
	memoryBase = 200 << 20
	// usualMemory is what a busy server uses without idle streams, and streamMemory what one
	// of these keeps, most of it its stack; in bytes.
	usualMemory, streamMemory = 64 << 20, 8 << 10
	// garbageEvery is how often the garbage is limited by the number of streams.
	garbageEvery = 10 * time.Second
)

// limitMemory sets the limit of memory, for answers of so many bytes, unless the operator did.
func limitMemory(answers int64) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryBase + answers)
	}
}

// limitGarbage lets the memory of idle streams not add to the garbage, until stop is called.
// Usually there may be as much garbage as memory in use.
func limitGarbage(streams func() int64) (stop func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	percent := garbagePercent(0)
	return every(garbageEvery, func() {
		if now := garbagePercent(streams()); now != percent {
			debug.SetGCPercent(now)
			percent = now
		}
	})
}

// garbagePercent returns the garbage in per cent of all memory in use, in steps of 10.
func garbagePercent(streams int64) int {
	percent := 100 * usualMemory / (usualMemory + streams*streamMemory)
	return int(max(percent/10, 1)) * 10
}
