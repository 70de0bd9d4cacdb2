package store_test

import (
	"testing"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/storetest"
)

// Tests of updates of any record, with patients as the example.

func rename(to string) []model.Change[model.Patient] {
	return []model.Change[model.Patient]{set("name", func(p *model.Patient) { p.Name = to })}
}

func TestUpdate_WithTheVersionSeen(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	arjun := asha.Patient("Arjun")
	one := ok(c.Store.UpdatePatient(t.Context(), asha.Viewer, arjun.ID, new(1), rename("First")))(t)
	testutil.Equal(t, "version", one.Version, 2)

	now, err := c.Store.UpdatePatient(t.Context(), asha.Viewer, arjun.ID, new(1), rename("Second"))
	wantCode(t, err, model.CodeVersionConflict, "expectedVersion")
	testutil.Equal(t, "the record told with the conflict", resultText(now, nil), resultText(one, nil))
	now, err = c.Store.DeletePatient(t.Context(), asha.Viewer, arjun.ID, new(3))
	wantCode(t, err, model.CodeVersionConflict, "expectedVersion")
	testutil.Equal(t, "the record told with the conflict", resultText(now, nil), resultText(one, nil))

	read := ok(Patient(t.Context(), c.Store, asha.Viewer, arjun.ID))(t)
	testutil.Equal(t, "the record after conflicts", resultText(read, nil), resultText(one, nil))
	ok(c.Store.DeletePatient(t.Context(), asha.Viewer, arjun.ID, new(2)))(t)
}

// A conflict returns the record, so every check that hides it comes first.
func TestUpdate_RefusalsBeforeVersionConflict(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha, boss := c.Owner("Asha"), c.Admin("Boss")
	live, gone := asha.Patient("Arjun"), asha.DeletedPatient("Banu")
	for _, try := range []struct {
		who  *storetest.Account
		id   int64
		want model.Code
		at   string
	}{
		{c.Stranger(), live.ID, model.CodeNotFound, "id"},
		{boss, gone.ID, model.CodeNotFound, "id"},
		{boss, live.ID, model.CodeForbidden, "name"},
		{asha, gone.ID, model.CodeDeleted, "id"},
		{asha, 0, model.CodeNotFound, "id"},
	} {
		row, err := c.Store.UpdatePatient(t.Context(), try.who.Viewer, try.id, new(99), rename("Mallory"))
		wantCode(t, err, try.want, try.at)
		testutil.Equal(t, "record with the error", row, nil)
	}
}

func TestUpdate_AbsentStaysAndNullClears(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	arjun := asha.Patient("Arjun", func(p *model.Patient) { p.Email = new(model.EmailAddress("a@home.example")) })
	after := ok(c.Store.UpdatePatient(t.Context(), asha.Viewer, arjun.ID, nil, []model.Change[model.Patient]{
		set("email", func(p *model.Patient) { p.Email = nil }),
	}))(t)
	testutil.Equal(t, "email", after.Email, nil)
	testutil.Equal(t, "history", *after.MedicalHistory, *arjun.MedicalHistory)
	testutil.Equal(t, "name", after.Name, arjun.Name)
	testutil.Equal(t, "birth date", after.DateOfBirth.String(), "1990-05-15")
	testutil.Equal(t, "creation", after.CreatedAt.Equal(arjun.CreatedAt.Time), true)
	testutil.Equal(t, "whether the update has its time", after.UpdatedAt.After(arjun.UpdatedAt.Time), true)
}

func TestUpdate_TellsEveryFaultAtOnceAndChangesNothing(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	arjun := asha.Patient("Arjun")
	_, err := c.Store.UpdatePatient(t.Context(), asha.Viewer, arjun.ID, nil, []model.Change[model.Patient]{
		{Field: "name"}, // null for what cannot be empty
		{Field: "gender"},
		set("address", func(p *model.Patient) { p.Address = "somewhere else" }),
		set("phone", func(p *model.Patient) { p.Phone = "12" }),
		set("dateOfBirth", func(p *model.Patient) { p.DateOfBirth = model.ParseDate("2999-01-01") }),
	})
	wantCodes(t, err, "name REQUIRED", "gender REQUIRED", "dateOfBirth INVALID", "phone INVALID")
	read := ok(Patient(t.Context(), c.Store, asha.Viewer, arjun.ID))(t)
	testutil.Equal(t, "the record", resultText(read, nil), resultText(arjun, nil))
}

func TestUpdate_OfNothingStillCounts(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	arjun := asha.Patient("Arjun")
	after := ok(c.Store.UpdatePatient(t.Context(), asha.Viewer, arjun.ID, nil, nil))(t)
	testutil.Equal(t, "version", after.Version, 2)
	testutil.Equal(t, "name", after.Name, "Arjun")
}

