package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/storetest"
)

// queue lets requests wait in this order for one shared trip.
type queue struct {
	t       *testing.T
	waiting func() int
	release func()
	gone    sync.WaitGroup
	queued  int
}

func newQueue(t *testing.T, s *store.Store) *queue {
	t.Helper()
	q := &queue{t: t}
	q.waiting, q.release = store.HoldTrips(s)
	return q
}

// add starts a request, and returns when it waits.
func (q *queue) add(request func()) {
	q.t.Helper()
	q.gone.Go(request)
	q.queued++
	for until := time.Now().Add(10 * time.Second); q.waiting() < q.queued; <-time.After(time.Millisecond) {
		if time.Now().After(until) {
			q.t.Fatal("the request waits for no trip")
		}
	}
}

// travel lets them go and returns when all are back.
func (q *queue) travel() {
	q.release()
	q.gone.Wait()
}

func TestTrips_OneForAllWhoWait(t *testing.T) {
	t.Parallel()
	c := storetest.New(t, oneConnection)
	q := newQueue(t, c.Store)
	before := store.ReadTrips(c.Store)
	const requests = 10
	for n := range requests {
		q.add(func() {
			want := fmt.Sprint("request ", n)
			if got, err := store.Share(t.Context(), c.Store, "SELECT '"+want+"'::text"); got != want || err != nil {
				t.Errorf("%q got %q, %v", want, got, err)
			}
		})
	}
	q.travel()
	wantSame(t, "trips", store.ReadTrips(c.Store)-before, 1)
}

// TestTrips_OfManyHaveManyAtMost: nobody is forgotten.
func TestTrips_OfManyHaveManyAtMost(t *testing.T) {
	t.Parallel()
	c := storetest.New(t, oneConnection)
	q := newQueue(t, c.Store)
	before := store.ReadTrips(c.Store)
	for range 40 {
		q.add(func() {
			if _, err := store.Share(t.Context(), c.Store, "SELECT 'x'::text"); err != nil {
				t.Error(err)
			}
		})
	}
	q.travel()
	wantSame(t, "trips of 16", store.ReadTrips(c.Store)-before, 3)
}

func TestTrips_FailureIsNobodyElses(t *testing.T) {
	t.Parallel()
	c := storetest.New(t, oneConnection)
	const requests = 5
	for bad := range requests {
		q := newQueue(t, c.Store)
		for n := range requests {
			q.add(func() {
				text := fmt.Sprintf("SELECT 'request %d'::text", n)
				if n == bad {
					text = fmt.Sprintf("SELECT (1 / %d)::text", 0)
				}
				got, err := store.Share(t.Context(), c.Store, text)
				if n == bad && err == nil || n != bad && (err != nil || got != fmt.Sprint("request ", n)) {
					t.Errorf("%d of those with %d bad: %q, %v", n, bad, got, err)
				}
			})
		}
		q.travel()
	}
}

