package backup

import (
	"errors"
	"reflect"
	"testing"

	"github.com/caregraph/caregraph/internal/testutil"
)

func TestVerify_NamesTheDamagedPart(t *testing.T) {
	t.Parallel()
	contents := map[string]string{"dump/00000001": "rows", "keys.json": "keys"}
	for name, test := range map[string]struct {
		content []byte
		part    string
	}{
		"a member with another hash": {sealedFile(t, "", contents, func(m *Manifest) { m.Members["keys.json"] = "00" }), "member keys.json"},
		"a member that is missing":   {sealedFile(t, "", contents, func(m *Manifest) { m.Members["dump/00000002"] = "00" }), "member dump/00000002"},
		"a member too many":          {sealedFile(t, "", contents, func(m *Manifest) { delete(m.Members, "dump/00000001") }), "member dump/00000001"},
		"a path that leads out":      {sealedFile(t, "", map[string]string{"postgres/../../etc/passwd": "x"}, nil), "member postgres/../../etc/passwd"},
		"an unknown member":          {sealedFile(t, "", map[string]string{"other": "x"}, nil), "member other"},
		"no backup at all":           {[]byte("nothing that anyone has ever compressed"), "what follows the beginning"},
	} {
		_, err := Verify(inFile(t, test.content), "")
		damaged, ok := errors.AsType[*DamagedError](err)
		if !ok || damaged.Part != test.part {
			t.Errorf("%s: got %v, want damage of %q", name, err, test.part)
		}
	}
}

func TestVerify_EveryFlippedBitIsNoticed(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	for _, recipient := range []string{key.recipient, ""} {
		whole := sealedFile(t, recipient, map[string]string{"keys.json": "keys"}, nil)
		want, err := Verify(inFile(t, whole), key.identity)
		testutil.Must(t, err)
		for at := 0; at < len(whole); at += 7 {
			broken := append([]byte(nil), whole...)
			broken[at] ^= 0x10
			// Without encryption a few bits mean nothing, such as the last ones of a block.
			if got, err := Verify(inFile(t, broken), key.identity); err == nil && (recipient != "" || !reflect.DeepEqual(got, want)) {
				t.Errorf("byte %d of %d: nothing was noticed", at, len(whole))
			}
		}
		longer := append(append([]byte(nil), whole...), "and more"...)
		if _, err := Verify(inFile(t, longer), key.identity); err == nil {
			t.Error("bytes after the end: nothing was noticed")
		}
		// Compressed, the encoder ends with the frame, and the decoder reads on in the next one.
		if recipient == "" {
			appended := append(append([]byte(nil), whole...), whole...)
			_, err := Verify(inFile(t, appended), "")
			wantError(t, err, "the end: more follows it")
		}
		for _, size := range []int{0, 1, len(whole) / 2, len(whole) - 1} {
			if _, err := Verify(inFile(t, whole[:size]), key.identity); err == nil {
				t.Errorf("cut to %d of %d bytes: nothing was noticed", size, len(whole))
			}
		}
	}
}

func TestVerify_NeedsTheRightIdentity(t *testing.T) {
	t.Parallel()
	mine, other := newKey(t), newKey(t)
	file := inFile(t, sealedFile(t, mine.recipient, map[string]string{"keys.json": "keys"}, nil))
	_, err := Verify(file, other.identity)
	wantError(t, err, "--identity: the file is encrypted to other keys")
	_, err = Verify(file, "")
	wantError(t, err, "name its key with --identity")
	_, err = Verify(file, file)
	wantError(t, err, "is no file of age-keygen")
}

func TestRecipients_NamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	mine := newKey(t)
	all, err := Recipients([]string{mine.recipient}, inFile(t, []byte("# the safe\n"+mine.recipient+"\n")))
	testutil.Must(t, err)
	testutil.Equal(t, "recipients", len(all), 2)
	for file, want := range map[string]string{
		inFile(t, []byte("# nobody\n")):         "names no recipient",
		mine.identity:                           "must be age recipients",
		inFile(t, []byte("age1\n")):             "must be age recipients",
		inFile(t, []byte("\n")) + "-is-missing": "--recipients-file",
	} {
		_, err := Recipients(nil, file)
		wantError(t, err, want)
	}
}
