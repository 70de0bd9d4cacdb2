package store_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/storetest"
)

func TestAssignDoctor_OpensThePatientToTheDoctor(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	priya, entry := c.Doctor("Priya")
	arjun := asha.Patient("Arjun")
	_, err := Patient(t.Context(), c.Store, priya.Viewer, arjun.ID)
	wantCode(t, err, model.CodeNotFound, "id")

	m := asha.Assign(arjun, entry)
	testutil.Equal(t, "what was stored", resultText(ok(Mapping(t.Context(), c.Store, asha.Viewer, m.ID))(t), nil), resultText(m, nil))
	seen := ok(Patient(t.Context(), c.Store, priya.Viewer, arjun.ID))(t)
	testutil.Equal(t, "relations", fmt.Sprint(seen.Relations.Names()), "[ANYONE SIGNED_IN ASSIGNED_DOCTOR]")
	_, err = c.Store.AssignDoctor(t.Context(), asha.Viewer, &model.Mapping{PatientID: arjun.ID, DoctorID: entry.ID})
	wantCode(t, err, model.CodeAlreadyAssigned, "doctorId")
}

// The answer is for the viewer after the assignment, also if the owner is the doctor.
func TestAssignDoctor_ToOneself(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	priya, entry := c.Doctor("Priya")
	m := priya.Assign(priya.Patient("Arjun"), entry)
	testutil.Equal(t, "relations", fmt.Sprint(m.Relations.Names()), "[ANYONE SIGNED_IN OWNER ASSIGNED_DOCTOR]")
}

func TestAssignDoctor_Refusals(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha, ravi, boss := c.Owner("Asha"), c.Owner("Ravi"), c.Admin("Boss")
	priya, entry := c.Doctor("Priya")
	arjun, gone := asha.Patient("Arjun"), asha.DeletedPatient("Banu")
	other, goneEntry := asha.Entry("Dr. Rao"), asha.DeletedEntry("Dr. Das")
	asha.Assign(arjun, entry)
	assign := func(who *storetest.Account, patient, doctor int64) error {
		_, err := c.Store.AssignDoctor(t.Context(), who.Viewer, &model.Mapping{PatientID: patient, DoctorID: doctor})
		return err
	}
	wantCodes(t, assign(asha, 999, 999), "patientId NOT_FOUND", "doctorId NOT_FOUND")
	wantCodes(t, assign(asha, gone.ID, goneEntry.ID), "patientId DELETED", "doctorId DELETED")
	wantCodes(t, assign(ravi, gone.ID, goneEntry.ID), "patientId NOT_FOUND", "doctorId NOT_FOUND")
	wantCodes(t, assign(ravi, arjun.ID, other.ID), "patientId NOT_FOUND")
	wantCodes(t, assign(priya, arjun.ID, other.ID), "patientId FORBIDDEN")
	wantCodes(t, assign(boss, arjun.ID, other.ID), "patientId FORBIDDEN")
	_, err := c.Store.AssignDoctor(t.Context(), asha.Viewer, &model.Mapping{PatientID: arjun.ID, DoctorID: other.ID, Notes: new("a\x00b")})
	wantCodes(t, err, "notes INVALID")
	testutil.Equal(t, "mappings", ok(CountMappings(t.Context(), c.Store, asha.Viewer, MappingQuery{}))(t), 1)
}

func TestRemoveMapping_EndsItForGoodAndThePairCanBeAssignedAgain(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha, boss := c.Owner("Asha"), c.Admin("Boss")
	priya, entry := c.Doctor("Priya")
	arjun := asha.Patient("Arjun")
	first := asha.Assign(arjun, entry)
	for who, want := range map[*storetest.Account]model.Code{priya: model.CodeForbidden, boss: model.CodeForbidden, c.Stranger(): model.CodeNotFound} {
		_, err := c.Store.RemoveMapping(t.Context(), who.Viewer, first.ID, nil)
		wantCode(t, err, want, "id")
	}
	ended := asha.Remove(first)
	if ended.IsActive || ended.EndedAt == nil {
		t.Errorf("active %v, ended at %v", ended.IsActive, ended.EndedAt)
	}
	_, err := Patient(t.Context(), c.Store, priya.Viewer, arjun.ID)
	wantCode(t, err, model.CodeNotFound, "id")
	_, err = c.Store.RemoveMapping(t.Context(), asha.Viewer, first.ID, nil)
	wantCode(t, err, model.CodeDeleted, "id")
	_, err = c.Store.UpdateMapping(t.Context(), asha.Viewer, first.ID, nil, nil)
	wantCode(t, err, model.CodeDeleted, "id")

	second := asha.Assign(arjun, entry)
	ok(Patient(t.Context(), c.Store, priya.Viewer, arjun.ID))(t)
	wantMappings(t, c, asha, MappingQuery{}, first.ID, second.ID)
	wantMappings(t, c, asha, MappingQuery{IsActive: new(true)}, second.ID)
	wantMappings(t, c, asha, MappingQuery{IsActive: new(false)}, first.ID)
}

