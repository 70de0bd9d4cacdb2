package model_test

import (
	"bytes"
	"testing"

	"github.com/caregraph/caregraph/model"
)

func TestParseAbha(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"91-1234-5678-9012", "91123456789012", " 91 1234 5678 9012 ", "9112-3456-7890-12"} {
		number := model.ParseAbha(text)
		var out bytes.Buffer
		number.MarshalGQL(&out)
		if !number.Valid() || out.String() != `"91-1234-5678-9012"` {
			t.Errorf("%q became %s, valid %t", text, out.String(), number.Valid())
		}
	}
	for _, text := range []string{
		"", "9112345678901", "911234567890123", "91-1234-5678-901x", "९११२३४५६७८९०१२", "+91123456789012", "91_1234_5678_9012", "91-1234-5678-9012\x00",
		"91\u00a01234 5678 9012",
	} {
		if number := model.ParseAbha(text); number.Valid() {
			t.Errorf("%q is taken for %s", text, number)
		}
	}
	var number model.AbhaNumber
	for _, value := range []any{nil, 91123456789012, true} {
		if number.UnmarshalGQL(value) == nil {
			t.Errorf("%v is taken", value)
		}
	}
}
