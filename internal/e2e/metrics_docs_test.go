package e2e

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/internal/testutil"
)

// TestServer_MetricsAreThoseOfTheDocs: a server has the names and the values of labels that
// docs/metrics.md lists, all of them before the first request.
func TestServer_MetricsAreThoseOfTheDocs(t *testing.T) {
	t.Parallel()
	server := start(t, dataDir(t), "--metrics-addr", "127.0.0.1:0")
	testutil.Must(t, os.WriteFile(filepath.Join(server.data, "backup.state"), []byte(`{"finished": "2026-11-29T18:30:00+05:30"}`), 0o600))
	docs, found := testutil.Metrics(t, filepath.Join(root, "docs/metrics.md")), map[string]map[string]map[string]bool{}
	if !server.scrapes("\ncaregraph_purge_last_success_timestamp_seconds ") {
		t.Error("nothing was swept")
	}
	text := server.scrape()
	for line := range strings.Lines(ofOurs(text)) {
		name, labels := testutil.Series(line)
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			if whole := strings.TrimSuffix(name, suffix); docs[whole].Type == "histogram" {
				name = whole
			}
		}
		delete(labels, "le")
		if _, ok := docs[name]; !ok {
			t.Errorf("docs/metrics.md does not have %s", name)
			continue
		}
		if found[name] == nil {
			found[name] = map[string]map[string]bool{}
		}
		for label, value := range labels {
			if found[name][label] == nil {
				found[name][label] = map[string]bool{}
			}
			found[name][label][value] = true
		}
	}
	elsewhere := []string{ // with another PostgreSQL, with TLS
		"caregraph_backup_archive_failed_total", "caregraph_backup_archive_age_seconds", "caregraph_tls_not_after_timestamp_seconds",
	}
	for name, row := range docs {
		if found[name] == nil {
			if !slices.Contains(elsewhere, name) {
				t.Errorf("the server does not have %s", name)
			}
			continue
		}
		for label, want := range row.Labels {
			if got := slices.Sorted(maps.Keys(found[name][label])); want != nil && !slices.Equal(got, slices.Sorted(slices.Values(want))) {
				t.Errorf("%s has the values %q of %s, docs/metrics.md has %q", name, got, label, want)
			}
		}
		testutil.Equal(t, "the labels of "+name, len(found[name]), len(row.Labels))
	}
	if line := "\ncaregraph_backup_last_success_timestamp_seconds 1.7959572e+09\n"; !strings.Contains(text, line) {
		t.Errorf("no line %q", line)
	}
	server.stop()
}
