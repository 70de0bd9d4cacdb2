package model_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/caregraph/caregraph/model"
)

func TestEmailAddress(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 60) + "@" + strings.Repeat(strings.Repeat("b", 60)+".", 3) + "example"
	for text, valid := range map[string]bool{
		"asha@clinic.example": true, "Asha.Rao+tag@Clinic.co.IN": true, " asha@clinic.example\n": true, "अर्जुन@clinic.example": true, long: true,
		"asha": false, "asha@clinic": false, "asha@": false, "@clinic.example": false, "a b@clinic.example": false, "asha@clinic.": false,
		"Asha <asha@clinic.example>": false, `"a b"@clinic.example`: false, "asha@clinic.example (work)": false, "a@b@clinic.example": false,
		"asha@cli nic.example": false, "asha@clinic..example": false, "a\x00@clinic.example": false, "x" + strings.Repeat("a", 250) + "@b.in": false, "": false,
	} {
		email := model.ParseEmail(text)
		if email.Valid() != valid {
			t.Errorf("%q is valid: %v", text, !valid)
		}
		if string(email) != strings.ToLower(strings.TrimSpace(text)) {
			t.Errorf("%q became %q", text, email)
		}
	}
}

func TestPhoneNumber(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]model.PhoneNumber{
		"9876543210": "+919876543210", "09876543210": "+919876543210", "+919876543210": "+919876543210", "+91 98765 43210": "+919876543210",
		"098765-43210": "+919876543210", "(98765) 43210": "+919876543210", " 6000000000 ": "+916000000000", "+91-80-1234-5678": "+918012345678",
		"080 2234 5678": "+918022345678", "+14155552671": "+14155552671", "+44 20 7946 0018": "+442079460018", "00919876543210": "+919876543210",
		"1111111111": "", "+911111111111": "", "987654321": "", "98765432101": "", "12": "", "": "", "+": "", "not a number": "",
		"९८७६५४३२१०": "+919876543210", "98765x43210": "", "tel:+919876543210": "", "+91 98765 43210 ext 5": "", "1800-FLOWERS": "", "+999999999999": "",
		"9876543210\x00": "", strings.Repeat("9", 40): "", "+9198765432101": "",
	} {
		number := model.ParsePhone(text)
		switch {
		case want == "" && number.Valid():
			t.Errorf("%q is taken as %s", text, number)
		case want != "" && (number != want || !number.Valid()):
			t.Errorf("%q became %q, valid %v, want %s", text, number, number.Valid(), want)
		}
	}
	if got := model.ParsePhone("98765 43210").Format(model.PhoneNational); got != "9876543210" {
		t.Errorf("an Indian number is written %s", got)
	}
	if got := model.ParsePhone("+14155552671").Format(model.PhoneNational); got != "+14155552671" {
		t.Errorf("an American number is written %s", got)
	}
}

func TestDate(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"1990-05-15": "1990-05-15", "1990-5-1": "1990-05-01", "2024-02-29\n": "2024-02-29", "0001-01-02": "0001-01-02", "0001-01-01": "0001-01-01", "9999-12-31": "9999-12-31",
		"2023-02-29": "", "1990-13-01": "", "1990-00-10": "", "1990-05-32": "", "15-05-1990": "", "1990/05/15": "", "0000-01-01": "", "1990-05-15T00:00:00Z": "",
		"": "", "soon": "", "-1990-05-15": "", "19900515": "", "1990-05-15x": "", "10000-01-01": "",
	} {
		date := model.ParseDate(text)
		if date.Valid() != (want != "") || date.Valid() && date.String() != want {
			t.Errorf("%q became %s, valid %v, want %q", text, date, date.Valid(), want)
		}
		if date.IsZero() != (strings.TrimSpace(text) == "") {
			t.Errorf("%q is taken as no text: %v", text, date.IsZero())
		}
	}
}

func TestDecimal(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"1500": "1500.00", "1500.5": "1500.50", "1e3": "1000.00", "-1": "-1.00", " 7 ": "7.00", ".5": "0.50", "1.00": "1.00", "0": "0.00", "1e20": "100000000000000000000.00",
		"1e999999999": "", "1e-999999999": "", "1e21": "", "99999999999999999999999999999999999999999": "", "NaN": "", "Infinity": "", "0x10": "", "1_000": "", "1,5": "",
		"": "", "e5": "", "--1": "", "1 2": "", "१": "", "1\x00": "",
	} {
		number := model.ParseDecimal(text)
		if number.Valid() != (want != "") || number.Valid() && number.String() != want {
			t.Errorf("%q became %s, valid %v, want %q", text, number, number.Valid(), want)
		}
	}
	for text, want := range map[string]int{"1": 0, "1.50": 1, "1.05": 2, "1.005": 3, "1e3": 0, "1.000": 0} {
		if got := model.ParseDecimal(text).Places(); got != want {
			t.Errorf("%s has %d places, want %d", text, got, want)
		}
	}
}

// Variables and literals have one of these types.
func TestDecimal_FromNumbers(t *testing.T) {
	t.Parallel()
	for _, v := range []any{"1500.1", json.Number("1500.1"), 1500.1} {
		var number model.Decimal
		if err := number.UnmarshalGQL(v); err != nil || number.String() != "1500.10" || number.Places() != 1 {
			t.Errorf("%T became %s, %v", v, number, err)
		}
	}
	var number model.Decimal
	if err := number.UnmarshalGQL(int64(7)); err != nil || number.String() != "7.00" {
		t.Errorf("an integer became %s, %v", number, err)
	}
}

