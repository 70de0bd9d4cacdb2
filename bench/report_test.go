package main

import (
	"slices"
	"strings"
	"testing"
)

func TestGoals_NameWhatIsMissed(t *testing.T) {
	t.Parallel()
	g := goals{CPU: 1.08, PerSecond: 0.80, P99: 1.3}
	for name, test := range map[string]struct {
		goals goals
		got   ratios
		want  []string
	}{
		"exactly":     {g, ratios{CPU: 1.08, PerSecond: 0.80, P99: 1.3}, nil},
		"better":      {g, ratios{CPU: 0.9, PerSecond: 1.2, P99: 0.5}, nil},
		"CPU":         {g, ratios{CPU: 1.081, PerSecond: 0.80, P99: 1.3}, []string{"CPU"}},
		"requests/s":  {g, ratios{CPU: 1.08, PerSecond: 0.799, P99: 1.3}, []string{"requests/s"}},
		"p99":         {g, ratios{CPU: 1.08, PerSecond: 0.80, P99: 1.301}, []string{"p99"}},
		"all":         {g, ratios{CPU: 2, PerSecond: 0.1, P99: 2}, []string{"CPU", "requests/s", "p99"}},
		"no CPU goal": {goals{PerSecond: 0.80, P99: 1.3}, ratios{CPU: 9, PerSecond: 0.80, P99: 1.3}, nil},
	} {
		if got := test.goals.missed(test.got); !slices.Equal(got, test.want) {
			t.Errorf("%s: missed %q, want %q", name, got, test.want)
		}
	}
}

func TestRatios_AreToTheOtherResult(t *testing.T) {
	t.Parallel()
	floor := result{CPU: 2, Median: figures{Load: 0.5, PerSecond: 1000, P50: 1, P99: 10, Idle: 4}}
	own := result{CPU: 3, Median: figures{Load: 1, PerSecond: 800, P50: 2, P99: 15, Idle: 10, Foreign: 0.1}}
	want := ratios{CPU: 1.5, Load: 2, PerSecond: 0.8, P50: 2, P99: 1.5, Idle: 2.5} // the floor's foreign CPU is 0
	if got := own.to(floor); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	floor.Median.Foreign = -0.001 // the clocks have different steps
	if got := own.to(floor); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestTables_ShowFiguresRatiosAndMissedGoals(t *testing.T) {
	t.Parallel()
	floor := result{Contender: "floor-0.1", Runs: []figures{{ServerCPU: 1, PostgresCPU: 1, Load: 0.5, PerSecond: 1000, P50: 1, P99: 10, Idle: 4}}}
	own := result{Contender: "caregraph", Runs: []figures{{ServerCPU: 2, PostgresCPU: 1, Load: 1, PerSecond: 801, P50: 2, P99: 12, Idle: 10, Foreign: 0.1}}}
	r := row{Workload: "W2", Title: "a title", Goals: goals{1.08, 0.80, 1.3}, Results: []result{floor, own}, Alone: alone{HTTP: 0.5, Limit: 1.25}}
	for i := range r.Results {
		r.Results[i].summarize()
		r.Results[i].Ratio = r.Results[i].to(r.Results[0])
	}
	r.Missed = r.Goals.missed(r.Results[1].Ratio)
	tables := goalsTable([]row{r}) + contendersTable([]row{r}) + aloneTable([]row{r})
	text := strings.Join(strings.Fields(tables), " ")
	for _, want := range []string{
		"W2 | a title | 2.000 | 3.000 (2.000 + 1.000) | 1.50x | 1.08x | 0.80x | 0.80x | 1.20x | 1.30x | CPU |",
		"W2 | caregraph | 3.000 (2.000 + 1.000) | 1.50x | 1.000 (2.00x) | 0.100 | 10.0 (2.50x) | 801 (0.80x) | 2.00 (2.00x) | 12.00 (1.20x) |",
		"W2 | 0.5000 | 0.0000 | 0.0000 | 0.0000 | 1.2500 | 1.60x | 2.40x |",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is missing in\n%s", want, tables)
		}
	}
}
