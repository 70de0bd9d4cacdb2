package store_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/uptrace/bun"
	"golang.org/x/text/unicode/norm"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/storetest"
)

// forms are names in two forms that people read as one, in several scripts.
var forms = [][2]string{
	{"Asha Rao", "Asha  Rao"},
	{"Asha Rao", "Asha\tRao"},
	{"Asha Rao", "Asha\u00a0Rao"},
	{"Asha Rao", "As\u200bha Rao\u200f"},
	{"अर्जुन राव", "अर्जुन\u3000राव"},
	{"राजेश क्ष", "राजेश क्\u200dष"},
	{"محمد علی", "محمد\u200c علی"},
	{"محمد", "مُحَمَّد"},
	{"احمد", "أحمد"},
	{"ஸ்ரீ", "ஸ்\u200dரீ"},
	{"പത്മനാഭൻ", "പത്മനാഭന്\u200d"},
	{"അമൽ", "അമല്\u200d"},
	{"D'Souza", "D\u2019Souza"},
	{"D\u02bcSouza", "D\u2018SOUZA"},
	{"Straßer", "STRASSER"},
	{"ΝΙΚΟΣ", "νίκος"},
	{"Łukasz", "lukasz"},
	{"Søren", "SOREN"},
	{"Đorđe", "dorde"},
	{"José", "jose\u0301"},
	{"ИВАН", "иван"},
}

func TestSearch_FindsANameInEveryForm(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	names := forms
	if testing.Short() {
		names = forms[:4]
	}
	for i, pair := range names {
		for j, name := range pair {
			mark := fmt.Sprintf(" q%d-%d", i, j)
			patient, renamed := asha.Patient(name+mark), asha.Patient("Before")
			ok(c.Store.UpdatePatient(t.Context(), asha.Viewer, renamed.ID, nil, []model.Change[model.Patient]{
				set("name", func(p *model.Patient) { p.Name = name + mark }),
			}))(t)
			asDoctor := asha.Entry(name+mark, func(d *model.Doctor) { d.Specialization = "Surgery" })
			bySpecialization := asha.Entry("0", func(d *model.Doctor) { d.Specialization = name + mark })
			for _, term := range []string{pair[0] + mark, pair[1] + mark} {
				found := ok(Patients(t.Context(), c.Store, asha.Viewer, PatientQuery{Search: &term, OrderBy: model.PatientsByName}))(t).Rows
				wantIDs(t, fmt.Sprintf("patients %q, searched as %q,", name, term), idsOf(found), patient.ID, renamed.ID)
				wantDoctors(t, c, asha, DoctorQuery{Search: &term}, bySpecialization.ID, asDoctor.ID)
				wantDoctors(t, c, asha, DoctorQuery{Specialization: &term}, bySpecialization.ID)
			}
		}
	}
}

// A sign that distinguishes names still does.
func TestSearch_DoesNotFindOtherNames(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	for _, pair := range [][2]string{{"रमा", "राम"}, {"கலா", "கல்"}, {"D'Souza", "DSouza"}, {"Asha Rao", "AshaRao"}} {
		asha.Patient(pair[0])
		testutil.Equal(t, pair[0]+" searched as "+pair[1], ok(CountPatients(t.Context(), c.Store, asha.Viewer, PatientQuery{Search: &pair[1]}))(t), 0)
	}
}

func TestSearch_PhonesAsPasted(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	asha.Patient("Zed", func(p *model.Patient) { p.Phone = "+919876543210" })
	for _, term := range []string{
		"98765\u00a043210", "+91 (0) 98765 43210", "98765\u201143210", "\u202d9876543210\u202c", "९८७६५ ४३२१०", "௯௮௭௬௫", "＋９１９８７６５", "98765\u201343210",
	} {
		testutil.Equal(t, term, ok(CountPatients(t.Context(), c.Store, asha.Viewer, PatientQuery{Search: &term}))(t), 1)
	}
}

