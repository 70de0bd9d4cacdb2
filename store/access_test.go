package store_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/query"
	"github.com/caregraph/caregraph/store/storetest"
)

// This file compares the Go and the SQL of access.go: for every kind of viewer, row and
// policy, SQL returns exactly the rows, with exactly the relations, that Go computes
// from all rows.

func TestAccess_SQLAgreesWithGo(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	w := populate(t, c)
	policies := map[string]*model.Policy{
		"as it is": storetest.Policy(t),
		"a patient exists for its owner alone": storetest.Policy(t,
			"type Patient implements Node @access(to: CIRCLE)", "type Patient implements Node @access(to: OWNER)",
			"type Mapping implements Node @access(to: CIRCLE)", "type Mapping implements Node @access(to: OWNER)"),
		"patients and mappings are hidden from administrators": storetest.Policy(t,
			"type Patient implements Node @access(to: CIRCLE)", "type Patient implements Node @access(to: CLINICAL)",
			"type Mapping implements Node @access(to: CIRCLE)", "type Mapping implements Node @access(to: CLINICAL)"),
		"a doctor entry exists for those who keep it": storetest.Policy(t,
			"type Doctor implements Node @access(to: SIGNED_IN)", "type Doctor implements Node @access(to: PROFILE)"),
		"an account exists for itself": storetest.Policy(t,
			"type User implements Node @access(to: ACQUAINTED)", "type User implements Node @access(to: SELF)"),
		"the circle may restore a patient": storetest.Policy(t,
			"deletedAt: DateTime @owner(read: CIRCLE, write: OWNER)", "deletedAt: DateTime @owner(read: CIRCLE, write: CIRCLE)"),
	}
	for name, policy := range policies {
		s := ok(store.Open(t.Context(), c.URL, store.Options{Policy: policy, Connections: 2}))(t)
		t.Cleanup(s.Close)
		for _, mask := range []model.Relations{policy.Types["Patient"].Exists, policy.Types["Mapping"].Exists, model.Self, model.TeamDesk} {
			agreement{t, s, policy, w, nil}.audience(mask)
		}
		for who, v := range w.viewers {
			t.Run(name+"/"+who, func(t *testing.T) {
				t.Parallel()
				a := agreement{t, s, policy, w, v}
				a.users()
				a.doctors()
				a.patients()
				a.mappings()
				a.transfers()
			})
		}
	}
}

// agreement is one viewer under one policy.
type agreement struct {
	*testing.T

	store  *store.Store
	policy *model.Policy
	data   *dataset
	viewer *model.Viewer
}

// exists says in Go whether a row exists for the viewer.
func (a agreement) exists(typ string, r model.Relations, live bool, deleted model.DeletedFilter) bool {
	rule := a.policy.Types[typ]
	if a.viewer == nil || !rule.Exists.Any(r) {
		return false
	}
	restorable := rule.Fields["deletedAt"].Write.Any(r)
	switch deleted {
	case model.DeletedInclude:
		return live || restorable
	case model.DeletedOnly:
		return !live && restorable
	default:
		return live
	}
}

// expected is the relations of the rows that exist.
type expected map[int64]model.Relations

func compare[T model.Node](a agreement, what string, want expected, rows []T, err error) {
	a.Helper()
	if err != nil {
		a.Fatalf("%s: %v", what, err)
	}
	got := expected{}
	for _, row := range rows {
		got[row.NodeID().Num] = row.ViewerRelations()
	}
	if !maps.Equal(got, want) || len(rows) != len(want) {
		a.Errorf("%s: SQL says %v, Go says %v", what, got, want)
	}
}

func (a agreement) total(what string, want int, got int, err error) {
	a.Helper()
	if err != nil || got != want {
		a.Errorf("%s: SQL counts %d (%v), Go counts %d", what, got, err, want)
	}
}

func (a agreement) users() {
	want, ids := expected{}, []int64{}
	for _, u := range a.data.users {
		ids = append(ids, u.ID)
		if r := a.data.relations(a.viewer, "User", u.ID); a.exists("User", r, true, "") {
			want[u.ID] = r
		}
	}
	rows, err := UsersByIDs(a.Context(), a.store, a.viewer, ids)
	compare(a, "users by id", want, rows, err)
}

