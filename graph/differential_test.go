package graph_test

import (
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/caregraph/caregraph/graph"
	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/graph/plan"
	"github.com/caregraph/caregraph/internal/policy"
	"github.com/caregraph/caregraph/model"
)

var operations = flag.Int("operations", 2_500, "how many operations TestDifferential compares")

// engines are two executors over one dataset: the one that clients use, and gqlgen's
// alone.
type engines struct {
	*dataset

	fast, reference *graphtest.Server
	// root is the root type of the operations. twin, if set, is an equal dataset, that of
	// the reference: each changes its own.
	root *ast.Definition
	twin *dataset
}

func newEngines(tb testing.TB) *engines {
	tb.Helper()
	w := newDataset(tb)
	return &engines{dataset: w, fast: w.Server, reference: w.With(referenceOnly), root: graph.Schema().Query}
}

func referenceOnly(c *graph.Config) { c.ReferenceOnly = true }

// TestDifferential compares compiled plans with gqlgen's executor: thousands of
// operations, each sent to both by two viewers with their own variables, and compared
// byte by byte.
func TestDifferential(t *testing.T) {
	t.Parallel()
	engines, total := newEngines(t), newTotals(refusals()...)
	const shards = 8
	count := *operations
	if testing.Short() {
		count = min(count, 250)
	}
	t.Run("operations", func(t *testing.T) {
		for shard := range shards {
			t.Run(fmt.Sprint(shard), func(t *testing.T) {
				t.Parallel()
				for seed := shard; seed < count; seed += shards {
					if difference := engines.compare(t, randomChoices(uint64(seed)), total); difference != "" {
						t.Fatalf("operation %d: %s", seed, difference)
					}
				}
			})
		}
	})
	t.Log(total)
	total.check(t)
}

// FuzzDifferential is TestDifferential for operations of a fuzzer.
func FuzzDifferential(f *testing.F) {
	engines, total := newEngines(f), newTotals(refusals()...)
	for _, seed := range seedsOfNewUses(f, engines.dataset) {
		f.Add(randomChoices(seed))
	}
	f.Fuzz(func(t *testing.T, decisions []byte) {
		if difference := engines.compare(t, decisions, total); difference != "" {
			t.Fatal(difference)
		}
	})
}

// seedsOfNewUses returns seeds of operations that each use something rare.
func seedsOfNewUses(tb testing.TB, w *dataset) []uint64 {
	tb.Helper()
	const few = 3
	seeds, seen := []uint64{}, map[string]int{}
	for seed := range uint64(200) {
		fresh := false
		for use := range writeOperation(tb, w, graph.Schema().Query, randomChoices(seed)).uses {
			seen[use]++
			fresh = fresh || seen[use] <= few
		}
		if fresh {
			seeds = append(seeds, seed)
		}
	}
	return seeds
}

// TestDifferential_CanFail: the test finds a difference if either executor is wrong, with
// a known request and with random operations.
func TestDifferential_CanFail(t *testing.T) {
	t.Parallel()
	same := newEngines(t)
	for _, mistake := range []struct {
		what, viewer, shown string
		make                func(*graph.Config)
	}{
		{"a mask", "Admin", `{ patients { nodes { medicalHistory } } }`, func(c *graph.Config) { c.Policy = withHistoriesFor(t, model.Admin) }},
		{"a grant with one bit more", "Dina", `{ patients { nodes { medicalHistory } } }`, func(c *graph.Config) { c.Policy = withHistoriesFor(t, model.TeamDesk) }},
		{"the clock", "Admin", `{ patients { nodes { age } } }`, func(c *graph.Config) {
			later := c.Now().AddDate(1, 0, 0)
			c.Now = func() time.Time { return later }
		}},
	} {
		compiled, interpreted := *same, *same
		compiled.fast = same.With(mistake.make)
		interpreted.reference = same.With(func(c *graph.Config) { referenceOnly(c); mistake.make(c) })
		for side, engines := range map[string]engines{"compiled": compiled, "interpreted": interpreted} {
			t.Run(mistake.what+" "+side, func(t *testing.T) {
				t.Parallel()
				got, want := engines.ask(t, engines.viewer(mistake.viewer), request{Document: mistake.shown})
				if difference(t, got, want) == "" {
					t.Errorf("%s does not show it: %s", mistake.shown, got.Body)
				}
				engines.wantDifference(t)
			})
		}
	}
}

// wantDifference fails if random operations show no difference in an answer by a plan.
func (w *engines) wantDifference(t *testing.T) {
	t.Helper()
	const enough = 1_000
	for seed := range uint64(enough) {
		difference := w.compare(t, randomChoices(seed), newTotals(refusals()...))
		if strings.Contains(difference, answeredBy(graph.Compiled)) {
			_, parting, _ := strings.Cut(difference, partHere)
			t.Logf("found out by operation %d: %.400s", seed, parting)
			return
		}
	}
	t.Errorf("%d operations did not find it out", enough)
}

// withHistoriesFor returns the policy with one mask changed: others can read a patient's
// medicalHistory, too.
func withHistoriesFor(t *testing.T, others model.Relations) *model.Policy {
	t.Helper()
	changed, err := policy.Compile(graph.Schema())
	if err != nil {
		t.Fatal(err)
	}
	fields := changed.Types["Patient"].Fields
	rule := fields["medicalHistory"]
	rule.Read |= others
	fields["medicalHistory"] = rule
	return changed
}

// compare writes an operation, sends it to both executors in all its turns, and returns
// the first difference, or "".
func (w *engines) compare(t *testing.T, decisions []byte, total *totals) string {
	t.Helper()
	op := writeOperation(t, w.dataset, w.root, decisions)
	if _, err := gqlparser.LoadQueryWithRules(graph.Schema(), op.document, rules.NewDefaultRules()); err != nil {
		t.Fatalf("the writer made an operation that is not valid: %v\n%s", err, op.document)
	}
	total.operation(op)
	for _, ask := range op.asked {
		got, want := w.ask(t, ask.by, ask.request)
		if code := total.answer(op, want, got.Answered, !w.isOwnList(got.Answered) && got.Answered != plan.ReasonReads); code != "" {
			t.Fatalf("the writer made an operation that is answered %s\n%s\n%s", code, ask.body(t), want.Body)
		}
		if difference := difference(t, got, want); difference != "" {
			return fmt.Sprintf("asked by %s\n%s\n%s\n%s", ask.by.name, op.document, ask.body(t), difference)
		}
	}
	return ""
}

// ask sends a request to both executors.
func (w *engines) ask(t *testing.T, who viewer, r request) (got, want graphtest.Answer) {
	t.Helper()
	body, there := r.body(t), who
	if w.twin != nil {
		there = w.twin.same(who)
	}
	got, want = who.client.At(w.fast).In(t).Send(body), there.client.At(w.reference).In(t).Send(body)
	if w.twin != nil {
		got.Body, want.Body = timeless(got.Body), timeless(want.Body)
	}
	return got, want
}
