package failover

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/caregraph/caregraph/internal/drills/process"
)

// Each file of the configuration has a value for everything that depends on the machine,
// and nothing of it lies outside of the directory of the drill.
func TestConfiguration_IsCompleteAndOnLoopback(t *testing.T) {
	t.Chdir("../../..")
	dir := t.TempDir()
	c, err := newCluster(t.Context(), dir, dir, true)
	if err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(configuration)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := c.text(file.Name(), c.machines[1].replacements())
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "#") {
				continue
			}
			if found := regexp.MustCompile(`@\w+@|10\.0\.0|/var/lib`).FindString(line); found != "" {
				t.Errorf("%s: %s is left in %s", file.Name(), found, line)
			}
		}
	}
	if len(files) < 6 {
		t.Errorf("only %d files", len(files))
	}
}

// judged returns the promises that a round breaks whose writes a and b were acknowledged.
func judged(t *testing.T, judge bool, stored string, after time.Duration, causes map[string]bool) []string {
	t.Helper()
	promoted := time.Now()
	r := &round{change: changes(false)[0], promoted: promoted, acknowledged: []string{"a", "b"}, unavailable: []string{"x"}}
	r.times[byHosts] = []time.Time{promoted.Add(-time.Second), promoted.Add(after)}
	r.times[byHAProxy] = []time.Time{promoted.Add(time.Second / 10)}
	names := map[string]bool{}
	for _, name := range strings.Fields(stored) {
		names[name] = true
	}
	report := &process.Report{}
	if lost, want := r.result(report, names, causes, judge), 2-len(names); lost != want {
		t.Errorf("%d are lost, want %d", lost, want)
	}
	return report.Broken
}

func TestResult_NamesEachBrokenPromise(t *testing.T) {
	t.Parallel()
	explained := map[string]bool{"x": true}
	for name, c := range map[string]struct {
		judge  bool
		stored string
		after  time.Duration
		causes map[string]bool
		want   string
	}{
		"all is well":               {true, "a b", time.Second, explained, ""},
		"a lost write":              {true, "b", time.Second, explained, "1 acknowledged writes are lost"},
		"a lost write, the control": {false, "b", time.Second, explained, ""},
		"a server that is late":     {true, "a b", time.Second + 10*time.Millisecond, explained, "1.01 s after the new primary"},
		"an answer without a cause": {true, "a b", time.Second, nil, "the cause of 0 of 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			broken := judged(t, c.judge, c.stored, c.after, c.causes)
			if c.want == "" && len(broken) > 0 || c.want != "" && (len(broken) != 1 || !strings.Contains(broken[0], c.want)) {
				t.Errorf("got %q, want %q", broken, c.want)
			}
		})
	}
}
