package main

import (
	"context"
	"debug/buildinfo"
	"fmt"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

const (
	// Many short rounds, since the speed of a machine drifts. usualRounds is a
	// multiple of the orders, of which three builds have six.
	usualRounds  = 30
	usualSeconds = 0.5
	orders       = 6

	buildWarmUp      = 200 * time.Millisecond
	firstBuildWarmUp = 1500 * time.Millisecond
)

// against compares the server of this tree with an older binary. A second
// process of the same binary is the control: it shows how much two equal
// servers differ in this run.
//
// This tree migrates first, because its rows need its schema; an older server
// ignores migrations that it does not know. The older server then registers
// the accounts, because a newer one must accept the keys, passwords and
// sessions of an older one. That process ends before the measurements: hashing
// passwords has grown its heap.
func (b *benchmark) against(ctx context.Context, binary string) ([]comparison, error) {
	old := b.tools
	var err error
	if old.server, err = filepath.Abs(binary); err != nil {
		return nil, err
	}
	if err := builtAlike(old.server, b.tools.server); err != nil {
		return nil, err
	}
	w, err := b.fillWith(ctx, old)
	if err != nil {
		return nil, err
	}
	var builds []contender
	defer func() {
		for _, build := range builds {
			build.stop()
		}
	}()
	for i, tools := range []toolbox{oldBuild: old, controlBuild: old, newBuild: b.tools} {
		p, err := tools.serve(ctx, w.url)
		if err != nil {
			return nil, err
		}
		builds = append(builds, caregraph(buildNames[i], p))
	}
	var rows []comparison
	for _, load := range append(workloads(), keyed()) {
		if !b.plan.wants(load) {
			continue
		}
		row, err := b.compareBuilds(ctx, w, builds, load)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// fillWith returns a filled database without a server on it.
func (b *benchmark) fillWith(ctx context.Context, old toolbox) (*dataset, error) {
	b.say(fmt.Sprintf("filling a database with %d patients", usualSize.patients))
	url, err := b.cluster.create(ctx, "bench")
	if err != nil {
		return nil, err
	}
	if err := b.tools.migrate(ctx, url); err != nil {
		return nil, err
	}
	w, err := newDataset(ctx, old, url, usualSize)
	if err != nil {
		return nil, err
	}
	w.server.stop()
	return w, nil
}

// compareBuilds measures the planned rounds, and more until the workload counts.
func (b *benchmark) compareBuilds(ctx context.Context, w *dataset, builds []contender, load workload) (comparison, error) {
	c := newComparison(load)
	calls := w.calls(load, w.owners[0], usualPage)
	if err := sameBytes(ctx, builds, load, calls); err != nil {
		return c, err
	}
	s, err := builds[0].script(load, calls)
	if err != nil {
		return c, err
	}
	if load.writes {
		if err := w.tidy(ctx); err != nil {
			return c, err
		}
	}
	for target := b.plan.repeats; target > c.rounds(); target = c.target(b.plan.repeats) {
		for c.rounds() < target {
			if err := b.round(ctx, w, builds, load, s, &c); err != nil {
				return c, err
			}
		}
		c.summarize()
	}
	return c, nil
}

// round measures each build once.
func (b *benchmark) round(
	ctx context.Context, w *dataset, builds []contender, load workload, s script, c *comparison,
) error {
	n := c.rounds()
	win := window{buildWarmUp, b.plan.counted}
	if n == 0 {
		win.warmUp = firstBuildWarmUp
	}
	line := fmt.Sprintf("  %s round %d/%d", load.name, n+1, b.plan.repeats)
	var measured [len(buildNames)]figures
	for _, i := range order(n) {
		f, err := w.measure(ctx, b.cluster.pid, builds[i], load, s, win)
		if err != nil {
			return err
		}
		measured[i] = f
	}
	for i, f := range measured {
		c.Results[i].Runs = append(c.Results[i].Runs, f)
		line += fmt.Sprintf("  %s %.3f ms", buildNames[i], f.CPU())
	}
	b.say(line)
	return nil
}

// order returns the order of the builds in a round. Six rounds have all six
// orders, so that each build is equally often first, and equally often after
// each other one.
func order(round int) []int {
	first := round % len(buildNames)
	second, third := (first+1)%len(buildNames), (first+2)%len(buildNames)
	if round%2 == 1 {
		second, third = third, second
	}
	return []int{first, second, third}
}

// builtAlike refuses two binaries of different compilers or settings: they
// would differ in speed even if their sources did not.
func builtAlike(old, tree string) error {
	var settings []string
	for _, path := range []string{old, tree} {
		info, err := buildinfo.ReadFile(path)
		if err != nil {
			return fmt.Errorf("read how a server was built: %w", err)
		}
		settings = append(settings, speedSettings(info))
	}
	if settings[0] != settings[1] {
		return fmt.Errorf("the servers are not built alike\nold: %s\nnew: %s", settings[0], settings[1])
	}
	return nil
}

// speedSettings lists how a binary was built, as far as it changes the speed.
func speedSettings(info *debug.BuildInfo) string {
	list := []string{info.GoVersion}
	for _, s := range info.Settings {
		switch s.Key {
		case "-race", "-tags", "-gcflags", "CGO_ENABLED", "GOARCH", "GOAMD64", "GOARM64":
			list = append(list, s.Key+"="+s.Value)
		case "-pgo":
			list = append(list, "with a profile") // its path does not matter
		}
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}
