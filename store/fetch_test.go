package store_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/query"
	"github.com/caregraph/caregraph/store/storetest"
)

// TestFetch_SharedRoundTripsDoNotMixViewers: each viewer gets its own rows with its
// latest writes, also if other requests in the round trip fail.
func TestFetch_SharedRoundTripsDoNotMixViewers(t *testing.T) {
	t.Parallel()
	c := storetest.New(t, oneConnection)
	node := nodeOf(t, c.Store, "Patient")
	name := ok(node.Record().Column("Name"))(t)
	const accounts, rounds = 12, 20
	var all []*model.Patient
	var owners []*storetest.Account
	for n := range accounts {
		owners = append(owners, c.Owner(fmt.Sprint("Owner", n)))
		all = append(all, owners[n].Patient(fmt.Sprint("Patient", n)))
	}
	run := func(n, round int, failing bool) {
		want := fmt.Sprintf("Patient %d %d %t", n, round, failing)
		if _, err := c.DB.ExecContext(t.Context(), "UPDATE patients SET name = ? WHERE id = ?", want, all[n].ID); err != nil {
			t.Error(err)
			return
		}
		own, others := node.One(all[n].ID), node.One(all[(n+1)%accounts].ID)
		if err := fetch(t.Context(), c.Store, owners[n].Viewer, []*query.Load{own, others}); err != nil {
			t.Error(err)
			return
		}
		if own.Rows.Len() != 1 || others.Rows.Len() != 0 {
			t.Errorf("%d of the own, %d of others", own.Rows.Len(), others.Rows.Len())
			return
		}
		if got, _ := own.Rows.Value(0, name); string(got) != want {
			t.Errorf("got %q, want %q", got, want)
		}
		own.Rows.Release()
		if failing && n%4 == 0 {
			_ = store.RunShared(t.Context(), c.Store, "SELECT (1 / 0)::text")
		}
	}
	// Requests that share a failing round trip retry alone, so only the first phase
	// counts round trips.
	for _, failing := range []bool{false, true} {
		before := store.ReadRoundTrips(c.Store)
		var running sync.WaitGroup
		for n := range accounts {
			running.Go(func() {
				for round := range rounds {
					run(n, round, failing)
				}
			})
		}
		running.Wait()
		if roundTrips := store.ReadRoundTrips(c.Store) - before; !failing && roundTrips >= accounts*rounds {
			t.Errorf("%d round trips for %d reads: none was shared", roundTrips, accounts*rounds)
		}
	}
}

func TestBounded(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	v := c.Owner("Asha").Viewer
	patients, doctors := nodeOf(t, c.Store, "Patient"), nodeOf(t, c.Store, "Doctor")
	page := ok(patients.List(v, argsOf(PatientQuery{})))(t)
	with := func(parent *query.Load, of *query.Node, first int) []*query.Load {
		below := mappingsOf(of.Record())
		list := ok(below.ListOf(parent, listArgs(model.PageArgs{First: &first}, nil)))(t)
		return []*query.Load{parent, list}
	}
	for name, is := range map[string]struct {
		reads []*query.Load
		want  bool
	}{
		"one":                         {[]*query.Load{patients.One(1)}, true},
		"some":                        {[]*query.Load{patients.ByIDs([]int64{1, 2})}, true},
		"some of two kinds":           {[]*query.Load{patients.ByIDs([]int64{1}), doctors.ByIDs([]int64{2})}, false},
		"one with mappings":           {with(patients.One(1), patients, 50), true},
		"one with very many mappings": {with(patients.One(1), patients, 100), false},
		"some with mappings":          {with(patients.ByIDs([]int64{1, 2}), patients, 5), false},
		"a doctor with mappings":      {with(doctors.One(1), doctors, 5), false},
		"a page":                      {[]*query.Load{page}, false},
		"lists of a page":             {with(page, patients, 5), false},
		"a number":                    {[]*query.Load{page.Count()}, false},
		"a number of one's mappings":  {[]*query.Load{patients.One(1), with(patients.One(1), patients, 5)[1].Count()}, false},
		"specializations":             {[]*query.Load{specializations(doctors)}, false},
		"nothing (but a session)":     {nil, true},
	} {
		if got := store.Bounded(c.Store, v, is.reads); got != is.want {
			t.Errorf("%s: %v, want %v", name, got, is.want)
		}
	}
}

