package model

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/nyaruka/phonenumbers"
)

// TestIndianMobile_ReadsWhatTheLibraryReads: the fast path for mobile numbers returns
// the same as the library, for prefixes of five digits from the whole numbering plan.
func TestIndianMobile_ReadsWhatTheLibraryReads(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for begin := 60_000; begin < 100_000; begin += 7 {
		digits := fmt.Sprintf("%05d%05d", begin, random.IntN(100_000))
		for _, text := range []string{digits, "+91" + digits} {
			got, ok := indianMobile(text)
			number, err := phonenumbers.Parse(text, "IN")
			if !ok || err != nil || !phonenumbers.IsPossibleNumber(number) {
				t.Fatalf("%s: read %t, by the library %v", text, ok, err)
			}
			if want := phonenumbers.Format(number, phonenumbers.E164); string(got) != want {
				t.Fatalf("%s is read as %s, by the library as %s", text, got, want)
			}
		}
	}
}

// TestIndianMobile_LeavesEverythingElse to the library.
func TestIndianMobile_LeavesEverythingElse(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "+91", "5987654321", "+915987654321", "987654321", "98765432101", "+91987654321", "+9198765432101", "919876543210",
		"09876543210", "98765-43210", "98765 43210", " 9876543210", "+919 876543210", "9876543a10", "९८७६५४३२१०", ":987654321",
		"+14155552671", "98765432१0", "9876543\x0010", "+9+19876543210",
	} {
		if got, ok := indianMobile(text); ok {
			t.Errorf("%q is read as %s", text, got)
		}
	}
}

func BenchmarkParsePhone(b *testing.B) {
	for _, text := range []string{"9876543210", "+919876543210", "098765-43210", "+442071234567"} {
		b.Run(text, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				ParsePhone(text)
			}
		})
	}
}
