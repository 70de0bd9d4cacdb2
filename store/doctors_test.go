package store_test

import (
	"fmt"
	"testing"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store/storetest"
)

func TestDoctors_NewEntryIsUnverifiedAndLinkedOnlyWithIsMe(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha, priya := c.Owner("Asha"), c.DoctorAccount("Priya")
	forged := c.NewDoctor("Dr. Rao")
	forged.IsVerified, forged.AccountID = true, &priya.UserID
	made := ok(c.Store.CreateDoctor(t.Context(), asha.Viewer, forged, false))(t)
	if made.IsVerified || made.AccountID != nil {
		t.Errorf("verified %v, linked to %v", made.IsVerified, made.AccountID)
	}
	testutil.Equal(t, "relations", fmt.Sprint(made.Relations.Names()), "[ANYONE SIGNED_IN OWNER]")

	own := priya.OwnEntry("Dr. Priya")
	testutil.Equal(t, "the linked account", *own.AccountID, priya.UserID)
	testutil.Equal(t, "relations", fmt.Sprint(own.Relations.Names()), "[ANYONE SIGNED_IN SELF OWNER]")
	_, err := c.Store.CreateDoctor(t.Context(), priya.Viewer, c.NewDoctor("Dr. Priya again"), true)
	wantCode(t, err, model.CodeTaken, "isMe")
	_, err = c.Store.CreateDoctor(t.Context(), asha.Viewer, c.NewDoctor("Dr. Asha"), true)
	wantCode(t, err, model.CodeForbidden, "isMe")
	_, err = c.Store.CreateDoctor(t.Context(), asha.Viewer, &model.Doctor{ExperienceYears: -1}, false)
	wantCodes(t, err, "name REQUIRED", "email REQUIRED", "phone REQUIRED", "specialization REQUIRED", "licenseNumber REQUIRED",
		"experienceYears INVALID", "address REQUIRED", "consultationFee INVALID", "availability REQUIRED")
}

func TestDoctors_LicenseNumberIsUniqueAmongLiveEntries(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha, ravi := c.Owner("Asha"), c.Owner("Ravi")
	licensed := func(d *model.Doctor) { d.LicenseNumber = "KMC-1" }
	first, other := asha.Entry("Dr. Rao", licensed), ravi.Entry("Dr. Sen")

	again := c.NewDoctor("Dr. Rao")
	licensed(again)
	_, err := c.Store.CreateDoctor(t.Context(), ravi.Viewer, again, false)
	wantCode(t, err, model.CodeTaken, "licenseNumber")
	_, err = c.Store.UpdateDoctor(t.Context(), ravi.Viewer, other.ID, nil, []model.Change[model.Doctor]{set("licenseNumber", licensed)})
	wantCode(t, err, model.CodeTaken, "licenseNumber")

	ok(c.Store.DeleteDoctor(t.Context(), asha.Viewer, first.ID, nil))(t)
	ravi.Entry("Dr. Rao", licensed)
	_, err = c.Store.RestoreDoctor(t.Context(), asha.Viewer, first.ID)
	wantCode(t, err, model.CodeTaken, "licenseNumber")
}

func TestDoctors_NewLicenseNumberEndsVerification(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	priya, entry := c.Doctor("Priya")
	arjun := asha.Patient("Arjun")
	asha.Assign(arjun, entry)
	license := func(number string) *model.Doctor {
		return ok(c.Store.UpdateDoctor(t.Context(), priya.Viewer, entry.ID, nil, []model.Change[model.Doctor]{
			set("licenseNumber", func(d *model.Doctor) { d.LicenseNumber = number }),
		}))(t)
	}
	testutil.Equal(t, "verified after the same number", license(" "+entry.LicenseNumber+" ").IsVerified, true)
	ok(Patient(t.Context(), c.Store, priya.Viewer, arjun.ID))(t)
	testutil.Equal(t, "verified after another number", license("KMC-other").IsVerified, false)
	_, err := Patient(t.Context(), c.Store, priya.Viewer, arjun.ID)
	wantCode(t, err, model.CodeNotFound, "id")
}

