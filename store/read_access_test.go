package store_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/caregraph/caregraph/internal/pgpipe"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/query"
	"github.com/caregraph/caregraph/store/storetest"
)

// This file does for nested loads what access_test.go does for the rest of the store: on
// every way to a record, it exists for exactly the viewers, with exactly the relations,
// that the Go rules of access.go say. All viewers use the same nodes concurrently, as
// with plans.

func TestRead_AgreesWithGo(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	w := populate(t, c)
	for name, policy := range accessPolicies(t) {
		s := ok(store.Open(t.Context(), c.URL, store.Options{Policy: policy, Connections: 2}))(t)
		t.Cleanup(s.Close)
		trees := map[string]*tree{}
		for _, typ := range []string{"User", "Doctor", "Patient", "Mapping"} {
			trees[typ] = newTree(t, s, typ, false)
			trees[typ+" list"] = newTree(t, s, typ, true)
		}
		for who, v := range w.viewers {
			if v == nil {
				continue // read_isolation_test.go shows that nobody reads nothing
			}
			t.Run(name+"/"+who, func(t *testing.T) {
				t.Parallel()
				a := nestedAgreement{agreement{t, s, policy, w, v}, trees}
				for _, confirming := range []bool{false, v.SessionID != ""} {
					a.users(confirming)
					a.doctors(confirming)
					a.patients(confirming)
					a.mappings(confirming)
				}
			})
		}
	}
}

// accessPolicies are those of access_test.go, and some under which a mapping
// and its patient do not exist for the same viewers.
func accessPolicies(t *testing.T) map[string]*model.Policy {
	t.Helper()
	const patient, mapping = "type Patient implements Node @access(to: CIRCLE)", "type Mapping implements Node @access(to: CIRCLE)"
	return map[string]*model.Policy{
		"as it is": storetest.Policy(t),
		"a patient exists for its owner alone": storetest.Policy(t,
			patient, "type Patient implements Node @access(to: OWNER)",
			mapping, "type Mapping implements Node @access(to: OWNER)"),
		"a mapping exists for the owner of its patient alone": storetest.Policy(t,
			mapping, "type Mapping implements Node @access(to: OWNER)"),
		"a mapping exists for administrators alone": storetest.Policy(t,
			mapping, "type Mapping implements Node @access(to: ADMINS)"),
		"a mapping exists for nobody": storetest.Policy(t,
			mapping, "type Mapping implements Node @access(to: NOBODY)"),
		"patients and mappings are hidden from administrators": storetest.Policy(t,
			patient, "type Patient implements Node @access(to: CLINICAL)",
			mapping, "type Mapping implements Node @access(to: CLINICAL)"),
		"a doctor entry exists for those who keep it": storetest.Policy(t,
			"type Doctor implements Node @access(to: SIGNED_IN)", "type Doctor implements Node @access(to: PROFILE)"),
		"an account exists for itself": storetest.Policy(t,
			"type User implements Node @access(to: ACQUAINTED)", "type User implements Node @access(to: SELF)"),
		"the circle may restore a patient": storetest.Policy(t,
			"deletedAt: DateTime @owner(read: CIRCLE, write: OWNER)", "deletedAt: DateTime @owner(read: CIRCLE, write: CIRCLE)"),
	}
}

// tree is a record of a nested load with the records and lists below it.
type tree struct {
	typ    string
	node   *query.Node
	record *query.Join
	// id, relations and sortKey are columns; only the root of a list has the last.
	id, relations, sortKey int
	named                  map[string]*tree
	// mappings is the list of a patient or a doctor.
	mappings *tree
	// active is the argument isActive of the list.
	active *bool
}

// newTree returns a tree that contains each edge from type to type, some of them twice.
func newTree(t *testing.T, s *store.Store, typ string, list bool) *tree {
	t.Helper()
	node := nodeOf(t, s, typ)
	height := 3
	if typ == "Mapping" || typ == "User" {
		height = 2 // a patient or a doctor hangs on it, with mappings of its own
	}
	root := newBranch(node, node.Record(), typ, height)
	if list {
		root.sortKey = node.SortKey()
	}
	return root
}

var named = map[string]map[string]string{
	"User":    {"doctorProfile": "Doctor"},
	"Doctor":  {"account": "User", "createdBy": "User"},
	"Patient": {"createdBy": "User"},
	"Mapping": {"patient": "Patient", "doctor": "Doctor", "createdBy": "User"},
}