func TestNames_AreSortedAsTheyAreRead(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	names := []string{"\u200bAbel", "D\u2019Costa", "D'Souza", "D\u2019Souza B", "Łukasz", "Luke", "Strasser", "Straßer B", "Z"}
	var patients, doctors []int64
	for _, name := range names {
		patients, doctors = append(patients, asha.Patient(name).ID), append(doctors, asha.Entry(name).ID)
	}
	for _, size := range []int{2, 100} {
		sorted := everyPage(t, func(ctx context.Context, args model.PageArgs) (*list[*model.Patient], error) {
			return Patients(ctx, c.Store, asha.Viewer, PatientQuery{OrderBy: model.PatientsByName, Page: args})
		}, size, false)
		wantIDs(t, "patients by name", idsOf(sorted), patients...)
	}
	wantDoctors(t, c, asha, DoctorQuery{}, doctors...)
}

func TestSpecializations_OneInEveryForm(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	for _, form := range []string{"Cardiology", "cardio\u200blogy", "CARDIOLOGY", "Heart  Surgery", "Heart Surgery", "heart\tsurgery", "हृदय", "हृ\u200dदय"} {
		asha.Entry("Dr. Rao", func(d *model.Doctor) { d.Specialization = form })
	}
	var counts []int
	for _, s := range ok(c.Store.Specializations(t.Context(), asha.Viewer))(t) {
		counts = append(counts, s.DoctorCount)
	}
	if !slices.Equal(counts, []int{3, 3, 2}) {
		t.Errorf("the specializations have %v entries", counts)
	}
}

// licenses are spellings of one number.
var licenses = []string{"KMC/É 12", "KMC/É12", "KMC/E\u030112", "KMC/\u200bÉ12", "ＫＭＣ/É12", "KMC/É\u00a012", " KMC/É12\ufeff"}

func TestDoctors_OneLicenseNumberInEverySpelling(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha, ravi := c.Owner("Asha"), c.Owner("Ravi")
	spelled := func(number string) func(*model.Doctor) { return func(d *model.Doctor) { d.LicenseNumber = number } }
	first, other := asha.Entry("Dr. Rao", spelled(licenses[0])), ravi.Entry("Dr. Sen")
	for _, number := range licenses {
		for _, who := range []*storetest.Account{asha, ravi} {
			again := c.NewDoctor("Dr. Rao")
			spelled(number)(again)
			_, err := c.Store.CreateDoctor(t.Context(), who.Viewer, again, false)
			wantCode(t, err, model.CodeTaken, "licenseNumber")
		}
		_, err := c.Store.UpdateDoctor(t.Context(), ravi.Viewer, other.ID, nil, []model.Change[model.Doctor]{set("licenseNumber", spelled(number))})
		wantCode(t, err, model.CodeTaken, "licenseNumber")
		ok(c.Store.UpdateDoctor(t.Context(), asha.Viewer, first.ID, nil, []model.Change[model.Doctor]{set("licenseNumber", spelled(number))}))(t)
	}
	ravi.Entry("Dr. Small", spelled("kmc/é12")) // letter case counts
	ok(c.Store.DeleteDoctor(t.Context(), asha.Viewer, first.ID, nil))(t)
	ravi.Entry("Dr. Rao", spelled(licenses[1]))
	_, err := c.Store.RestoreDoctor(t.Context(), asha.Viewer, first.ID)
	wantCode(t, err, model.CodeTaken, "licenseNumber")
}

func TestRaces_OneLicenseNumberInSpellings(t *testing.T) {
	t.Parallel()
	c := concurrentClinic(t)
	asha := c.Owner("Asha")
	wantOneWinner(t, concurrently(rivals, func(i int) error {
		d := c.NewDoctor("Dr. Rao")
		d.LicenseNumber = "KMC" + strings.Repeat(" ", i+1) + "1"
		return errOf(c.Store.CreateDoctor(t.Context(), asha.Viewer, d, false))
	}), model.CodeTaken)
}