func (a agreement) transfers() {
	want, ids := expected{}, []int64{}
	for _, t := range a.data.transfers {
		ids = append(ids, t.ID)
		if r := store.TransferRelations(a.viewer, t); a.exists("Transfer", r, true, "") {
			want[t.ID] = r
		}
	}
	rows, err := recordsOf[*model.Transfer](a.store.GetMany(a.Context(), a.viewer, "Transfer", ids))
	compare(a, "transfers by id", want, rows, err)
}

func (a agreement) doctors() {
	for _, deleted := range []model.DeletedFilter{model.DeletedExclude, model.DeletedInclude, model.DeletedOnly} {
		want, ids := expected{}, []int64{}
		for _, d := range a.data.doctors {
			ids = append(ids, d.ID)
			if r := store.DoctorRelations(a.viewer, d); a.exists("Doctor", r, d.DeletedAt == nil, deleted) {
				want[d.ID] = r
			}
		}
		q := DoctorQuery{Deleted: deleted}
		compare(a, fmt.Sprintf("doctors, deleted %s", deleted), want, everyPage(a.T, a.listDoctors(q), 100, false), nil)
		n, err := CountDoctors(a.Context(), a.store, a.viewer, q)
		a.total("doctors", len(want), n, err)
		if deleted == model.DeletedExclude {
			rows, err := DoctorsByIDs(a.Context(), a.store, a.viewer, ids)
			compare(a, "doctors by id", want, rows, err)
		}
	}
}

func (a agreement) listDoctors(q DoctorQuery) page[*model.Doctor] {
	return func(ctx context.Context, args model.PageArgs) (*list[*model.Doctor], error) {
		q.Page = args
		return Doctors(ctx, a.store, a.viewer, q)
	}
}

func (a agreement) patients() {
	for _, deleted := range []model.DeletedFilter{model.DeletedExclude, model.DeletedInclude, model.DeletedOnly} {
		want := expected{}
		for id, p := range a.data.patients {
			if r := store.PatientRelations(a.viewer, p, a.data.assignments[id], a.data.grants); a.exists("Patient", r, p.DeletedAt == nil, deleted) {
				want[id] = r
			}
		}
		q := PatientQuery{Deleted: deleted}
		read := func(ctx context.Context, args model.PageArgs) (*list[*model.Patient], error) {
			q.Page = args
			return Patients(ctx, a.store, a.viewer, q)
		}
		compare(a, fmt.Sprintf("patients, deleted %s", deleted), want, everyPage(a.T, read, 100, false), nil)
		a.planned("Patient", argsOf(PatientQuery{Deleted: deleted, Page: model.PageArgs{First: new(model.MaxPage)}}), want)
		n, err := CountPatients(a.Context(), a.store, a.viewer, q)
		a.total("patients", len(want), n, err)
		if deleted == model.DeletedExclude {
			rows, err := PatientsByIDs(a.Context(), a.store, a.viewer, slices.Collect(maps.Keys(a.data.patients)))
			compare(a, "patients by id", want, rows, err)
		}
	}
}

// mappings reads mappings by scan, by their ids, and by the ids of their parents.
func (a agreement) mappings() {
	want, ids, ofPatient := expected{}, []int64{}, map[int64]expected{}
	for id, p := range a.data.patients {
		ofPatient[id] = expected{}
		for _, care := range a.data.assignments[id] {
			m := care.Mapping
			ids = append(ids, m.ID)
			if r := store.PatientRelations(a.viewer, p, a.data.assignments[id], a.data.grants); a.exists("Mapping", r, p.DeletedAt == nil, "") {
				want[m.ID], ofPatient[id][m.ID] = r, r
			}
		}
	}
	rows, err := MappingsByIDs(a.Context(), a.store, a.viewer, ids)
	compare(a, "mappings by id", want, rows, err)
	read := func(ctx context.Context, args model.PageArgs) (*list[*model.Mapping], error) {
		return Mappings(ctx, a.store, a.viewer, MappingQuery{Page: args})
	}
	compare(a, "mappings", want, everyPage(a.T, read, 100, false), nil)
	a.planned("Mapping", argsOf(MappingQuery{Page: model.PageArgs{First: new(model.MaxPage)}}), want)
	n, err := CountMappings(a.Context(), a.store, a.viewer, MappingQuery{})
	a.total("mappings", len(want), n, err)
	a.mappingsOfPatients(ofPatient)
}