func newBranch(node *query.Node, record *query.Join, typ string, height int) *tree {
	r := &tree{typ: typ, node: node, record: record, named: map[string]*tree{}}
	if height > 0 && (typ != "User" || record == node.Record()) {
		for field, of := range named[typ] {
			joined, _ := record.One(field)
			r.named[field] = newBranch(node, joined, of, height-1)
		}
	}
	if height > 0 && (typ == "Patient" || typ == "Doctor") {
		below := mappingsOf(record)
		r.mappings = newBranch(below, below.Record(), "Mapping", height-1)
		if height%2 == 0 {
			r.active = new(true)
		}
	}
	r.id = record.ID()
	if height != 2 { // where nothing asks for them, they must be known below nevertheless
		r.relations = record.Relations()
	}
	return r
}

// nestedAgreement is one viewer under one policy.
type nestedAgreement struct {
	agreement

	trees map[string]*tree
}

// loaded has the loads of one request by their trees.
type loaded struct{ rows, counts map[*tree]*query.Load }

// load fetches a load with everything below it.
func (a nestedAgreement) load(r *tree, root *query.Load, confirming bool) loaded {
	a.Helper()
	got := loaded{map[*tree]*query.Load{r: root}, map[*tree]*query.Load{}}
	loads := []*query.Load{root}
	a.addLoads(r, root, got, &loads)
	if !confirming {
		if err := fetch(a.Context(), a.store, a.viewer, loads); err != nil {
			a.Fatal(err)
		}
		return got
	}
	v := ok(fetchConfirming(a.Context(), a.store, a.viewer, loads))(a.T)
	if v == nil || *v != *a.viewer {
		a.Fatalf("confirmed %v as %v", a.viewer, v)
	}
	return got
}

func (a nestedAgreement) addLoads(r *tree, above *query.Load, got loaded, loads *[]*query.Load) {
	for _, joined := range r.named {
		a.addLoads(joined, above, got, loads)
	}
	if r.mappings == nil {
		return
	}
	load := ok(r.mappings.node.ListOf(above, listArgs(model.PageArgs{First: new(100)}, r.active)))(a.T)
	got.rows[r.mappings], got.counts[r.mappings] = load, load.Count()
	*loads = append(*loads, got.rows[r.mappings], got.counts[r.mappings])
	a.addLoads(r.mappings, load, got, loads)
}

// record compares a record and everything below it.
func (a nestedAgreement) record(r *tree, got loaded, rows *pgpipe.Rows, n int) {
	id := rows.Int64(n, r.id)
	if r.relations > 0 {
		if said, want := model.Relations(rows.Int(n, r.relations)), a.data.relations(a.viewer, r.typ, id); said != want {
			a.Errorf("%s %d: SQL says %v, Go says %v", r.typ, id, said.Names(), want.Names())
		}
	}
	for field, joined := range r.named {
		want := a.edgeID(r.typ, field, id)
		said := int64(0)
		if _, exists := rows.Value(n, joined.id); exists {
			said = rows.Int64(n, joined.id)
		}
		if said != want {
			a.Errorf("%s %d names %d as its %s, want %d", r.typ, id, said, field, want)
		} else if said > 0 {
			a.record(joined, got, rows, n)
		}
	}
	if r.mappings != nil {
		a.below(r, got, id)
	}
}

// below compares the mappings of a record.
func (a nestedAgreement) below(r *tree, got loaded, parent int64) {
	want, said := []int64{}, []int64{}
	for _, m := range a.data.mappings {
		hangs := m.PatientID == parent && r.typ == "Patient" || m.DoctorID == parent && r.typ == "Doctor"
		if hangs && (r.active == nil || m.IsActive) && a.sees("Mapping", m.ID) {
			want = append(want, m.ID)
		}
	}
	rows := got.rows[r.mappings].Rows
	for n := range rows.Len() {
		if rows.Int64(n, query.Key) == parent {
			said = append(said, rows.Int64(n, r.mappings.id))
			a.record(r.mappings, got, rows, n)
		}
	}
	slices.Sort(said)
	if !slices.Equal(said, want) {
		a.Errorf("%s %d has the mappings %v, want %v", r.typ, parent, said, want)
	}
	counted := int64(0)
	counts := got.counts[r.mappings].Rows
	for n := range counts.Len() {
		if counts.Int64(n, query.Key) == parent {
			counted += counts.Int64(n, query.Key+1)
		}
	}
	if counted != int64(len(want)) {
		a.Errorf("%s %d has %d mappings, want %d", r.typ, parent, counted, len(want))
	}
}

// wantRecords compares the ids of a type.
func (a nestedAgreement) wantRecords(what string, said []int64, want map[int64]bool) {
	a.Helper()
	slices.Sort(said)
	if !slices.Equal(said, slices.Sorted(maps.Keys(want))) {
		a.Errorf("%s are %v, want %v", what, said, slices.Sorted(maps.Keys(want)))
	}
}
