package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
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
	testutil.Equal(t, "relations", fmt.Sprint(own.Relations.Names()), "[ANYONE SIGNED_IN SELF]")
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

// TestDoctors_VerificationEndsWithWhatItCovers: each field alone, changed by the account
// or by an administrator.
func TestDoctors_VerificationEndsWithWhatItCovers(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha, boss := c.Owner("Asha"), c.Admin("Boss")
	priya, entry := c.Doctor("Priya")
	arjun := asha.Patient("Arjun")
	asha.Assign(arjun, entry)
	for _, who := range []*storetest.Account{priya, boss} {
		for name, edit := range map[string]struct {
			change model.Change[model.Doctor]
			stays  bool
		}{
			"another name":                {set("name", func(d *model.Doctor) { d.Name = "Dr. Priya Patel (AIIMS)" }), false},
			"another license number":      {set("licenseNumber", func(d *model.Doctor) { d.LicenseNumber += "9" }), false},
			"another specialization":      {set("specialization", func(d *model.Doctor) { d.Specialization = "Oncology" }), false},
			"a name in another case":      {set("name", func(d *model.Doctor) { d.Name = strings.ToUpper(d.Name) }), true},
			"a license with white space":  {set("licenseNumber", func(d *model.Doctor) { d.LicenseNumber = " K M C" + d.LicenseNumber[3:] }), true},
			"a specialization with space": {set("specialization", func(d *model.Doctor) { d.Specialization += "\u00a0" }), true},
			"another address":             {set("address", func(d *model.Doctor) { d.Address = "elsewhere" }), true},
		} {
			entry = c.Reset(entry)
			after := ok(c.Store.UpdateDoctor(t.Context(), who.Viewer, entry.ID, nil, []model.Change[model.Doctor]{edit.change}))(t)
			if after.IsVerified != edit.stays {
				t.Errorf("%s by %s: verified is %v", name, who.User.Username, after.IsVerified)
			}
			if _, err := Patient(t.Context(), c.Store, priya.Viewer, arjun.ID); (err == nil) != edit.stays {
				t.Errorf("%s by %s: the doctor's read of a patient returns %v", name, who.User.Username, err)
			}
		}
	}
}

// TestDoctors_WhoMayChangeAnEntry: the creator until the entry stands for a person, then
// the linked account; administrators always.
func TestDoctors_WhoMayChangeAnEntry(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha, priya, boss, stranger := c.Owner("Asha"), c.DoctorAccount("Priya"), c.Admin("Boss"), c.Stranger()
	unlinked := store.Verification{Account: new((*int64)(nil))}
	verified, linked := c.Verify(asha.Entry("Dr. A")), asha.Entry("Dr. B")
	linked = ok(c.VerifyAs(boss.Viewer, linked.ID, store.Verification{Account: new(&priya.UserID)}))(t)
	once := c.Verify(asha.Entry("Dr. C"))
	once = ok(c.VerifyAs(boss.Viewer, once.ID, unlinked))(t)
	for name, e := range map[string]struct {
		entry *model.Doctor
		may   []*storetest.Account
	}{
		"new":           {asha.Entry("Dr. D"), []*storetest.Account{asha, boss}},
		"verified":      {verified, []*storetest.Account{boss}},
		"linked":        {linked, []*storetest.Account{priya, boss}},
		"verified once": {once, []*storetest.Account{boss}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, who := range []*storetest.Account{asha, priya, boss, stranger} {
				wantRights(t, c, who, e.entry, slices.Contains(e.may, who))
			}
		})
	}
}