// wantMappings checks the ids of the list and the count.
func wantMappings(t *testing.T, c *storetest.Clinic, who *storetest.Account, q MappingQuery, ids ...int64) {
	t.Helper()
	l := ok(Mappings(t.Context(), c.Store, who.Viewer, q))(t)
	wantIDs(t, fmt.Sprintf("mappings for %s", who.User.Username), idsOf(l.Rows), ids...)
	testutil.Equal(t, "count", ok(CountMappings(t.Context(), c.Store, who.Viewer, q))(t), len(ids))
}

func TestUpdateMapping_NotesAreForOwnerAndAssignedDoctors(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha, boss := c.Owner("Asha"), c.Admin("Boss")
	priya, entry := c.Doctor("Priya")
	meera, meeras := c.Doctor("Meera")
	arjun := asha.Patient("Arjun")
	m, ended := asha.Assign(arjun, entry), asha.Assign(arjun, meeras)
	asha.Remove(ended)
	note := func(who *storetest.Account, text *string) (*model.Mapping, error) {
		return c.Store.UpdateMapping(t.Context(), who.Viewer, m.ID, nil, []model.Change[model.Mapping]{set("notes", func(m *model.Mapping) { m.Notes = text })})
	}
	testutil.Equal(t, "the doctor's notes", *ok(note(priya, new(" rest ")))(t).Notes, "rest")
	testutil.Equal(t, "notes taken away", ok(note(asha, nil))(t).Notes, nil)
	_, err := note(boss, nil)
	wantCode(t, err, model.CodeForbidden, "notes")
	_, err = note(meera, nil)
	wantCode(t, err, model.CodeNotFound, "id")
	_, err = note(asha, new("a\x00"))
	wantCode(t, err, model.CodeInvalid, "notes")
}

func TestMappings_ExistWithTheirPatient(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha, boss := c.Owner("Asha"), c.Admin("Boss")
	priya, entry := c.Doctor("Priya")
	rao := asha.Entry("Dr. Rao")
	arjun, banu := asha.Patient("Arjun"), asha.Patient("Banu")
	one, two, other := asha.Assign(arjun, entry), asha.Assign(arjun, rao), asha.Assign(banu, rao)

	wantMappings(t, c, asha, MappingQuery{}, one.ID, two.ID, other.ID)
	wantMappings(t, c, boss, MappingQuery{}, one.ID, two.ID, other.ID)
	wantMappings(t, c, priya, MappingQuery{}, one.ID, two.ID)
	wantMappings(t, c, priya, MappingQuery{DoctorID: &rao.ID}, two.ID)
	wantMappings(t, c, priya, MappingQuery{PatientID: &banu.ID})
	wantMappings(t, c, c.Stranger(), MappingQuery{DoctorID: &rao.ID})

	ok(c.Store.DeletePatient(t.Context(), asha.Viewer, arjun.ID, nil))(t)
	for _, who := range []*storetest.Account{asha, boss} {
		wantMappings(t, c, who, MappingQuery{}, other.ID)
		_, err := Mapping(t.Context(), c.Store, who.Viewer, one.ID)
		wantCode(t, err, model.CodeNotFound, "id")
	}
}

// statements counts the statements.
type statements struct{ count atomic.Int64 }

func (s *statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	s.count.Add(1)
	return ctx
}

