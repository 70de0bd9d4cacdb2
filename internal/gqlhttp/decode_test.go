package gqlhttp

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
)

type values = map[string]any

// valid are bodies with the parameters that decode returns for them.
var valid = []struct {
	body string
	want graphql.RawParams
}{
	{`{"query":"{name}"}`, graphql.RawParams{Query: "{name}"}},
	{
		" \t\r\n{ \"query\" : \"{name}\" , \"variables\" : { } , \"extensions\" : null } \n",
		graphql.RawParams{Query: "{name}", Variables: values{}},
	},
	{`{"operationName":null,"variables":null,"query":""}`, graphql.RawParams{}},
	{
		`{"query":"query a{name}","operationName":"a","unknown":[{},[],"",0,true,false,null]}`,
		graphql.RawParams{Query: "query a{name}", OperationName: "a"},
	},
	{`{"query":"\"\\\/\b\f\n\r\t\u0041\u00e9\uFFFD\u0000"}`, graphql.RawParams{Query: "\"\\/\b\f\n\r\tAé\uFFFD\x00"}},
	{`{"query":"ü€😀"}`, graphql.RawParams{Query: "ü€😀"}},
	{`{"query":"\ud83d\ude00"}`, graphql.RawParams{Query: "😀"}},
	{`{"query":"\ud83d"}`, graphql.RawParams{Query: "\uFFFD"}},
	{
		`{"query":"{name}","query":"{other}","variables":{"a":1},"variables":{"b":2}}`,
		graphql.RawParams{Query: "{other}", Variables: values{"b": json.Number("2")}},
	},
	{`{"query":1,"query":"{name}"}`, graphql.RawParams{Query: "{name}"}},
	{`{"\u0071uery":"{name}"}`, graphql.RawParams{Query: "{name}"}},
	{`{"query":"{name}","\u0071uery":"{other}"}`, graphql.RawParams{Query: "{other}"}},
	{
		`{"query":"{name}","operationName":"a","operationName":null,"variables":{"a":1},"variables":null}`,
		graphql.RawParams{Query: "{name}"},
	},
	{
		`{"query":"{name}","variables":{"a":{"x":1},"a":{"y":2},"\u0061b":[1,[2,{"c":[]}]],"":""}}`,
		graphql.RawParams{Query: "{name}", Variables: values{
			"a": values{"y": json.Number("2")}, "": "",
			"ab": []any{json.Number("1"), []any{json.Number("2"), values{"c": []any{}}}},
		}},
	},
	{
		`{"query":"{name}","variables":{"n":[0,-0,1,-12,0.5,-0.50,1e3,1E+3,1.5e-3,123456789012345678901234567890]}}`,
		graphql.RawParams{Query: "{name}", Variables: values{"n": []any{
			json.Number("0"), json.Number("-0"), json.Number("1"), json.Number("-12"), json.Number("0.5"), json.Number("-0.50"),
			json.Number("1e3"), json.Number("1E+3"), json.Number("1.5e-3"), json.Number("123456789012345678901234567890"),
		}}},
	},
	{
		`{"query":"{name}","extensions":{"persistedQuery":{"version":1,"sha256Hash":"x"}}}`,
		graphql.RawParams{Query: "{name}", Extensions: values{
			"persistedQuery": values{"version": json.Number("1"), "sha256Hash": "x"},
		}},
	},
	{`{"extensions":{"persistedQuery":{}}}`, graphql.RawParams{Extensions: values{"persistedQuery": values{}}}},
	{`{"query":null,"extensions":{"persistedQuery":{}}}`, graphql.RawParams{Extensions: values{"persistedQuery": values{}}}},
	{`{"query":"{name}","a":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`, graphql.RawParams{Query: "{name}"}},
}

// invalid are bodies that decode refuses.
var invalid = []string{
	``, ` `, `null`, `[]`, `"a"`, `1`, `{`, `{}`, `{"query"}`, `{"query":}`, `{"query":"{name}"`, `{"query":"{name}",}`,
	`{"query":"{name}"}x`, `{"query":"{name}"}{}`, `{"query":"{name}"]`, `{,"query":"{name}"}`, `{"query":"{name}" "a":1}`,
	`{query:"{name}"}`, `{"query":'{name}'}`, `{"Query":"{name}"}`, `{"query":null}`, `{"query":1}`, `{"query":["{name}"]}`,
	`{"query":"{name}","operationName":1}`, `{"query":"{name}","variables":[]}`, `{"query":"{name}","extensions":"a"}`,
	`{"query":"a` + "\n" + `b"}`, `{"query":"\x"}`, `{"query":"\u12"}`, `{"query":"\u12g4"}`, `{"query":"\u+123"}`, `{"query":"\`, `{"query":"\"`,
	`{"query":"` + "\\\n" + `"}`, `{"query":"{name}","a":01}`, `{"query":"{name}","a":1.}`, `{"query":"{name}","a":.5}`, `{"query":"{name}","a":+1}`,
	`{"query":"{name}","a":-}`, `{"query":"{name}","a":1e}`, `{"query":"{name}","a":1e+}`, `{"query":"{name}","a":0x1}`, `{"query":"{name}","a":NaN}`,
	`{"query":"{name}","a":tru}`, `{"query":"{name}","a":nul`, `{"query":"{name}","a":truefalse}`, `{"query":"{name}","a":[1,]}`, `{"query":"{name}","a":[1 2]}`,
	`{"query":"{name}","a":[}`, "{\"query\":\"{name}\",\"a\":\x00}", "\ufeff" + `{"query":"{name}"}`, `{"query":"{name}"` + "\u00a0" + `}`,
	// encoding/json refuses this one because of its depth.
	`{"query":"{name}","a":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`,
}

func TestDecode_ReturnsTheParameters(t *testing.T) {
	t.Parallel()
	for _, c := range valid {
		if got, err := decode([]byte(c.body)); err != nil {
			t.Errorf("%.100s: refused: %s", c.body, err.message)
		} else if !reflect.DeepEqual(*got, c.want) {
			t.Errorf("%.100s:\ngot  %#v\nwant %#v", c.body, *got, c.want)
		}
	}
}

func TestDecode_RefusesInvalidBodies(t *testing.T) {
	t.Parallel()
	for _, body := range invalid {
		if _, err := decode([]byte(body)); err == nil {
			t.Errorf("%.100s: accepted", body)
		}
	}
}

// Buffers are reused, and caches keep the query after the request: everything
// that decode returns must be a copy.
func TestDecode_KeepsNothingOfTheBody(t *testing.T) {
	t.Parallel()
	for _, c := range valid {
		body := []byte(c.body)
		got, err := decode(body)
		clear(body)
		if err != nil || !reflect.DeepEqual(*got, c.want) {
			t.Errorf("%.100s, with the body gone: %#v", c.body, got)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, c := range valid {
		f.Add([]byte(c.body))
	}
	for _, body := range invalid {
		if len(body) < 1_000 { // long ones take too much of the time
			f.Add([]byte(body))
		}
	}
	for _, body := range bodies {
		f.Add([]byte(body))
	}
	f.Add([]byte(`{"query":"","variables":{"a":[1e999]}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		params, err := decode(body)
		if err == nil && !json.Valid(body) {
			t.Errorf("%q was accepted", body)
		}
		if err == nil && params == nil {
			t.Errorf("%q is neither accepted nor refused", body)
		}
	})
}
