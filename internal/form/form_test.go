package form_test

import (
	"net/url"
	"reflect"
	"testing"

	"github.com/caregraph/caregraph/internal/form"
)

func TestParse_TakesEveryTextAsBrowsersDo(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]url.Values{
		"":                         {},
		"&&":                       {},
		"a":                        {"a": {""}},
		"=b":                       {"": {"b"}},
		"a=b=c":                    {"a": {"b=c"}},
		"address=Flat 3; Block B":  {"address": {"Flat 3; Block B"}},
		"a;b=1&c":                  {"a;b": {"1"}, "c": {""}},
		"history=SpO2 94%":         {"history": {"SpO2 94%"}},
		"a=94%25; x&a=2":           {"a": {"94%; x", "2"}},
		"a=%zz%4%41%f0%9F%92%8a+b": {"a": {"%zz%4A💊 b"}},
		"a=%ff":                    {"a": {"\xff"}},
		"%41+%42=1":                {"A B": {"1"}},
	} {
		if got := form.Parse(text); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// FuzzParse: what net/url can read, Parse reads the same way.
func FuzzParse(f *testing.F) {
	f.Add("a=1&b=%41+c")
	f.Fuzz(func(t *testing.T, text string) {
		want, err := url.ParseQuery(text)
		got := form.Parse(text)
		if err != nil {
			return
		}
		for name, values := range want {
			for i := range values {
				if valid := []rune(values[i]); string(valid) != values[i] {
					return
				}
			}
			if valid := []rune(name); string(valid) != name {
				return
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	})
}
