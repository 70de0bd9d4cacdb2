package check

import (
	"testing"
	"time"

	"github.com/caregraph/caregraph/internal/testutil"
)

func TestServers_ListsThemAndComparesTheirKeys(t *testing.T) {
	t.Parallel()
	server := func(id string, keys ...string) Server {
		return Server{ID: id, Version: "0.2.0", Schema: "20261201050000", Keys: keys, StartedAt: time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)}
	}
	testutil.Equal(t, "none", Servers(nil), []Finding{{"cluster", "servers", Good, "none runs"}, {"files", "keys of all servers", Good, "as it should be"}})
	const a, b = "A (version 0.2.0, schema 20261201050000, since 2026-11-29 12:00)", "B (version 0.2.0, schema 20261201050000, since 2026-11-29 12:00)"
	for name, test := range map[string]struct {
		a, b  []string
		level Level
		text  string
	}{
		"one file":                       {[]string{"k1"}, []string{"k1"}, Good, "as it should be"},
		"published, not copied yet":      {[]string{"k1", "k2"}, []string{"k1"}, Warning, "A and B have other ones: copy the key file"},
		"copied and rotated by one":      {[]string{"k2", "k1"}, []string{"k1", "k2"}, Warning, "A and B have other ones: copy the key file"},
		"rotated by one, without a copy": {[]string{"k2", "k1"}, []string{"k1"}, Failure, "B refuses the tokens of A: copy the key file"},
		"no file":                        {[]string{"k1"}, nil, Failure, "B cannot read its key file"},
	} {
		found := Servers([]Server{server("A", test.a...), server("B", test.b...)})
		testutil.Equal(t, name, found, []Finding{{"cluster", "servers", Good, "2: " + a + ", " + b}, {"files", "keys of all servers", test.level, test.text}})
	}
}