func TestDoctors_WhoMayChangeAnEntry(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha, priya, boss, stranger := c.Owner("Asha"), c.DoctorAccount("Priya"), c.Admin("Boss"), c.Stranger()
	entry := c.Link(asha.Entry("Dr. Priya"), priya)
	name := set("name", func(d *model.Doctor) { d.Name = "Dr. P" })
	verified := set("isVerified", func(d *model.Doctor) { d.IsVerified = true })
	for _, who := range []*storetest.Account{asha, priya, boss} {
		ok(c.Store.UpdateDoctor(t.Context(), who.Viewer, entry.ID, nil, []model.Change[model.Doctor]{name}))(t)
	}
	for who, fields := range map[*storetest.Account][]string{asha: {"isVerified"}, priya: {"isVerified"}, stranger: {"name", "isVerified"}} {
		_, err := c.Store.UpdateDoctor(t.Context(), who.Viewer, entry.ID, nil, []model.Change[model.Doctor]{name, verified})
		wantCode(t, err, model.CodeForbidden, fields...)
		_, err = c.Store.VerifyDoctor(t.Context(), who.Viewer, entry.ID, nil, true, nil)
		wantCode(t, err, model.CodeForbidden, "isVerified")
	}
	_, err := c.Store.DeleteDoctor(t.Context(), stranger.Viewer, entry.ID, nil)
	wantCode(t, err, model.CodeForbidden, "id")
	for _, who := range []*storetest.Account{asha, priya, boss} {
		ok(c.Store.DeleteDoctor(t.Context(), who.Viewer, entry.ID, nil))(t)
		_, err := c.Store.UpdateDoctor(t.Context(), who.Viewer, entry.ID, nil, []model.Change[model.Doctor]{name})
		wantCode(t, err, model.CodeDeleted, "id")
		_, err = c.Store.RestoreDoctor(t.Context(), stranger.Viewer, entry.ID)
		wantCode(t, err, model.CodeNotFound, "id")
		ok(c.Store.RestoreDoctor(t.Context(), who.Viewer, entry.ID))(t)
	}
}

func TestDoctors_Verify(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha, boss := c.Owner("Asha"), c.Admin("Boss")
	priya, meera := c.DoctorAccount("Priya"), c.DoctorAccount("Meera")
	entry, other, gone := asha.Entry("Dr. Priya"), asha.Entry("Dr. Meera"), asha.DeletedEntry("Dr. Das")
	verify := func(id int64, account **int64) (*model.Doctor, error) {
		return c.Store.VerifyDoctor(t.Context(), boss.Viewer, id, nil, true, account)
	}
	linked := ok(verify(entry.ID, new(&priya.UserID)))(t)
	if !linked.IsVerified || *linked.AccountID != priya.UserID {
		t.Errorf("verified %v, linked to %v", linked.IsVerified, linked.AccountID)
	}
	testutil.Equal(t, "the link, when no account is named", *ok(verify(entry.ID, nil))(t).AccountID, priya.UserID)
	ok(verify(other.ID, new(&meera.UserID)))(t)

	for code, account := range map[model.Code]int64{model.CodeTaken: meera.UserID, model.CodeInvalid: asha.UserID, model.CodeNotFound: 999} {
		_, err := verify(entry.ID, new(&account))
		wantCode(t, err, code, "accountId")
	}
	_, err := verify(999, nil)
	wantCode(t, err, model.CodeNotFound, "id")
	_, err = verify(gone.ID, nil)
	wantCode(t, err, model.CodeDeleted, "id")
	testutil.Equal(t, "the link, taken away", ok(verify(entry.ID, new((*int64)(nil))))(t).AccountID, nil)
}

