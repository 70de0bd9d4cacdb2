package store_test

import (
	"fmt"
	"testing"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/query"
	"github.com/caregraph/caregraph/store/storetest"
)

// withWideColumn adds a wide column to the patients, so that they are never merged.
func withWideColumn(t *testing.T, c patientNodes) patientNodes {
	t.Helper()
	ok(c.patients.Record().Column("Address"))(t)
	return c
}

// TestMerge_ReadsWhatTwoStatementsDo: the same rows in the same order, for each viewer,
// page and filter, also with joined records.
func TestMerge_ReadsWhatTwoStatementsDo(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	w := populate(t, c)
	for _, who := range []string{"owner", "doctor who owns patients", "doctor with a verified and a deleted entry", "stranger", "administrator"} {
		t.Run(who, func(t *testing.T) {
			t.Parallel()
			for _, joined := range []bool{false, true} {
				merged, split := newPatientNodes(t, c.Store), withWideColumn(t, newPatientNodes(t, c.Store))
				if joined {
					for _, c := range []patientNodes{merged, split} {
						doctor, _ := c.below.Record().One("doctor")
						doctor.Present()
					}
				}
				for _, q := range patientQueries() {
					if got, want := merged.byPatient(t, w.viewers[who], q), split.byPatient(t, w.viewers[who], q); got != want {
						t.Fatalf("%s: merged\n%.300s\ntwo statements\n%.300s", q.what, got, want)
					}
				}
			}
		})
	}
}

// byPatient returns the patients of a query, each with its mappings.
func (c patientNodes) byPatient(t *testing.T, v *model.Viewer, q patientQuery) string {
	t.Helper()
	list := ok(c.patients.List(v, argsOf(q.patients)))(t)
	below := ok(c.below.ListOf(list, listArgs(q.below, q.active)))(t)
	testutil.Equal(t, "error", fetch(t.Context(), c.store, v, []*query.Load{list, below}), nil)
	text := ""
	for row := range min(list.Rows.Len(), list.Page().Limit) { // and not the one beyond the page
		id := list.Rows.Int64(row, 0)
		place, _ := list.Rows.Value(row, 1)
		text += fmt.Sprintf("\n%d %s:", id, place)
		for row := range below.Rows.Len() {
			if below.Rows.Int64(row, query.Key) == id {
				place, _ := below.Rows.Value(row, 2)
				text += fmt.Sprintf(" %d %s", below.Rows.Int64(row, 1), place)
			}
		}
	}
	return text
}

// TestMerge_OneRecordWithItsList: one doctor with its mappings.
func TestMerge_OneRecordWithItsList(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	w := populate(t, c)
	for who, v := range w.viewers {
		if v == nil {
			continue
		}
		for _, d := range append(w.doctors, &model.Doctor{ID: 999_999}) {
			load := func(bulky bool) string {
				node := nodeOf(t, c.Store, "Doctor")
				if bulky {
					ok(node.Record().Column("Address"))(t)
				}
				below := mappingsOf(node.Record())
				below.Record().ID()
				patient, _ := below.Record().One("patient")
				name := ok(patient.Column("Name"))(t)
				root := node.One(d.ID)
				list := ok(below.ListOf(root, listArgs(model.PageArgs{First: new(7)}, nil)))(t)
				testutil.Equal(t, "error", fetch(t.Context(), c.Store, v, []*query.Load{root, list}), nil)
				text := fmt.Sprint(root.Rows.Len(), list.Rows.Len())
				for row := range list.Rows.Len() {
					value, _ := list.Rows.Value(row, name)
					text += fmt.Sprintf(" %d %d %s", list.Rows.Int64(row, query.Key), list.Rows.Int64(row, 1), value)
				}
				return text
			}
			if got, want := load(false), load(true); got != want {
				t.Errorf("doctor %d for %s: merged %s, by two statements %s", d.ID, who, got, want)
			}
		}
	}
}

// TestMerge_OnlyWhereItCanBe: one statement for narrow records with one list, and one
// for each load otherwise.
func TestMerge_OnlyWhereItCanBe(t *testing.T) {
	t.Parallel()
	tracer := &statements{}
	c := storetest.New(t, func(o *store.Options) { o.Tracer = tracer })
	asha := ownerWithMapping(c)
	everywhere := PatientQuery{Deleted: model.DeletedInclude}
	for what, tc := range map[string]struct {
		fields []string
		query  PatientQuery
		lists  int
		want   int64
	}{
		"slim":                  {nil, PatientQuery{}, 1, 1},
		"four columns":          {[]string{"Name", "Phone"}, PatientQuery{}, 1, 1},
		"five columns":          {[]string{"Name", "Phone", "Gender"}, PatientQuery{}, 1, 2},
		"bulky":                 {[]string{"MedicalHistory"}, PatientQuery{}, 1, 2},
		"two lists":             {nil, PatientQuery{}, 2, 3},
		"deleted ones among it": {nil, everywhere, 1, 2},
	} {
		chart := newPatientNodes(t, c.Store)
		for _, field := range tc.fields {
			ok(chart.patients.Record().Column(field))(t)
		}
		list := ok(chart.patients.List(asha.Viewer, argsOf(tc.query)))(t)
		loads := []*query.Load{list}
		for range tc.lists {
			loads = append(loads, ok(chart.below.ListOf(list, listArgs(model.PageArgs{}, nil)))(t))
		}
		before := tracer.count.Load()
		testutil.Equal(t, "error", fetch(t.Context(), c.Store, asha.Viewer, loads), nil)
		testutil.Equal(t, "statements for "+what, tracer.count.Load()-before, tc.want)
		for _, load := range loads {
			testutil.Equal(t, "rows of "+what, load.Rows.Len(), 1)
		}
	}
}

// TestRead_OnlyPage reads no row beyond the page.
func TestRead_OnlyPage(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	asha.Patient("Arjun")
	asha.Patient("Bina")
	node := nodeOf(t, c.Store, "Patient")
	for _, only := range []bool{false, true} {
		list := ok(node.List(asha.Viewer, argsOf(PatientQuery{Page: model.PageArgs{First: new(1)}})))(t)
		want := 2
		if only {
			list.PageOnly()
			want = 1
		}
		testutil.Equal(t, "error", fetch(t.Context(), c.Store, asha.Viewer, []*query.Load{list}), nil)
		testutil.Equal(t, "rows", list.Rows.Len(), want)
	}
}
