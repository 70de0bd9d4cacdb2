package main

import (
	"errors"
	"fmt"
	"math"
	"strconv"
)

// The builds that are compared, as indexes of comparison.Results.
const (
	oldBuild = iota
	controlBuild
	newBuild
)

var buildNames = [...]string{oldBuild: "old", controlBuild: "control", newBuild: "new"}

// What a comparison must fulfill to count, and what the new build may cost.
const (
	fewestRounds  = 15
	mostForeign   = 0.05 // ms of foreign CPU per request
	mostOfControl = 0.01 // difference of the control from the old build
	mostOfNew     = 1.03 // times the CPU of the old build
)

const (
	verdictOK    = "ok"
	verdictWorse = "worse"
)

// comparison is what a workload costs with each build. The n-th runs of all
// results are one round.
type comparison struct {
	Workload string   `json:"workload"`
	Title    string   `json:"title"`
	Results  []result `json:"results"`
	// Control and New are the ratios to the old build, paired by round. The
	// Ratio of a result is that of the medians.
	Control spread `json:"control"`
	New     spread `json:"new"`
	// Foreign is the median of all runs, in ms per request.
	Foreign float64 `json:"foreignMs"`
	// Quiet counts the rounds with less foreign CPU than allowed.
	Quiet   int    `json:"quietRounds"`
	Verdict string `json:"verdict"`
}

// spread is the middle half of values.
type spread struct {
	Median float64 `json:"median"`
	Low    float64 `json:"low"`  // a quarter lies below
	High   float64 `json:"high"` // a quarter lies above
}

func newComparison(load workload) comparison {
	c := comparison{Workload: load.name, Title: load.title}
	for _, name := range buildNames {
		c.Results = append(c.Results, result{Contender: name})
	}
	return c
}

func (c *comparison) rounds() int { return len(c.Results[oldBuild].Runs) }

// counts reports whether the machine was quiet enough for a verdict.
func (c *comparison) counts() bool { return c.Verdict == verdictOK || c.Verdict == verdictWorse }

// target returns how many rounds there must be before the next verdict. While
// the workload does not count it adds six rounds, one for each order, up to
// twice the planned ones. A plan of too few rounds is a trial: it adds none.
func (c *comparison) target(planned int) int {
	if c.counts() || planned < fewestRounds {
		return c.rounds()
	}
	return min(c.rounds()+orders, 2*planned)
}

// summarize computes all figures from the runs, and the verdict. It uses the
// quiet rounds. If they are too few, it shows the figures of all rounds.
func (c *comparison) summarize() {
	used := c.quiet()
	c.Quiet = len(used)
	if len(used) < fewestRounds {
		used = nil
		for n := range c.rounds() {
			used = append(used, n)
		}
	}
	var all []figures
	for i := range c.Results {
		r := &c.Results[i]
		all = append(all, r.Runs...)
		counted := result{Runs: pick(r.Runs, used)}
		counted.summarize()
		r.Median, r.CPU = counted.Median, counted.CPU
		r.Ratio = r.to(c.Results[oldBuild])
	}
	c.Foreign = median(all, func(f figures) float64 { return f.Foreign })
	c.Control, c.New = c.paired(controlBuild, used), c.paired(newBuild, used)
	c.Verdict = c.judge()
}

// quiet returns the rounds in which no measurement had too much foreign CPU.
func (c *comparison) quiet() (rounds []int) {
	for n := range c.rounds() {
		most := 0.0
		for _, r := range c.Results {
			most = max(most, r.Runs[n].Foreign)
		}
		if most < mostForeign {
			rounds = append(rounds, n)
		}
	}
	return rounds
}

func pick(runs []figures, rounds []int) (picked []figures) {
	for _, n := range rounds {
		picked = append(picked, runs[n])
	}
	return picked
}

// paired returns the ratios of a build to the old one within each round.
func (c *comparison) paired(build int, rounds []int) spread {
	ratios := make([]float64, len(rounds))
	for i, n := range rounds {
		ratios[i] = c.Results[build].Runs[n].CPU() / c.Results[oldBuild].Runs[n].CPU()
	}
	return spread{Median: quantile(ratios, 0.5), Low: quantile(ratios, 0.25), High: quantile(ratios, 0.75)}
}

// judge decides by the medians of the paired ratios: what disturbs a whole
// round cancels out, and what disturbs one measurement spoils one pair only.
func (c *comparison) judge() string {
	off := math.Abs(c.Control.Median - 1)
	switch {
	case c.rounds() < fewestRounds:
		return fmt.Sprintf("does not count: %d rounds, %d are needed", c.rounds(), fewestRounds)
	case c.Quiet < fewestRounds:
		return fmt.Sprintf("does not count: %d of %d rounds had less than %g ms of foreign CPU per request, %d are needed",
			c.Quiet, c.rounds(), mostForeign, fewestRounds)
	case off > mostOfControl:
		return fmt.Sprintf("does not count: the control differs by %.1f %%", 100*off)
	case c.New.Median > mostOfNew:
		return verdictWorse
	}
	return verdictOK
}

// failures is the error of all workloads that are worse or do not count.
func failures(rows []comparison) error {
	var all []error
	for _, c := range rows {
		switch c.Verdict {
		case verdictOK:
		case verdictWorse:
			all = append(all, fmt.Errorf("%s is worse: %.3f times the CPU of the old server, %g is the limit", c.Workload, c.New.Median, mostOfNew))
		default:
			all = append(all, fmt.Errorf("%s %s", c.Workload, c.Verdict))
		}
	}
	return errors.Join(all...)
}

// buildsTable shows both builds and the verdicts. Its ratios are the medians of
// the pairs with their middle half, and next to them those of the medians.
func buildsTable(rows []comparison) string {
	lines := [][]string{{
		"", "workload", "old ms (server + PostgreSQL)", "new ms (server + PostgreSQL)",
		"new/old, paired", "of medians", "control/old, paired", "of medians",
		"old requests/s", "new requests/s", "foreign ms", "quiet rounds", "verdict",
	}}
	for _, c := range rows {
		before, control, after := c.Results[oldBuild], c.Results[controlBuild], c.Results[newBuild]
		verdict := c.Verdict
		if !c.counts() {
			verdict = "does not count"
		}
		lines = append(lines, []string{
			c.Workload, c.Title, sum(before), sum(after),
			c.New.String(), decimals(after.Ratio.CPU, 3), c.Control.String(), decimals(control.Ratio.CPU, 3),
			decimals(before.Median.PerSecond, 0), decimals(after.Median.PerSecond, 0),
			decimals(c.Foreign, 3), strconv.Itoa(c.Quiet) + " of " + strconv.Itoa(c.rounds()), verdict,
		})
	}
	return markdown(lines)
}

func (s spread) String() string {
	return fmt.Sprintf("%.3f (%.3f to %.3f)", s.Median, s.Low, s.High)
}
