package store_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/caregraph/caregraph/internal/pgpipe"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/query"
	"github.com/caregraph/caregraph/store/storetest"
)

// TestRead_ShapesDoNotMix: a node with cached texts of all its statements loads the same
// as a new node.
func TestRead_ShapesDoNotMix(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	w := populate(t, c)
	for _, who := range []string{"owner", "doctor who owns patients", "administrator"} {
		t.Run(who, func(t *testing.T) {
			t.Parallel()
			v := w.viewers[who]
			used := newPatientNodes(t, c.Store)
			for _, q := range patientQueries() {
				want := newPatientNodes(t, c.Store).read(t, v, q)
				for range 2 {
					if got := used.read(t, v, q); got != want {
						t.Fatalf("%s: used nodes load\n%.300s\nnew ones\n%.300s", q.what, got, want)
					}
				}
			}
		})
	}
}

// patientQuery is a list of patients, and a page of the mappings of each.
type patientQuery struct {
	what     string
	patients PatientQuery
	below    model.PageArgs
	active   *bool
}

// patientQueries differ in one argument, or in two that might be mixed up.
func patientQueries() []patientQuery {
	day := model.ParseDate("1985-01-01")
	late := model.ParseDate("2001-01-01")
	var all []patientQuery
	add := func(what string, p PatientQuery, below model.PageArgs, active *bool) {
		all = append(all, patientQuery{what, p, below, active})
	}
	for _, page := range []model.PageArgs{{}, {First: new(1)}, {First: new(11)}, {First: new(0)}, {Last: new(1)}, {Last: new(11)}} {
		add(fmt.Sprint("pages ", page), PatientQuery{Page: page}, model.PageArgs{}, nil)
		add(fmt.Sprint("pages below ", page), PatientQuery{Page: model.PageArgs{First: new(1)}}, page, nil)
		add(fmt.Sprint("pages below, active ", page), PatientQuery{}, page, new(true))
		add(fmt.Sprint("pages below, ended ", page), PatientQuery{}, page, new(false))
	}
	for _, by := range []model.PatientOrderField{
		model.PatientsByName, model.PatientsByDateOfBirth, model.PatientsByUpdatedAt, model.PatientsByCreatedAt,
	} {
		for _, descending := range []bool{false, true} {
			q := PatientQuery{OrderBy: by, Descending: descending, Page: model.PageArgs{First: new(5)}}
			add(fmt.Sprint("by ", by, descending), q, model.PageArgs{}, nil)
		}
	}
	for _, deleted := range filters {
		add("deleted "+string(deleted), PatientQuery{Deleted: deleted}, model.PageArgs{}, nil)
	}
	for what, q := range map[string]PatientQuery{
		"born from": {BornFrom: &day}, "born to": {BornTo: &day}, "born from later": {BornFrom: &late}, "born between": {BornFrom: &day, BornTo: &late},
		"gender": {Gender: new(model.GenderMale)}, "another gender": {Gender: new(model.GenderFemale)},
		"blood group": {BloodGroup: new(model.BPositive)}, "of a doctor": {DoctorID: new(int64(1))}, "of another doctor": {DoctorID: new(int64(2))},
		"search": {Search: new("arj")}, "search for a number": {Search: new("98000")}, "an empty search": {Search: new(" ")},
		"everything": {Search: new("arj"), Gender: new(model.GenderMale), BloodGroup: new(model.BPositive), BornFrom: &day, DoctorID: new(int64(1))},
	} {
		add(what, q, model.PageArgs{}, nil)
	}
	return all
}

// patientNodes are a node of patients and one of their mappings.
type patientNodes struct {
	store           *store.Store
	patients, below *query.Node
}

func newPatientNodes(t *testing.T, s *store.Store) patientNodes {
	t.Helper()
	c := patientNodes{store: s, patients: nodeOf(t, s, "Patient")}
	c.patients.SortKey()
	c.below = mappingsOf(c.patients.Record())
	c.below.Record().ID()
	c.below.SortKey()
	return c
}

