package pgpipe

import (
	"slices"
	"testing"
)

func TestInsert_PutsConstantsInTheirColumns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		columns []int
		want    string
	}{
		{nil, "abc"}, {[]int{0}, "0abc"}, {[]int{1}, "a0bc"}, {[]int{3}, "abc0"}, {[]int{0, 1}, "01abc"}, {[]int{0, 2, 5}, "0a1bc2"},
	} {
		var constants []Constant
		for i, column := range c.columns {
			constants = append(constants, Constant{column, []byte{byte('0' + i)}})
		}
		var row [][]byte
		for range 2 { // into a new slice, and into the same one
			row = insert(constants, row, [][]byte{{'a'}, {'b'}, {'c'}})
			if got := string(slices.Concat(row...)); got != c.want {
				t.Errorf("constants in %v: %s, want %s", c.columns, got, c.want)
			}
		}
	}
}

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
