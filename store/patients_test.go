package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/storetest"
)

func TestPatients_CreatorIsOwner(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	made := asha.Patient("Arjun")
	testutil.Equal(t, "version", made.Version, 1)
	testutil.Equal(t, "owner", made.CreatedBy, asha.UserID)

	read := ok(Patient(t.Context(), c.Store, asha.Viewer, made.ID))(t)
	testutil.Equal(t, "what was stored", resultText(read, nil), resultText(made, nil))
	testutil.Equal(t, "date of birth", read.DateOfBirth.String(), "1990-05-15")
	testutil.Equal(t, "relations", fmt.Sprint(read.Relations.Names()), "[ANYONE SIGNED_IN OWNER]")
}

func TestPatients_CreateTellsEveryFaultAtOnce(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	_, err := c.Store.CreatePatient(t.Context(), c.Owner("Asha").Viewer, &model.Patient{Phone: "12", Email: new(model.EmailAddress("x"))})
	wantCodes(t, err, "name REQUIRED", "dateOfBirth REQUIRED", "gender REQUIRED", "phone INVALID", "email INVALID",
		"address REQUIRED", "emergencyContact REQUIRED")
}

func TestPatients_BirthDateIsCheckedByTheIndianDay(t *testing.T) {
	t.Parallel()
	now := func() time.Time { return time.Date(2026, 1, 31, 20, 0, 0, 0, time.UTC) } // in India, the first of February
	c := storetest.New(t, func(o *store.Options) { o.Now = now })
	asha := c.Owner("Asha")
	asha.Patient("Arjun", func(p *model.Patient) { p.DateOfBirth = model.ParseDate("2026-02-01") })
	tomorrow := c.NewPatient("Banu")
	tomorrow.DateOfBirth = model.ParseDate("2026-02-02")
	_, err := c.Store.CreatePatient(t.Context(), asha.Viewer, tomorrow)
	wantCode(t, err, model.CodeInvalid, "dateOfBirth")
}

func TestPatients_EmailIsUniqueAmongLivePatientsOfOneOwner(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha, ravi := c.Owner("Asha"), c.Owner("Ravi")
	withEmail := func(p *model.Patient) { p.Email = new(model.ParseEmail("Family@Home.example")) }
	arjun := asha.Patient("Arjun", withEmail)
	ravi.Patient("Arjun", withEmail)

	second := c.NewPatient("Banu")
	withEmail(second)
	_, err := c.Store.CreatePatient(t.Context(), asha.Viewer, second)
	wantCode(t, err, model.CodeTaken, "email")
	_, err = c.Store.UpdatePatient(t.Context(), asha.Viewer, asha.Patient("Chitra").ID, nil, []model.Change[model.Patient]{set("email", withEmail)})
	wantCode(t, err, model.CodeTaken, "email")

	ok(c.Store.DeletePatient(t.Context(), asha.Viewer, arjun.ID, nil))(t)
	asha.Patient("Banu", withEmail)
	_, err = c.Store.RestorePatient(t.Context(), asha.Viewer, arjun.ID)
	wantCode(t, err, model.CodeTaken, "email")
}

