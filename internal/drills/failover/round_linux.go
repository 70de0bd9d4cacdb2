package failover

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/caregraph/caregraph/internal/drills/process"
)

// change is what happens to the machine of the primary.
type change struct {
	name string
	do   func(context.Context, *machine) error
	// undo is nil, or what brings the machine back once the time after has passed.
	undo  func(context.Context, *machine) error
	after time.Duration
	// recovery is how long after there is a new primary each server must write again.
	recovery time.Duration
}

// changes returns all changes in their order, or those of the control.
func changes(control bool) []change {
	kill := change{
		name: "kill", do: kill, undo: func(ctx context.Context, m *machine) error { return m.startAgent(ctx) },
		recovery: time.Second,
	}
	switchover := change{
		name: "switchover", do: func(ctx context.Context, m *machine) error { return m.switchover(ctx) },
		recovery: time.Second,
	}
	freeze := change{
		name: "freeze", do: func(_ context.Context, m *machine) error { m.freeze(); return nil },
		undo: func(_ context.Context, m *machine) error { m.resume(); return nil }, after: time.Minute,
		recovery: 3 * time.Second, // each attempt to connect to a frozen machine waits
	}
	if control {
		return []change{kill, kill, kill}
	}
	return []change{kill, switchover, kill, switchover, kill, freeze}
}

// stalled is how long the primary writes without its standbys before it is killed: what
// it then acknowledges is lost.
const stalled = 200 * time.Millisecond

func kill(ctx context.Context, m *machine) error {
	if err := m.stall(ctx); err != nil {
		return err
	}
	process.Pause(ctx, stalled)
	m.kill()
	return nil
}

// round is one change of the primary, and what the clients noticed.
type round struct {
	change
	// promoted is when there was a new primary.
	promoted time.Time

	mu           sync.Mutex
	acknowledged []string                // names of patients
	unanswered   []string                // names of patients whose creation failed
	times        [numServers][]time.Time // of the acknowledgements
	unread       int                     // acknowledged, and not found right afterwards
	unavailable  []string                // ids of requests
	others       []string                // other answers
}

// round lets the clients write while the change happens, until all is as before.
func (d *drill) round(ctx context.Context, r *round) error {
	writing, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	for i, client := range d.clients {
		running.Go(func() { r.write(writing, client, i) })
	}
	err := d.change(ctx, r)
	stop()
	running.Wait()
	return err
}

func (d *drill) change(ctx context.Context, r *round) error {
	err := process.Within(ctx, 10*time.Minute, "too few writes", func() bool { return r.count() >= perRound })
	if err != nil {
		return err
	}
	old, began := d.primary, time.Now()
	if d.primary, r.promoted, err = d.successor(ctx, old, func() error { return r.do(ctx, old) }); err != nil {
		return err
	}
	err = process.Within(ctx, 2*time.Minute, "a server writes no more", func() bool {
		for i := range numServers {
			if r.recovered(i) < 0 {
				return false
			}
		}
		return true
	})
	if err != nil {
		return err
	}
	if r.undo != nil {
		process.Pause(ctx, time.Until(began.Add(r.after)))
		if err := r.undo(ctx, old); err != nil {
			return err
		}
	}
	return process.Within(ctx, 5*time.Minute, "the standbys do not follow the new primary", func() bool { return d.isComplete(ctx, d.primary) })
}

// successor makes the change, and returns the machine that becomes the primary, and when.
func (d *drill) successor(ctx context.Context, old *machine, do func() error) (*machine, time.Time, error) {
	ctx, stop := context.WithTimeout(ctx, 2*time.Minute)
	defer stop()
	type promotion struct {
		of  *machine
		at  time.Time
		err error
	}
	found := make(chan promotion, len(d.machines))
	for _, m := range d.machines {
		if m != old {
			go func() {
				at, err := m.promotion(ctx)
				found <- promotion{m, at, err}
			}()
		}
	}
	if err := do(); err != nil {
		return nil, time.Time{}, err
	}
	first := <-found
	if first.err != nil {
		return nil, time.Time{}, fmt.Errorf("wait for a new primary: %w", first.err)
	}
	return first.of, first.at, nil
}

