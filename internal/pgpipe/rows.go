package pgpipe

import (
	"bytes"
	"encoding/binary"
	"sync"
)

// Rows is the result of one statement in PostgreSQL's binary format. It owns its values,
// in one slice.
type Rows struct {
	width int
	cells []cell
	data  []byte
}

// cell is the position of a value in the data. The end of null is -1.
type cell struct{ start, end int32 }

// NewRow returns one row; nil is null.
func NewRow(values [][]byte) *Rows {
	r := newRows()
	r.add(values)
	return r
}

// add appends a row, made of parts.
func (r *Rows) add(parts ...[][]byte) {
	r.width = 0
	for _, values := range parts {
		r.width += len(values)
		for _, value := range values {
			start := int32(len(r.data)) //nolint:gosec // PostgreSQL sends no message of 2 GB
			if value == nil {
				r.cells = append(r.cells, cell{start, -1})
				continue
			}
			r.data = append(r.data, value...)
			r.cells = append(r.cells, cell{start, int32(len(r.data))}) //nolint:gosec // as above
		}
	}
}

// Len returns the number of rows.
func (r *Rows) Len() int {
	if r.width == 0 {
		return 0
	}
	return len(r.cells) / r.width
}

// Size returns the bytes of all values.
func (r *Rows) Size() int { return len(r.data) }

// Value returns a value; ok is false for null. It is valid until Release.
func (r *Rows) Value(row, column int) (value []byte, ok bool) {
	c := r.cells[row*r.width+column]
	if c.end < 0 {
		return nil, false
	}
	return r.data[c.start:c.end], true
}

// Bytes is Value for a column that is not null.
func (r *Rows) Bytes(row, column int) []byte {
	c := r.cells[row*r.width+column]
	return r.data[c.start:c.end]
}

// Int64 returns the value of a column of type bigint that is not null.
func (r *Rows) Int64(row, column int) int64 {
	return BigInt(r.Bytes(row, column))
}

// Int returns the value of a column of type integer, 0 for null.
func (r *Rows) Int(row, column int) int32 {
	value, ok := r.Value(row, column)
	if !ok {
		return 0
	}
	return Int(value)
}

// Split divides the rows of a statement that reads records and one list below them. Each
// row of the list repeats the columns of its record in front, with the record's id
// first. The rows of one record are adjacent.
type Split struct {
	// Width is the number of columns of the record. ID is the index, among the other
	// columns, of one that is null if the list is empty.
	Width, ID int
}

// add adds a row of the statement to the records and to the list.
func (s *Split) add(above, list *Rows, values [][]byte) {
	if n := above.Len(); n == 0 || !bytes.Equal(above.Bytes(n-1, 0), values[0]) {
		above.add(values[:s.Width])
	}
	if values[s.Width+s.ID] != nil {
		list.add(values[:1], values[s.Width:])
	}
}

// The functions below decode values in PostgreSQL's binary format.

// BigInt decodes a bigint.
func BigInt(value []byte) int64 { return int64(binary.BigEndian.Uint64(value)) } //nolint:gosec // two's complement

// Int decodes an integer.
func Int(value []byte) int32 { return int32(binary.BigEndian.Uint32(value)) } //nolint:gosec // two's complement

// Bool decodes a boolean.
func Bool(value []byte) bool { return value[0] != 0 }

// maxPooled bounds the bytes of pooled values, and those of their cells.
const (
	maxPooled = 1 << 18
	cellSize  = 8
)

var rowsPool = sync.Pool{New: func() any { return new(Rows) }}

func newRows() *Rows { return rowsPool.Get().(*Rows) }

// Release returns the memory to a pool. The rows must not be used afterwards.
func (r *Rows) Release() {
	if cap(r.data) <= maxPooled && cap(r.cells) <= maxPooled/cellSize {
		r.width, r.cells, r.data = 0, r.cells[:0], r.data[:0]
		rowsPool.Put(r)
	}
}
