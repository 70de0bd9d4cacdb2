package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

// liveRow is a figure of what clients on bad networks and on open connections cost.
type liveRow struct {
	What string `json:"what"`
	// Value must lie between Least and Most; 0 is no limit.
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	Least float64 `json:"atLeast,omitempty"`
	Most  float64 `json:"atMost,omitempty"`
}

func (r liveRow) isMissed() bool {
	return r.Least > 0 && r.Value < r.Least || r.Most > 0 && r.Value > r.Most
}

func (r liveRow) limit() string {
	switch {
	case r.Most == 0:
		return "-"
	case r.Least == r.Most:
		return "exactly " + number3(r.Most)
	default:
		return number3(r.Most)
	}
}

func (r liveRow) verdict() string {
	if r.isMissed() {
		return "missed"
	}
	return verdictOK
}

// missedLive returns an error for each figure beyond its limit.
func missedLive(rows []liveRow) error {
	var all []error
	for _, r := range rows {
		if r.isMissed() {
			all = append(all, fmt.Errorf("%s: %s %s, the limit is %s", r.What, decimals(r.Value, 3), r.Unit, r.limit()))
		}
	}
	return errors.Join(all...)
}

func liveTable(rows []liveRow) string {
	lines := [][]string{{"what", "measured", "unit", "at most", "verdict"}}
	for _, r := range rows {
		lines = append(lines, []string{r.What, decimals(r.Value, 3), r.Unit, r.limit(), r.verdict()})
	}
	return markdown(lines)
}

// liveSize has an owner of 100 patients, who catches up.
var liveSize = size{patients: 100_000, owners: []int{100}}

// live measures retries, the change feed and WebSockets.
func (b *benchmark) live(ctx context.Context) (rows []liveRow, err error) {
	err = b.onStage(ctx, "bench_live", liveSize, func(s *stage) error {
		for _, part := range []func(context.Context, *stage) ([]liveRow, error){b.keys, b.drill, b.catchUp, b.sockets} {
			more, err := part(ctx, s)
			if err != nil {
				return err
			}
			for _, r := range more {
				b.say(fmt.Sprintf("  %s: %s %s", r.What, decimals(r.Value, 3), r.Unit))
			}
			rows = append(rows, more...)
		}
		return nil
	})
	return rows, err
}

// keys measures W4 with an Idempotency-Key.
func (b *benchmark) keys(ctx context.Context, s *stage) ([]liveRow, error) {
	all := workloads()
	plain := all[slices.IndexFunc(all, func(w workload) bool { return w.name == "W4" })]
	var costs [2][]result
	for i, load := range []workload{plain, keyed()} {
		calls := s.dataset.calls(load, s.dataset.owners[0], usualPage)
		err := sameAnswer(ctx, s.floors[0], s.us, load, calls)
		if err == nil {
			err = s.dataset.tidy(ctx)
		}
		if err != nil {
			return nil, err
		}
		if costs[i], err = b.plan.compare(ctx, s.dataset, b.cluster.pid, s.contenders(), load, calls); err != nil {
			return nil, err
		}
	}
	const floor, own = 0, 1
	withKey := costs[1][own].CPU
	return []liveRow{
		{What: "W4 with a key, to a floor that writes the same three rows", Value: withKey / costs[1][floor].CPU, Unit: "x CPU", Most: 1.25},
		{What: "W4 with a key, to W4 without", Value: withKey / costs[0][own].CPU, Unit: "x CPU", Most: 1.25},
		{What: "W4 with a key, to the floor of W4, which writes one row", Value: withKey / costs[0][floor].CPU, Unit: "x CPU"},
	}, nil
}

const (
	drillKeys  = 200
	drillTwins = 8
)