// A deleted doctor entry is in no list, gives no access and gets no mapping, but older
// mappings still show it.
func TestDoctors_DeletedEntry(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	priya, entry := c.Doctor("Priya")
	arjun, banu := asha.Patient("Arjun"), asha.Patient("Banu")
	m := asha.Assign(arjun, entry)
	ok(c.Store.DeleteDoctor(t.Context(), priya.Viewer, entry.ID, nil))(t)

	_, err := Doctor(t.Context(), c.Store, asha.Viewer, entry.ID)
	wantCode(t, err, model.CodeNotFound, "id")
	testutil.Equal(t, "doctors by id", len(ok(DoctorsByIDs(t.Context(), c.Store, asha.Viewer, []int64{entry.ID}))(t)), 0)
	testutil.Equal(t, "entries of the account", len(ok(DoctorsOfAccounts(t.Context(), c.Store, asha.Viewer, []int64{priya.UserID}))(t)), 0)
	testutil.Equal(t, "specializations", len(ok(c.Store.Specializations(t.Context(), asha.Viewer))(t)), 0)
	wantIDs(t, "doctors of mappings", idsOf(ok(DoctorsOfMappings(t.Context(), c.Store, asha.Viewer, []int64{entry.ID}))(t)), entry.ID)
	_, err = Patient(t.Context(), c.Store, priya.Viewer, arjun.ID)
	wantCode(t, err, model.CodeNotFound, "id")
	_, err = c.Store.AssignDoctor(t.Context(), asha.Viewer, &model.Mapping{PatientID: banu.ID, DoctorID: entry.ID})
	wantCode(t, err, model.CodeNotFound, "doctorId")
	testutil.Equal(t, "whether the mapping is in force", ok(Mapping(t.Context(), c.Store, asha.Viewer, m.ID))(t).IsActive, true)

	ok(c.Store.RestoreDoctor(t.Context(), priya.Viewer, entry.ID))(t)
	c.Verify(entry)
	ok(Patient(t.Context(), c.Store, priya.Viewer, arjun.ID))(t)
}

func TestDoctors_RestoreFindsTheAccountLinkedElsewhere(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	priya, entry := c.Doctor("Priya")
	ok(c.Store.DeleteDoctor(t.Context(), priya.Viewer, entry.ID, nil))(t)
	priya.OwnEntry("Dr. Priya again")
	_, err := c.Store.RestoreDoctor(t.Context(), priya.Viewer, entry.ID)
	wantCode(t, err, model.CodeTaken, "account")
}

func TestDoctors_DeletedOnesComeToThoseWhoMayRestoreThem(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha, priya, boss := c.Owner("Asha"), c.DoctorAccount("Priya"), c.Admin("Boss")
	live, gone := asha.Entry("Dr. A"), c.Link(asha.Entry("Dr. B"), priya)
	ok(c.Store.DeleteDoctor(t.Context(), boss.Viewer, gone.ID, nil))(t)
	for _, who := range []*storetest.Account{asha, priya, boss} {
		wantDoctors(t, c, who, DoctorQuery{}, live.ID)
		wantDoctors(t, c, who, DoctorQuery{Deleted: model.DeletedInclude}, live.ID, gone.ID)
		wantDoctors(t, c, who, DoctorQuery{Deleted: model.DeletedOnly}, gone.ID)
	}
	stranger := c.Stranger()
	wantDoctors(t, c, stranger, DoctorQuery{Deleted: model.DeletedInclude}, live.ID)
	wantDoctors(t, c, stranger, DoctorQuery{Deleted: model.DeletedOnly})
}

// wantDoctors checks the ids of the list and the count.
func wantDoctors(t *testing.T, c *storetest.Clinic, who *storetest.Account, q DoctorQuery, ids ...int64) {
	t.Helper()
	l := ok(Doctors(t.Context(), c.Store, who.Viewer, q))(t)
	wantIDs(t, fmt.Sprintf("doctors for %s", who.User.Username), idsOf(l.Rows), ids...)
	testutil.Equal(t, "count", ok(CountDoctors(t.Context(), c.Store, who.Viewer, q))(t), len(ids))
}

