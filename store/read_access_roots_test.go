package store_test

import (
	"fmt"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/query"
)

// The roots of read_access_test.go: every kind of load at the root.

func (a nestedAgreement) users(confirming bool) {
	r, want, ids := a.trees["User"], map[int64]bool{}, []int64{}
	for _, u := range a.data.users {
		ids = append(ids, u.ID)
		if a.sees("User", u.ID) {
			want[u.ID] = true
		}
	}
	a.byIDs(r, ids, want, confirming)
}

func (a nestedAgreement) doctors(confirming bool) {
	r, list := a.trees["Doctor"], a.trees["Doctor list"]
	for _, deleted := range filters {
		want, ids := map[int64]bool{}, []int64{}
		for _, d := range a.data.doctors {
			ids = append(ids, d.ID)
			if a.exists("Doctor", store.DoctorRelations(a.viewer, d), d.DeletedAt == nil, deleted) {
				want[d.ID] = true
			}
		}
		a.list(fmt.Sprintf("doctors, deleted %s", deleted), list, want, confirming, func(page model.PageArgs) (*query.Load, error) {
			return list.node.List(a.viewer, argsOf(DoctorQuery{Deleted: deleted, Page: page}))
		})
		if deleted == model.DeletedExclude {
			a.byIDs(r, ids, want, confirming)
		}
	}
}

func (a nestedAgreement) patients(confirming bool) {
	r, list := a.trees["Patient"], a.trees["Patient list"]
	for _, deleted := range filters {
		want, ids := map[int64]bool{}, []int64{}
		for id, p := range a.data.patients {
			ids = append(ids, id)
			if a.exists("Patient", store.PatientRelations(a.viewer, p, a.data.assignments[id], a.data.grants), p.DeletedAt == nil, deleted) {
				want[id] = true
			}
		}
		a.list(fmt.Sprintf("patients, deleted %s", deleted), list, want, confirming, func(page model.PageArgs) (*query.Load, error) {
			return list.node.List(a.viewer, argsOf(PatientQuery{Deleted: deleted, Page: page}))
		})
		if deleted == model.DeletedExclude {
			a.byIDs(r, ids, want, confirming)
		}
	}
}

func (a nestedAgreement) mappings(confirming bool) {
	r, list := a.trees["Mapping"], a.trees["Mapping list"]
	want, ids := map[int64]bool{}, []int64{}
	ofDoctor := map[int64]bool{}
	doctor := a.data.doctors[0].ID
	for _, m := range a.data.mappings {
		ids = append(ids, m.ID)
		if a.sees("Mapping", m.ID) {
			want[m.ID] = true
			if m.DoctorID == doctor {
				ofDoctor[m.ID] = true
			}
		}
	}
	a.list("mappings", list, want, confirming, func(page model.PageArgs) (*query.Load, error) {
		return list.node.List(nil, argsOf(MappingQuery{Page: page}))
	})
	a.list("mappings of a doctor", list, ofDoctor, confirming, func(page model.PageArgs) (*query.Load, error) {
		return list.node.List(nil, argsOf(MappingQuery{Page: page, DoctorID: &doctor}))
	})
	a.byIDs(r, ids, want, confirming)
}

var filters = []model.DeletedFilter{model.DeletedExclude, model.DeletedInclude, model.DeletedOnly}

// list reads all pages of a list and counts them.
func (a nestedAgreement) list(what string, r *tree, want map[int64]bool, confirming bool, ask func(model.PageArgs) (*query.Load, error)) {
	a.Helper()
	const size = 100
	args, said := model.PageArgs{First: new(size)}, []int64{}
	for {
		root := ok(ask(args))(a.T)
		got := a.load(r, root, confirming)
		rows := root.Rows
		for n := range min(rows.Len(), size) {
			said = append(said, rows.Int64(n, r.id))
			a.record(r, got, rows, n)
		}
		if rows.Len() <= size {
			break
		}
		key, _ := rows.Value(size-1, r.sortKey)
		args.After = new(root.Order().Encode(model.Cursor{Key: string(key), ID: rows.Int64(size-1, r.id)}))
	}
	a.wantRecords(what, said, want)
	count := ok(ask(model.PageArgs{}))(a.T).Count()
	a.load(&tree{}, count, confirming)
	if n := count.Rows.Int64(0, 0); n != int64(len(want)) {
		a.Errorf("%s: SQL counts %d, Go counts %d", what, n, len(want))
	}
}