func TestPatients_WhoMaySetWhat(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha, boss := c.Owner("Asha"), c.Admin("Boss")
	priya, entry := c.Doctor("Priya")
	arjun := asha.Patient("Arjun")
	asha.Assign(arjun, entry)
	history := set("medicalHistory", func(p *model.Patient) { p.MedicalHistory = new("asthma") })
	blood := set("bloodGroup", func(p *model.Patient) { p.BloodGroup = nil })
	phone := set("phone", func(p *model.Patient) { p.Phone = "+919811111111" })
	name := set("name", func(p *model.Patient) { p.Name = "Arjun Rao" })
	update := func(who *storetest.Account, changes ...model.Change[model.Patient]) error {
		_, err := c.Store.UpdatePatient(t.Context(), who.Viewer, arjun.ID, nil, changes)
		return err
	}

	wantCode(t, update(priya, history, phone, blood, name), model.CodeForbidden, "phone", "name")
	wantCode(t, update(boss, history, phone), model.CodeForbidden, "medicalHistory", "phone")
	wantCode(t, update(boss), model.CodeForbidden, "id")
	wantCode(t, update(c.Stranger(), history), model.CodeNotFound, "id")
	unchanged := ok(Patient(t.Context(), c.Store, asha.Viewer, arjun.ID))(t)
	testutil.Equal(t, "after refusals", resultText(unchanged, nil), resultText(arjun, nil))

	testutil.Equal(t, "the doctor's update", update(priya, history, blood), nil)
	testutil.Equal(t, "the owner's update", update(asha, phone, name), nil)
	after := ok(Patient(t.Context(), c.Store, asha.Viewer, arjun.ID))(t)
	testutil.Equal(t, "history", *after.MedicalHistory, "asthma")
	testutil.Equal(t, "blood group", after.BloodGroup, nil)
	testutil.Equal(t, "name and phone", after.Name+string(after.Phone), "Arjun Rao+919811111111")
	testutil.Equal(t, "version", after.Version, 3)
}

func TestPatients_OnlyTheOwnerDeletesAndRestores(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha, boss, stranger := c.Owner("Asha"), c.Admin("Boss"), c.Stranger()
	priya, entry := c.Doctor("Priya")
	arjun := asha.Patient("Arjun")
	m := asha.Assign(arjun, entry)
	for who, want := range map[*storetest.Account]model.Code{boss: model.CodeForbidden, priya: model.CodeForbidden, stranger: model.CodeNotFound} {
		_, err := c.Store.DeletePatient(t.Context(), who.Viewer, arjun.ID, nil)
		wantCode(t, err, want, "id")
		_, err = c.Store.RestorePatient(t.Context(), who.Viewer, arjun.ID)
		wantCode(t, err, want, "id")
	}

	gone := ok(c.Store.DeletePatient(t.Context(), asha.Viewer, arjun.ID, nil))(t)
	if gone.DeletedAt == nil || gone.Version != 2 {
		t.Errorf("deleted at %v, version %d", gone.DeletedAt, gone.Version)
	}
	_, err := c.Store.DeletePatient(t.Context(), asha.Viewer, arjun.ID, nil)
	wantCode(t, err, model.CodeDeleted, "id")
	for _, who := range []*storetest.Account{boss, priya, stranger} {
		_, err := c.Store.DeletePatient(t.Context(), who.Viewer, arjun.ID, nil)
		wantCode(t, err, model.CodeNotFound, "id")
		_, err = c.Store.RestorePatient(t.Context(), who.Viewer, arjun.ID)
		wantCode(t, err, model.CodeNotFound, "id")
	}
	_, err = Patient(t.Context(), c.Store, asha.Viewer, arjun.ID)
	wantCode(t, err, model.CodeNotFound, "id")

	back := ok(c.Store.RestorePatient(t.Context(), asha.Viewer, arjun.ID))(t)
	testutil.Equal(t, "deleted at, after restoring", back.DeletedAt, nil)
	ended := ok(Mapping(t.Context(), c.Store, asha.Viewer, m.ID))(t)
	if ended.IsActive || ended.EndedAt == nil {
		t.Error("the mapping did not end with its patient")
	}
	_, err = Patient(t.Context(), c.Store, priya.Viewer, arjun.ID)
	wantCode(t, err, model.CodeNotFound, "id")
	again := ok(c.Store.RestorePatient(t.Context(), asha.Viewer, arjun.ID))(t)
	testutil.Equal(t, "restoring a live patient", resultText(again, nil), resultText(back, nil))
}