func TestDoctors_Filters(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha, priya := c.Owner("Asha"), c.DoctorAccount("Priya")
	a := asha.Entry("Dr. A", func(d *model.Doctor) { d.Specialization, d.ExperienceYears = "Pédiatrie", 5 })
	b := c.Link(asha.Entry("Dr. B", func(d *model.Doctor) { d.ConsultationFee = model.ParseDecimal("99.99") }), priya)
	third := priya.Entry("Dr. C", func(d *model.Doctor) { d.Specialization = "PEDIATRIE" })

	wantDoctors(t, c, asha, DoctorQuery{Specialization: new("pediatrie")}, a.ID, third.ID)
	wantDoctors(t, c, asha, DoctorQuery{Specialization: new("pediatri")})
	wantDoctors(t, c, asha, DoctorQuery{MinExperienceYears: new(6)}, b.ID, third.ID)
	wantDoctors(t, c, asha, DoctorQuery{MaxConsultationFee: new(model.ParseDecimal("99.990"))}, b.ID)
	wantDoctors(t, c, asha, DoctorQuery{IsVerified: new(true)}, b.ID)
	wantDoctors(t, c, asha, DoctorQuery{IsVerified: new(false)}, a.ID, third.ID)
	wantDoctors(t, c, asha, DoctorQuery{Mine: new(true)}, a.ID, b.ID)
	wantDoctors(t, c, asha, DoctorQuery{Mine: new(false)}, third.ID)
	wantDoctors(t, c, priya, DoctorQuery{Mine: new(true)}, b.ID, third.ID)
	wantDoctors(t, c, priya, DoctorQuery{Mine: new(false)}, a.ID)

	for field, q := range map[string]DoctorQuery{
		"maxConsultationFee": {MaxConsultationFee: new(model.ParseDecimal("cheap"))},
		"specialization":     {Specialization: new("a\x00b")},
	} {
		_, err := Doctors(t.Context(), c.Store, asha.Viewer, q)
		wantCode(t, err, model.CodeBadUserInput, field)
		_, err = CountDoctors(t.Context(), c.Store, asha.Viewer, q)
		wantCode(t, err, model.CodeBadUserInput, field)
	}
	all := ok(c.Store.Specializations(t.Context(), asha.Viewer))(t)
	testutil.Equal(t, "specializations", resultText(all, nil), resultText([]*model.Specialization{{Name: "Cardiology", DoctorCount: 1}, {Name: "PEDIATRIE", DoctorCount: 2}}, nil))
}

func TestDoctors_RelinkingEndsTheMappings(t *testing.T) {
	t.Parallel()
	for name, next := range map[string]bool{"to another account": true, "to none": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := storetest.New(t)
			asha, boss, mole := c.Owner("Asha"), c.Admin("Boss"), c.DoctorAccount("Mole")
			priya, entry := c.Doctor("Priya")
			arjun := asha.Patient("Arjun")
			mapping := asha.Assign(arjun, entry)
			ok(Patient(t.Context(), c.Store, priya.Viewer, arjun.ID))(t)

			ok(c.Store.VerifyDoctor(t.Context(), boss.Viewer, entry.ID, nil, true, new(&priya.UserID)))(t)
			ok(Patient(t.Context(), c.Store, priya.Viewer, arjun.ID))(t) // the same account: nothing ends

			var account *int64
			if next {
				account = &mole.UserID
			}
			ok(c.Store.VerifyDoctor(t.Context(), boss.Viewer, entry.ID, nil, true, &account))(t)
			ok(c.Store.VerifyDoctor(t.Context(), boss.Viewer, entry.ID, nil, true, new(&mole.UserID)))(t)
			_, err := Patient(t.Context(), c.Store, mole.Viewer, arjun.ID)
			wantCode(t, err, model.CodeNotFound, "id")
			if ok(Mapping(t.Context(), c.Store, asha.Viewer, mapping.ID))(t).IsActive {
				t.Error("the mapping went over to another account")
			}
		})
	}
}

func TestDoctors_VerifiedIsWhatWasSeen(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha, boss := c.Owner("Asha"), c.Admin("Boss")
	entry := asha.Entry("Dr. Priya")
	seen := entry.Version
	license := set("licenseNumber", func(d *model.Doctor) { d.LicenseNumber = "FAKE9" })
	ok(c.Store.UpdateDoctor(t.Context(), asha.Viewer, entry.ID, nil, []model.Change[model.Doctor]{license}))(t)
	_, err := c.Store.VerifyDoctor(t.Context(), boss.Viewer, entry.ID, &seen, true, nil)
	wantCode(t, err, model.CodeVersionConflict, "expectedVersion")
	if ok(Doctor(t.Context(), c.Store, boss.Viewer, entry.ID))(t).IsVerified {
		t.Error("a license that nobody checked is verified")
	}
}

func TestDoctors_RestoredUnverifiedUnlessByAnAdministrator(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	priya, entry := c.Doctor("Priya")
	boss := c.Admin("Boss")
	for who, verified := range map[*storetest.Account]bool{boss: true, priya: false} {
		c.Verify(entry)
		ok(c.Store.DeleteDoctor(t.Context(), boss.Viewer, entry.ID, nil))(t)
		if got := ok(c.Store.RestoreDoctor(t.Context(), who.Viewer, entry.ID))(t).IsVerified; got != verified {
			t.Errorf("verified %v, want %v", got, verified)
		}
	}
}
