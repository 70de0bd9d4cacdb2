package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
)

// rounds is a comparison of so many quiet rounds, in which the control and the
// new build cost so many times what the old one costs.
func rounds(n int, control, after float64) comparison {
	c := newComparison(workload{name: "W1"})
	for i := range n {
		drift := 1 + float64(i%5) // of the whole round
		for build, factor := range []float64{1, control, after} {
			c.Results[build].Runs = append(c.Results[build].Runs, figures{ServerCPU: 0.6 * drift * factor, PostgresCPU: 0.4 * drift * factor})
		}
	}
	return c
}

func TestComparison_Verdicts(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		comparison comparison
		want       string
	}{
		"equal":               {rounds(15, 1, 1), verdictOK},
		"better":              {rounds(15, 1, 0.5), verdictOK},
		"a little worse":      {rounds(15, 1.009, 1.029), verdictOK},
		"worse":               {rounds(15, 0.991, 1.031), verdictWorse},
		"control costs more":  {rounds(15, 1.011, 1), "does not count: the control differs by 1.1 %"},
		"control costs less":  {rounds(15, 0.988, 2), "does not count: the control differs by 1.2 %"},
		"too few rounds":      {rounds(14, 1, 1), "does not count: 14 rounds, 15 are needed"},
		"too few to be worse": {rounds(2, 1, 2), "does not count: 2 rounds, 15 are needed"},
	}
	for name, test := range tests {
		c := test.comparison
		c.summarize()
		if c.Verdict != test.want {
			t.Errorf("%s: the verdict is %q, want %q", name, c.Verdict, test.want)
		}
		if counts := !strings.HasPrefix(test.want, "does not count"); c.counts() != counts {
			t.Errorf("%s: counts is %v", name, c.counts())
		}
	}
}

func TestComparison_UsesQuietRoundsOnly(t *testing.T) {
	t.Parallel()
	c := rounds(18, 1, 1)
	for build, n := range []int{3, 7, 11} { // one measurement of a round is enough
		run := &c.Results[build].Runs[n]
		run.ServerCPU, run.Foreign = 100, mostForeign
	}
	c.summarize()
	if c.Quiet != 15 || c.Verdict != verdictOK || c.New != (spread{1, 1, 1}) || c.Control != (spread{1, 1, 1}) {
		t.Errorf("got %d quiet rounds, %+v, %s", c.Quiet, c.New, c.Verdict)
	}
	c.Results[newBuild].Runs[0].Foreign = 1
	c.summarize()
	want := "does not count: 14 of 18 rounds had less than 0.05 ms of foreign CPU per request, 15 are needed"
	if c.Quiet != 14 || c.Verdict != want {
		t.Errorf("got %d quiet rounds, %s", c.Quiet, c.Verdict)
	}
}

func TestComparison_PairsByRound(t *testing.T) {
	t.Parallel()
	c := rounds(5, 1, 1)
	for n, factor := range []float64{1.04, 0.90, 1.02, 1.08, 1.00} {
		c.Results[newBuild].Runs[n].ServerCPU *= factor
		c.Results[newBuild].Runs[n].PostgresCPU *= factor
	}
	c.summarize()
	if got, want := c.New.String(), "1.020 (1.000 to 1.040)"; got != want {
		t.Errorf("the pairs are %s, want %s", got, want)
	}
	// Rounds cost 1, 2, 3, 4 and 5; the new build 1.04, 1.8, 3.06, 4.32 and 5.
	if got := decimals(c.Results[newBuild].Ratio.CPU, 3); got != "1.020" {
		t.Errorf("the ratio of the medians is %s, want 1.020", got)
	}
}

func TestComparison_AddsRoundsUntilItCounts(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		comparison comparison
		planned    int
		want       int
	}{
		"counts":          {rounds(15, 1, 1), 15, 15},
		"worse counts":    {rounds(15, 1, 2), 15, 15},
		"control is off":  {rounds(15, 2, 1), 15, 21},
		"one step is cut": {rounds(27, 2, 1), 15, 30},
		"bound":           {rounds(30, 2, 1), 15, 30},
		"trial":           {rounds(2, 1, 1), 2, 2},
	} {
		test.comparison.summarize()
		if got := test.comparison.target(test.planned); got != test.want {
			t.Errorf("%s: %d rounds, want %d", name, got, test.want)
		}
	}
}

func TestQuantile_Interpolates(t *testing.T) {
	t.Parallel()
	values := []float64{40, 10, 30, 20}
	for share, want := range map[float64]float64{0: 10, 0.25: 17.5, 0.5: 25, 0.75: 32.5, 1: 40} {
		if got := quantile(values, share); got != want {
			t.Errorf("quantile %v is %v, want %v", share, got, want)
		}
	}
	if got := quantile([]float64{7}, 0.75); got != 7 {
		t.Errorf("the quantile of 7 alone is %v", got)
	}
	if values[0] != 40 {
		t.Error("the values were sorted in place")
	}
}

func TestOrder_SixRoundsHaveAllOrders(t *testing.T) {
	t.Parallel()
	seen := map[[3]int]bool{}
	for n := range orders {
		o := order(n)
		seen[[3]int(o)] = true
		if sorted := slices.Sorted(slices.Values(o)); !slices.Equal(sorted, []int{0, 1, 2}) {
			t.Errorf("round %d measures %v", n, o)
		}
	}
	if len(seen) != 6 || usualRounds%orders != 0 {
		t.Errorf("%d different orders", len(seen))
	}
}