func TestUsers_OneUsernameAndAddressInEveryForm(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	create := func(username, email string) error {
		u := &model.User{Username: username, Email: model.ParseEmail(email), Role: model.RolePatient}
		if err := u.Validate(c.Store.Constraints("User")); err != nil {
			return err
		}
		return errOf(c.Store.CreateUser(t.Context(), u, "hash", nil))
	}
	ravi := c.Owner("Ravi")
	for i, usernames := range [][]string{{"josé", "jose\u0301", "JOSÉ", "jo\u200bsé"}, {"abc", "ａｂｃ", "ABC"}, {"straße", "STRASSE"}, {"अर्जुन", "अर्\u200dजुन"}, {"\ufb01x", "FIX"}} {
		testutil.Equal(t, usernames[0], create(usernames[0], fmt.Sprintf("u%d@x.in", i)), nil)
		for j, form := range usernames {
			wantCodes(t, create(form, fmt.Sprintf("u%d-%d@x.in", i, j)), "username TAKEN")
			_, err := c.Store.UpdateMe(t.Context(), ravi.Viewer, []model.Change[model.User]{set("username", func(u *model.User) { u.Username = form })})
			wantCodes(t, err, "username TAKEN")
		}
	}
	for i, emails := range [][]string{{"a@उदाहरण.भारत", "a@xn--p1b6ci4b4b3a.xn--h2brj9c"}, {"b@xn--mnchen-3ya.de", "b@mu\u0308nchen.de", "B@MÜNCHEN.de"}, {"dü@x.in", "du\u0308@x.in"}} {
		testutil.Equal(t, emails[0], create(fmt.Sprint("email", i), emails[0]), nil)
		for j, form := range emails {
			wantCodes(t, create(fmt.Sprint("email", i, "-", j), form), "email TAKEN")
			testutil.Equal(t, "who signs in as "+form, ok(c.Store.Credential(t.Context(), model.ParseEmail(form)))(t).Username, fmt.Sprint("email", i))
		}
	}
}

func TestPatients_OneAddressInEveryForm(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha, ravi := c.Owner("Asha"), c.Owner("Ravi")
	with := func(email string) func(*model.Patient) {
		return func(p *model.Patient) { p.Email = new(model.ParseEmail(email)) }
	}
	first := asha.Patient("Arjun", with("a@उदाहरण.भारत"))
	other := asha.Patient("Bina")
	for _, form := range []string{"a@उदाहरण.भारत", "a@xn--p1b6ci4b4b3a.xn--h2brj9c"} {
		again := c.NewPatient("Arjun")
		with(form)(again)
		_, err := c.Store.CreatePatient(t.Context(), asha.Viewer, again)
		wantCode(t, err, model.CodeTaken, "email")
		_, err = c.Store.UpdatePatient(t.Context(), asha.Viewer, other.ID, nil, []model.Change[model.Patient]{set("email", with(form))})
		wantCode(t, err, model.CodeTaken, "email")
		ravi.Patient("Arjun "+form, func(p *model.Patient) { p.Phone = "+919800000001" })
	}
	ravi.Patient("Of another owner", with("a@xn--p1b6ci4b4b3a.xn--h2brj9c"))
	ok(c.Store.DeletePatient(t.Context(), asha.Viewer, first.ID, nil))(t)
	asha.Patient("Arjun", with("a@xn--p1b6ci4b4b3a.xn--h2brj9c"))
	_, err := c.Store.RestorePatient(t.Context(), asha.Viewer, first.ID)
	wantCode(t, err, model.CodeTaken, "email")
}

// keysOf returns the keys of all rows of a table, in the order of their ids.
func keysOf(t *testing.T, c *storetest.Clinic, table, key string) []string {
	t.Helper()
	var keys []string
	if err := c.DB.NewRaw("SELECT coalesce(?, 'null') FROM ? ORDER BY id", bun.Ident(key), bun.Ident(table)).Scan(t.Context(), &keys); err != nil {
		t.Fatal(err)
	}
	return keys
}

