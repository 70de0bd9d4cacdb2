package metrics

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/internal/testutil"
)

// dashboard is what the test reads of a page of Grafana.
type dashboard struct {
	Templating struct {
		List []struct{ Name, Type string } `json:"list"`
	} `json:"templating"`
	Panels []struct {
		Type, Title string
		Datasource  struct{ UID string } `json:"datasource"`
		Targets     []struct {
			Expr       string
			Datasource struct{ UID string } `json:"datasource"`
		} `json:"targets"`
	} `json:"panels"`
}

// TestDashboard_AsksForWhatThereIs: names, labels and values of the docs, of the data source
// that the reader chooses.
func TestDashboard_AsksForWhatThereIs(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../packaging/grafana/caregraph.json")
	testutil.Must(t, err)
	var page dashboard
	testutil.Must(t, json.Unmarshal(text, &page))
	if v := page.Templating.List; len(v) == 0 || v[0].Name != "datasource" || v[0].Type != "datasource" {
		t.Errorf("the first variable is not the data source: %v", v)
	}
	if hosts := regexp.MustCompile(`https?://|localhost|\d+\.\d+\.\d+\.\d+|:\d{4}\b`).FindAll(text, -1); len(hosts) > 0 {
		t.Errorf("the page names hosts: %q", hosts)
	}
	docs, used := documented(t), map[string]bool{}
	rows := []string{}
	for _, panel := range page.Panels {
		if panel.Type == "row" {
			rows = append(rows, panel.Title)
			continue
		}
		if panel.Datasource.UID != "${datasource}" || len(panel.Targets) == 0 {
			t.Errorf("%s has the data source %q and %d queries", panel.Title, panel.Datasource.UID, len(panel.Targets))
		}
		for _, target := range panel.Targets {
			if target.Datasource.UID != "${datasource}" {
				t.Errorf("%s asks the data source %q", panel.Title, target.Datasource.UID)
			}
			checkExpression(t, docs, target.Expr, used)
		}
	}
	want := []string{"Traffic", "Errors by code", "Latency", "Pools", "Sign-ins", "Live", "Disk", "Backup"}
	testutil.Equal(t, "rows", rows, want)
	if len(used) < 25 {
		t.Errorf("the page shows only %d metrics", len(used))
	}
}

// TestAlerts_AskForWhatThereIs, and are those of the docs.
func TestAlerts_AskForWhatThereIs(t *testing.T) {
	t.Parallel()
	docs := documented(t)
	read := func(path string) string {
		text, err := os.ReadFile(path)
		testutil.Must(t, err)
		return string(text)
	}
	rules := read("../../packaging/prometheus/alerts.yml")
	for _, rule := range strings.Split(rules, "- alert:")[1:] {
		_, expression, _ := strings.Cut(rule, "expr:")
		expression, _, _ = strings.Cut(expression, "labels:")
		checkExpression(t, docs, expression, map[string]bool{})
	}
	names := func(text, pattern string) []string {
		found := map[string]bool{}
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
			found[m[1]] = true
		}
		return slices.Sorted(maps.Keys(found))
	}
	want := names(rules, `- alert: (\w+)`)
	testutil.Equal(t, "alerts of docs/metrics.md", names(read("../../docs/metrics.md"), "\\| `(CareGraph\\w+)` \\|"), want)
	testutil.Equal(t, "alerts with a test", names(read("../../packaging/prometheus/alerts_test.yml"), `alertname: (\w+)`), want)
	for _, name := range want {
		if !regexp.MustCompile("alertname: " + name + "\n *exp_alerts:\n").MatchString(read("../../packaging/prometheus/alerts_test.yml")) {
			t.Errorf("no test lets %s fire", name)
		}
	}
}

var (
	selector = regexp.MustCompile(`\b(caregraph_\w+)(?:\{([^}]*)\})?`)
	matcher  = regexp.MustCompile(`(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"`)
	grouping = regexp.MustCompile(`\b(?:by|without|on|ignoring) ?\(([^)]*)\)`)
)

// checkExpression checks each name, label and value of an expression of PromQL.
func checkExpression(t *testing.T, docs map[string]testutil.Metric, expression string, used map[string]bool) {
	t.Helper()
	known := map[string]bool{"job": true, "instance": true, "le": strings.Contains(expression, "_bucket")}
	found := selector.FindAllStringSubmatch(expression, -1)
	if len(found) == 0 {
		t.Errorf("no metric in %s", expression)
	}
	for _, m := range found {
		name := base(docs, m[1])
		row, ok := docs[name]
		if !ok || row.Type == "histogram" && name == m[1] {
			t.Errorf("there is no %s, in %s", m[1], expression)
			continue
		}
		used[name] = true
		for label := range row.Labels {
			known[label] = true
		}
		for _, match := range matcher.FindAllStringSubmatch(m[2], -1) {
			checkMatcher(t, row, match[1], match[2], match[3], expression)
		}
	}
	for _, group := range grouping.FindAllStringSubmatch(expression, -1) {
		for _, label := range strings.Split(group[1], ",") {
			if label = strings.TrimSpace(label); !known[label] {
				t.Errorf("no metric has the label %s, in %s", label, expression)
			}
		}
	}
}

func checkMatcher(t *testing.T, row testutil.Metric, label, operator, value, expression string) {
	t.Helper()
	if label == "job" || label == "instance" {
		return
	}
	values, ok := row.Labels[label]
	if !ok {
		t.Errorf("the metric has no label %s, in %s", label, expression)
		return
	}
	pattern := regexp.QuoteMeta(value)
	if strings.HasSuffix(operator, "~") {
		pattern = value
	}
	whole := regexp.MustCompile("^(?:" + pattern + ")$")
	if values != nil && !slices.ContainsFunc(values, whole.MatchString) {
		t.Errorf("the label %s is never %s, in %s", label, value, expression)
	}
}
