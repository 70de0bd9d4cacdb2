package store

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/internal/testutil"
)

func newCursorKeys(secrets ...string) *cursorKeys {
	return &cursorKeys{read: func(bool) ([][]byte, error) {
		all := make([][]byte, len(secrets))
		for i, secret := range secrets {
			all[i] = []byte(secret)
		}
		return all, nil
	}}
}

var somewhere = position{
	Version: positionVersion, Epoch: "7123 00000001 16500 d9b2", Rights: "hash", Kinds: "DP",
	Base: "100:200:110,120", Round: "300:300:", LastKind: "P", LastID: 42,
}

// sealed returns a cursor of the account 7.
func sealed(t *testing.T, k *cursorKeys, p position) string {
	t.Helper()
	cursor, err := k.seal(7, p)
	testutil.Must(t, err)
	return cursor
}

// opens fails unless the cursor is the position, or is refused.
func opens(t *testing.T, what string, k *cursorKeys, account int64, cursor string, want position, wantOK bool) {
	t.Helper()
	p, ok, err := k.open(account, cursor)
	testutil.Must(t, err)
	if ok != wantOK || p != want {
		t.Errorf("%s: %v, %+v", what, ok, p)
	}
}

func TestCursor_OfAnotherAccount(t *testing.T) {
	t.Parallel()
	keys := newCursorKeys("one")
	cursor := sealed(t, keys, somewhere)
	opens(t, "the own account", keys, 7, cursor, somewhere, true)
	opens(t, "another account", keys, 8, cursor, position{}, false)
	if again := sealed(t, keys, somewhere); again == cursor {
		t.Error("two cursors are the same")
	}
}

func TestCursor_Forged(t *testing.T) {
	t.Parallel()
	keys := newCursorKeys("one")
	cursor := sealed(t, keys, somewhere)
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	testutil.Must(t, err)
	for i := range raw {
		changed := append([]byte(nil), raw...)
		changed[i] ^= 1
		opens(t, fmt.Sprint("with another byte ", i), keys, 7, base64.RawURLEncoding.EncodeToString(changed), position{}, false)
	}
	random := make([]byte, len(raw))
	_, _ = rand.Read(random)
	for _, forged := range []string{"", "x", cursor[1:], cursor + "A", strings.Repeat("!", len(cursor)), base64.RawURLEncoding.EncodeToString(random), strings.Repeat("A", 1<<20)} {
		opens(t, forged[:min(len(forged), 20)], keys, 7, forged, position{}, false)
	}
	opens(t, "of other keys", newCursorKeys("two"), 7, cursor, position{}, false)
}

// Another server may have rotated the keys. An old key opens its cursors.
func TestCursor_KeysRotate(t *testing.T) {
	t.Parallel()
	before, after := newCursorKeys("old"), newCursorKeys("new", "old")
	old, fresh := sealed(t, before, somewhere), sealed(t, after, somewhere)
	opens(t, "a cursor of the old key", after, 7, old, somewhere, true)
	opens(t, "a cursor of a key that this server does not know", before, 7, fresh, position{}, false)
	before.read = after.read
	opens(t, "once it is in the file", before, 7, fresh, somewhere, true)
	opens(t, "the new key now seals", newCursorKeys("new"), 7, sealed(t, before, somewhere), somewhere, true)
}

func TestCursor_LengthTellsNothing(t *testing.T) {
	t.Parallel()
	keys := newCursorKeys("one")
	want := len(sealed(t, keys, position{}))
	busy := somewhere
	for running := range 200 {
		busy.Round += fmt.Sprintf("%d,", 18_446_744_073_709_000_000+uint64(running))
		cursor := sealed(t, keys, busy)
		if len(cursor) != want {
			t.Fatalf("%d running transactions: the cursor has %d characters, otherwise %d", running, len(cursor), want)
		}
	}
	p, ok, err := keys.open(7, sealed(t, keys, busy))
	testutil.Must(t, err)
	if !ok || p.Base != "100:100:" || p.Round != "300:300:" || p.LastID != busy.LastID {
		t.Errorf("with many running transactions: %v, %+v", ok, p)
	}
}