// Rows that a server of version 0.1.0 has written get their keys from the next migration.
func TestMigrate_WritesTheKeysOfOtherServersRows(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	kept := asha.Patient("Zoë")
	asha.Patient("Old", func(p *model.Patient) { p.Email = new(model.EmailAddress("old@x.in")) })
	asha.Patient("D\u2019Souza")
	asha.Entry("Dr. Old", func(d *model.Doctor) { d.LicenseNumber = "L 1" })
	// Version 0.1.0 knows none of the keys.
	c.Exec("UPDATE patients SET name = 'D’Costa', email = 'a@उदाहरण.भारत' WHERE name = 'Old'")
	c.Exec("UPDATE patients SET name = 'Plain' WHERE name = 'D’Souza'")
	c.Exec("UPDATE doctors SET license_number = 'L 2', specialization = 'ＣＡＲＤＩＯ  X'")
	c.Exec("UPDATE users SET username = 'JOSÉ', username_key = NULL")
	var before, after string
	testutil.Must(t, c.DB.NewRaw("SELECT xmin::text FROM patients WHERE id = ?", kept.ID).Scan(t.Context(), &before))
	for range 2 { // the second one finds nothing to do
		testutil.Equal(t, "migrating", store.Migrate(t.Context(), c.URL, discard()), nil)
		for _, want := range []struct{ table, key, keys string }{
			{"patients", "name_fold", "null d'costa null"},
			{"patients", "email_key", "null a@xn--p1b6ci4b4b3a.xn--h2brj9c null"},
			{"doctors", "license_key", "L2"},
			{"doctors", "specialization_fold", "cardio x"},
			{"users", "username_key", "josé"},
		} {
			testutil.Equal(t, want.table+"."+want.key, strings.Join(keysOf(t, c, want.table, want.key), " "), want.keys)
		}
	}
	testutil.Must(t, c.DB.NewRaw("SELECT xmin::text FROM patients WHERE id = ?", kept.ID).Scan(t.Context(), &after))
	testutil.Equal(t, "the version of a row without keys", after, before)
}

// Records that were made one by bytes stay, and the log names the later one of a pair.
func TestMigrate_KeepsOldDuplicates(t *testing.T) {
	t.Parallel()
	for _, withIndexes := range []bool{true, false} {
		t.Run(fmt.Sprint("indexes ", withIndexes), func(t *testing.T) {
			t.Parallel()
			c := storetest.New(t)
			asha, ravi, third := c.Owner("Asha"), c.Owner("Ravi"), c.Owner("Third")
			asha.Entry("Dr. Rao", func(d *model.Doctor) { d.LicenseNumber = "L1" })
			later := ravi.Entry("Dr. Sen", func(d *model.Doctor) { d.LicenseNumber = "X" })
			asha.Patient("Arjun", func(p *model.Patient) { p.Email = new(model.ParseEmail("a@xn--p1b6ci4b4b3a.xn--h2brj9c")) })
			twin := asha.Patient("Bina")
			if !withIndexes { // as in the first migration
				c.Exec("DROP INDEX doctors_license_form_key, patients_email_form_key, users_username_form_key, users_email_form_key")
			}
			c.Exec("UPDATE doctors SET license_key = NULL, license_number = CASE id WHEN ? THEN 'L 1' ELSE license_number END", later.ID)
			c.Exec("UPDATE patients SET email_key = NULL, email = CASE id WHEN ? THEN 'a@उदाहरण.भारत' ELSE email END", twin.ID)
			c.Exec("UPDATE users SET username_key = NULL, username = CASE id WHEN ? THEN 'jos' || chr(233) WHEN ? THEN 'jose' || chr(769) ELSE username END", asha.UserID, ravi.UserID)
			var lines bytes.Buffer
			testutil.Equal(t, "migrating", store.Migrate(t.Context(), c.URL, slog.New(slog.NewTextHandler(&lines, nil))), nil)
			testutil.Equal(t, "licenses", strings.Join(keysOf(t, c, "doctors", "license_key"), " "), "L1 null")
			testutil.Equal(t, "addresses", strings.Join(keysOf(t, c, "patients", "email_key"), " "), "a@xn--p1b6ci4b4b3a.xn--h2brj9c null")
			testutil.Equal(t, "names", strings.Join(keysOf(t, c, "users", "username_key"), " "), "josé null third")
			for _, id := range []string{later.NodeID().String(), twin.NodeID().String(), ravi.User.NodeID().String()} {
				testutil.Equal(t, "lines about "+id, strings.Count(lines.String(), "record="+id+" "), 1)
			}
			wantNothingOf(t, fmt.Errorf("%s", lines.String()), "भारत", "L 1")
			_ = third
			if withIndexes { // a change of the field ends it
				ok(c.Store.UpdateDoctor(t.Context(), ravi.Viewer, later.ID, nil, []model.Change[model.Doctor]{set("licenseNumber", func(d *model.Doctor) { d.LicenseNumber = "L 2" })}))(t)
				testutil.Equal(t, "licenses", strings.Join(keysOf(t, c, "doctors", "license_key"), " "), "L1 L2")
			}
		})
	}
}

