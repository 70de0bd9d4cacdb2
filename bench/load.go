package main

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// connections is the number of open connections, each with one request at a time.
const connections = 16

// window says how long the load runs before and while it is counted.
type window struct{ warmUp, counted time.Duration }

// figures are the results of one measurement.
type figures struct {
	Requests    int     `json:"requests"`
	ServerCPU   float64 `json:"serverMs"`
	PostgresCPU float64 `json:"postgresMs"`
	// Load is the CPU of this process, which sends the requests.
	Load float64 `json:"loadMs"`
	// Foreign is the CPU of processes that are not part of the benchmark.
	Foreign float64 `json:"foreignMs"`
	// Idle is in percent of all processors.
	Idle         float64 `json:"idlePercent"`
	PerSecond    float64 `json:"requestsPerSecond"`
	P50          float64 `json:"p50Ms"`
	P99          float64 `json:"p99Ms"`
	MostResident float64 `json:"residentMB"`
}

// CPU is the cost of a request: that of the server and of PostgreSQL.
func (f figures) CPU() float64 { return f.ServerCPU + f.PostgresCPU }

// script has the requests that the connections send. Each connection starts at
// another position, sends one request after the other, and starts again at the
// end.
type script struct {
	requests [][]byte
	// follow makes the next request of a connection from an answer; nil takes the
	// next one of requests.
	follow func(answer []byte) ([]byte, error)
}

// next returns the request to send after the n-th one and its answer.
func (s script) next(n int, answer []byte) ([]byte, error) {
	if s.follow != nil {
		return s.follow(answer)
	}
	return s.requests[(n+1)%len(s.requests)], nil
}

// measure runs the load on a server and returns its cost. It refuses answers
// with errors.
func measure(ctx context.Context, p *process, postgres int, s script, w window) (figures, error) {
	group, ctx := errgroup.WithContext(ctx)
	loading, stop := context.WithCancel(ctx)
	defer stop()
	clients := make([]client, connections)
	var counting atomic.Bool
	for i := range clients {
		group.Go(func() error {
			return clients[i].load(loading, p.addr, s, i*len(s.requests)/connections, &counting)
		})
	}
	var f figures
	group.Go(func() (err error) {
		defer stop()
		f, err = observe(ctx, p.pid(), postgres, w, &counting)
		return err
	})
	if err := group.Wait(); err != nil {
		return figures{}, err
	}
	f.addTimes(clients, w.counted)
	return f, nil
}

// observe returns the CPU that the server, PostgreSQL, this process and foreign
// ones have used in the window, in milliseconds, not yet per request.
func observe(ctx context.Context, server, postgres int, w window, counting *atomic.Bool) (f figures, err error) {
	if err := pause(ctx, w.warmUp); err != nil {
		return f, err
	}
	before, err := readCPU(server, postgres)
	if err != nil {
		return f, err
	}
	counting.Store(true)
	end := time.Now().Add(w.counted)
	for time.Now().Before(end) {
		if err := pause(ctx, min(time.Until(end), 250*time.Millisecond)); err != nil {
			return f, err
		}
		resident, err := treeRSS(server)
		if err != nil {
			return f, err
		}
		f.MostResident = max(f.MostResident, float64(resident)/(1<<20))
	}
	after, err := readCPU(server, postgres)
	counting.Store(false)
	f.ServerCPU = milliseconds(after.server - before.server)
	f.PostgresCPU = milliseconds(after.postgres - before.postgres)
	f.Load = milliseconds(after.load - before.load)
	f.Foreign = milliseconds(after.foreign - before.foreign)
	f.Idle = 100 * float64(after.idle-before.idle) / float64(after.all-before.all)
	return f, err
}

// cpu is the time that was used so far. load is that of this process, all that of
// all processors, idle or not.
type cpu struct{ server, postgres, load, foreign, idle, all time.Duration }

func (f *figures) addTimes(clients []client, counted time.Duration) {
	var times []time.Duration
	for _, c := range clients {
		times = append(times, c.times...)
	}
	slices.Sort(times)
	f.Requests = len(times)
	f.ServerCPU /= float64(len(times))
	f.PostgresCPU /= float64(len(times))
	f.Load /= float64(len(times))
	f.Foreign /= float64(len(times))
	f.PerSecond = float64(len(times)) / counted.Seconds()
	f.P50, f.P99 = milliseconds(percentile(times, 50)), milliseconds(percentile(times, 99))
}

// client is the load of one connection.
type client struct{ times []time.Duration }

// load sends request after request until ctx ends.
func (c *client) load(ctx context.Context, addr string, s script, start int, counting *atomic.Bool) error {
	link, err := dial(ctx, addr)
	if err != nil {
		return err
	}
	defer link.close()
	c.times = make([]time.Duration, 0, 1<<16)
	request := s.requests[start]
	for n := start; ctx.Err() == nil; n++ {
		sent := time.Now()
		body, err := link.do(request)
		if err == nil {
			err = refuseErrors(body)
		}
		if err != nil {
			return fmt.Errorf("under load: %w", err)
		}
		if counting.Load() {
			c.times = append(c.times, time.Since(sent))
		}
		if request, err = s.next(n, body); err != nil {
			return fmt.Errorf("under load: %w", err)
		}
	}
	return nil
}

// percentile returns the nearest rank of sorted times, 0 if there are none.
func percentile(sorted []time.Duration, p int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[max((len(sorted)*p+99)/100, 1)-1]
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