// wantRights checks every way to change an entry.
func wantRights(t *testing.T, c *storetest.Clinic, who *storetest.Account, entry *model.Doctor, may bool) {
	t.Helper()
	phone := set("phone", func(d *model.Doctor) { d.Phone = "+919876543210" })
	if who.User.Role != model.RoleAdmin {
		_, err := c.VerifyAs(who.Viewer, entry.ID, store.Verification{IsVerified: true})
		wantCode(t, err, model.CodeForbidden, "isVerified")
	}
	if !may {
		_, err := c.Store.UpdateDoctor(t.Context(), who.Viewer, entry.ID, nil, []model.Change[model.Doctor]{phone})
		wantCode(t, err, model.CodeForbidden, "phone")
		_, err = c.Store.DeleteDoctor(t.Context(), who.Viewer, entry.ID, nil)
		wantCode(t, err, model.CodeForbidden, "id")
		return
	}
	ok(c.Store.UpdateDoctor(t.Context(), who.Viewer, entry.ID, nil, []model.Change[model.Doctor]{phone}))(t)
	ok(c.Store.DeleteDoctor(t.Context(), who.Viewer, entry.ID, nil))(t)
	_, err := c.Store.UpdateDoctor(t.Context(), who.Viewer, entry.ID, nil, []model.Change[model.Doctor]{phone})
	wantCode(t, err, model.CodeDeleted, "id")
	ok(c.Store.RestoreDoctor(t.Context(), who.Viewer, entry.ID))(t)
}

// TestDoctors_ADeletedEntryKeepsAVerifiedLicense for its account, in any letter case.
func TestDoctors_ADeletedEntryKeepsAVerifiedLicense(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha, boss := c.Owner("Asha"), c.Admin("Boss")
	priya, entry := c.Doctor("Priya")
	ok(c.Store.DeleteDoctor(t.Context(), boss.Viewer, entry.ID, nil))(t)

	taken := func(d *model.Doctor) { d.LicenseNumber = strings.ToLower(entry.LicenseNumber) }
	again := c.NewDoctor("Dr. Mallory")
	taken(again)
	_, err := c.Store.CreateDoctor(t.Context(), asha.Viewer, again, false)
	wantCode(t, err, model.CodeTaken, "licenseNumber")
	other := asha.Entry("Dr. Other")
	_, err = c.Store.UpdateDoctor(t.Context(), asha.Viewer, other.ID, nil, []model.Change[model.Doctor]{set("licenseNumber", taken)})
	wantCode(t, err, model.CodeTaken, "licenseNumber")
	c.Exec("UPDATE doctors SET license_number = ?, deleted_at = now() WHERE id = ?", again.LicenseNumber, other.ID)
	_, err = c.Store.RestoreDoctor(t.Context(), asha.Viewer, other.ID)
	wantCode(t, err, model.CodeTaken, "licenseNumber")
	priya.Entry("Dr. Priya", taken)
}

// TestVerify_NoTwoVerifiedEntriesShareALicense: letter case does not matter.
func TestVerify_NoTwoVerifiedEntriesShareALicense(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha, boss := c.Owner("Asha"), c.Admin("Boss")
	var entries []*model.Doctor
	for _, license := range []string{"mci123", "MCI123", "Mci123", "mCi123", "mcI123", "MCi123", "mCI123", "McI123"} {
		entries = append(entries, asha.Entry("Dr. "+license, func(d *model.Doctor) { d.LicenseNumber = license }))
	}
	errs := concurrently(len(entries), func(i int) error {
		return errOf(c.VerifyAs(boss.Viewer, entries[i].ID, store.Verification{IsVerified: true}))
	})
	verified := 0
	for _, err := range errs {
		if err == nil {
			verified++
			continue
		}
		wantCode(t, err, model.CodeTaken, "licenseNumber")
	}
	testutil.Equal(t, "verified entries", verified, 1)
}

