package model

import "testing"

// BenchmarkOrder_Encode measures a cursor. Each edge of a list may have one.
func BenchmarkOrder_Encode(b *testing.B) {
	order := Order{List: "patients", Field: "CREATED_AT", Key: KeyTime, Descending: true}
	cursor := Cursor{Key: "2026-01-01 12:30:00.123456+00", ID: 123_456}
	b.ReportAllocs()
	for b.Loop() {
		order.Encode(cursor)
	}
}