// drill sends each of many requests several times at once.
func (b *benchmark) drill(ctx context.Context, s *stage) ([]liveRow, error) {
	load := keyed()
	requests, err := s.us.script(load, s.dataset.calls(load, s.dataset.owners[0], usualPage)[:drillKeys])
	if err != nil {
		return nil, err
	}
	var links [drillTwins]*conn
	for i := range links {
		if links[i], err = dial(ctx, s.us.process.addr); err != nil {
			return nil, err
		}
		defer links[i].close()
	}
	differing := 0
	for _, request := range requests.requests {
		var bodies [drillTwins]string
		var group errgroup.Group
		for i, link := range links {
			group.Go(func() error {
				body, err := link.do(request)
				bodies[i] = string(body)
				return err
			})
		}
		if err := group.Wait(); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(bodies[:], func(body string) bool { return body != bodies[0] }) {
			differing++
		}
	}
	db, err := pgx.Connect(ctx, s.dataset.url)
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close(ctx) }()
	var records int
	if err := db.QueryRow(ctx, "SELECT count(*) FROM patients WHERE created_by = $1", s.dataset.clerk.id).Scan(&records); err != nil {
		return nil, err
	}
	if differing > 0 {
		return nil, fmt.Errorf("%d of %d keys were answered in different ways", differing, drillKeys)
	}
	what := fmt.Sprintf("%d keys, each in %d requests at once", drillKeys, drillTwins)
	return []liveRow{{What: what, Value: float64(records), Unit: "records", Least: drillKeys, Most: drillKeys}}, s.dataset.tidy(ctx)
}

// feedRows is the length of the change feed, feedBatch that of a transaction.
const (
	feedRows  = 1_000_000
	feedBatch = 1_000
)

const catchingUp = `query ($after: String) { changes(after: $after, types: [PATIENT]) { cursor reset hasMore gone nodes { id } } }`

// caughtUp is the answer to catchingUp.
type caughtUp struct {
	Data struct {
		Changes struct {
			Cursor         string
			Reset, HasMore bool
			Nodes          []struct{ ID string }
		}
	}
}

// catchUp measures a device that was offline while every patient changed ten times.
func (b *benchmark) catchUp(ctx context.Context, s *stage) ([]liveRow, error) {
	link, err := dial(ctx, s.us.process.addr)
	if err != nil {
		return nil, err
	}
	defer link.close()
	var after *string
	ask := func() (request []byte, found caughtUp, err error) {
		if request, err = graphRequest(s.dataset.owners[0].token, catchingUp, map[string]any{"after": after}); err != nil {
			return nil, found, err
		}
		body, err := link.do(request)
		if err == nil {
			err = errors.Join(refuseErrors(body), json.Unmarshal(body, &found))
		}
		return request, found, err
	}
	for more := true; more; {
		_, found, err := ask()
		if err != nil {
			return nil, err
		}
		after, more = &found.Data.Changes.Cursor, found.Data.Changes.HasMore
	}
	b.say(fmt.Sprintf("filling the change feed with %d changes", feedRows))
	if err := fillFeed(ctx, s.dataset); err != nil {
		return nil, err
	}
	request, found, err := ask()
	if err != nil {
		return nil, err
	}
	if n := len(found.Data.Changes.Nodes); found.Data.Changes.Reset || n != s.dataset.owners[0].patients {
		return nil, fmt.Errorf("the answer to changes has %d patients, reset %t", n, found.Data.Changes.Reset)
	}
	own := result{Contender: nameOfOurs}
	for repeat := range b.plan.repeats {
		f, err := measure(ctx, s.us.process, b.cluster.pid, always(request), b.plan.window(repeat))
		if err != nil {
			return nil, err
		}
		own.Runs = append(own.Runs, f)
		b.plan.progressed("changes", nameOfOurs, repeat, f)
	}
	own.summarize()
	what := "catch-up of " + strconv.Itoa(s.dataset.owners[0].patients) + " patients over " + strconv.Itoa(feedRows) + " changes, "
	return []liveRow{
		{What: what + "PostgreSQL", Value: own.Median.PostgresCPU, Unit: "ms CPU", Most: 1},
		{What: what + "server", Value: own.Median.ServerCPU, Unit: "ms CPU"},
	}, nil
}

// fillFeed adds rows to the change feed, in as many transactions as a busy day has.
func fillFeed(ctx context.Context, w *dataset) error {
	db, err := pgx.Connect(ctx, w.url)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close(ctx) }()
	if _, err := db.Exec(ctx, "SET synchronous_commit = off"); err != nil {
		return err
	}
	for n := 0; n < feedRows; n += feedBatch {
		_, err := db.Exec(ctx, `INSERT INTO change_feed (kind, id, patient)
			SELECT 'P', p, p FROM (SELECT 1 + n * 7919::bigint % $3 AS p FROM generate_series($1::bigint, $2::bigint - 1) AS n) AS changed`,
			n, n+feedBatch, w.size.patients)
		if err != nil {
			return fmt.Errorf("fill the change feed: %w", err)
		}
	}
	_, err = db.Exec(ctx, "VACUUM (ANALYZE) change_feed")
	return err
}