// read returns all values of a query, with its counts, as a text.
func (c patientNodes) read(t *testing.T, v *model.Viewer, q patientQuery) string {
	t.Helper()
	list := ok(c.patients.List(v, argsOf(q.patients)))(t)
	below := ok(c.below.ListOf(list, listArgs(q.below, q.active)))(t)
	loads := []*query.Load{list, list.Count(), below, below.Count()}
	if found := ok(fetchConfirming(t.Context(), c.store, v, loads))(t); found == nil {
		t.Fatal("the viewer was not confirmed")
	}
	text := ""
	for i, columns := range []int{2, 1, 3, 2} {
		rows := loads[i].Rows
		for row := range rows.Len() {
			for column := range columns {
				value, there := rows.Value(row, column)
				text += fmt.Sprintf(" %x %t", value, there)
			}
		}
		text += "\n"
	}
	return text
}

// TestRows_AreTheirOwn: later loads do not change the rows of a load, although they use
// the memory of released rows.
func TestRows_AreTheirOwn(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	node := nodeOf(t, c.Store, "Patient")
	name, history := ok(node.Record().Column("Name"))(t), ok(node.Record().Column("MedicalHistory"))(t)
	texts := map[int64]string{}
	for i, text := range []string{"Arjun", "B", "Chandrasekhar the First of His Name"} {
		p := asha.Patient(text)
		texts[p.ID] = text
		c.Exec("UPDATE patients SET medical_history = ? WHERE id = ?", []any{nil, "", "some"}[i], p.ID)
	}
	one := func(id int64) *pgpipe.Rows {
		load := node.One(id)
		if err := fetch(t.Context(), c.Store, asha.Viewer, []*query.Load{load}); err != nil {
			t.Error(err)
		}
		return load.Rows
	}
	var readers sync.WaitGroup
	for id, want := range texts {
		readers.Go(func() {
			for range 50 {
				kept := one(id)
				for other := range texts {
					one(other).Release()
				}
				if got, _ := kept.Value(0, name); string(got) != want {
					t.Errorf("the name became %q, want %q", got, want)
				}
				kept.Release()
			}
		})
	}
	readers.Wait()
	for id, want := range texts {
		value, there := one(id).Value(0, history)
		switch {
		case want == "Arjun" && there, want == "B" && (!there || len(value) > 0), len(want) > 5 && string(value) != "some":
			t.Errorf("the history of %s is %q, %t", want, value, there)
		}
	}
}

// TestNode_NamesWhatItDoesNotHave instead of loading something else.
func TestNode_NamesWhatItDoesNotHave(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	node := nodeOf(t, c.Store, "Patient")
	if c.Store.Records().Type("Visit") != nil {
		t.Error("there is a type of visits")
	}
	if _, err := node.Record().Column("PasswordHash"); err == nil {
		t.Error("a patient has a password")
	}
	if _, names := node.Record().One("doctors"); names {
		t.Error("a patient names one doctor")
	}
}

// TestRead_KeptTextsServeEachViewerTheirOwn: viewers of a role share a cached text, each
// with its own id.
func TestRead_KeptTextsServeEachViewerTheirOwn(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	node := nodeOf(t, c.Store, "Patient")
	var viewers []*storetest.Account
	for _, name := range []string{"Asha", "Bina", "Chandra"} {
		account := c.Owner(name)
		account.Patient(name + "'s child")
		viewers = append(viewers, account)
	}
	name := ok(node.Record().Column("Name"))(t)
	for range 2 {
		for _, v := range viewers {
			list := ok(node.List(v.Viewer, argsOf(PatientQuery{})))(t)
			if found := ok(fetchConfirming(t.Context(), c.Store, v.Viewer, []*query.Load{list}))(t); found == nil || *found != *v.Viewer {
				t.Fatalf("confirmed as %v", found)
			}
			if got, _ := list.Rows.Value(0, name); list.Rows.Len() != 1 || string(got) != v.User.Username+"'s child" {
				t.Errorf("%s sees %d patients, one of them %s", v.User.Username, list.Rows.Len(), got)
			}
		}
	}
}
