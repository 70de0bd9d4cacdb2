package testutil

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// Metric is a row of the table of docs/metrics.md.
type Metric struct {
	Type string
	// Labels has the values of each label; none for a label with any value.
	Labels map[string][]string
}

var (
	metricRow = regexp.MustCompile("(?m)^\\| `(caregraph_\\w+)` \\| (counter|gauge|histogram) \\|([^|]*)\\| [^|]+ \\|$")
	inCode    = regexp.MustCompile("`([^`]+)`")
)

// Metrics reads the table of a file like docs/metrics.md.
func Metrics(t testing.TB, path string) map[string]Metric {
	t.Helper()
	text, err := os.ReadFile(path) //nolint:gosec // G304: a file of the repository
	Must(t, err)
	all := map[string]Metric{}
	for _, row := range metricRow.FindAllStringSubmatch(string(text), -1) {
		if _, twice := all[row[1]]; twice {
			t.Errorf("%s has %s twice", path, row[1])
		}
		all[row[1]] = Metric{row[2], labels(row[3])}
	}
	if rows := strings.Count(string(text), "\n| `caregraph_"); rows != len(all) || rows == 0 {
		t.Errorf("%s has %d rows of metrics, and %d can be read", path, rows, len(all))
	}
	return all
}

// labels reads "`a`: `x`, `y`; `b`".
func labels(cell string) map[string][]string {
	all := map[string][]string{}
	for _, label := range strings.Split(cell, ";") {
		name, values, closed := strings.Cut(label, ":")
		for _, n := range inCode.FindAllStringSubmatch(name, -1) {
			all[n[1]] = nil
		}
		if closed {
			n := inCode.FindStringSubmatch(name)[1]
			for _, v := range inCode.FindAllStringSubmatch(values, -1) {
				all[n] = append(all[n], v[1])
			}
		}
	}
	return all
}

// Series splits a line of the Prometheus text format into its name and its labels.
func Series(line string) (name string, labels map[string]string) {
	name, rest, _ := strings.Cut(line, "{")
	labels = map[string]string{}
	for _, pair := range regexp.MustCompile(`(\w+)="([^"]*)"`).FindAllStringSubmatch(rest, -1) {
		labels[pair[1]] = pair[2]
	}
	name, _, _ = strings.Cut(name, " ")
	return name, labels
}
