package model_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/caregraph/caregraph/model"
)

// same are texts that people mean as one name, each line in several forms.
var same = [][]string{
	{"jose alvarez", "José Álvarez", "jose\u0301 a\u0301lvarez", "ＪＯＳＥ Alvarez", "José  Álvarez", " José\tÁlvarez\n", "José\u00a0Álvarez", "José\u3000Álvarez"},
	{"asha", "As\u200bha", "Asha\u200d", "\u200fAsha", "A\u00adsha", "\ufeffASHA", "Asha\ufe0f", "As\U000e0041ha"},
	{"d'souza", "D'Souza", "D\u2019Souza", "D\u2018Souza", "D\u02bcSouza", "D\uff07Souza"},
	{"strasser", "Straßer", "STRASSER", "STRA\u1e9eER"},
	{"νικοσ", "ΝΙΚΟΣ", "Νίκος", "νικος"},
	{"lukasz soren", "Łukasz Søren", "łUKASZ SØREN", "Lukasz Soren"},
	{"dorde", "Đorđe", "đORĐE"},
	{"иван", "ИВАН"},
	{"പത്മനാഭന്", "പത്മനാഭൻ", "പത്മനാഭന്\u200d"}, // chillu n and its older form
	{"മണിക്കുട്ടന്", "മണിക്കുട്ടൻ", "മണിക്കുട്ടന്\u200d"},
	{"\u0d30\u0d4d", "\u0d7c", "\u0d30\u0d4d\u200d"},
	{"محمد", "مُحَمَّد", "مح\u0670مد", "م\u200fحمد"},
	{"احمد", "أحمد", "إحمد", "آحمد"},
	{"علی", "علی\u200c"},
	{"क्ष", "क्\u200cष", "क्\u200dष"},
	{"ड\u093cा", "\u095cा", "ड\u200d\u093cा"},
}

func TestFold_TheSameName(t *testing.T) {
	t.Parallel()
	for _, forms := range same {
		for _, form := range forms {
			equal(t, "the fold of "+form, model.Fold(form), forms[0])
		}
	}
}

// Signs that make other names in their scripts stay.
func TestFold_OtherNames(t *testing.T) {
	t.Parallel()
	for _, pair := range [][2]string{
		{"राम", "रम"}, {"राम", "रमा"}, {"क्ष", "कष"}, {"कि", "की"}, {"கா", "க"}, {"আলি", "আল"}, {"ਸਿੰਘ", "ਸਿਘ"}, {"ن", "ں"}, {"o'neill", "oneill"}, {"asha rao", "asharao"},
	} {
		if model.Fold(pair[0]) == model.Fold(pair[1]) {
			t.Errorf("%q and %q are one name", pair[0], pair[1])
		}
	}
}

func TestFoldKey_IsSparse(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "Asha Rao", "José Álvarez", "अर्जुन राव", "தமிழ்", "иван", "Zoë 100%", "한", "\ufb01"} {
		if key := model.FoldKey(text, "+919876543210"); key != nil {
			t.Errorf("%q has the key %q", text, *key)
		}
	}
	for text, want := range map[string]string{
		"D\u2019Souza": "d'souza", "Asha  Rao": "asha rao", "Asha\tRao": "asha rao", "Łukasz": "lukasz", "ИВАН": "иван", "Straße": "strasse",
		"പത്മനാഭൻ": "പത്മനാഭന്", "مُحَمَّد": "محمد", "क्\u200dष": "क्ष", "As\u200bha": "asha",
	} {
		equal(t, "the key of "+text, model.FoldKey("Dr", text, "", "X"), new("dr "+want+"  x"))
	}
}

func TestUsernameKey(t *testing.T) {
	t.Parallel()
	for want, forms := range map[string][]string{
		"josé": {"josé", "jose\u0301", "JOSÉ", "jo\u200bsé", "ｊｏｓé"}, "abc": {"abc", "ABC", "ａｂｃ", "a\u00adbc"}, "ffi": {"ffi", "\ufb03"},
		"strasse": {"straße", "STRASSE"}, "νικοσ": {"νικος", "ΝΙΚΟΣ"}, "अर्जुन": {"अर्जुन", "अर्\u200dजुन"},
	} {
		for _, form := range forms {
			equal(t, "the key of "+form, model.UsernameKey(form), want)
		}
	}
}

func TestLicenseKey(t *testing.T) {
	t.Parallel()
	for _, form := range []string{"KMC/É 12", "KMC/E\u0301 12", "KMC/É12", " KMC/\u200bÉ\u00a01\u200d2\t", "ＫＭＣ/É 12", "K\ufeffMC/É\u20031２"} {
		equal(t, "the key of "+form, model.LicenseKey(form), "KMC/É12")
	}
	equal(t, "letter case counts", model.LicenseKey("mci1") == model.LicenseKey("MCI1"), false)
}