func TestFailures_NameWhatIsWorseAndWhatDoesNotCount(t *testing.T) {
	t.Parallel()
	good, bad, open := rounds(15, 1, 1), rounds(15, 1, 1.05), rounds(15, 1.05, 1)
	good.Workload, bad.Workload, open.Workload = "W1", "W2", "W3"
	for _, c := range []*comparison{&good, &bad, &open} {
		c.summarize()
	}
	if err := failures([]comparison{good, good}); err != nil {
		t.Errorf("got %v", err)
	}
	want := "W2 is worse: 1.050 times the CPU of the old server, 1.03 is the limit\n" +
		"W3 does not count: the control differs by 5.0 %"
	if err := failures([]comparison{good, bad, open}); err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

func TestBuildsTable_ShowsBothServersAndTheVerdict(t *testing.T) {
	t.Parallel()
	c := rounds(15, 1.02, 1.05)
	for i := range 15 {
		c.Results[oldBuild].Runs[i].PerSecond, c.Results[newBuild].Runs[i].PerSecond = 1234, 1176
	}
	c.summarize()
	got := buildsTable([]comparison{c})
	for _, want := range []string{
		"3.000 (1.800 + 1.200)", "3.150 (1.890 + 1.260)", "1.050 (1.050 to 1.050)", "1.020 (1.020 to 1.020)",
		"1234", "1176", "15 of 15", "does not count |",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is missing in\n%s", want, got)
		}
	}
}

// answering is a build that answers with the texts, one after the other.
func answering(t *testing.T, name string, texts ...string) contender {
	t.Helper()
	n := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, texts[n%len(texts)])
		n++
	}))
	t.Cleanup(server.Close)
	return caregraph(name, &process{addr: server.Listener.Addr().String()})
}

func TestSameBytes_RefusesAnyDifferenceButNewIDs(t *testing.T) {
	t.Parallel()
	read := workload{name: "W1", variables: func(call) map[string]any { return nil }}
	write := read
	write.name, write.writes = "W4", true
	tests := map[string]struct {
		load     workload
		old, new []string
		same     bool
	}{
		"equal":              {read, []string{`{"a":1}`, `{"a":2}`}, []string{`{"a":1}`, `{"a":2}`}, true},
		"second call":        {read, []string{`{"a":1}`, `{"a":2}`}, []string{`{"a":1}`, `{"a":3}`}, false},
		"order of members":   {read, []string{`{"a":1,"b":2}`}, []string{`{"b":2,"a":1}`}, false},
		"longer":             {read, []string{`{"a":1}`}, []string{`{"a":1} `}, false},
		"id of a record":     {read, []string{`{"id":"pat_1"}`}, []string{`{"id":"pat_2"}`}, false},
		"id of a new record": {write, []string{`{"id":"pat_1"}`}, []string{`{"id":"pat_22"}`}, true},
		"new record differs": {write, []string{`{"id":"pat_1","a":1}`}, []string{`{"id":"pat_1","a":2}`}, false},
	}
	for name, test := range tests {
		builds := []contender{answering(t, "old", test.old...), answering(t, "control", test.old...), answering(t, "new", test.new...)}
		err := sameBytes(t.Context(), builds, test.load, make([]call, 2))
		if (err == nil) != test.same {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && !strings.Contains(err.Error(), "old and new answer differently") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSpeedSettings_LeavesOutPathsAndRevisions(t *testing.T) {
	t.Parallel()
	build := func(version string, pairs ...string) string {
		info := &debug.BuildInfo{GoVersion: version}
		for i := 0; i < len(pairs); i += 2 {
			info.Settings = append(info.Settings, debug.BuildSetting{Key: pairs[i], Value: pairs[i+1]})
		}
		return speedSettings(info)
	}
	usual := build("go1.26.8", "-pgo", "/a/default.pgo", "GOAMD64", "v1")
	if got := build("go1.26.8", "vcs.revision", "123", "-pgo", "/b/default.pgo", "GOAMD64", "v1"); got != usual {
		t.Errorf("%q is not %q", got, usual)
	}
	for name, other := range map[string]string{
		"another compiler":  build("go1.26.9", "-pgo", "/a/default.pgo", "GOAMD64", "v1"),
		"no profile":        build("go1.26.8", "GOAMD64", "v1"),
		"race detector":     build("go1.26.8", "-pgo", "/a/default.pgo", "-race", "true", "GOAMD64", "v1"),
		"another processor": build("go1.26.8", "-pgo", "/a/default.pgo", "GOAMD64", "v3"),
	} {
		if other == usual {
			t.Errorf("%s makes no difference", name)
		}
	}
}

func TestBuiltAlike_AcceptsEqualBinariesOnly(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	must(t, err)
	must(t, builtAlike(self, self))
	if err := builtAlike("/dev/null", self); err == nil {
		t.Error("a file that is no program was accepted")
	}
}

func TestParse_AgainstHasDefaultsOfItsOwn(t *testing.T) {
	t.Parallel()
	o, err := parse([]string{"--against", "old"}, io.Discard)
	must(t, err)
	if o.repeats != usualRounds || o.counted.Seconds() != usualSeconds || o.repeats < fewestRounds {
		t.Errorf("got %d rounds of %v", o.repeats, o.counted)
	}
	o, err = parse(strings.Fields("--against old --repeats 2 --seconds 3 --only W1"), io.Discard)
	must(t, err)
	if o.repeats != 2 || o.counted.Seconds() != 3 {
		t.Errorf("got %d rounds of %v", o.repeats, o.counted)
	}
	for _, args := range []string{"--only login", "--growth", "--peers", "--pgo", "--profile dir"} {
		if _, err := parse(append([]string{"--against", "old"}, strings.Fields(args)...), io.Discard); err == nil {
			t.Errorf("--against was accepted with %s", args)
		}
	}
}
