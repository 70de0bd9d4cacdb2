package e2e

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/caregraph/caregraph/internal/testutil"
)

// TestCheck_ListsTheServersOfADatabase by the ids in their logs, and compares their keys.
func TestCheck_ListsTheServersOfADatabase(t *testing.T) {
	t.Parallel()
	url, first := cluster(t), dataDir(t)
	second := dataDir(t)
	flags := []string{"--database-url", url, "--database-connections", "4"}
	a, b := start(t, first, flags...), start(t, second, flags...)
	check := func() string {
		out, _ := run(t, "", append([]string{"check", "--data", first}, flags...)...)
		return out
	}
	found := check()
	for _, want := range []string{
		`good +cluster +servers: 2: [A-Z2-7]{8} \(version \S+, schema \d{14}, since [0-9-]+ [0-9:]+\), [A-Z2-7]{8} \(`,
		`failure +files +keys of all servers: [A-Z2-7]{8} refuses the tokens of [A-Z2-7]{8}: copy the key file`,
		`good +pooler +promises: pooler none: isolation repeatable read, read-only on, plan mode force_generic_plan`,
		`good +cluster +hosts: 1 is the primary on timeline 1`,
	} {
		if !regexp.MustCompile(want).MatchString(found) {
			t.Errorf("no line with %s in\n%s", want, found)
		}
	}
	b.stop()
	id := regexp.MustCompile(`server=(\w+)`).FindStringSubmatch(b.log.String())
	if found := check(); len(id) != 2 || strings.Contains(found, id[1]) || !strings.Contains(found, "servers: 1: ") {
		t.Errorf("after the end of %q:\n%s", id, found)
	}
	keys, err := os.ReadFile(filepath.Join(first, "keys.json"))
	testutil.Must(t, err)
	testutil.Must(t, os.WriteFile(filepath.Join(second, "keys.json"), keys, 0o600))
	b = start(t, second, flags...)
	if found := check(); !strings.Contains(found, "servers: 2: ") || !strings.Contains(found, "keys of all servers: as it should be") {
		t.Errorf("with a copy of the keys:\n%s", found)
	}
	b.stop()
	a.stop()
}

// TestServer_StartsWithoutItsRow on a database that cannot be written now, and says so.
func TestServer_StartsWithoutItsRow(t *testing.T) {
	t.Parallel()
	url, data := cluster(t), dataDir(t)
	start(t, data, "--database-url", url).stop()
	conn, err := pgx.Connect(t.Context(), url)
	testutil.Must(t, err)
	_, err = conn.Exec(t.Context(), "ALTER DATABASE clinic SET default_transaction_read_only = on")
	testutil.Must(t, errors.Join(err, conn.Close(t.Context())))
	server := start(t, data, "--database-url", url)
	testutil.Must(t, server.process.Process.Signal(os.Interrupt)) // stop allows no warning
	<-server.outputEnded
	testutil.Must(t, server.process.Wait())
	if log := server.log.String(); !strings.Contains(log, "migrations and caregraph check do not see this server") {
		t.Errorf("the log does not say what is missing:\n%s", log)
	}
}