func (a nestedAgreement) byIDs(r *tree, ids []int64, want map[int64]bool, confirming bool) {
	a.Helper()
	root := r.node.ByIDs(ids)
	got := a.load(r, root, confirming)
	said := []int64{}
	for n := range root.Rows.Len() {
		said = append(said, root.Rows.Int64(n, r.id))
		a.record(r, got, root.Rows, n)
	}
	a.wantRecords(r.typ+" by id", said, want)
	for _, id := range ids[:min(len(ids), 2)] {
		one := r.node.One(id)
		a.load(r, one, confirming)
		if exists := one.Rows.Len() == 1; exists != want[id] {
			a.Errorf("%s %d exists: %v", r.typ, id, exists)
		}
	}
}

// edgeID returns the id of the record that a field names, or 0 if it does not exist for
// the viewer.
func (a nestedAgreement) edgeID(typ, field string, id int64) int64 {
	w := a.data
	switch typ + "." + field {
	case "User.doctorProfile":
		for _, d := range w.doctors {
			if d.AccountID != nil && *d.AccountID == id && d.DeletedAt == nil && a.sees("Doctor", d.ID) {
				return d.ID
			}
		}
		return 0
	case "Doctor.account":
		if account := w.doctor(id).AccountID; account != nil {
			return a.idIfVisible("User", *account)
		}
		return 0
	case "Doctor.createdBy":
		return a.idIfVisible("User", w.doctor(id).CreatedBy)
	case "Patient.createdBy":
		return a.idIfVisible("User", w.patients[id].CreatedBy)
	case "Mapping.patient":
		return a.idIfVisible("Patient", w.mapping(id).PatientID)
	case "Mapping.doctor":
		d := w.doctor(w.mapping(id).DoctorID)
		if a.exists("Doctor", store.DoctorRelations(a.viewer, d), true, "") { // even if it was deleted
			return d.ID
		}
		return 0
	default: // "Mapping.createdBy"
		return a.idIfVisible("User", w.mapping(id).CreatedBy)
	}
}

func (a nestedAgreement) idIfVisible(typ string, id int64) int64 {
	if a.sees(typ, id) {
		return id
	}
	return 0
}

// sees says in Go whether a record exists for the viewer.
func (a nestedAgreement) sees(typ string, id int64) bool {
	w, live := a.data, true
	switch typ {
	case "Doctor":
		live = w.doctor(id).DeletedAt == nil
	case "Patient":
		live = w.patients[id].DeletedAt == nil
	case "Mapping":
		live = w.patients[w.mapping(id).PatientID].DeletedAt == nil
	}
	return a.exists(typ, w.relations(a.viewer, typ, id), live, "")
}

// relations returns a viewer's relations to a record, by the rules in Go.
func (w *dataset) relations(v *model.Viewer, typ string, id int64) model.Relations {
	switch typ {
	case "User":
		return w.toAccount(v, id)
	case "Doctor":
		return store.DoctorRelations(v, w.doctor(id))
	case "Mapping":
		id = w.mapping(id).PatientID
	}
	return store.PatientRelations(v, w.patients[id], w.assignments[id], w.grants)
}

// toAccount computes the relations to an account once, because it asks all records.
func (w *dataset) toAccount(v *model.Viewer, id int64) model.Relations {
	key := struct {
		*model.Viewer
		int64
	}{v, id}
	known, ok := w.accounts.Load(key)
	if !ok {
		known, _ = w.accounts.LoadOrStore(key, store.UserRelations(v, &model.User{ID: id}, w.doctors, w.care, w.grants))
	}
	return known.(model.Relations)
}

func (w *dataset) doctor(id int64) *model.Doctor {
	for _, d := range w.doctors {
		if d.ID == id {
			return d
		}
	}
	return nil
}

func (w *dataset) mapping(id int64) *model.Mapping {
	for _, m := range w.mappings {
		if m.ID == id {
			return m
		}
	}
	return nil
}
