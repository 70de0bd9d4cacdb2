package gqlhttp

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// scanned are bodies that decodeFast reads.
var scanned = []string{
	`{"query":"{name}"}`,
	" \t\r\n{ \"query\" : \"{name}\" , \"variables\" : { } , \"extensions\" : null } \n",
	`{"operationName":null,"variables":null,"query":""}`,
	`{"query":"query a{name}","operationName":"a","unknown":[{},[],"",0,true,false,null]}`,
	`{"query":"\"\\\/\b\f\n\r\t\u0041\u00e9\uFFFD\u0000"}`,
	`{"query":"ü€😀"}`,
	`{"query":"{name}","query":"{other}","variables":{"a":1},"variables":{"b":2}}`,
	`{"query":"{name}","operationName":"a","operationName":null,"variables":{"a":1},"variables":null}`,
	`{"query":"{name}","variables":{"a":{"x":1},"a":{"y":2},"\u0061b":[1,[2,{"c":[]}]],"":""}}`,
	`{"query":"{name}","variables":{"n":[0,-0,1,-12,0.5,-0.50,1e3,1E+3,1.5e-3,123456789012345678901234567890]}}`,
	`{"query":"{name}","extensions":{"persistedQuery":{"version":1,"sha256Hash":"x"}}}`,
	`{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"x"}}}`, `{"query":null,"extensions":{"a":[1],"persistedQuery":{"sha256Hash":"x","version":1},"b":{}}}`,
	`{"query":"","extensions":{"persistedQuery":{"version":1,"sha256Hash":"x"}},"extensions":{}}`, `{"query":"{name}","extensions":{},"documentId":null}`,
	`{"documentId":"a","operationName":"b"}`, `{"query":null,"doc_id":"a"}`, `{"doc_id":"a","documentId":"b","documentId":null}`, `{"query":"{name}","documentId":"a","doc_id":"b"}`,
}

// unscanned are bodies that decodeFast leaves to decode: most are invalid.
var unscanned = []string{
	``, ` `, `null`, `[]`, `"a"`, `1`, `{`, `{}`, `{"query"}`, `{"query":}`, `{"query":"{name}"`, `{"query":"{name}",}`,
	`{"query":"{name}"}x`, `{"query":"{name}"}{}`, `{"query":"{name}"]`, `{,"query":"{name}"}`, `{"query":"{name}" "a":1}`,
	`{query:"{name}"}`, `{"query":'{name}'}`, `{"Query":"{name}"}`, `{"query":null}`, `{"query":1}`, `{"query":["{name}"]}`,
	`{"query":"{name}","operationName":1}`, `{"query":"{name}","variables":[]}`, `{"query":"{name}","extensions":"a"}`,
	`{"query":"a` + "\n" + `b"}`, `{"query":"\x"}`, `{"query":"\u12"}`, `{"query":"\u12g4"}`, `{"query":"\u+123"}`, `{"query":"\`, `{"query":"\"`,
	`{"query":"` + "\\\n" + `"}`, `{"query":"{name}","a":01}`, `{"query":"{name}","a":1.}`, `{"query":"{name}","a":.5}`, `{"query":"{name}","a":+1}`,
	`{"query":"{name}","a":-}`, `{"query":"{name}","a":1e}`, `{"query":"{name}","a":1e+}`, `{"query":"{name}","a":0x1}`, `{"query":"{name}","a":NaN}`,
	`{"query":"{name}","a":tru}`, `{"query":"{name}","a":nul`, `{"query":"{name}","a":truefalse}`, `{"query":"{name}","a":[1,]}`, `{"query":"{name}","a":[1 2]}`,
	`{"query":"{name}","a":[}`, "{\"query\":\"{name}\",\"a\":\x00}", "\ufeff" + `{"query":"{name}"}`, `{"query":"{name}"` + "\u00a0" + `}`,
	`{"extensions":{"persistedQuery":{}}}`, `{"query":null,"extensions":{"persistedQuery":{}}}`, `{"documentId":1}`, `{"documentId":""}`, `{"doc_id":["a"]}`,
	`{"extensions":{"persistedQuery":{"version":1}}}`, `{"extensions":{"persistedQuery":{"version":2,"sha256Hash":"x"}}}`, `{"extensions":{"persistedQuery":"x"}}`,
	`{"extensions":{"persistedQuery":{"version":"1","sha256Hash":"x"}}}`, `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":1}}}`,
	// These are valid.
	`{"query":"{name}","extensions":{"persistedQuery":null}}`, `{"query":"{name}","extensions":{"persistedQuery":{"version":2,"sha256Hash":"x"}}}`, `{"query":"{name}","extensions":{"persisted\u0051uery":1}}`,
	`{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"x","more":1}}}`, `{"query":"{name}","extensions":{"persistedQuery":[]}}`, `{"query":1,"query":"{name}"}`,
	`{"\u0071uery":"{name}"}`, `{"query":"{name}","\u0071uery":"{other}"}`, `{"query":"\ud83d\ude00"}`, `{"query":"\ud83d"}`,
	`{"query":"{name}","a":` + strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth) + `}`,
	// encoding/json refuses this one because of its depth.
	`{"query":"{name}","a":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`,
}

func TestDecodeFast_ReadsWhatDecodeReads(t *testing.T) {
	t.Parallel()
	for _, body := range scanned {
		if _, ok := decodeFast([]byte(body)); !ok {
			t.Errorf("%s: left to examine", body)
		}
		agree(t, []byte(body))
	}
	for _, body := range unscanned {
		if _, ok := decodeFast([]byte(body)); ok {
			t.Errorf("%.100s: taken", body)
		}
		agree(t, []byte(body))
	}
}

// agree fails the test if decodeFast accepts what decode refuses, or returns
// other values.
func agree(t *testing.T, body []byte) {
	t.Helper()
	got, ok := decodeFast(body)
	if !ok {
		return
	}
	want, err := decode(body)
	if err != nil {
		t.Errorf("%q: scan takes it, and examine says: %s", body, err.message)
	} else if !reflect.DeepEqual(got, want) {
		t.Errorf("%q:\nscan    %#v\nexamine %#v", body, got, want)
	}
}

// Caches keep the query after the request; the rest of the body must be freed.
func TestDecodeFast_KeepsNothingOfTheBody(t *testing.T) {
	t.Parallel()
	body := []byte(`{"query":"{name}","operationName":"a","variables":{"key":"value","list":["item",1.5]}}`)
	params, ok := decodeFast(body)
	if !ok {
		t.Fatal("left to examine")
	}
	clear(body)
	want := map[string]any{"key": "value", "list": []any{"item", json.Number("1.5")}}
	if params.Query != "{name}" || params.OperationName != "a" || !reflect.DeepEqual(params.Variables, want) {
		t.Errorf("with the body gone: %#v", params)
	}
}

func FuzzDecode(f *testing.F) {
	for _, body := range slices.Concat(scanned, unscanned) {
		if len(body) < 1_000 { // long ones take too much of the time
			f.Add([]byte(body))
		}
	}
	for _, body := range bodies {
		f.Add([]byte(body))
	}
	f.Add([]byte(`{"query":"","variables":{"a":[1e999]}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		params, err := decodeBody(body)
		if err == nil && !json.Valid(body) {
			t.Errorf("%q was accepted", body)
		}
		if err == nil && params == nil {
			t.Errorf("%q is neither accepted nor refused", body)
		}
		if err == nil {
			agree(t, body)
		}
	})
}
