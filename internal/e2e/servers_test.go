package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

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