func TestScalars_RefuseOtherTypes(t *testing.T) {
	t.Parallel()
	for name, unmarshal := range map[string]func(any) error{
		"EmailAddress": new(model.EmailAddress).UnmarshalGQL, "PhoneNumber": new(model.PhoneNumber).UnmarshalGQL, "Date": new(model.Date).UnmarshalGQL,
		"Decimal": new(model.Decimal).UnmarshalGQL, "DateTime": new(model.DateTime).UnmarshalGQL, "Role": new(model.Role).UnmarshalGQL,
		"Gender": new(model.Gender).UnmarshalGQL, "BloodGroup": new(model.BloodGroup).UnmarshalGQL, "PhoneFormat": new(model.PhoneFormat).UnmarshalGQL,
		"DeletedFilter": new(model.DeletedFilter).UnmarshalGQL, "OrderDirection": new(model.OrderDirection).UnmarshalGQL,
	} {
		for _, v := range []any{nil, true, []any{"x"}, map[string]any{}} {
			if code := model.CodeOf(unmarshal(v)); code != model.CodeBadUserInput {
				t.Errorf("%s takes %v: %q", name, v, code)
			}
		}
	}
}

func TestEnums_TakeTheirValuesOnly(t *testing.T) {
	t.Parallel()
	var group model.BloodGroup
	if err := group.UnmarshalGQL("AB_NEGATIVE"); err != nil || group != model.ABNegative {
		t.Errorf("AB_NEGATIVE became %s, %v", group, err)
	}
	for _, text := range []string{"", "ab_negative", "AB-", "EVEN_DELETED"} {
		if err := group.UnmarshalGQL(text); err == nil || group != model.ABNegative {
			t.Errorf("%q is taken, as %s", text, group)
		}
	}
	var deleted model.DeletedFilter
	if err := deleted.UnmarshalGQL("EVEN_DELETED"); err == nil {
		t.Error("a client can ask for what is only the store's")
	}
}

func TestDateTime(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	model.DateTime{Time: time.Date(2026, 1, 31, 15, 0, 0, 123_456_789, model.India)}.MarshalGQL(&out)
	if got := out.String(); got != `"2026-01-31T09:30:00.123456Z"` {
		t.Errorf("written as %s", got)
	}
	for text, want := range map[string]string{
		"2026-01-31T09:30:00Z": "2026-01-31T09:30:00Z", "2026-01-31T15:00:00.1234569+05:30": "2026-01-31T09:30:00.123456Z",
		"0001-01-01T00:00:00Z": "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z": "9999-12-31T23:59:59.999999Z",
	} {
		if at := model.ParseDateTime(text); !at.Valid() || at.Format(time.RFC3339Nano) != want {
			t.Errorf("%s became %v", text, at)
		}
	}
	for _, text := range []string{"", "2026-01-31", "2026-01-31 09:30:00Z", "2026-01-31T09:30:00", "2026-02-30T00:00:00Z", "0000-12-31T00:00:00Z", "0001-01-01T00:00:00+01:00", "now"} {
		if model.ParseDateTime(text).Valid() {
			t.Errorf("%q is taken", text)
		}
	}
}

func TestParseID(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]model.ID{
		"pat_42": {Kind: model.KindPatient, Num: 42}, "usr_1": {Kind: model.KindUser, Num: 1}, "doc_9223372036854775807": {Kind: model.KindDoctor, Num: 1<<63 - 1},
		"map_007": {Kind: model.KindMapping, Num: 7}, "42": {Num: 42},
		"": {}, "_": {}, "_42": {}, "pat_": {}, "pat": {}, "pat_0": {}, "pat_-1": {}, "pat_+1": {}, "+1": {}, "-1": {}, "0": {}, "1.5": {}, "1e3": {}, "x_1": {Kind: "x", Num: 1}, "PAT_1": {Kind: "PAT", Num: 1},
		"pat_1_2": {}, "pat_ 1": {}, " 1": {}, "pat_9223372036854775808": {}, "pat_1\x00": {}, "pat_१": {}, "0x10": {}, "1_000": {},
	} {
		if got := model.ParseID(text); got != want {
			t.Errorf("%q became %+v, want %+v", text, got, want)
		}
	}
}

func TestID_Of(t *testing.T) {
	t.Parallel()
	patient, bare := model.ParseID("pat_42"), model.ParseID("42")
	if patient.Of(model.KindPatient) != 42 || patient.Of(model.KindDoctor) != 0 || bare.Of(model.KindDoctor) != 42 || (model.ID{}).Of(model.KindUser) != 0 {
		t.Error("an id is of the wrong kind")
	}
	for _, v := range []any{int64(42), 42, json.Number("42"), "42"} {
		var id model.ID
		if err := id.UnmarshalGQL(v); err != nil || id != bare {
			t.Errorf("%T became %+v, %v", v, id, err)
		}
	}
	for _, v := range []any{nil, true, 1.5, json.Number("1e3"), []any{}, -1} {
		id := patient
		if err := id.UnmarshalGQL(v); err != nil || id != (model.ID{}) {
			t.Errorf("%v became %+v, %v", v, id, err)
		}
	}
}