func TestEmailAddress_Forms(t *testing.T) {
	t.Parallel()
	for _, forms := range [][]string{
		{"dr@उदाहरण.भारत", "dr@xn--p1b6ci4b4b3a.xn--h2brj9c", "DR@XN--P1B6CI4B4B3A.xn--h2brj9c", "dr@उदाहरण。भारत"},
		{"a@münchen.de", "a@mu\u0308nchen.de", "A@MÜNCHEN.DE", "a@xn--mnchen-3ya.de"},
		{"dü@clinic.example", "du\u0308@clinic.example", "DÜ@clinic.example"},
	} {
		for _, form := range forms {
			email := model.ParseEmail(form)
			equal(t, form+" is valid", email.Valid(), true)
			equal(t, "the key of "+form, email.Key(), model.EmailAddress(forms[0]).Key())
		}
	}
	equal(t, "in full width", model.ParseEmail("a@ｘ.ｉn"), "a@x.in")
	equal(t, "the key of a plain address", model.ParseEmail("a@x.in").Key(), (*string)(nil))
}

func TestEmailAddress_Impossible(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"a@clinic.example\u200b", "a@cli\u00adnic.example", "a@clinic.example\u202c", "a@clinic.example\ufffd", "\ufeffa@clinic.example", "a\u200db@clinic.example", "a\ufffd@x.in",
		"a@-clinic.example", "a@clinic-.example", "a@clinic_.example", "a@" + strings.Repeat("b", 64) + ".example", "a@उदाहरण-.भारत", "a@xn--a.in", "a@xn--.in",
		strings.Repeat("a", 65) + "@clinic.example", strings.Repeat("é", 33) + "@clinic.example", "a@" + strings.Repeat(strings.Repeat("b", 62)+".", 4) + "in",
		"a@" + strings.Repeat("ब", 60) + ".भारत", "a@x.\u0915\u200d", "a@.x.in",
	} {
		if email := model.ParseEmail(text); email.Valid() {
			t.Errorf("%q is valid, as %q", text, email)
		}
	}
	for _, text := range []string{strings.Repeat("a", 64) + "@clinic.example", "a@" + strings.Repeat("b", 63) + ".example", "a@1clinic.example", "a@b--c.example", "a@क्\u200dष.भारत"} {
		if email := model.ParseEmail(text); !email.Valid() {
			t.Errorf("%q is refused, as %q", text, email)
		}
	}
}

func TestPhoneNumber_AsPasted(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"98765\u00a043210", "98765\u201143210", "98765\u201343210", "98765\u201443210", "98765\u221243210", "98765\u202f43210", "98765\t43210", "98765\uff0d43210",
		"\u202d9876543210\u202c", "\u200e+91 98765 43210", "\u20669876543210\u2069", "+91 (0) 98765 43210", "\ufeff9876543210", "98765\u00ad43210", "（９８７６５）４３２１０", "＋９１９８７６５４３２１０",
		"९८७६५४३२१०", "௯௮௭௬௫௪௩௨௧௦", "৯৮৭৬৫৪৩২১০", "９８７６５４３２１０", "۹۸۷۶۵۴۳۲۱۰", "٩٨٧٦٥٤٣٢١٠", "౯౮౭౬౫౪౩౨౧౦", "೯೮೭೬೫೪೩೨೧೦", "૯૮૭૬૫૪૩૨૧૦", "+९१ ९८७६५ ४३२१०",
		"𝟡𝟠𝟟𝟞𝟝𝟜𝟛𝟚𝟙𝟘",
	} {
		equal(t, text, model.ParsePhone(text), "+919876543210")
		if digits := model.PhoneDigits(text); digits != "9876543210" && digits != "919876543210" {
			t.Errorf("a search for %q looks for %q", text, digits)
		}
	}
	for _, text := range []string{"①②③④⑤⑥⑦⑧⑨⓪", "九八七六五四三二一〇", "98765🙂43210", "९८७६५"} {
		if number := model.ParsePhone(text); number.Valid() {
			t.Errorf("%q is taken as %s", text, number)
		}
	}
}

func TestPhoneNumber_Services(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]model.PhoneNumber{
		"1800 266 0101": "+9118002660101", "1860-266-2667": "+9118602662667", "+91 1800 266 0101": "+9118002660101", "१८०० २६६ ०१०१": "+9118002660101",
	} {
		number := model.ParsePhone(text)
		equal(t, text, number, want)
		equal(t, text+" is valid", number.Valid(), true)
		equal(t, text+" from its national form", model.ParsePhone(number.Format(model.PhoneNational)), want)
	}
	for _, text := range []string{"1800", "1800 266", "1700 266 0101", "1800 266 0101 0101 9"} {
		equal(t, text+" is valid", model.ParsePhone(text).Valid(), false)
	}
}