// The column of every field that an update can name is the field's own.
func TestUpdate_WritesEveryFieldThatTheSchemaLetsBeSet(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	priya, entry := c.Doctor("Priya")
	arjun := priya.Patient("Arjun")
	other := c.NewPatient("Other")
	other.DateOfBirth, other.Gender, other.Email = model.ParseDate("1970-07-07"), model.GenderOther, new(model.EmailAddress("o@home.example"))
	other.Address, other.EmergencyContact, other.BloodGroup = "elsewhere", "+919811111112", new(model.ONegative)
	patient := ok(c.Store.UpdatePatient(t.Context(), priya.Viewer, arjun.ID, nil, whole(storetest.Policy(t), "Patient", func(p *model.Patient) {
		other.Visible, other.Lifecycle, other.ID = p.Visible, p.Lifecycle, p.ID
		*p = *other
	})))(t)
	other.Lifecycle, other.DateOfBirth = patient.Lifecycle, patient.DateOfBirth
	testutil.Equal(t, "patient", resultText(patient, nil), resultText(other, nil))
	testutil.Equal(t, "birth date", patient.DateOfBirth.String(), "1970-07-07")

	next := c.NewDoctor("Dr. Next")
	next.Email, next.Specialization, next.ExperienceYears = "n@practice.example", "Oncology", 3
	next.Address, next.ConsultationFee, next.Availability = "elsewhere", model.ParseDecimal("99.5"), "Sun"
	var changes []model.Change[model.Doctor]
	for _, change := range whole(storetest.Policy(t), "Doctor", func(d *model.Doctor) {
		next.Visible, next.Lifecycle, next.ID, next.AccountID = d.Visible, d.Lifecycle, d.ID, d.AccountID
		*d = *next
	}) {
		if change.Field != "isVerified" && change.Field != "account" { // by VerifyDoctor
			changes = append(changes, change)
		}
	}
	doctor := ok(c.Store.UpdateDoctor(t.Context(), priya.Viewer, entry.ID, nil, changes))(t)
	next.Lifecycle, next.ConsultationFee = doctor.Lifecycle, doctor.ConsultationFee
	next.VerifiedName, next.VerifiedLicense = entry.VerifiedName, entry.VerifiedLicense
	testutil.Equal(t, "doctor", resultText(doctor, nil), resultText(next, nil))
	testutil.Equal(t, "fee", doctor.ConsultationFee.String(), "99.50")
}

// whole returns changes of all fields that an update of the type can name.
func whole[T any](p *model.Policy, typ string, apply func(*T)) []model.Change[T] {
	var changes []model.Change[T]
	for _, field := range p.Types[typ].Inputs {
		changes = append(changes, set(field, apply))
	}
	return changes
}

// Deleting and restoring are refused as a whole, because they name no field.
func TestUpdate_RefusesUnderAPolicyThatLetsNobody(t *testing.T) {
	t.Parallel()
	nobody := storetest.Policy(t, "deletedAt: DateTime @owner(read: CIRCLE, write: OWNER)", "deletedAt: DateTime @owner(read: CIRCLE)")
	c := storetest.New(t, func(o *store.Options) { o.Policy = nobody })
	asha := c.Owner("Asha")
	arjun := asha.Patient("Arjun")
	_, err := c.Store.DeletePatient(t.Context(), asha.Viewer, arjun.ID, nil)
	wantCode(t, err, model.CodeForbidden, "id")
	_, err = c.Store.RestorePatient(t.Context(), asha.Viewer, arjun.ID)
	wantCode(t, err, model.CodeForbidden, "id")
}

// If an update ends the viewer's access, it is rolled back: the answer would go to a
// viewer who cannot see the record.
func TestUpdate_BySomebodyWhoseAccessEndsMeanwhile(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	priya, entry := c.Doctor("Priya")
	arjun := asha.Patient("Arjun")
	asha.Assign(arjun, entry)
	c.Exec(`CREATE FUNCTION end_care() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		UPDATE mappings SET is_active = FALSE, ended_at = now(); RETURN NEW; END $$`)
	c.Exec("CREATE TRIGGER end_care BEFORE UPDATE ON patients FOR EACH ROW EXECUTE FUNCTION end_care()")

	_, err := c.Store.UpdatePatient(t.Context(), priya.Viewer, arjun.ID, nil, []model.Change[model.Patient]{
		set("medicalHistory", func(p *model.Patient) { p.MedicalHistory = nil }),
	})
	wantCode(t, err, model.CodeNotFound, "id")
	read := ok(Patient(t.Context(), c.Store, asha.Viewer, arjun.ID))(t)
	testutil.Equal(t, "the record", resultText(read, nil), resultText(arjun, nil))
}