// TestTrips_LeaderLeaves: the others travel all the same.
func TestTrips_LeaderLeaves(t *testing.T) {
	t.Parallel()
	c := storetest.New(t, oneConnection)
	q := newQueue(t, c.Store)
	before := store.ReadTrips(c.Store)
	leaders, leave := context.WithCancel(t.Context())
	q.add(func() { _, _ = store.Share(leaders, c.Store, "SELECT 'the leader'::text") })
	for range 3 {
		q.add(func() {
			if got, err := store.Share(t.Context(), c.Store, "SELECT 'x'::text"); got != "x" || err != nil {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
	leave()
	q.travel()
	wantSame(t, "trips", store.ReadTrips(c.Store)-before, 1)
}

// TestTrips_LeaderBreaksDown: the others are told, and so is who comes later.
func TestTrips_LeaderBreaksDown(t *testing.T) {
	t.Parallel()
	once := sync.OnceFunc(func() { panic("the leader breaks down") })
	watch := &watch{before: func(sql string) {
		if strings.Contains(sql, "the leader") {
			once()
		}
	}}
	c := storetest.New(t, oneConnection, func(o *store.Options) { o.Tracer = watch })
	q := newQueue(t, c.Store)
	q.add(func() {
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		_, _ = store.Share(t.Context(), c.Store, "SELECT 'the leader'::text")
	})
	for range 3 {
		q.add(func() {
			if got, err := store.Share(t.Context(), c.Store, "SELECT 'x'::text"); got != "x" || err != nil {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
	q.travel()
	wantSame(t, "the next one", ok(store.Share(t.Context(), c.Store, "SELECT 'y'::text"))(t), "y")
}

// TestTrips_EverybodyGetsTheirOwn, and what they wrote a moment ago, however many
// travel with them and fail.
func TestTrips_EverybodyGetsTheirOwn(t *testing.T) {
	t.Parallel()
	c := storetest.New(t, oneConnection)
	before := store.ReadTrips(c.Store)
	level := ok(c.Store.Level("Patient"))(t)
	name := ok(level.Record().Column("Name"))(t)
	const accounts, rounds = 12, 20
	var all []*model.Patient
	var owners []*storetest.Account
	for n := range accounts {
		owners = append(owners, c.Owner(fmt.Sprint("Owner", n)))
		all = append(all, owners[n].Patient(fmt.Sprint("Patient", n)))
	}
	var gone sync.WaitGroup
	for n, owner := range owners {
		gone.Go(func() {
			for round := range rounds {
				want := fmt.Sprintf("Patient %d %d", n, round)
				if _, err := c.DB.ExecContext(t.Context(), "UPDATE patients SET name = ? WHERE id = ?", want, all[n].ID); err != nil {
					t.Error(err)
					return
				}
				own, others := level.ReadOne(all[n].ID), level.ReadOne(all[(n+1)%accounts].ID)
				if err := c.Store.Read(t.Context(), owner.Viewer, []*store.Read{own, others}); err != nil {
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
				if n%4 == 0 {
					_, _ = store.Share(t.Context(), c.Store, "SELECT (1 / 0)::text")
				}
			}
		})
	}
	gone.Wait()
	if trips := store.ReadTrips(c.Store) - before; trips >= accounts*rounds {
		t.Errorf("%d trips for %d reads: none was shared", trips, accounts*rounds)
	}
}

// TestTrips_WhoWaitsCanLeave, and those who stay are not forgotten.
func TestTrips_WhoWaitsCanLeave(t *testing.T) {
	t.Parallel()
	c := storetest.New(t, oneConnection)
	q := newQueue(t, c.Store)
	impatient, leave := context.WithCancel(t.Context())
	left := make(chan struct{})
	for n := range 3 {
		q.add(func() {
			if n != 1 {
				if got, err := store.Share(t.Context(), c.Store, "SELECT 'x'::text"); got != "x" || err != nil {
					t.Errorf("%q, %v", got, err)
				}
				return
			}
			defer close(left)
			if _, err := store.Share(impatient, c.Store, "SELECT 'y'::text"); !errors.Is(err, context.Canceled) {
				t.Errorf("error is %v", err)
			}
		})
	}
	leave()
	<-left
	wantSame(t, "who waits", q.waiting(), 2)
	q.travel()
}

func TestLookups(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	v := c.Owner("Asha").Viewer
	patients, doctors := ok(c.Store.Level("Patient"))(t), ok(c.Store.Level("Doctor"))(t)
	page := ok(patients.ReadPatients(v, store.PatientQuery{}))(t)
	with := func(parent *store.Read, of *store.Level, first int) []*store.Read {
		below := c.Store.LevelOf(of.Record())
		list := ok(below.ReadMappingsOf(parent, of.Record(), model.PageArgs{First: &first}, nil))(t)
		return []*store.Read{parent, list}
	}
	for name, is := range map[string]struct {
		reads []*store.Read
		want  bool
	}{
		"one":                         {[]*store.Read{patients.ReadOne(1)}, true},
		"some":                        {[]*store.Read{patients.ReadByIDs([]int64{1, 2})}, true},
		"some of two kinds":           {[]*store.Read{patients.ReadByIDs([]int64{1}), doctors.ReadByIDs([]int64{2})}, false},
		"one with mappings":           {with(patients.ReadOne(1), patients, 50), true},
		"one with very many mappings": {with(patients.ReadOne(1), patients, 100), false},
		"some with mappings":          {with(patients.ReadByIDs([]int64{1, 2}), patients, 5), false},
		"a doctor with mappings":      {with(doctors.ReadOne(1), doctors, 5), false},
		"a page":                      {[]*store.Read{page}, false},
		"lists of a page":             {with(page, patients, 5), false},
		"a number":                    {[]*store.Read{page.Count()}, false},
		"a number of one's mappings":  {[]*store.Read{patients.ReadOne(1), with(patients.ReadOne(1), patients, 5)[1].Count()}, false},
		"specializations":             {[]*store.Read{doctors.ReadSpecializations()}, false},
		"nothing (but a session)":     {nil, true},
	} {
		if got := store.Lookups(c.Store, v, is.reads); got != is.want {
			t.Errorf("%s: %v, want %v", name, got, is.want)
		}
	}
}

// TestLookups_OwnEntry: what a doctor's list costs is known of the viewer's own,
// and of no other.
func TestLookups_OwnEntry(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	rao, own := c.Doctor("Rao")
	menon, other := c.Doctor("Menon")
	unverified := c.DoctorAccount("Iyer")
	pending := unverified.OwnEntry("Dr. Iyer")
	doctors, mappings := ok(c.Store.Level("Doctor"))(t), ok(c.Store.Level("Mapping"))(t)
	named, _ := mappings.Record().Join("doctor")
	below, belowNamed := c.Store.LevelOf(doctors.Record()), c.Store.LevelOf(named)
	list := func(parent *store.Read, level *store.Level, on *store.Record, active *bool) []*store.Read {
		return []*store.Read{parent, ok(level.ReadMappingsOf(parent, on, model.PageArgs{}, active))(t)}
	}
	of := func(id int64, active *bool) []*store.Read {
		return list(doctors.ReadOne(id), below, doctors.Record(), active)
	}
	wantLookups := func(what string, v *model.Viewer, reads []*store.Read, want bool) {
		t.Helper()
		wantSame(t, what, store.Lookups(c.Store, v, reads), want)
	}
	wantLookups("before the session was asked for", rao.Viewer, of(own.ID, new(true)), false)
	for _, account := range []*storetest.Account{rao, menon, unverified} {
		ok(c.Store.SessionViewer(t.Context(), account.SessionID))(t)
	}
	wantLookups("the own active ones", rao.Viewer, of(own.ID, new(true)), true)
	wantLookups("the own ended ones", rao.Viewer, of(own.ID, new(false)), false)
	wantLookups("all of the own", rao.Viewer, of(own.ID, nil), false)
	wantLookups("another's", rao.Viewer, of(other.ID, new(true)), false)
	wantLookups("those of one not verified", unverified.Viewer, of(pending.ID, new(true)), false)
	wantLookups("those of many", rao.Viewer, list(doctors.ReadByIDs([]int64{own.ID}), below, doctors.Record(), new(true)), false)
	wantLookups("those of a mapping's doctor", rao.Viewer,
		list(mappings.ReadOne(own.ID), belowNamed, named, new(true)), false)
}
