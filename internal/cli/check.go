package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/caregraph/caregraph/internal/backup"
	"github.com/caregraph/caregraph/internal/check"
	"github.com/caregraph/caregraph/internal/host"
	"github.com/caregraph/caregraph/internal/pgserver"
	"github.com/caregraph/caregraph/internal/settings"
	"github.com/caregraph/caregraph/store"
)

// ExitCode is the error of a command that has said everything already.
type ExitCode int

func (c ExitCode) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

// ownConnections are those of a server next to --database-connections.
const ownConnections = 3

func checkUp() Command {
	var asJSON bool
	return Command{
		name: "check", summary: "look at the database, its settings and the files; exit code 0 good, 1 warnings, 2 failures",
		options: []settings.Option{settings.Switch("json", &asJSON)},
		run: func(ctx context.Context, c call) error {
			found := append(c.checkDatabase(ctx), c.machine().Check()...)
			if asJSON {
				encoder := json.NewEncoder(c.Stdout)
				encoder.SetIndent("", "  ")
				if err := encoder.Encode(found); err != nil {
					return err
				}
			} else {
				for _, f := range found {
					if _, err := fmt.Fprintf(c.Stdout, "%-8s %-9s %s: %s\n", f.Level, f.Area, f.Name, f.Text); err != nil {
						return err
					}
				}
			}
			if worst := check.Worst(found); worst > check.Good {
				return ExitCode(worst)
			}
			return nil
		},
	}
}

// checkDatabase makes no cluster: a check changes nothing.
func (c call) checkDatabase(ctx context.Context) (found []check.Finding) {
	failed := func(err error) []check.Finding {
		return append(found, check.Finding{Area: "database", Name: "connection", Level: check.Failure, Text: err.Error()})
	}
	if c.DatabaseURL == "" {
		if major, err := pgserver.Major(c.Data); err != nil || major == 0 {
			return failed(cmp.Or(err, fmt.Errorf("%s has no database", c.Data)))
		}
	}
	database := pgserver.Database{URL: string(c.DatabaseURL), DataDir: c.Data, Attach: true, StopTimeout: c.ShutdownTimeout, Log: c.log}
	err := pgserver.With(ctx, database, func(ctx context.Context, url string) error {
		direct := string(cmp.Or(c.DatabaseDirectURL, settings.Secret(url)))
		running, err := store.Servers(ctx, direct)
		found = append(check.Database(ctx, direct, c.DatabaseConns+ownConnections, max(len(running), 1)), c.checkSchema(ctx, url), c.checkPooler(ctx, url))
		if c.DatabaseURL != "" && err == nil { // else the first finding says it
			found = append(found, check.Servers(seen(running))...)
		}
		return nil
	})
	if err != nil {
		return failed(err)
	}
	return found
}

func seen(running []store.Server) (all []check.Server) {
	for _, s := range running {
		all = append(all, check.Server{ID: s.ID, Version: s.Version, Schema: s.Schema, Keys: s.Keys, StartedAt: s.StartedAt})
	}
	return all
}

func (c call) checkSchema(ctx context.Context, url string) check.Finding {
	f := check.Finding{Area: "database", Name: "schema", Text: "as it should be"}
	complete, err := store.Prepare(ctx, url, store.Preparation{Log: c.log})
	switch {
	case err != nil:
		f.Level, f.Text = check.Failure, err.Error()
	case !complete:
		f.Level, f.Text = check.Warning, "lacks indexes or values of new columns: run caregraph migrate"
	}
	return f
}

// checkPooler opens the database as a server does, which proves its promises: isolation,
// reads only, and plans.
func (c call) checkPooler(ctx context.Context, url string) check.Finding {
	f := check.Finding{Area: "pooler", Name: "promises", Level: check.Failure}
	rules, err := c.Policy()
	if err != nil {
		f.Text = err.Error()
		return f
	}
	db, err := store.Open(ctx, url, store.Options{
		Policy: rules, Connections: 2, ReadConnections: 1, Pooler: store.Pooler(c.DatabasePooler), Prepared: store.Prepared(c.Prepared), Client: "cli",
	})
	if err != nil {
		f.Text = err.Error()
		return f
	}
	defer db.Close()
	f.Level, f.Text = check.Good, "pooler "+string(db.Pooler())+": isolation repeatable read, read-only on, plan mode force_generic_plan"
	return f
}

func (c call) machine() check.Machine {
	m := check.Machine{
		Keys: c.Keys, Addr: c.Addr, Encrypted: c.TLSCert != "" || len(c.TrustedProxies) > 0, Now: time.Now(), MinFree: c.MinFreeDisk,
		OpenFiles: host.OpenFiles(pgserver.Holder(c.Data)), Pools: c.DatabaseConns + ownConnections, Streams: c.MaxStreams, ArchiveDir: c.ArchiveDir,
	}
	if c.DatabaseURL != "" {
		return m
	}
	if _, err := os.Stat(c.Data); err != nil {
		return m
	}
	m.DataDir, m.ExecutableDeleted = c.Data, pgserver.ExecutableDeleted(c.Data)
	m.Free, _ = host.FreeDisk(c.Data) // unknown is none, a failure
	m.LastBackup = backup.Last(c.Data)
	return m
}
