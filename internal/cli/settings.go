package cli

import (
	"cmp"
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/caregraph/caregraph/internal/settings"
)

// showSettings prints the settings as serve would use them with the same flags and
// variables.
func showSettings() Command {
	return Command{
		name: "settings", summary: "print every setting, its value and where that comes from; secrets as (set)",
		run: func(_ context.Context, c call) error {
			// These defaults depend on the machine.
			paths := map[string]string{"data": c.Data, "keys": c.Keys}
			_, flags := splitName(c.Args)
			table := tabwriter.NewWriter(c.Stdout, 0, 0, 2, ' ', 0)
			_, _ = fmt.Fprintln(table, "SETTING\tVALUE\tSOURCE") // Flush reports the error
			for _, o := range settings.Origins(flags, c.Getenv) {
				_, _ = fmt.Fprintf(table, "%s\t%s\t%s\n", o.Name, cmp.Or(o.Value, paths[o.Name]), o.Source)
			}
			return table.Flush()
		},
	}
}
