package plan

import (
	"bytes"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"

	"github.com/caregraph/caregraph/model"
)

// TestAppendText_WritesWhatGqlgenWrites for every byte, between others and
// alone.
func TestAppendText_WritesWhatGqlgenWrites(t *testing.T) {
	t.Parallel()
	for c := range 256 {
		for _, text := range []string{string([]byte{byte(c)}), "a" + string([]byte{byte(c)}) + "b", strings.Repeat(string([]byte{byte(c)}), 3)} {
			wantLikeGqlgen(t, text)
		}
	}
	for _, text := range []string{"", "डॉ. मीरा जोशी", "😷", "\u2028\u2029", "</script>", "\xff\xfe", "\xf0\x9f", "a\\\"\n\tb"} {
		wantLikeGqlgen(t, text)
	}
}

// TestAppendText_FindsWhatToEscapeAnywhere: it reads eight bytes at a time.
func TestAppendText_FindsWhatToEscapeAnywhere(t *testing.T) {
	t.Parallel()
	for c := range 256 {
		for length := range 20 {
			for place := range length {
				text := bytes.Repeat([]byte("!"), length) // the least that is not escaped, but for the space
				text[place] = byte(c)
				wantLikeGqlgen(t, string(text))
				text[(place+1)%length] = 0xff
				wantLikeGqlgen(t, string(text))
			}
		}
	}
}

func FuzzAppendText(f *testing.F) {
	for _, seed := range []string{"Allergic to \"penicillin\"\n\x00\xff", "12 MG Road, Bengaluru, Karnataka 560001", "12 MG Road, Bengaluru\\"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) { wantLikeGqlgen(t, text) })
}

func wantLikeGqlgen(t *testing.T, text string) {
	t.Helper()
	var want bytes.Buffer
	graphql.MarshalString(text).MarshalGQL(&want)
	if got := string(model.AppendText([]byte("["), text)); got != "["+want.String() {
		t.Errorf("%q is written %s, want [%s", text, got, want.String())
	}
	if got := string(model.AppendText(nil, []byte(text))); got != want.String() {
		t.Errorf("%q as bytes is written %s, want %s", text, got, want.String())
	}
}
