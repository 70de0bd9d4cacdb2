package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// benchmark is one run: a directory, the programs and a PostgreSQL.
type benchmark struct {
	plan    plan
	dir     string
	log     *os.File
	tools   toolbox
	cluster *cluster
}

func newBenchmark(ctx context.Context, o options) (_ *benchmark, err error) {
	b := &benchmark{plan: o.plan}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.close())
		}
	}()
	if b.log, err = os.OpenFile(o.server, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600); err != nil {
		return nil, err
	}
	if b.dir, err = os.MkdirTemp(o.dir, "caregraph-bench-"); err != nil {
		return nil, err
	}
	// PostgreSQL runs as another user, who must reach its directory.
	if err := os.Chmod(b.dir, 0o711); err != nil { //nolint:gosec // G302: what is in it is closed
		return nil, err
	}
	b.say("building the server")
	if b.tools, err = newToolbox(ctx, b.dir, b.log, o.pgo || o.profile != ""); err != nil {
		return nil, err
	}
	b.cluster, err = startCluster(ctx, b.dir)
	return b, err
}

func (b *benchmark) say(what string) { _, _ = fmt.Fprintln(b.plan.progress, what) }

// close stops PostgreSQL and removes the directory.
func (b *benchmark) close() error {
	var err error
	if b.cluster != nil {
		b.cluster.stop()
	}
	if b.dir != "" {
		err = os.RemoveAll(b.dir)
	}
	if b.log != nil {
		err = errors.Join(err, b.log.Close())
	}
	return err
}

// stage is a filled database with the contenders on it.
type stage struct {
	dataset *dataset
	// floors begin with that of the goals. Only the measurement of the goals has
	// the others, and peers.
	floors []contender
	us     contender
	peers  []contender
}

// contenders returns the floor of the goals first, then our server.
func (s *stage) contenders() []contender {
	return slices.Concat(s.floors[:1], []contender{s.us}, s.floors[1:], s.peers)
}

// onStage fills a database, runs the contenders on it for as long as f runs,
// and drops it.
func (b *benchmark) onStage(ctx context.Context, name string, s size, f func(*stage) error) error {
	b.say(fmt.Sprintf("filling a database with %d patients", s.patients))
	url, err := b.cluster.create(ctx, name)
	if err != nil {
		return err
	}
	w, err := newDataset(ctx, b.tools, url, s)
	if err != nil {
		return err
	}
	us := caregraph(nameOfOurs, w.server)
	defer us.stop()
	floor, err := b.tools.floorContender(ctx, floors()[0], url)
	if err != nil {
		return err
	}
	defer floor.stop()
	if err := f(&stage{dataset: w, floors: []contender{floor}, us: us}); err != nil {
		return err
	}
	return b.cluster.drop(ctx, name)
}

// requests measures the workloads, and the other requests that --only names.
func (b *benchmark) requests(ctx context.Context, peers bool) (workloads, others []row, err error) {
	err = b.onStage(ctx, "bench", usualSize, func(s *stage) error {
		for _, o := range floors()[1:] {
			floor, err := b.tools.floorContender(ctx, o, s.dataset.url)
			if err != nil {
				return err
			}
			defer floor.stop()
			s.floors = append(s.floors, floor)
		}
		if peers {
			if s.peers, err = startPeers(ctx, b.tools, s.dataset.url); err != nil {
				return err
			}
			for _, p := range s.peers {
				defer p.stop()
			}
		}
		if workloads, err = b.goals(ctx, s); err != nil {
			return err
		}
		others, err = b.others(ctx, s.dataset)
		return err
	})
	return workloads, others, err
}

func (b *benchmark) goals(ctx context.Context, s *stage) (rows []row, err error) {
	for _, load := range workloads() {
		if !b.plan.wants(load) {
			continue
		}
		r, err := b.goal(ctx, s, load)
		if err != nil {
			return nil, err
		}
		rows = append(rows, r)
	}
	return rows, nil
}

func (b *benchmark) goal(ctx context.Context, s *stage, load workload) (row, error) {
	r := row{Workload: load.name, Title: load.title, Goals: load.goals}
	calls := s.dataset.calls(load, s.dataset.owners[0], usualPage)
	if err := s.compareAnswers(ctx, load, calls); err != nil {
		return r, err
	}
	own, err := s.us.script(load, calls)
	if err != nil {
		return r, err
	}
	seen, err := b.traffic(ctx, s.dataset.url, own)
	if err != nil {
		return r, fmt.Errorf("count the statements of %s: %w", load.name, err)
	}
	r.Statements, r.RoundTrips = seen.statements, seen.roundTrips
	if load.writes {
		if err := s.dataset.tidy(ctx); err != nil {
			return r, err
		}
	}
	if r.Results, err = b.plan.compare(ctx, s.dataset, b.cluster.pid, s.contenders(), load, calls); err != nil {
		return r, err
	}
	r.Missed = r.Goals.missed(r.Results[1].Ratio)
	r.Alone, err = b.alone(ctx, s, load, calls[0])
	return r, err
}

// compareAnswers makes sure that all contenders do the same work.
func (s *stage) compareAnswers(ctx context.Context, load workload, calls []call) error {
	if err := sameAnswer(ctx, s.floors[0], s.us, load, calls); err != nil {
		return err
	}
	if err := sameBytes(ctx, s.floors, load, calls); err != nil {
		return err
	}
	for _, peer := range s.peers {
		if err := sameAmount(ctx, peer, s.us, load, calls[0]); err != nil {
			return err
		}
	}
	return nil
}

// traffic counts statements on a separate server, which ends before the
// measurements.
func (b *benchmark) traffic(ctx context.Context, url string, s script) (traffic, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p, through, err := startProxy(ctx, url)
	if err != nil {
		return traffic{}, err
	}
	server, err := b.tools.serve(ctx, through)
	if err != nil {
		return traffic{}, err
	}
	defer server.stop()
	return countTraffic(ctx, server, p, s)
}

// pgo writes default.pgo, which go build uses.
func (b *benchmark) pgo(ctx context.Context) error {
	paths, err := b.profiles(ctx, filepath.Join(b.dir, "profiles"))
	if err != nil {
		return err
	}
	return mergeProfiles(ctx, paths, "default.pgo")
}