// count returns the number of acknowledged writes.
func (r *round) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.acknowledged)
}

// recovered returns how long after the promotion a server acknowledged a write, or less
// than zero if it has not.
func (r *round) recovered(server int) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, at := range r.times[server] {
		if at.After(r.promoted) {
			return at.Sub(r.promoted)
		}
	}
	return -1
}

// outage returns the longest time in which a server acknowledged no write.
func (r *round) outage() (longest time.Duration) {
	for _, times := range r.times {
		for i := 1; i < len(times); i++ {
			longest = max(longest, times[i].Sub(times[i-1]))
		}
	}
	return longest
}

// write creates patients, and reads each, until ctx ends. The last answers count as well.
func (r *round) write(ctx context.Context, c *client, writer int) {
	for n := 0; ctx.Err() == nil; n++ {
		name := fmt.Sprintf("Round %s writer %d patient %d", r.name, writer, n)
		got, err := c.create(context.WithoutCancel(ctx), name)
		created := r.note(got, err)
		r.noteWrite(c, name, created)
		if !created {
			process.Pause(ctx, 50*time.Millisecond)
			continue
		}
		id := got.Data.CreatePatient.Patient.ID
		got, err = c.read(context.WithoutCancel(ctx), id)
		if r.note(got, err) && (got.Data.Patient == nil || got.Data.Patient.Name != name) {
			r.mu.Lock()
			r.unread++
			r.mu.Unlock()
		}
	}
}

// note counts what went wrong, and reports whether nothing did.
func (r *round) note(got reply, err error) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err != nil:
		r.others = append(r.others, err.Error())
	case len(got.Errors) == 0:
		return true
	case got.Errors[0].Extensions.Code == "UNAVAILABLE":
		r.unavailable = append(r.unavailable, got.id)
	default:
		r.others = append(r.others, fmt.Sprintf("%d %v", got.status, got.Errors))
	}
	return false
}

func (r *round) noteWrite(c *client, name string, created bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !created {
		r.unanswered = append(r.unanswered, name)
		return
	}
	r.acknowledged = append(r.acknowledged, name)
	r.times[c.server] = append(r.times[c.server], time.Now())
}

// result adds the row of the round to the report, and returns how many acknowledged
// writes are lost. judge says whether the promises hold.
func (r *round) result(report *process.Report, stored, explained map[string]bool, judge bool) (lost int) {
	lost = len(r.acknowledged) - among(stored, r.acknowledged)
	causes := among(explained, r.unavailable)
	hosts, balanced := r.recovered(byHosts), r.recovered(byHAProxy)
	report.Rows = append(report.Rows, []any{
		r.name, seconds(r.outage()), seconds(hosts), seconds(balanced), len(r.acknowledged), lost, r.unread,
		among(stored, r.unanswered), len(r.unavailable), causes, len(r.others),
	})
	for _, other := range r.others {
		report.Break("%s: the answer %s", r.name, other)
	}
	if causes < len(r.unavailable) {
		report.Break("%s: the log has the cause of %d of %d answers UNAVAILABLE", r.name, causes, len(r.unavailable))
	}
	if !judge {
		return lost
	}
	if lost+r.unread > 0 {
		report.Break("%s: %d acknowledged writes are lost, %d were not found right afterwards", r.name, lost, r.unread)
	}
	if slowest := max(hosts, balanced); slowest > r.recovery {
		report.Break("%s: a server wrote again %v s after the new primary", r.name, seconds(slowest))
	}
	return lost
}

// among counts those of the texts that are in the set.
func among(set map[string]bool, texts []string) (n int) {
	for _, text := range texts {
		if set[text] {
			n++
		}
	}
	return n
}

// seconds returns the time in seconds, to the hundredth.
func seconds(d time.Duration) float64 { return math.Round(d.Seconds()*100) / 100 }
