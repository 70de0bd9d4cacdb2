package store_test

import (
	"context"
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
		if try.want != model.CodeDeleted { // with DELETED it returns the deleted record
			testutil.Equal(t, "record with the error", row, nil)
		}
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

// TestUpdate_NoChangeNoVersion: an update to the values of the record writes nothing, but
// is refused like any other.
func TestUpdate_NoChangeNoVersion(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha, boss := c.Owner("Asha"), c.Admin("Boss")
	priya, entry := c.Doctor("Priya")
	arjun := asha.Patient("Arjun", func(p *model.Patient) { p.Email = new(model.EmailAddress("a@home.example")) })
	m := asha.Assign(arjun, entry)
	fee := func(text string) []model.Change[model.Doctor] {
		return []model.Change[model.Doctor]{set("consultationFee", func(d *model.Doctor) { d.ConsultationFee = model.ParseDecimal(text) })}
	}
	note := []model.Change[model.Mapping]{set("notes", func(other *model.Mapping) { other.Notes = m.Notes })}
	for what, update := range map[string]func(context.Context) (any, error){
		"nothing": func(ctx context.Context) (any, error) {
			return c.Store.UpdatePatient(ctx, asha.Viewer, arjun.ID, nil, nil)
		},
		"the same name and address": func(ctx context.Context) (any, error) {
			return c.Store.UpdatePatient(ctx, asha.Viewer, arjun.ID, nil, append(rename(" Arjun "),
				set("email", func(p *model.Patient) { p.Email = new(model.EmailAddress("a@home.example")) })))
		},
		"the same fee in another form": func(ctx context.Context) (any, error) {
			return c.Store.UpdateDoctor(ctx, priya.Viewer, entry.ID, nil, fee("1.5e3"))
		},
		"the same notes": func(ctx context.Context) (any, error) {
			return c.Store.UpdateMapping(ctx, asha.Viewer, m.ID, nil, note)
		},
		"the same verification": func(context.Context) (any, error) {
			return c.VerifyAs(boss.Viewer, entry.ID, store.Verification{IsVerified: true})
		},
		"the viewer's own values": func(ctx context.Context) (any, error) { return c.Store.UpdateMe(ctx, asha.Viewer, nil) },
	} {
		before := everyRow(t, c)
		testutil.Equal(t, what, errOf(update(t.Context())), nil)
		testutil.Equal(t, "the rows after "+what, everyRow(t, c), before)
	}
	_, err := c.Store.UpdatePatient(t.Context(), asha.Viewer, arjun.ID, new(7), rename("Arjun"))
	wantCode(t, err, model.CodeVersionConflict, "expectedVersion")
	_, err = c.Store.UpdatePatient(t.Context(), priya.Viewer, arjun.ID, nil, rename("Arjun"))
	wantCode(t, err, model.CodeForbidden, "name")

	touching := store.WithSubmission(t.Context(), &store.Submission{Touches: true})
	after := ok(c.Store.UpdatePatient(touching, asha.Viewer, arjun.ID, nil, nil))(t)
	testutil.Equal(t, "version after a touch", after.Version, 2)
}

// everyRow returns the records and the row versions that PostgreSQL keeps of them.
func everyRow(t *testing.T, c *storetest.Clinic) string {
	t.Helper()
	var text string
	testutil.Must(t, c.DB.NewRaw(`SELECT string_agg(row::text, ' ' ORDER BY row::text) FROM (
		SELECT ctid, xmin, id, version FROM patients UNION ALL SELECT ctid, xmin, id, version FROM doctors
		UNION ALL SELECT ctid, xmin, id, 0 FROM mappings UNION ALL SELECT ctid, xmin, id, 0 FROM users) AS row`).Scan(t.Context(), &text))
	return text
}

// TestUpdate_ReturnsTheRecordInTheWay with TAKEN, ALREADY_ASSIGNED and DELETED, if the
// viewer sees it.
func TestUpdate_ReturnsTheRecordInTheWay(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha, ravi, boss := c.Owner("Asha"), c.Owner("Ravi"), c.Admin("Boss")
	priya, entry := c.Doctor("Priya")
	has := func(email, number string) func(*model.Patient) {
		return func(p *model.Patient) { p.Email, p.RecordNumber = new(model.EmailAddress(email)), &number }
	}
	arjun := asha.Patient("Arjun", has("a@home.example", "7a"))
	banu := asha.Patient("Banu", has("b@home.example", "8"))
	ravi.Patient("Arjun", has("a@home.example", "7a"))
	patient := func(email, number string) *model.Patient {
		p := c.NewPatient("Chitra")
		has(email, number)(p)
		return p
	}
	license := c.NewDoctor("Dr. Rao")
	license.LicenseNumber = entry.LicenseNumber
	m := asha.Assign(arjun, entry)
	ended := asha.Remove(asha.Assign(banu, entry))
	gone, goneEntry := asha.DeletedPatient("Dev"), asha.DeletedEntry("Dr. Das")
	reserved := c.NewDoctor("Dr. Das")
	c.Exec("UPDATE doctors SET verified_license = 'r1', account_id = ? WHERE id = ?", priya.UserID, goneEntry.ID)
	reserved.LicenseNumber = "R1"
	email := []model.Change[model.Patient]{set("email", func(p *model.Patient) { p.Email = arjun.Email })}
	again := func(p *model.Patient) *model.Mapping { return &model.Mapping{PatientID: p.ID, DoctorID: entry.ID} }

	inTheWay(c.Store.CreatePatient(t.Context(), asha.Viewer, patient("a@home.example", "9")))(t, model.CodeTaken, arjun.NodeID())
	inTheWay(c.Store.CreatePatient(t.Context(), asha.Viewer, patient("c@home.example", "7A")))(t, model.CodeTaken, arjun.NodeID())
	inTheWay(c.Store.UpdatePatient(t.Context(), asha.Viewer, banu.ID, nil, email))(t, model.CodeTaken, arjun.NodeID())
	inTheWay(c.Store.CreateDoctor(t.Context(), ravi.Viewer, license, false))(t, model.CodeTaken, entry.NodeID())
	inTheWay(c.Store.CreateDoctor(t.Context(), priya.Viewer, c.NewDoctor("Dr. Priya"), true))(t, model.CodeTaken, entry.NodeID())
	inTheWay(c.Store.CreateDoctor(t.Context(), ravi.Viewer, reserved, false))(t, model.CodeTaken, model.ID{})
	inTheWay(c.Store.AssignDoctor(t.Context(), asha.Viewer, again(arjun)))(t, model.CodeAlreadyAssigned, m.NodeID())
	inTheWay(c.Store.AssignDoctor(t.Context(), asha.Viewer, again(gone)))(t, model.CodeDeleted, model.ID{})
	inTheWay(c.Store.UpdatePatient(t.Context(), asha.Viewer, gone.ID, nil, nil))(t, model.CodeDeleted, gone.NodeID())
	inTheWay(c.Store.DeletePatient(t.Context(), asha.Viewer, gone.ID, nil))(t, model.CodeDeleted, gone.NodeID())
	inTheWay(c.Store.DeletePatient(t.Context(), boss.Viewer, gone.ID, nil))(t, model.CodeNotFound, model.ID{})
	inTheWay(c.Store.RemoveMapping(t.Context(), asha.Viewer, ended.ID, nil))(t, model.CodeDeleted, ended.NodeID())
}

// inTheWay(call(...))(t, code, id) checks the code and the record of a refused call.
func inTheWay[T any, P interface {
	*T
	model.Node
}](row P, err error) func(t *testing.T, code model.Code, id model.ID) {
	return func(t *testing.T, code model.Code, id model.ID) {
		t.Helper()
		testutil.Equal(t, "code", model.CodeOf(err), code)
		switch {
		case row == nil:
			testutil.Equal(t, "record", model.ID{}, id)
		case !row.ViewerRelations().Any(model.SignedIn):
			t.Errorf("the record %s has no relations", row.NodeID())
		default:
			testutil.Equal(t, "record", row.NodeID(), id)
		}
	}
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
