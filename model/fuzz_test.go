package model_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/caregraph/caregraph/model"
)

// FuzzID checks that a valid id is written in a form that ParseID reads.
func FuzzID(f *testing.F) {
	for _, seed := range []string{"pat_42", "42", "", "usr_0", "doc_9223372036854775807", "map_+1", "_1", "pat_1_1", "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		id := model.ParseID(text)
		if id == (model.ID{}) || id.Kind == "" {
			return
		}
		if again := model.ParseID(id.String()); again != id || id.Num < 1 {
			t.Fatalf("%q became %+v, then %+v", text, id, again)
		}
	})
}

func FuzzEmailAddress(f *testing.F) {
	seeds(f, "asha@clinic.example", "A.B+c@D.in", `"a b"@c.in`, "a@b", "İ@x.in", "a@[1.2.3.4]", "a@b.in\n")
	f.Fuzz(func(t *testing.T, text string) {
		var email, again model.EmailAddress
		if taken(t, email.UnmarshalGQL(text)) && email.Valid() {
			var out bytes.Buffer
			email.MarshalGQL(&out)
			if reread(t, out.Bytes(), again.UnmarshalGQL); again != email {
				t.Fatalf("%q became %q, then %q", text, email, again)
			}
		}
	})
}

func FuzzPhoneNumber(f *testing.F) {
	seeds(f, "9876543210", "+91 98765 43210", "098765-43210", "+14155552671", "+", "()", "+999999999999", "00919876543210")
	f.Fuzz(func(t *testing.T, text string) {
		var number, again model.PhoneNumber
		if taken(t, number.UnmarshalGQL(text)) && number.Valid() {
			var out bytes.Buffer
			number.MarshalGQL(&out)
			if reread(t, out.Bytes(), again.UnmarshalGQL); again != number {
				t.Fatalf("%q became %q, then %q", text, number, again)
			}
			if again := model.ParsePhone(number.Format(model.PhoneNational)); again != number {
				t.Fatalf("%q became %q, whose national form is %q", text, number, again)
			}
		}
	})
}

func FuzzDate(f *testing.F) {
	seeds(f, "1990-05-15", "1990-5-1", "0000-01-01", "9999-12-31", "2023-02-29", "")
	f.Fuzz(func(t *testing.T, text string) {
		var date, again model.Date
		if taken(t, date.UnmarshalGQL(text)) && date.Valid() {
			var out bytes.Buffer
			date.MarshalGQL(&out)
			if reread(t, out.Bytes(), again.UnmarshalGQL); again != date {
				t.Fatalf("%q became %s, then %s", text, date, again)
			}
		}
	})
}

func FuzzDecimal(f *testing.F) {
	seeds(f, "1500.00", "1e999999999", "1e-999999999", "-0", ".5", "5.", "1e20", "1e-20", "99999999999999999999999999999999999999")
	f.Fuzz(func(t *testing.T, text string) {
		var number, again model.Decimal
		if taken(t, number.UnmarshalGQL(text)) && number.Valid() && number.Between(0, 100_000) && number.Places() <= 2 {
			var out bytes.Buffer
			number.MarshalGQL(&out)
			if reread(t, out.Bytes(), again.UnmarshalGQL); again.String() != number.String() {
				t.Fatalf("%q became %s, then %s", text, number, again)
			}
		}
	})
}

func FuzzDateTime(f *testing.F) {
	seeds(f, "2026-01-31T09:30:00.123456Z", "2026-01-31T15:00:00+05:30", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59")
	f.Fuzz(func(_ *testing.T, text string) {
		var instant model.DateTime
		if instant.UnmarshalGQL(text) == nil {
			instant.MarshalGQL(new(bytes.Buffer))
		}
	})
}

func seeds(f *testing.F, texts ...string) {
	f.Helper()
	for _, text := range texts {
		f.Add(text)
	}
}

// taken checks that a scalar of text accepts every text. Validation reports errors.
func taken(t *testing.T, err error) bool {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return true
}

// reread unmarshals what a scalar has written, as a client would send it back.
func reread(t *testing.T, written []byte, unmarshal func(any) error) {
	t.Helper()
	var text string
	if err := json.Unmarshal(written, &text); err != nil {
		t.Fatalf("%s is no JSON: %v", written, err)
	}
	if err := unmarshal(text); err != nil {
		t.Fatal(err)
	}
}
