package settings

import (
	"strings"
	"testing"
)

func TestHelp_HasEveryOptionWithinTheWidth(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	if err := Help(&b); err != nil {
		t.Fatal(err)
	}
	for _, o := range options(&Settings{}) {
		for _, part := range append(o.variables(), "--"+o.name+" "+o.value, o.def) {
			if !strings.Contains(b.String(), part) {
				t.Errorf("help lacks %q", part)
			}
		}
		if o.help == "" {
			t.Errorf("--%s has no help", o.name)
		}
	}
	for line := range strings.Lines(b.String()) {
		if len(line) > helpWidth+1 {
			t.Errorf("long line: %s", line)
		}
	}
}

func TestMarkdown_EachRowHasFourCells(t *testing.T) {
	t.Parallel()
	rows := strings.Split(strings.TrimSuffix(Markdown(), "\n"), "\n")
	if want := 2 + len(options(&Settings{})); len(rows) != want {
		t.Fatalf("%d rows, want %d", len(rows), want)
	}
	for _, row := range rows {
		if bars := strings.Count(row, "|") - strings.Count(row, `\|`); bars != 5 {
			t.Errorf("%d bars in %s", bars, row)
		}
	}
	for _, part := range []string{
		"| `--addr` | `CAREGRAPH_ADDR` | `127.0.0.1:8080` | ",
		"| `--database-url` | `CAREGRAPH_DATABASE_URL`, `DATABASE_URL` |  | ",
	} {
		if !strings.Contains(Markdown(), part) {
			t.Errorf("the table lacks %s", part)
		}
	}
}