// planned compares the first page of a list as plans read it. The relations to the patient
// of a mapping are those to the mapping.
func (a agreement) planned(typ string, args query.Args, want expected) {
	if a.viewer == nil {
		return // plans are for those who have signed in
	}
	node := nodeOf(a.T, a.store, typ)
	columns := []int{node.Record().Relations()}
	if patient, found := node.Record().One("patient"); found {
		columns = append(columns, patient.Relations())
	}
	load, err := node.List(a.viewer, args)
	if err == nil {
		err = fetch(a.Context(), a.store, a.viewer, []*query.Load{load})
	}
	if err != nil {
		a.Fatalf("planned %s: %v", typ, err)
	}
	if n := load.Rows.Len(); n != min(len(want), model.MaxPage+1) {
		a.Errorf("planned %s: %d rows of %d", typ, n, len(want))
	}
	for row := range load.Rows.Len() {
		id := load.Rows.Int64(row, query.Key)
		for _, column := range columns {
			if got := model.Relations(load.Rows.Int(row, column)); got != want[id] {
				a.Errorf("planned %s %d: SQL says %v, Go says %v", typ, id, got.Names(), want[id].Names())
			}
		}
	}
}

func (a agreement) mappingsOfPatients(want map[int64]expected) {
	parents := slices.Collect(maps.Keys(want))
	lists, err := MappingsOf(a.Context(), a.store, a.viewer, ofPatient, parents, model.PageArgs{}, nil)
	if err != nil {
		a.Fatal(err)
	}
	totals, err := CountMappingsOf(a.Context(), a.store, a.viewer, ofPatient, parents, nil)
	for id, of := range want {
		compare(a, "mappings of a patient", of, lists[id].Rows, nil)
		a.total("mappings of a patient", len(of), totals[id], err)
		l, err := Mappings(a.Context(), a.store, a.viewer, MappingQuery{PatientID: &id})
		if err != nil {
			a.Fatal(err)
		}
		compare(a, "mappings by patient", of, l.Rows, nil)
	}
}

func TestOpen_RefusesPolicyUnderWhichOneEndTellsWhatTheOtherHides(t *testing.T) {
	t.Parallel()
	for edit, want := range map[[2]string]string{
		{"doctorProfile: Doctor @owner(read: PROFILE)", "doctorProfile: Doctor @owner(read: SIGNED_IN)"}:                                        "User.doctorProfile and Doctor.account",
		{"account: User @owner(read: PROFILE, write: ADMINS)", "account: User @owner(read: ADMINS, write: ADMINS)"}:                             "User.doctorProfile and Doctor.account",
		{"patient: Patient @owner(read: CIRCLE)", "patient: Patient @owner(read: OWNER)"}:                                                       "Patient.mappings and Mapping.patient",
		{"doctor: Doctor @owner(read: CIRCLE)", "doctor: Doctor @owner(read: CLINICAL)"}:                                                        "Doctor.mappings and Mapping.doctor",
		{"): PatientDoctorConnection! @owner(read: CIRCLE, write: KEEPERS)", "): PatientDoctorConnection @owner(read: CLINICAL, write: OWNER)"}: "Patient.doctors and Doctor.patients",
	} {
		_, err := store.Open(t.Context(), storetest.Database(t), store.Options{Policy: storetest.Policy(t, edit[0], edit[1])})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", edit[1], err, want)
		}
	}
}

func TestOpen_RefusesPolicyUnderWhichASearchTells(t *testing.T) {
	t.Parallel()
	hidden := storetest.Policy(t, "email: EmailAddress @owner(read: CIRCLE, write: CONTACTS)", "email: EmailAddress @owner(read: OWNER, write: OWNER)")
	_, err := store.Open(t.Context(), storetest.Database(t), store.Options{Policy: hidden})
	if err == nil || !strings.Contains(err.Error(), "Patient.email is searched") {
		t.Fatalf("error is %v", err)
	}
}
