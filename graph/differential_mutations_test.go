package graph_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caregraph/caregraph/graph"
	"github.com/caregraph/caregraph/graph/gen"
	"github.com/caregraph/caregraph/internal/auth"
	"github.com/caregraph/caregraph/internal/policy"
	"github.com/caregraph/caregraph/model"
)

// newTwins returns executors of mutations over two equal datasets. They hide some fields
// from those who change the records, and have changed configurations.
func newTwins(tb testing.TB, fast, reference func(*graph.Config)) *engines {
	tb.Helper()
	hidden := func(c *graph.Config) {
		c.Policy = withReaders(tb, model.Admin, "Patient.bloodGroup", "Patient.medicalHistory", "Doctor.deletedAt", "Mapping.notes", "User.email")
	}
	one, other := newDataset(tb), newDataset(tb)
	for _, w := range []*dataset{one, other} { // the records of a dataset have ids of their own
		plenty := auth.Budget{Burst: 1_000_000, Every: time.Hour}
		w.Accounts.Throttle.Budgets.Taken, w.Accounts.Throttle.Budgets.AddressTaken = plenty, plenty
		w.Exec("SELECT setval(pg_get_serial_sequence('patients', 'id'), 1000), setval(pg_get_serial_sequence('doctors', 'id'), 1000)," +
			" setval(pg_get_serial_sequence('mappings', 'id'), 1000), setval(pg_get_serial_sequence('grants', 'id'), 1000)," +
			" setval(pg_get_serial_sequence('notices', 'id'), 1000), setval(pg_get_serial_sequence('security_events', 'id'), 1000)," +
			" setval(pg_get_serial_sequence('transfers', 'id'), 1000)")
	}
	return &engines{
		dataset: one, twin: other, root: graph.Schema().Mutation,
		fast:      one.With(func(c *graph.Config) { hidden(c); fast(c) }),
		reference: other.With(func(c *graph.Config) { referenceOnly(c); hidden(c); reference(c) }),
	}
}

func unchanged(*graph.Config) {}

// withReaders returns the policy, except that only the readers can read the fields.
func withReaders(tb testing.TB, readers model.Relations, fields ...string) *model.Policy {
	tb.Helper()
	changed, err := policy.Compile(graph.Schema())
	if err != nil {
		tb.Fatal(err)
	}
	for _, path := range fields {
		typ, field, _ := strings.Cut(path, ".")
		rule := changed.Types[typ].Fields[field]
		rule.Read = readers
		changed.Types[typ].Fields[field] = rule
	}
	return changed
}

// same returns the viewer of this dataset with the name of another one.
func (w *dataset) same(who viewer) viewer {
	all := append(slices.Clone(w.outsiders), w.viewers...)
	return all[slices.IndexFunc(all, func(v viewer) bool { return v.name == who.name })]
}

// timeless omits from an answer the times that the database sets, cursors with them, and
// random codes.
func timeless(body string) string {
	return regexp.MustCompile(`"\d{4}-\d\d-\d\dT[^"]*Z"|"Wy[IJ][\w-]*"|"[0-9A-Z]{5}-[0-9A-Z]{5}"`).ReplaceAllString(body, `"time"`)
}

// TestDifferential_Mutations is TestDifferential for mutations. Both datasets change in
// the same way, one operation after another.
func TestDifferential_Mutations(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("-short: the coverage that this test demands needs all its operations")
	}
	twins, total := newTwins(t, unchanged, unchanged), newTotals(refusals()...)
	for seed := range *operations / 5 {
		if difference := twins.compare(t, randomChoices(uint64(seed)), total); difference != "" {
			t.Fatalf("operation %d: %s", seed, difference)
		}
	}
	t.Log(total)
	for _, code := range append(total.refused, "FORBIDDEN_FIELD") {
		if code != "INVALID_CURSOR" && total.codes[code] == 0 {
			t.Errorf("no error %s was seen", code)
		}
	}
	schema := graph.Schema()
	for name := range gen.Mutations {
		if total.planned["Mutation."+name] == 0 {
			t.Errorf("no plan has answered %s", name)
		}
		payload := schema.Types[schema.Mutation.Fields.ForName(name).Type.Name()]
		for _, field := range payload.Fields {
			if use := payload.Name + "." + field.Name; total.planned[use] == 0 {
				t.Errorf("no plan has answered %s", use)
			}
		}
	}
	for _, root := range schema.Query.Fields {
		if use := "Query." + root.Name; !strings.HasPrefix(root.Name, "__") && total.planned[use] == 0 {
			t.Errorf("no plan has answered a payload with %s", use)
		}
	}
	for _, use := range append(features(), answeredFields()...) {
		if use != "cursor" && total.planned[use] == 0 {
			t.Errorf("no plan has answered an operation with %s", use)
		}
	}
	if total.how[graph.Compiled]*4 < total.answers || total.codes["FORBIDDEN_FIELD"] == 0 {
		t.Errorf("only %d of %d answers came from plans", total.how[graph.Compiled], total.answers)
	}
}

// answeredFields returns the fields of payloads that plans answer: all that read nothing.
func answeredFields() (all []string) {
	schema := graph.Schema()
	for _, def := range answerTypes(schema, schema.Mutation) {
		for _, field := range def.Fields {
			below := schema.Types[field.Type.Name()]
			isRecord := slices.Contains(def.Interfaces, "Node")
			if isRecord && !below.IsCompositeType() || slices.Contains([]string{"UserError", "ErrorParam", "ViewerAccess"}, def.Name) {
				all = append(all, def.Name+"."+field.Name)
			}
		}
	}
	return all
}

// TestDifferential_MutationsCanFail: the test finds a difference if either executor is
// wrong.
func TestDifferential_MutationsCanFail(t *testing.T) {
	t.Parallel()
	for what, mistake := range map[string]func(*graph.Config){
		"a mask":    func(c *graph.Config) { c.Policy = withReaders(t, model.Admin) },
		"the clock": func(c *graph.Config) { later := c.Now().AddDate(1, 0, 0); c.Now = func() time.Time { return later } },
	} {
		t.Run(what+" compiled", func(t *testing.T) {
			t.Parallel()
			newTwins(t, mistake, unchanged).wantDifference(t)
		})
		t.Run(what+" interpreted", func(t *testing.T) {
			t.Parallel()
			newTwins(t, unchanged, mistake).wantDifference(t)
		})
	}
}
