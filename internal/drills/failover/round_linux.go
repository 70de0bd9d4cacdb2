package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/caregraph/caregraph/internal/drills/process"
)

// round is one change of the primary, and what the writers noticed.
type round struct {
	name    string
	counted [2]int // the counter of /metrics before and after

	mu           sync.Mutex
	acknowledged []string    // names of patients
	times        []time.Time // of their answers
	unavailable  []string    // ids of requests
	internal     int
	noAnswer     int
	others       []string
}

// run lets the writers write while do changes the primary, until there is a standby
// again.
func (r *round) run(ctx context.Context, m *manager, s *server, do func() error) (err error) {
	if r.counted[0], err = s.counter(ctx, unavailable); err != nil {
		return err
	}
	writing, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	for i := range writers {
		running.Go(func() { r.write(writing, s, i) })
	}
	err = r.change(ctx, m, do)
	stop()
	running.Wait()
	if err != nil {
		return err
	}
	r.counted[1], err = s.counter(ctx, unavailable)
	return err
}

func (r *round) change(ctx context.Context, m *manager, do func() error) error {
	_, before, _ := m.current()
	process.Pause(ctx, quiet)
	if err := do(); err != nil {
		return err
	}
	var failure error
	err := process.Within(ctx, "the standby did not take over", func() bool {
		var now int
		_, now, failure = m.current()
		return now > before || failure != nil
	})
	if err == nil {
		err = failure
	}
	if err != nil {
		return fmt.Errorf("take over: %w", err)
	}
	promoted := time.Now()
	err = process.Within(ctx, "no write succeeded in a minute after the change", func() bool { return r.last().After(promoted) })
	if err != nil {
		return err
	}
	if err := m.rebuild(ctx); err != nil {
		return err
	}
	process.Pause(ctx, quiet)
	return nil
}

// last returns the time of the last acknowledged write.
func (r *round) last() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.times) == 0 {
		return time.Time{}
	}
	return r.times[len(r.times)-1]
}

// outage returns the longest time without an acknowledged write.
func (r *round) outage() (longest time.Duration) {
	for i := 1; i < len(r.times); i++ {
		longest = max(longest, r.times[i].Sub(r.times[i-1]))
	}
	return longest
}

// write creates patients until ctx ends. The last answer counts as well.
func (r *round) write(ctx context.Context, s *server, writer int) {
	for n := 0; ctx.Err() == nil; n++ {
		name := fmt.Sprintf("Round %s writer %d patient %d", r.name, writer, n)
		got, err := s.ask(context.WithoutCancel(ctx), `mutation($i: CreatePatientInput!) { createPatient(input: $i) { patient { id } } }`,
			map[string]any{"i": map[string]any{
				"name": name, "dateOfBirth": "1990-05-15", "gender": "MALE", "phone": "+919876543210",
				"address": "12 MG Road", "emergencyContact": "+919876500000",
			}})
		if r.note(name, got, err) {
			process.Pause(ctx, 5*time.Millisecond)
		} else {
			process.Pause(ctx, 50*time.Millisecond)
		}
	}
}

// note counts an answer, and reports whether it acknowledges the write.
func (r *round) note(name string, got reply, err error) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	code := ""
	if len(got.Errors) > 0 {
		code = got.Errors[0].Extensions.Code
	}
	switch {
	case err != nil && got.status == 0:
		r.noAnswer++
	case code == "UNAVAILABLE":
		r.unavailable = append(r.unavailable, got.id)
	case code == "INTERNAL":
		r.internal++
	case code == "" && got.Data.CreatePatient != nil && got.Data.CreatePatient.Patient != nil:
		r.acknowledged = append(r.acknowledged, name)
		r.times = append(r.times, time.Now())
		return true
	default:
		r.others = append(r.others, fmt.Sprintf("%d %v %v", got.status, got.Errors, err))
	}
	return false
}