func (*statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func TestMappingsOf_ManyParentsAreOneStatement(t *testing.T) {
	t.Parallel()
	tracer := &statements{}
	c := storetest.New(t, func(o *store.Options) { o.Tracer = tracer })
	asha := c.Owner("Asha")
	want, parents := map[int64][]int64{}, []int64{999}
	entries := []*model.Doctor{asha.Entry("Dr. A"), asha.Entry("Dr. B"), asha.Entry("Dr. C")}
	for i := range 20 {
		p := asha.Patient("Arjun")
		parents = append(parents, p.ID)
		for _, d := range entries[:i%4] {
			want[p.ID] = append([]int64{asha.Assign(p, d).ID}, want[p.ID]...) // the newest first
		}
	}
	before := tracer.count.Load()
	lists := ok(MappingsOf(t.Context(), c.Store, asha.Viewer, ofPatient, parents, model.PageArgs{First: new(2)}, new(true)))(t)
	totals := ok(CountMappingsOf(t.Context(), c.Store, asha.Viewer, ofPatient, parents, new(true)))(t)
	testutil.Equal(t, "statements", tracer.count.Load()-before, 2)

	for _, id := range parents {
		l := lists[id]
		wantIDs(t, "the page of a patient", idsOf(l.Rows), want[id][:min(2, len(want[id]))]...)
		testutil.Equal(t, "whether there are more", l.HasNext, len(want[id]) > 2)
		testutil.Equal(t, "total", totals[id], len(want[id]))
	}
	ofDoctors := ok(CountMappingsOf(t.Context(), c.Store, asha.Viewer, ofDoctor, idsOf(entries), nil))(t)
	testutil.Equal(t, "totals of doctors", resultText(ofDoctors, nil), resultText(map[int64]int{entries[0].ID: 15, entries[1].ID: 10, entries[2].ID: 5}, nil))
}

// TestMapping_VersionIncreasesWithEachChange, and a change of another version is refused
// with the mapping as it is.
func TestMapping_VersionIncreasesWithEachChange(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	patient, doctor := asha.Patient("Arjun"), asha.Entry("Dr. Rao")
	m := asha.Assign(patient, doctor)
	testutil.Equal(t, "a new mapping", m.Version, 1)
	note := []model.Change[model.Mapping]{set("notes", func(m *model.Mapping) { m.Notes = new("see") })}
	for _, expected := range []*int{new(0), new(2)} {
		got, err := c.Store.UpdateMapping(t.Context(), asha.Viewer, m.ID, expected, note)
		wantCode(t, err, model.CodeVersionConflict, "expectedVersion")
		testutil.Equal(t, "the mapping as it is", got.Version == 1 && *got.Notes == "notes on Arjun", true)
	}
	m = ok(c.Store.UpdateMapping(t.Context(), asha.Viewer, m.ID, new(1), note))(t)
	testutil.Equal(t, "a changed one", m.Version, 2)
	got, err := c.Store.RemoveMapping(t.Context(), asha.Viewer, m.ID, new(1))
	wantCode(t, err, model.CodeVersionConflict, "expectedVersion")
	testutil.Equal(t, "it is active still", got.IsActive, true)
	m = ok(c.Store.RemoveMapping(t.Context(), asha.Viewer, m.ID, new(2)))(t)
	testutil.Equal(t, "an ended one", m.Version == 3 && !m.IsActive, true)
	_, err = c.Store.RemoveMapping(t.Context(), asha.Viewer, m.ID, new(1))
	wantCode(t, err, model.CodeDeleted, "id")

	again := asha.Assign(patient, doctor)
	ok(c.Store.DeletePatient(t.Context(), asha.Viewer, patient.ID, nil))(t)
	var version int
	testutil.Must(t, c.DB.NewRaw("SELECT version FROM mappings WHERE id = ?", again.ID).Scan(t.Context(), &version))
	testutil.Equal(t, "one that ended with its patient", version, 2)
	_, err = c.Store.UpdateMapping(t.Context(), c.Owner("Ravi").Viewer, again.ID, new(77), note)
	wantCode(t, err, model.CodeNotFound, "id")
}

func TestMappingsOf_PagesOfOneParentAreItsWholeList(t *testing.T) {
	t.Parallel()
	c, asha := clinicWithTies(t)
	arjun := asha.Patient("Arjun")
	for i := range 9 {
		asha.Assign(arjun, asha.Entry(fmt.Sprint("Dr. ", i)))
	}
	c.Exec("UPDATE mappings SET assigned_at = timestamptz '2026-01-01' + id % 2 * interval '1 second'")
	var want []int64
	if err := c.DB.NewRaw("SELECT id FROM mappings WHERE patient_id = ? ORDER BY assigned_at DESC, id DESC", arjun.ID).Scan(t.Context(), &want); err != nil {
		t.Fatal(err)
	}
	read := func(ctx context.Context, args model.PageArgs) (*list[*model.Mapping], error) {
		lists, err := MappingsOf(ctx, c.Store, asha.Viewer, ofPatient, []int64{1, arjun.ID}, args, nil)
		return lists[arjun.ID], err
	}
	for _, size := range []int{1, 2, 4, 9, 100} {
		for _, backwards := range []bool{false, true} {
			wantIDs(t, fmt.Sprintf("mappings in pages of %d, backwards %v", size, backwards), idsOf(everyPage(t, read, size, backwards)), want...)
		}
	}
	l := ok(read(t.Context(), model.PageArgs{}))(t)
	cursor := l.Cursor(l.Rows[0])
	_, err := MappingsOf(t.Context(), c.Store, asha.Viewer, ofDoctor, []int64{1}, model.PageArgs{After: &cursor}, nil)
	wantCode(t, err, model.CodeInvalidCursor, "after")
	_, err = MappingsOf(t.Context(), c.Store, asha.Viewer, ofDoctor, []int64{1}, model.PageArgs{First: new(101)}, nil)
	wantCode(t, err, model.CodeBadUserInput, "first")
}
