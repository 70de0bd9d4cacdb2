package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/caregraph/caregraph/internal/backup"
	"github.com/caregraph/caregraph/internal/settings"
)

func upgradePostgres() Command {
	var bin string
	return Command{
		name: "postgres upgrade", summary: "move the private database to a newer major version of PostgreSQL; stop the server first",
		options: []settings.Option{word("bin", "DIR", &bin)},
		run: func(ctx context.Context, c call) error {
			if c.DatabaseURL != "" {
				return errors.New("postgres upgrade: is for the private PostgreSQL: unset DATABASE_URL")
			}
			done, err := backup.Upgrade(ctx, c.Data, bin, c.log)
			switch {
			case err != nil:
				return err
			case done.To == 0:
				_, err = fmt.Fprintln(c.Stdout, "The upgrade that was interrupted is complete.")
			default:
				_, err = fmt.Fprintf(c.Stdout, "The database has moved from PostgreSQL %d to %d: %d rows.\nThe old one is in %s: remove it when you are content.\n",
					done.From, done.To, done.Rows, done.Old)
			}
			return err
		},
	}
}