func TestPatients_DeletedOnesComeToThoseWhoMayRestoreThem(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha, boss := c.Owner("Asha"), c.Admin("Boss")
	priya, entry := c.Doctor("Priya")
	live, gone := asha.Patient("Arjun"), asha.Patient("Banu")
	asha.Assign(live, entry)
	asha.Assign(gone, entry)
	ok(c.Store.DeletePatient(t.Context(), asha.Viewer, gone.ID, nil))(t)

	for who, want := range map[*storetest.Account]map[model.DeletedFilter][]int64{
		asha:         {model.DeletedExclude: {live.ID}, model.DeletedInclude: {live.ID, gone.ID}, model.DeletedOnly: {gone.ID}},
		boss:         {model.DeletedExclude: {live.ID}, model.DeletedInclude: {live.ID}},
		priya:        {model.DeletedExclude: {live.ID}, model.DeletedInclude: {live.ID}},
		c.Stranger(): {},
	} {
		for _, deleted := range []model.DeletedFilter{"", model.DeletedExclude, model.DeletedInclude, model.DeletedOnly} {
			ids := want[deleted]
			if deleted == "" {
				ids = want[model.DeletedExclude]
			}
			wantPatients(t, c, who, PatientQuery{Deleted: deleted}, ids...)
		}
	}
}

// wantPatients checks the ids of the list and the count.
func wantPatients(t *testing.T, c *storetest.Clinic, who *storetest.Account, q PatientQuery, ids ...int64) {
	t.Helper()
	l := ok(Patients(t.Context(), c.Store, who.Viewer, q))(t)
	wantIDs(t, fmt.Sprintf("patients for %s", who.User.Username), idsOf(l.Rows), ids...)
	testutil.Equal(t, "count", ok(CountPatients(t.Context(), c.Store, who.Viewer, q))(t), len(ids))
}

func TestPatients_Filters(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	entry := c.Verify(asha.Entry("Dr. Rao"))
	arjun := asha.Patient("Arjun", func(p *model.Patient) { p.DateOfBirth = model.ParseDate("1980-01-01") })
	banu := asha.Patient("Banu", func(p *model.Patient) {
		p.Gender, p.BloodGroup, p.DateOfBirth = model.GenderFemale, nil, model.ParseDate("1990-01-01")
	})
	asha.Assign(arjun, entry)
	asha.Remove(asha.Assign(banu, entry))
	date := func(text string) *model.Date { return new(model.ParseDate(text)) }

	wantPatients(t, c, asha, PatientQuery{Gender: new(model.GenderFemale)}, banu.ID)
	wantPatients(t, c, asha, PatientQuery{BloodGroup: new(model.BPositive)}, arjun.ID)
	wantPatients(t, c, asha, PatientQuery{BornFrom: date("1990-01-01")}, banu.ID)
	wantPatients(t, c, asha, PatientQuery{BornTo: date("1989-12-31")}, arjun.ID)
	wantPatients(t, c, asha, PatientQuery{BornFrom: date("1980-01-01"), BornTo: date("1990-1-1")}, arjun.ID, banu.ID)
	wantPatients(t, c, asha, PatientQuery{DoctorID: &entry.ID}, arjun.ID)
	wantPatients(t, c, asha, PatientQuery{DoctorID: new(int64(0))})
	wantPatients(t, c, asha, PatientQuery{DoctorID: &entry.ID, Gender: new(model.GenderFemale)})

	for field, q := range map[string]PatientQuery{"bornFrom": {BornFrom: date("soon")}, "bornTo": {BornTo: date("")}} {
		_, err := Patients(t.Context(), c.Store, asha.Viewer, q)
		wantCode(t, err, model.CodeBadUserInput, field)
		_, err = CountPatients(t.Context(), c.Store, asha.Viewer, q)
		wantCode(t, err, model.CodeBadUserInput, field)
	}
}

// A filter does not reveal a value that an administrator may not read.
func TestPatients_FilterTellsNothingAboutAHiddenField(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha, boss := c.Owner("Asha"), c.Admin("Boss")
	arjun := asha.Patient("Arjun")
	own := boss.Patient("Banu")

	wantPatients(t, c, boss, PatientQuery{}, arjun.ID, own.ID)
	wantPatients(t, c, boss, PatientQuery{BloodGroup: new(model.BPositive)}, own.ID)
	wantPatients(t, c, boss, PatientQuery{Search: new("history of")})
}
