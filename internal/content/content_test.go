package content

import (
	"bytes"
	stdgzip "compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/caregraph/caregraph/internal/testutil"
)

func unzip(t *testing.T, zipped []byte) string {
	t.Helper()
	r, err := stdgzip.NewReader(bytes.NewReader(zipped))
	testutil.Must(t, err)
	text, err := io.ReadAll(r)
	testutil.Must(t, err)
	return string(text)
}

// TestZip_GivesEachItsOwn: writers are reused.
func TestZip_GivesEachItsOwn(t *testing.T) {
	t.Parallel()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for n := range 50 {
				text := strings.Repeat(fmt.Sprint(i, n, " "), 100*n)
				if got := unzip(t, Zip([]byte(text), nil, []byte("end"))); got != text+"end" {
					t.Errorf("%d bytes, want %d", len(got), len(text)+3)
				}
			}
		})
	}
	all.Wait()
}

// TestZipTo_LeavesOutTheEndOfWhatBrokeOff, so that no client takes it for complete.
func TestZipTo_LeavesOutTheEndOfWhatBrokeOff(t *testing.T) {
	t.Parallel()
	for _, complete := range []bool{false, true} {
		var out bytes.Buffer
		ZipTo(&out, func(w io.Writer) bool {
			_, _ = io.WriteString(w, "[1,2,3")
			return complete
		})
		r, err := stdgzip.NewReader(&out)
		if err == nil {
			_, err = io.ReadAll(r)
		}
		if (err == nil) != complete {
			t.Errorf("complete is %t: %v", complete, err)
		}
	}
}

func TestAcceptsGzip(t *testing.T) {
	t.Parallel()
	for accept, want := range map[string]bool{
		"gzip": true, "GZIP": true, "x-gzip": true, "br;q=1.0, gzip;q=0.5": true, "*": true, "identity, *;q=0.1": true, "gzip, deflate, br, zstd": true,
		"": false, "identity": false, "br": false, "gzip;q=0": false, "gzip; q=0.000": false, "*, gzip;q=0": false,
		"*;q=0": false, "gzip;q=x": false, "gzip;q=NaN": false, "notgzip": false, ";;": false, ",": false,
	} {
		if got := AcceptsGzip(http.Header{"Accept-Encoding": {accept}}); got != want {
			t.Errorf("%q: %t", accept, got)
		}
	}
	if AcceptsGzip(http.Header{}) || !AcceptsGzip(http.Header{"Accept-Encoding": {"br", "gzip"}}) {
		t.Error("without the header, or with two of them")
	}
}

func TestUnchanged(t *testing.T) {
	t.Parallel()
	for has, want := range map[string]bool{
		`"a"`: true, `W/"a"`: true, `"b", W/"a"`: true, "*": true, `"b"`: false, "": false, "a": false, `"a`: false, `w/"a"`: false,
	} {
		for _, tag := range []string{`"a"`, `W/"a"`} {
			if got := Unchanged(http.Header{"If-None-Match": {has}}, tag); got != want {
				t.Errorf("%s for %s: %t", has, tag, got)
			}
		}
	}
}

// BenchmarkZip compresses an answer of 17 KB with made-up records.
func BenchmarkZip(b *testing.B) {
	var text bytes.Buffer
	for i := 0; text.Len() < 17_000; i++ {
		fmt.Fprintf(&text, `{"id":"pat_%d","name":"Patient %x","phone":"+9198765%05d","address":"%d MG Road, Bangalore","medicalHistory":"Allergic to %x"},`,
			i*7919, i*i*7919, i*37%100_000, i, i*104729)
	}
	b.SetBytes(int64(text.Len()))
	b.ReportAllocs()
	for b.Loop() {
		Zip(text.Bytes())
	}
	b.ReportMetric(float64(text.Len())/float64(len(Zip(text.Bytes()))), "ratio")
}