// TestBounded_LongTexts: few of them may share a round trip, many may not.
func TestBounded_LongTexts(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	v := c.Owner("Asha").Viewer
	ids := func(n int) (all []int64) {
		for id := range n {
			all = append(all, int64(id+1))
		}
		return all
	}
	for _, is := range []struct {
		name  string
		texts []string
		of    int
		want  bool
	}{
		{"one long text of one patient", []string{"MedicalHistory"}, 1, true},
		{"both of one", []string{"MedicalHistory", "Address"}, 1, true},
		{"both of two", []string{"MedicalHistory", "Address"}, 2, true},
		{"both of three", []string{"MedicalHistory", "Address"}, 3, false},
		{"one text of five", []string{"Address"}, 5, true},
		{"one text of a hundred", []string{"Address"}, 100, false},
		{"one text, read twice, of five", []string{"Address", "Address"}, 5, true},
		{"short values of a hundred", []string{"Name", "Phone", "Email"}, 100, true},
	} {
		patients := nodeOf(t, c.Store, "Patient")
		for _, field := range is.texts {
			ok(patients.Record().Column(field))(t)
		}
		load := patients.ByIDs(ids(is.of))
		if got := store.Bounded(c.Store, v, []*query.Load{load}); got != is.want {
			t.Errorf("%s: %v, want %v", is.name, got, is.want)
		}
	}
}

// TestBounded_OwnEntry: the cost of a doctor's list is known for the viewer's own entry
// only.
func TestBounded_OwnEntry(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	rao, own := c.Doctor("Rao")
	menon, other := c.Doctor("Menon")
	unverified := c.DoctorAccount("Iyer")
	pending := unverified.OwnEntry("Dr. Iyer")
	doctors, mappings := nodeOf(t, c.Store, "Doctor"), nodeOf(t, c.Store, "Mapping")
	named, _ := mappings.Record().One("doctor")
	below, belowNamed := mappingsOf(doctors.Record()), mappingsOf(named)
	list := func(parent *query.Load, node *query.Node, active *bool) []*query.Load {
		return []*query.Load{parent, ok(node.ListOf(parent, listArgs(model.PageArgs{}, active)))(t)}
	}
	of := func(id int64, active *bool) []*query.Load {
		return list(doctors.One(id), below, active)
	}
	wantBounded := func(what string, v *model.Viewer, loads []*query.Load, want bool) {
		t.Helper()
		testutil.Equal(t, what, store.Bounded(c.Store, v, loads), want)
	}
	wantBounded("before the session was asked for", rao.Viewer, of(own.ID, new(true)), false)
	for _, account := range []*storetest.Account{rao, menon, unverified} {
		ok(c.Store.SessionViewer(t.Context(), account.SessionID))(t)
	}
	wantBounded("the own active ones", rao.Viewer, of(own.ID, new(true)), true)
	wantBounded("the own ended ones", rao.Viewer, of(own.ID, new(false)), false)
	wantBounded("all of the own", rao.Viewer, of(own.ID, nil), false)
	wantBounded("another's", rao.Viewer, of(other.ID, new(true)), false)
	wantBounded("those of one not verified", unverified.Viewer, of(pending.ID, new(true)), false)
	wantBounded("those of many", rao.Viewer, list(doctors.ByIDs([]int64{own.ID}), below, new(true)), false)
	wantBounded("those of a mapping's doctor", rao.Viewer,
		list(mappings.One(own.ID), belowNamed, new(true)), false)
}