func TestDoctors_Verify(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha, boss := c.Owner("Asha"), c.Admin("Boss")
	priya, meera := c.DoctorAccount("Priya"), c.DoctorAccount("Meera")
	entry, other, gone := asha.Entry("Dr. Priya"), asha.Entry("Dr. Meera"), asha.DeletedEntry("Dr. Das")
	verify := func(id int64, account **int64) (*model.Doctor, error) {
		return c.VerifyAs(boss.Viewer, id, store.Verification{IsVerified: true, Account: account})
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
	for _, who := range []*storetest.Account{priya, boss} {
		wantDoctors(t, c, who, DoctorQuery{}, live.ID)
		wantDoctors(t, c, who, DoctorQuery{Deleted: model.DeletedInclude}, live.ID, gone.ID)
		wantDoctors(t, c, who, DoctorQuery{Deleted: model.DeletedOnly}, gone.ID)
	}
	for _, who := range []*storetest.Account{asha, c.Stranger()} { // the creator of a linked entry is a stranger to it
		wantDoctors(t, c, who, DoctorQuery{Deleted: model.DeletedInclude}, live.ID)
		wantDoctors(t, c, who, DoctorQuery{Deleted: model.DeletedOnly})
	}
	own := asha.DeletedEntry("Dr. C")
	wantDoctors(t, c, asha, DoctorQuery{Deleted: model.DeletedOnly}, own.ID)
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
	wantDoctors(t, c, asha, DoctorQuery{Mine: new(true)}, a.ID)
	wantDoctors(t, c, asha, DoctorQuery{Mine: new(false)}, b.ID, third.ID)
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

			ok(c.VerifyAs(boss.Viewer, entry.ID, store.Verification{IsVerified: true, Account: new(&priya.UserID)}))(t)
			ok(Patient(t.Context(), c.Store, priya.Viewer, arjun.ID))(t) // the same account: nothing ends

			var account *int64
			if next {
				account = &mole.UserID
			}
			ok(c.VerifyAs(boss.Viewer, entry.ID, store.Verification{IsVerified: true, Account: &account}))(t)
			ok(c.VerifyAs(boss.Viewer, entry.ID, store.Verification{IsVerified: true, Account: new(&mole.UserID)}))(t)
			_, err := Patient(t.Context(), c.Store, mole.Viewer, arjun.ID)
			wantCode(t, err, model.CodeNotFound, "id")
			if ok(Mapping(t.Context(), c.Store, asha.Viewer, mapping.ID))(t).IsActive {
				t.Error("the mapping went over to another account")
			}
		})
	}
}

// TestDoctors_AnotherIdentityEndsTheMappings: the patients of one person do not go over
// to another.
func TestDoctors_AnotherIdentityEndsTheMappings(t *testing.T) {
	t.Parallel()
	for name, e := range map[string]struct {
		change       model.Change[model.Doctor]
		corrected    bool // keepsMappings
		restored     bool // deleted and restored by the account in between
		mappingStays bool
	}{
		"another name":           {change: set("name", func(d *model.Doctor) { d.Name = "Dr. Mole" })},
		"another license number": {change: set("licenseNumber", func(d *model.Doctor) { d.LicenseNumber = "X-1" })},
		"after a restore":        {change: set("licenseNumber", func(d *model.Doctor) { d.LicenseNumber = "X-1" }), restored: true},
		"a corrected name":       {change: set("name", func(d *model.Doctor) { d.Name = "Dr. Prya" }), corrected: true, mappingStays: true},
		"another specialization": {change: set("specialization", func(d *model.Doctor) { d.Specialization = "Oncology" }), mappingStays: true},
		"another letter case":    {change: set("name", func(d *model.Doctor) { d.Name = "DR.  PRIYA" }), mappingStays: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := storetest.New(t)
			asha, boss := c.Owner("Asha"), c.Admin("Boss")
			priya, entry := c.Doctor("Priya")
			arjun := asha.Patient("Arjun")
			mapping := asha.Assign(arjun, entry)
			ok(c.Store.UpdateDoctor(t.Context(), priya.Viewer, entry.ID, nil, []model.Change[model.Doctor]{e.change}))(t)
			if e.restored {
				ok(c.Store.DeleteDoctor(t.Context(), priya.Viewer, entry.ID, nil))(t)
				ok(c.Store.RestoreDoctor(t.Context(), priya.Viewer, entry.ID))(t)
			}
			ok(c.VerifyAs(boss.Viewer, entry.ID, store.Verification{IsVerified: true, KeepsMappings: e.corrected}))(t)
			if got := ok(Mapping(t.Context(), c.Store, asha.Viewer, mapping.ID))(t).IsActive; got != e.mappingStays {
				t.Errorf("the mapping is active: %v", got)
			}
			if _, err := Patient(t.Context(), c.Store, priya.Viewer, arjun.ID); (err == nil) != e.mappingStays {
				t.Errorf("the account's read of the patient returns %v", err)
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
	_, err := c.Store.VerifyDoctor(t.Context(), boss.Viewer, entry.ID, seen, store.Verification{IsVerified: true})
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
