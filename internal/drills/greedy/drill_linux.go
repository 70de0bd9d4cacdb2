package greedy

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/caregraph/caregraph/internal/drills/process"
)

// probe is one request of the canary, an account that does little.
type probe struct {
	name string
	// every is the time between two of them.
	every time.Duration
	send  func(context.Context) (answer, error)
}

func probes(a api, canary account, patient string) []probe {
	read := body("query($id: ID!) { patient(id: $id) { id name dateOfBirth gender phone } }", map[string]any{"id": patient})
	write := body("mutation($id: ID!) { updatePatient(id: $id, input: {bloodGroup: O_POSITIVE}) { patient { id } userErrors { code } } }", map[string]any{"id": patient})
	signIn := body("mutation($i: LoginInput!) { login(input: $i) { tokens { access } userErrors { code } } }",
		map[string]any{"i": map[string]any{"email": canary.email, "password": password}})
	const often, seldom = 30 * time.Millisecond, 300 * time.Millisecond
	return []probe{
		{"read", often, func(ctx context.Context) (answer, error) { return a.post(ctx, canary.token, read) }},
		{"write", often, func(ctx context.Context) (answer, error) { return a.post(ctx, canary.token, write) }},
		{"sign-in", seldom, func(ctx context.Context) (answer, error) { return a.post(ctx, "", signIn) }},
		{"/ready", often, func(ctx context.Context) (answer, error) { return a.get(ctx, "/ready") }},
	}
}

// watch sends the requests of the canary for a while, and returns the median time of
// each, and what failed.
func watch(ctx context.Context, all []probe, during time.Duration) (medians []time.Duration, failures []string) {
	ctx, cancel := context.WithTimeout(ctx, during)
	defer cancel()
	medians = make([]time.Duration, len(all))
	var mu sync.Mutex
	var sending sync.WaitGroup
	for i, p := range all {
		sending.Go(func() {
			median, failure := p.median(ctx)
			mu.Lock()
			defer mu.Unlock()
			if medians[i] = median; failure != "" {
				failures = append(failures, failure)
			}
		})
	}
	sending.Wait()
	return medians, failures
}

// median returns the median time, and the last failure.
func (p probe) median(ctx context.Context) (median time.Duration, failure string) {
	var times []time.Duration
	for len(times) == 0 || ctx.Err() == nil {
		began := time.Now()
		got, err := p.send(context.WithoutCancel(ctx)) // the last one counts, however slow
		times = append(times, time.Since(began))
		switch {
		case err != nil:
			failure = fmt.Sprintf("%s: %v", p.name, err)
		case got.outcome() != "ok":
			failure = p.name + ": " + got.outcome()
		}
		process.Pause(ctx, p.every)
	}
	slices.Sort(times)
	return times[len(times)/2], failure
}

// attack sends the hostile request on all its connections until ctx ends, and returns
// how often each outcome came.
func attack(ctx context.Context, a api, h hostile) map[string]int {
	var mu sync.Mutex
	outcomes := map[string]int{}
	var sending sync.WaitGroup
	for range max(h.connections, usualConnections) {
		sending.Go(func() {
			for ctx.Err() == nil {
				outcome := "no answer"
				if got, err := a.post(ctx, h.of.token, h.body); err == nil {
					outcome = got.outcome()
				}
				mu.Lock()
				outcomes[outcome]++
				mu.Unlock()
				if outcome == "no answer" {
					process.Pause(ctx, 10*time.Millisecond)
				}
			}
		})
	}
	sending.Wait()
	return outcomes
}

const usualConnections = 24

// result is one run of a document.
type result struct {
	factors  []float64 // of the probes
	peak     int       // resident, in MB
	outcomes map[string]int
	failures []string // of the canary
}

// drill measures the canary without and with the hostile request.
func drill(ctx context.Context, a api, server *process.Server, all []probe, h hostile, during time.Duration) (r result, err error) {
	quiet, failures := watch(ctx, all, during/2)
	if len(failures) > 0 {
		return r, fmt.Errorf("without a hostile client: %v", failures)
	}
	if err := resetPeak(server.PID()); err != nil {
		return r, err
	}
	attacking, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { defer close(done); r.outcomes = attack(attacking, a, h) }()
	process.Pause(ctx, time.Second)
	var loaded []time.Duration
	loaded, r.failures = watch(ctx, all, during)
	stop()
	<-done
	for i := range quiet {
		r.factors = append(r.factors, float64(loaded[i])/float64(quiet[i]))
	}
	r.peak, err = peak(server.PID())
	return r, err
}