// The ten digits of each script follow each other from zero, and no range of the table
// begins elsewhere.
func TestPhoneDigits_OfAllScripts(t *testing.T) {
	t.Parallel()
	digits := 0
	for r := rune(0x80); r <= unicode.MaxRune; r++ {
		if unicode.IsDigit(r) && (!unicode.IsDigit(r-1) || digits%10 == 0) {
			equal(t, "ten digits", model.PhoneDigits(string([]rune{r + 9, r + 8, r, r + 7, r + 6, r + 5, r + 4, r + 3, r + 2, r + 1})), "9807654321")
		}
		if unicode.IsDigit(r) {
			digits++
		}
	}
}

func TestValidate_InvisibleTextIsBlank(t *testing.T) {
	t.Parallel()
	for _, blank := range []string{"", " \t", "\u200b", "\u2060\u200d", "\u3164", "\u00ad \ufeff", "\u115f", "\U000e0100"} {
		patient := model.Patient{Name: blank, Address: blank, Phone: model.PhoneNumber(blank), RecordNumber: new(blank)}
		for _, field := range []string{"name", "address", "phone"} {
			wantField(t, patient.Validate(patientConstraints(), time.Now()), field, model.CodeRequired)
		}
		equal(t, "the record number", patient.RecordNumber, (*string)(nil))
		doctor := model.Doctor{Name: blank, Specialization: blank, LicenseNumber: blank, Email: model.ParseEmail(blank)}
		for _, field := range []string{"name", "specialization", "licenseNumber", "email"} {
			wantField(t, doctor.Validate(doctorConstraints()), field, model.CodeRequired)
		}
		wantField(t, (&model.User{Username: blank}).Validate(userConstraints()), "username", model.CodeRequired)
	}
	// A joiner at the end of a word changes how a letter looks.
	patient := model.Patient{Name: " ന്\u200d "}
	_ = patient.Validate(patientConstraints(), time.Now())
	equal(t, "the name", patient.Name, "ന്\u200d")
}

func TestValidate_NamesDoNotOverrideTheDirection(t *testing.T) {
	t.Parallel()
	for _, sign := range []string{"\u202a", "\u202b", "\u202c", "\u202d", "\u202e"} {
		patient, doctor := model.Patient{Name: "A" + sign + "b"}, model.Doctor{Name: "A" + sign, Specialization: sign + "b"}
		wantField(t, patient.Validate(patientConstraints(), time.Now()), "name", model.CodeInvalid)
		wantField(t, doctor.Validate(doctorConstraints()), "name", model.CodeInvalid)
		wantField(t, doctor.Validate(doctorConstraints()), "specialization", model.CodeInvalid)
	}
}

func equal[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\ngot  %v\nwant %v", what, got, want)
	}
}

// wantField checks that an error names the field with the code.
func wantField(t *testing.T, err error, field string, code model.Code) {
	t.Helper()
	if want := field + " " + string(code); !slices.Contains(codesOf(t, err), want) {
		t.Errorf("no %s in %q", want, codesOf(t, err))
	}
}

// Normalizing twice changes nothing, and the case of a letter does not count.
func TestNormalTexts_EveryCharacter(t *testing.T) {
	t.Parallel()
	for r := rune(1); r <= unicode.MaxRune; r++ {
		if r > 0x32000 && r < 0xe0000 || r > 0xe0200 {
			continue // not assigned, or for private use
		}
		text := "a" + string(r) + "b"
		for name, key := range map[string]func(string) string{"Fold": model.Fold, "UsernameKey": model.UsernameKey} {
			once := key(text)
			if twice := key(once); twice != once {
				t.Errorf("%s makes %q of %q, then %q", name, once, text, twice)
			}
			if upper := key(strings.ToUpper(text)); upper != once && r != '\u0131' { // the dotless i has the capital of another letter
				t.Errorf("%s makes %q of %q, but %q of its capitals", name, once, text, upper)
			}
		}
	}
}

func FuzzNormalTexts(f *testing.F) {
	for _, forms := range same {
		seeds(f, forms...)
	}
	seeds(f, "\u3164", "ά\u0345", "ﷺ", "한", "\u0958\u200d\u093c", "ſt", "İ", "ŉ", "Ꭰꭰ")
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.ToValidUTF8(text, "")
		for name, step := range map[string]func(string) string{
			"Fold": model.Fold, "UsernameKey": model.UsernameKey, "LicenseKey": model.LicenseKey, "NormalPassword": model.NormalPassword,
			"ParseEmail": func(text string) string { return string(model.ParseEmail(text)) },
			"Canonical":  func(text string) string { return string(model.ParseEmail(text).Canonical()) },
			"ParsePhone": func(text string) string { return string(model.ParsePhone(text)) },
		} {
			if once := step(text); step(once) != once {
				t.Fatalf("%s makes %q of %q, then %q", name, once, text, step(once))
			}
		}
	})
}
