// Package backup shows that a backup is complete or not there. It starts the real server
// with its private PostgreSQL and an archive. While clients write, it kills caregraph backup
// at random moments, then makes a backup, verifies it, restores it, and recovers to a
// second. It also breaks a backup and an archive, which must be refused. Linux only.
package backup

import (
	"context"

	"github.com/caregraph/caregraph/internal/drills/process"
)

// Options say what to run.
type Options struct {
	Binary string
	// Logs is the directory for the log of the server.
	Logs string
	// Kills is how many backups are killed.
	Kills int
}

// Run runs the drill and returns its table.
func Run(ctx context.Context, o Options) (*process.Report, error) {
	dir, remove, err := process.Dir()
	if err != nil {
		return nil, err
	}
	defer remove()
	d, err := newDrill(ctx, o, dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = d.close() }() // the drill is over
	report := &process.Report{Columns: []string{"step", "result"}}
	for _, step := range []struct {
		name string
		do   func(context.Context) (string, error)
	}{
		{"killed at random moments", d.killed},
		{"verify and restore", d.restored},
		{"recovery to a second", d.recovered},
		{"what is damaged is refused", d.refused},
	} {
		said, err := step.do(ctx)
		if err != nil {
			said = "broken"
			report.Break("%s: %v", step.name, err)
		}
		report.Rows = append(report.Rows, []any{step.name, said})
	}
	return report, nil
}
