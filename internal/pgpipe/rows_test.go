package pgpipe

import "testing"

// BenchmarkRows measures the copy of a page of fifty rows.
func BenchmarkRows(b *testing.B) {
	values := [][]byte{
		{0, 0, 0, 0, 0, 0, 0, 1},
		[]byte("Arjun Sharma"),
		{0, 0, 0, 1},
		nil, []byte("12 MG Road, Bengaluru"), []byte("+919876543210"),
		nil, []byte("Allergic to penicillin"),
		{0, 2, 0xa5, 0, 0, 0, 0, 1},
		{1},
	}
	b.ReportAllocs()
	for b.Loop() {
		rows := newRows()
		for range 50 {
			rows.add(values)
		}
		rows.Release()
	}
}
