package documents

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/caregraph/caregraph/internal/testutil"
)

func empty(t *testing.T) *Registry {
	t.Helper()
	r, err := New(nil, false)
	testutil.Must(t, err)
	return r
}

// add adds a text by its hash, and returns the hash.
func (r *Registry) add(text string, hasAccount bool) string {
	r.Add(Hash(text), text, hasAccount)
	return Hash(text)
}

// known returns how many of the names are found.
func (r *Registry) known(names []string) (n int) {
	for _, name := range names {
		if _, ok := r.Find(name); ok {
			n++
		}
	}
	return n
}

// TestRegistry_KeepsTheDocumentsUsedLast, up to a number and a size.
func TestRegistry_KeepsTheDocumentsUsedLast(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		length, sent, kept int
		hasAccount         bool
	}{
		"many":           {20, 2_000, maxDocuments, true},
		"long":           {100_000, 60, maxBytes / 100_000, true},
		"many anonymous": {20, 300, maxAnonymousDocuments, false},
		"long anonymous": {100_000, 9, maxAnonymousBytes / 100_000, false},
		"too long":       {maxBytes + 1, 2, 0, true},
	} {
		r := empty(t)
		first := r.add("first", c.hasAccount)
		var names []string
		for i := range c.sent {
			names = append(names, r.add(fmt.Sprint(i, strings.Repeat(" ", c.length-len(fmt.Sprint(i)))), c.hasAccount))
			r.Find(first)
		}
		want := c.kept
		if c.kept > 0 {
			want-- // first has the place of another one
		}
		if got := r.known(names); got != want || r.known(names[c.sent-want:]) != want {
			t.Errorf("%s: %d are kept, want the last %d", name, got, want)
		}
		if r.known([]string{first}) != 1 {
			t.Errorf("%s: the document in use was forgotten", name)
		}
	}
	if maxDocuments+maxAnonymousDocuments != 1_000 || maxBytes+maxAnonymousBytes != 4_000_000 {
		t.Error("the bounds are not those of the documentation")
	}
}

// TestRegistry_StrangersEvictNothing that callers with an account sent.
func TestRegistry_StrangersEvictNothing(t *testing.T) {
	t.Parallel()
	r := empty(t)
	name := r.add("{ me { id } }", true)
	for i := range 10 * maxDocuments {
		r.add(fmt.Sprint(i), false)
	}
	if text, ok := r.Find(name); !ok || text != "{ me { id } }" {
		t.Errorf("found %q", text)
	}
}

func TestRegistry_ADocumentIsCountedOnce(t *testing.T) {
	t.Parallel()
	r := empty(t)
	for range 100 {
		r.add(strings.Repeat("x", maxBytes/2), true)
	}
	if r.sent.bytes != maxBytes/2 {
		t.Errorf("%d bytes", r.sent.bytes)
	}
}

func TestRegistry_IsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	r := empty(t)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for n := range 2_000 {
				text := fmt.Sprint(i, n)
				name := r.add(text, n%2 == 0)
				if got, ok := r.Find(name); ok && got != text {
					t.Errorf("%s has the text %s", text, got)
				}
			}
		})
	}
	all.Wait()
}

func TestRegistry_NilHasNoDocuments(t *testing.T) {
	t.Parallel()
	var r *Registry
	r.Add(Hash("x"), "x", true)
	if _, ok := r.Find(Hash("x")); ok || r.Only() || !r.Admits("x") {
		t.Error("it has documents")
	}
}
