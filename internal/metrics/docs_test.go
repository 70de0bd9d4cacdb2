package metrics

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/internal/testutil"
)

// documented is the table of metrics.
func documented(t *testing.T) map[string]testutil.Metric {
	t.Helper()
	return testutil.Metrics(t, "../../docs/metrics.md")
}

// TestMetrics_AreThoseOfTheDocs: each metric has a row with its type and labels, and each row
// has a metric. TestServer_MetricsAreThoseOfTheDocs compares the values of labels.
func TestMetrics_AreThoseOfTheDocs(t *testing.T) {
	t.Parallel()
	docs, types := documented(t), map[string]string{}
	body := ask(t, watched(), http.MethodGet, "/metrics").Body.String()
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (caregraph_\w+) (\w+)$`).FindAllStringSubmatch(body, -1) {
		types[m[1]] = m[2]
		if row, ok := docs[m[1]]; !ok || row.Type != m[2] {
			t.Errorf("docs/metrics.md has %q for %s, which is a %s", row.Type, m[1], m[2])
		}
	}
	for name := range docs {
		if types[name] == "" {
			t.Errorf("docs/metrics.md has %s, and there is no such metric", name)
		}
	}
	for line := range series(t, watched()) {
		name, labels := testutil.Series(line)
		row, known := docs[base(docs, name)]
		if !known {
			continue // of Go and the process
		}
		delete(labels, "le")
		want := slices.Sorted(maps.Keys(row.Labels))
		if name == "caregraph_build_info" {
			want = []string{"version"} // the test has only one
		}
		if got := slices.Sorted(maps.Keys(labels)); !slices.Equal(got, want) {
			t.Errorf("%s has the labels %q, docs/metrics.md has %q", name, got, want)
		}
	}
}

// base returns the name of the metric of a series.
func base(docs map[string]testutil.Metric, name string) string {
	for _, suffix := range []string{"_bucket", "_sum", "_count"} {
		if whole, ok := strings.CutSuffix(name, suffix); ok && docs[whole].Type == "histogram" {
			return whole
		}
	}
	return name
}
