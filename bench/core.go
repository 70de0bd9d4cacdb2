package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"
)

// plan says how the workloads are measured.
type plan struct {
	only    []string
	repeats int
	counted time.Duration
	// progress gets a line for each measurement.
	progress io.Writer
}

const (
	firstWarmUp = 3 * time.Second
	laterWarmUp = time.Second
)

// window returns the window of the n-th repeat. The first one warms up longer.
func (p plan) window(repeat int) window {
	if repeat == 0 {
		return window{firstWarmUp, p.counted}
	}
	return window{laterWarmUp, p.counted}
}

func (p plan) progressed(name, contender string, repeat int, f figures) {
	_, _ = fmt.Fprintf(p.progress, "  %s %-14s %d/%d  %.3f ms\n", name, contender, repeat+1, p.repeats, f.CPU())
}

func (p plan) wants(load workload) bool {
	return len(p.only) == 0 && load.name != keyedName || slices.Contains(p.only, load.name)
}

// result is the cost of a workload for a contender: the median of each figure,
// and all measurements.
type result struct {
	Contender string    `json:"contender"`
	Median    figures   `json:"median"`
	CPU       float64   `json:"cpuMs"`
	Ratio     ratios    `json:"ratio"` // to the first result
	Runs      []figures `json:"runs"`
}

// ratios are figures as multiples of those of another contender, 0 where one of
// them is 0.
type ratios struct {
	CPU       float64 `json:"cpu"`
	Load      float64 `json:"load"`
	Foreign   float64 `json:"foreign"`
	Idle      float64 `json:"idle"`
	PerSecond float64 `json:"requestsPerSecond"`
	P50       float64 `json:"p50"`
	P99       float64 `json:"p99"`
}

// to returns the ratios of a result to another one.
func (r result) to(other result) ratios {
	a, b := r.Median, other.Median
	return ratios{
		CPU: quotient(r.CPU, other.CPU), Load: quotient(a.Load, b.Load), Foreign: quotient(a.Foreign, b.Foreign),
		Idle: quotient(a.Idle, b.Idle), PerSecond: quotient(a.PerSecond, b.PerSecond),
		P50: quotient(a.P50, b.P50), P99: quotient(a.P99, b.P99),
	}
}

// quotient returns 0 unless both are positive. Foreign CPU is a difference of
// clocks and may be just below 0.
func quotient(a, b float64) float64 {
	if a <= 0 || b <= 0 {
		return 0
	}
	return a / b
}

// row is a workload of the table. Its results are those of the floor of the
// goals, of our server and of all others, in this order; another request has only
// ours.
type row struct {
	Workload   string   `json:"workload"`
	Title      string   `json:"title"`
	Goals      goals    `json:"goals,omitzero"`
	Missed     []string `json:"missed,omitempty"`
	Alone      alone    `json:"alone,omitzero"`
	Results    []result `json:"results"`
	Statements float64  `json:"statements"`
	RoundTrips float64  `json:"roundTrips"`
}

// compare measures a workload for all contenders in turn, so that other load on
// the machine affects all of them alike.
func (p plan) compare(
	ctx context.Context, w *dataset, postgres int, contenders []contender, load workload, calls []call,
) ([]result, error) {
	results := make([]result, len(contenders))
	for repeat := range p.repeats {
		for i, c := range contenders {
			s, err := c.script(load, calls)
			if err != nil {
				return nil, err
			}
			f, err := w.measure(ctx, postgres, c, load, s, p.window(repeat))
			if err != nil {
				return nil, err
			}
			results[i].Contender = c.name
			results[i].Runs = append(results[i].Runs, f)
			p.progressed(load.name, c.name, repeat, f)
		}
	}
	for i := range results {
		results[i].summarize()
		results[i].Ratio = results[i].to(results[0])
	}
	return results, nil
}

// measure measures a contender once and removes what the workload has written.
func (w *dataset) measure(
	ctx context.Context, postgres int, c contender, load workload, s script, win window,
) (figures, error) {
	f, err := measure(ctx, c.process, postgres, s, win)
	if err != nil {
		return f, fmt.Errorf("%s by %s: %w", load.name, c.name, err)
	}
	if load.writes {
		err = w.tidy(ctx)
	}
	return f, err
}

// summarize computes the medians. CPU is the median of the sums, not the sum of
// the medians.
func (r *result) summarize() {
	of := func(figure func(figures) float64) float64 { return median(r.Runs, figure) }
	r.CPU = of(figures.CPU)
	r.Median = figures{
		Requests:     int(of(func(f figures) float64 { return float64(f.Requests) })),
		ServerCPU:    of(func(f figures) float64 { return f.ServerCPU }),
		PostgresCPU:  of(func(f figures) float64 { return f.PostgresCPU }),
		Load:         of(func(f figures) float64 { return f.Load }),
		Foreign:      of(func(f figures) float64 { return f.Foreign }),
		Idle:         of(func(f figures) float64 { return f.Idle }),
		PerSecond:    of(func(f figures) float64 { return f.PerSecond }),
		P50:          of(func(f figures) float64 { return f.P50 }),
		P99:          of(func(f figures) float64 { return f.P99 }),
		MostResident: of(func(f figures) float64 { return f.MostResident }),
	}
}

func median(runs []figures, figure func(figures) float64) float64 {
	values := make([]float64, len(runs))
	for i, run := range runs {
		values[i] = figure(run)
	}
	return quantile(values, 0.5)
}

// quantile returns the value below which a share of the values lies. Between
// two values it interpolates.
func quantile(values []float64, share float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	position := share * float64(len(sorted)-1)
	below := int(position)
	above := min(below+1, len(sorted)-1)
	return sorted[below] + (position-float64(below))*(sorted[above]-sorted[below])
}

// traffic counts the messages to PostgreSQL for one request.
type traffic struct{ statements, roundTrips float64 }

const (
	unseenRequests  = 20 // until every statement is prepared
	countedRequests = 10
)

// countTraffic sends a few requests to a server that reaches PostgreSQL through
// a counting proxy.
func countTraffic(ctx context.Context, through *process, p *proxy, s script) (traffic, error) {
	link, err := dial(ctx, through.addr)
	if err != nil {
		return traffic{}, err
	}
	defer link.close()
	var statements, roundTrips int64
	request := s.requests[0]
	for i := range unseenRequests + countedRequests {
		if i == unseenRequests {
			statements, roundTrips = p.statements.Load(), p.roundTrips.Load()
		}
		body, err := link.do(request)
		if err == nil {
			err = refuseErrors(body)
		}
		if err == nil {
			request, err = s.next(i, body)
		}
		if err != nil {
			return traffic{}, err
		}
	}
	return traffic{
		float64(p.statements.Load()-statements) / countedRequests,
		float64(p.roundTrips.Load()-roundTrips) / countedRequests,
	}, nil
}