// The function of the database and the server agree on every character that both know
// and for which the server writes no key. The decomposition of a character never changes,
// so one that the database does not decompose, but the server does, is too new for it.
func TestFoldKey_AgreesWithTheDatabase(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	step := 1
	if testing.Short() {
		step = 100
	}
	rows, err := c.DB.QueryContext(t.Context(), `SELECT n, fold('a' || chr(n) || 'b'), normalize(chr(n), NFKD) = chr(n) FROM generate_series(1, 210000, ?) AS n
		WHERE n NOT BETWEEN 55296 AND 57343`, step)
	testutil.Must(t, err)
	defer func() { _ = rows.Close() }()
	same := 0
	for rows.Next() {
		var r rune
		var generated string
		var whole bool
		testutil.Must(t, rows.Scan(&r, &generated, &whole))
		text := "a" + string(r) + "b"
		if whole && !norm.NFKD.IsNormalString(string(r)) || model.FoldKey(text) != nil {
			continue
		}
		same++
		if folded := model.Fold(text); folded != generated {
			t.Errorf("U+%04X: the server folds to %+q, the database to %+q", r, folded, generated)
		}
	}
	testutil.Must(t, rows.Err())
	if same < 100_000/step {
		t.Errorf("only %d characters need no key", same)
	}
}

// The conditions and orders over keys have indexes, which an expression in other words
// would not use.
func TestKeys_HaveIndexes(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	for _, want := range []struct{ table, rest, index string }{
		{"patients AS patient", "WHERE coalesce(patient.search_fold, patient.search_text) LIKE '%sharma%'", "patients_search_fold"},
		{"doctors AS doctor", "WHERE coalesce(doctor.search_fold, doctor.search_text) LIKE '%sharma%'", "doctors_search_fold"},
		{"patients AS patient", "WHERE patient.created_by = 1 ORDER BY coalesce(patient.name_fold, patient.name_key), patient.id LIMIT 20", "patients_name_fold"},
		{"patients AS patient", "ORDER BY coalesce(patient.name_fold, patient.name_key), patient.id LIMIT 20", "patients_all_name_fold"},
		{"doctors AS doctor", "WHERE doctor.deleted_at IS NULL ORDER BY coalesce(doctor.name_fold, doctor.name_key), doctor.id LIMIT 20", "doctors_name_fold"},
		{"doctors AS doctor", "WHERE doctor.deleted_at IS NULL AND coalesce(doctor.specialization_fold, doctor.specialization_key) = 'x'", "doctors_specialization_"},
		{"users", "WHERE email_key = 'x'", "users_email_form_key"},
	} {
		var plan []string
		err := c.DB.RunInTx(t.Context(), nil, func(ctx context.Context, tx bun.Tx) error {
			if _, err := tx.ExecContext(ctx, "SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off"); err != nil {
				return err
			}
			return tx.NewRaw("EXPLAIN SELECT * FROM "+want.table+" "+want.rest).Scan(ctx, &plan)
		})
		testutil.Must(t, err)
		if text := strings.Join(plan, "\n"); !strings.Contains(text, " "+want.index) {
			t.Errorf("%s: no %s in\n%s", want.rest, want.index, text)
		}
	}
}
