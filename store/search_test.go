package store_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store/storetest"
)

func TestSearch_Patients(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha, boss := c.Owner("Asha"), c.Admin("Boss")
	names := map[int64]string{}
	for name, edit := range map[string]func(*model.Patient){
		"José Álvarez": func(p *model.Patient) { p.Email = new(model.EmailAddress("jose_a@home.example")) },
		"अर्जुन राव":   func(p *model.Patient) { p.Phone = "+919876543210" },
		"Zoë 100%":     func(p *model.Patient) { p.Phone = "+918012345678" },
		`Back\slash`:   func(p *model.Patient) { p.MedicalHistory = new("jose") },
		"O'Neill (Jr)": func(p *model.Patient) { p.Address = "jose street" },
	} {
		names[asha.Patient(name, edit).ID] = name
	}
	c.Owner("Ravi").Patient("José of another")
	for term, want := range map[string][]string{
		"jose": {"José Álvarez"}, "JOSÉ": {"José Álvarez"}, "jose\u0301 ": {"José Álvarez"}, "ＪＯＳＥ": {"José Álvarez"}, "alvarez": {"José Álvarez"},
		"JOSE_A@home": {"José Álvarez"}, "jose_alvarez": nil, "jose%": nil, "_": {"José Álvarez"}, "＿": {"José Álvarez"},
		"अर्जुन": {"अर्जुन राव"}, "राव": {"अर्जुन राव"}, "अर्जुन राव": {"अर्जुन राव"}, "राम": nil,
		"%": {"Zoë 100%"}, "％": {"Zoë 100%"}, "﹪": {"Zoë 100%"}, "zoe 100%": {"Zoë 100%"}, `\`: {`Back\slash`}, "＼": {`Back\slash`}, `k\s`: {`Back\slash`}, `h\`: nil,
		"'": {"O'Neill (Jr)"}, "o'n": {"O'Neill (Jr)"}, "(jr)": {"O'Neill (Jr)"}, "?": nil, "?0": nil,
		"98765": {"अर्जुन राव"}, "+91 98765 43210": {"अर्जुन राव"}, "098765-43210": {"अर्जुन राव"}, "(98765) 43210": {"अर्जुन राव"},
		"9876543210": {"अर्जुन राव"}, "+919876543210": {"अर्जुन राव"}, "080 1234 5678": {"Zoë 100%"}, "80-12345678": {"Zoë 100%"}, "98765 43211": nil,
		"alvarez jose": {"José Álvarez"}, "JOSÉ  home.example ALVAREZ": {"José Álvarez"}, "jose street": nil, "100% zoe": {"Zoë 100%"}, "(jr) o'n": {"O'Neill (Jr)"},
		"राव अर्जुन": {"अर्जुन राव"}, "43210 अर्जुन": {"अर्जुन राव"}, "43211 अर्जुन": nil, "a b c d e f g h i j": nil,
		"100": {"Zoë 100%"}, "history": nil, "asthma": nil, "street": nil,
	} {
		var got []string
		for _, p := range ok(Patients(t.Context(), c.Store, asha.Viewer, PatientQuery{Search: &term}))(t).Rows {
			got = append(got, names[p.ID])
		}
		if !slices.Equal(got, want) {
			t.Errorf("searching %q finds %q, want %q", term, got, want)
		}
		testutil.Equal(t, "count for "+term, ok(CountPatients(t.Context(), c.Store, asha.Viewer, PatientQuery{Search: &term}))(t), len(want))
	}
	for _, all := range []string{"", "  \t"} {
		testutil.Equal(t, "all for a blank search", ok(CountPatients(t.Context(), c.Store, asha.Viewer, PatientQuery{Search: &all}))(t), 5)
	}
	testutil.Equal(t, "what an administrator finds", ok(CountPatients(t.Context(), c.Store, boss.Viewer, PatientQuery{Search: new("jose")}))(t), 2)
}

func TestSearch_Doctors(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	rao := asha.Entry("Dr. Rao", func(d *model.Doctor) { d.Specialization, d.LicenseNumber = "Pédiatrie", "KMC/2020-77" })
	sen := asha.Entry("Dr. Sen", func(d *model.Doctor) { d.Address, d.LicenseNumber = "Rao Road", "X-1" })
	for term, want := range map[string][]int64{
		"rao": {rao.ID}, "PEDIATRIE": {rao.ID}, "kmc/2020-77": {rao.ID}, "2020-77": {rao.ID}, "dr.": {rao.ID, sen.ID},
		"road": {}, "rao pedia 77": {}, "rao pedia kmc/2020-77": {rao.ID}, "desk@practice": {}, "+9198": {}, "cardio": {sen.ID},
	} {
		wantDoctors(t, c, asha, DoctorQuery{Search: &term}, want...)
	}
}

// A text that PostgreSQL cannot store is refused and is not an internal error.
func TestSearch_RefusesNullCharacters(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	term := new("a\x00b")
	_, err := Patients(t.Context(), c.Store, asha.Viewer, PatientQuery{Search: term})
	wantCode(t, err, model.CodeBadUserInput, "search")
	_, err = CountPatients(t.Context(), c.Store, asha.Viewer, PatientQuery{Search: term})
	wantCode(t, err, model.CodeBadUserInput, "search")
	_, err = Doctors(t.Context(), c.Store, asha.Viewer, DoctorQuery{Search: term})
	wantCode(t, err, model.CodeBadUserInput, "search")
}

// The longest names can be stored, listed and paged by, although their folded form may be
// eighteen times as long.
func TestSearch_LongestNames(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	for _, name := range []string{strings.Repeat("\ufdfa", 100), strings.Repeat("한", 100), strings.Repeat("👩", 100), strings.Repeat("<", 100)} {
		asha.Patient(name)
		asha.Entry(name, func(d *model.Doctor) { d.Specialization = name })
	}
	byName := PatientQuery{OrderBy: model.PatientsByName, Page: model.PageArgs{First: new(1)}}
	for range 3 {
		l := ok(Patients(t.Context(), c.Store, asha.Viewer, byName))(t)
		byName.Page.After = new(l.Cursor(l.Rows[0]))
	}
	l := ok(Patients(t.Context(), c.Store, asha.Viewer, byName))(t)
	testutil.Equal(t, "the last page", len(l.Rows) == 1 && !l.HasNext, true)
}

// An index finds no shorter text than three letters anywhere, but it finds the beginnings
// of words. One letter is a name in some scripts.
func TestSearch_ShortTermsAreBeginningsOfWords(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	names := map[int64]string{}
	for _, name := range []string{"Ravi Iyer", "Ira Rao", "李 明", "Óscar"} {
		names[asha.Patient(name, func(p *model.Patient) { p.RecordNumber = new("7-" + string([]rune(name)[:1])) }).ID] = name
	}
	rao := asha.Entry("Rao", func(d *model.Doctor) { d.Specialization = "Cardiology" })
	for term, want := range map[string][]string{
		"r": {"Ravi Iyer", "Ira Rao"}, "RA": {"Ravi Iyer", "Ira Rao"}, "i": {"Ravi Iyer", "Ira Rao"}, "iy": {"Ravi Iyer"}, "ye": nil, "vi": nil, "o": {"Óscar"},
		"李": {"李 明"}, "明": {"李 明"}, "7": {"Ravi Iyer", "Ira Rao", "李 明", "Óscar"}, "-r": nil, "z": nil, "yer": {"Ravi Iyer"}, "r_": nil, "r%": nil,
	} {
		got := []string{}
		for _, p := range ok(Patients(t.Context(), c.Store, asha.Viewer, PatientQuery{Search: &term}))(t).Rows {
			got = append(got, names[p.ID])
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("searching %q finds %q, want %q", term, got, want)
		}
	}
	wantDoctors(t, c, asha, DoctorQuery{Search: new("ca")}, rao.ID)
	wantDoctors(t, c, asha, DoctorQuery{Search: new("di")})
}
