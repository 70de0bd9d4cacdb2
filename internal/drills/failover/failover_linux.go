// Package failover shows what clients notice when the primary of a cluster goes away. It
// runs the configuration of packaging/patroni on loopback: three machines with etcd,
// Patroni and PostgreSQL, a server that knows all hosts, and one behind HAProxy. While
// clients write, the primary is killed, switched over and frozen. Linux only.
package failover

import (
	"context"
	"fmt"
	"io"

	"github.com/caregraph/caregraph/internal/drills/process"
)

const (
	writers = 8
	// perRound is the number of acknowledged writes before each change: more than enough
	// in six rounds.
	perRound, enough = 3_400, 20_000
)

// Options say what to run.
type Options struct {
	Binary string
	// Logs is the directory for the logs of all programs.
	Logs string
	// Control turns off what protects the writes. Then the drill must see a loss.
	Control bool
	// Progress gets a line for each round.
	Progress io.Writer
}

// Run runs the drill and returns its table.
func Run(ctx context.Context, o Options) (*process.Report, error) {
	dir, remove, err := process.Dir()
	if err != nil {
		return nil, err
	}
	defer remove()
	c, err := newCluster(ctx, dir, o.Logs, !o.Control)
	if err != nil {
		return nil, err
	}
	defer c.stop()
	d := &drill{cluster: c}
	if d.primary, err = c.start(ctx); err != nil {
		return nil, err
	}
	defer d.stopServers()
	if err := d.startServers(ctx, o.Binary); err != nil {
		return nil, err
	}
	var rounds []*round
	for i, change := range changes(o.Control) {
		change.name = fmt.Sprintf("%d %s", i+1, change.name)
		r := &round{change: change}
		_, _ = fmt.Fprintln(o.Progress, "round", r.name, "of", d.primary.name)
		if err := d.round(ctx, r); err != nil {
			return nil, fmt.Errorf("round %s: %w", r.name, err)
		}
		rounds = append(rounds, r)
	}
	return d.report(ctx, rounds, o.Control)
}

// drill is a cluster and its clients.
type drill struct {
	*cluster

	primary *machine
	servers []server
	clients []*client
}

// startServers starts both servers, and registers the clients.
func (d *drill) startServers(ctx context.Context, binary string) error {
	for _, name := range []string{"hosts", "haproxy"} { // byHosts, byHAProxy
		s, err := startServer(ctx, binary, d.cluster, name)
		if err != nil {
			return err
		}
		d.servers = append(d.servers, s)
	}
	for i := range writers {
		c, err := newClient(ctx, d.servers[i%numServers], i%numServers, i)
		if err != nil {
			return err
		}
		d.clients = append(d.clients, c)
	}
	return nil
}

func (d *drill) stopServers() {
	for _, s := range d.servers {
		s.Stop()
	}
}

// report compares what was acknowledged with what is stored, and judges the rounds.
func (d *drill) report(ctx context.Context, rounds []*round, control bool) (*process.Report, error) {
	stored, err := d.primary.names(ctx)
	if err != nil {
		return nil, err
	}
	counted := 0
	for _, s := range d.servers {
		n, err := s.unavailable(ctx)
		if err != nil {
			return nil, err
		}
		counted += n
	}
	d.stopServers() // then the logs are complete
	explained := map[string]bool{}
	for _, s := range d.servers {
		if err := s.explain(explained); err != nil {
			return nil, err
		}
	}
	report := &process.Report{Columns: []string{
		"round", "no write for", "host list after", "HAProxy after", "acknowledged", "lost", "not read back",
		"only stored", "UNAVAILABLE", "with cause", "other",
	}}
	lost, acknowledged, unavailable := 0, 0, 0
	for _, r := range rounds {
		lost += r.result(report, stored, explained, !control)
		acknowledged += len(r.acknowledged)
		unavailable += len(r.unavailable)
	}
	if control && lost == 0 {
		report.Break("no write was lost without synchronous replication: the drill cannot see a loss")
	}
	if !control && acknowledged < enough {
		report.Break("only %d writes were acknowledged", acknowledged)
	}
	if counted < unavailable {
		report.Break("/metrics counts %d of %d answers UNAVAILABLE", counted, unavailable)
	}
	return report, nil
}
