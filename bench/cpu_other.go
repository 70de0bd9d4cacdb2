//go:build !linux

package main

import (
	"errors"
	"time"
)

var errLinuxOnly = errors.New("CPU and memory are read from /proc, which only Linux has: run the benchmark there")

func treeCPU(int) (time.Duration, error) { return 0, errLinuxOnly }

func readCPU(int, int) (cpu, error) { return cpu{}, errLinuxOnly }

func processClock(int) (time.Duration, error) { return 0, errLinuxOnly }

func treeRSS(int) (int64, error) { return 0, errLinuxOnly }
