package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/caregraph/caregraph/internal/settings"
	"github.com/caregraph/caregraph/store"
)

// keepRecords is how long records of people are kept at least: three years, one of them a
// leap year.
const keepRecords = 3*365*24*time.Hour + 24*time.Hour

// purge removes records of people whose time to be kept is over. It works while servers run.
func purge() Command {
	var dryRun, yes bool
	var keep time.Duration
	return Command{
		name: "purge", summary: "remove records whose time to be kept is over, for good; servers may run",
		options: []settings.Option{settings.Switch("dry-run", &dryRun), settings.Switch("yes", &yes), {
			Name: "keep-records", Value: "DURATION", Set: func(text string) (err error) {
				if keep = keepRecords; text != "" {
					keep, err = time.ParseDuration(text)
				}
				if err != nil || keep < keepRecords {
					return fmt.Errorf("must be a duration of at least %s, which is three years", keepRecords)
				}
				return nil
			},
		}},
		run: func(ctx context.Context, c call) error {
			if dryRun == yes {
				return errors.New("purge needs either --dry-run, which prints what would be removed, or --yes, which removes it")
			}
			return c.withStore(ctx, func(ctx context.Context, db *store.Store) error {
				found, err := db.Purgeable(ctx, keep)
				if err != nil {
					return err
				}
				if err := writePurgeable(c.Stdout, found); err != nil || dryRun {
					return err
				}
				return c.purge(ctx, db, keep)
			})
		},
	}
}

// purge prints how many rows it has removed, also if it is stopped.
func (c call) purge(ctx context.Context, db *store.Store, keep time.Duration) error {
	var total int64
	err := db.Purge(ctx, keep, func(table string, rows int64) {
		total += rows
		c.log.InfoContext(ctx, "purged", "table", table, "rows", rows)
	})
	_, printed := fmt.Fprintf(c.Stdout, "%d rows were removed.\n", total)
	return errors.Join(err, printed)
}

func writePurgeable(w io.Writer, found []store.Purgeable) error {
	const padding = 2
	table := tabwriter.NewWriter(w, 0, 0, padding, ' ', 0)
	_, _ = fmt.Fprintln(table, "TABLE\tROWS\tOLDEST\tNEWEST\tREASON") // Flush returns the error
	for _, p := range found {
		oldest, newest := "-", "-"
		if p.Rows > 0 {
			oldest, newest = p.Oldest.UTC().Format(time.DateOnly), p.Newest.UTC().Format(time.DateOnly)
		}
		_, _ = fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%s\n", p.Table, p.Rows, oldest, newest, p.Reason)
	}
	return table.Flush()
}
