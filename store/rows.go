package store

import (
	"encoding/binary"
	"sync"

	"github.com/caregraph/caregraph/model"
)

// Rows is the result of one statement, as PostgreSQL sent it in its binary
// format. It holds its own copy of the values, in one piece.
type Rows struct {
	width int
	cells []cell
	data  []byte
}

// cell is where a value lies in the data. The end of null lies before it.
type cell struct{ start, end int32 }

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

// Len returns how many rows there are.
func (r *Rows) Len() int {
	if r.width == 0 {
		return 0
	}
	return len(r.cells) / r.width
}

// Value returns a value as it was sent; ok is false for null. It is valid until
// the rows are released.
func (r *Rows) Value(row, column int) (value []byte, ok bool) {
	c := r.cells[row*r.width+column]
	if c.end < 0 {
		return nil, false
	}
	return r.data[c.start:c.end], true
}

// value is Value for a column that is not null.
func (r *Rows) value(row, column int) []byte {
	c := r.cells[row*r.width+column]
	return r.data[c.start:c.end]
}

// Int64 returns the value of a column of type bigint that is not null.
func (r *Rows) Int64(row, column int) int64 {
	return BigInt(r.value(row, column))
}

// Relations returns the value of the column that Record.Relations asked for.
func (r *Rows) Relations(row, column int) model.Relations {
	value, ok := r.Value(row, column)
	if !ok {
		return 0
	}
	return model.Relations(Int(value)) //nolint:gosec // six bits
}

// The functions below decode values in PostgreSQL's binary format.

// BigInt decodes a bigint.
func BigInt(value []byte) int64 { return int64(binary.BigEndian.Uint64(value)) } //nolint:gosec // two's complement

// Int decodes an integer.
func Int(value []byte) int32 { return int32(binary.BigEndian.Uint32(value)) } //nolint:gosec // two's complement

// Bool decodes a boolean.
func Bool(value []byte) bool { return value[0] != 0 }

// Days decodes a date: the days since 2000-01-01.
func Days(value []byte) int { return int(Int(value)) }

// Micros decodes a timestamptz: the microseconds since 2000-01-01 UTC.
func Micros(value []byte) int64 { return BigInt(value) }

// rowsKept is how many bytes of a result are kept for the next one; of its
// values and of their places alike, each of which has cellSize.
const (
	rowsKept = 1 << 18
	cellSize = 8
)

var spareRows = sync.Pool{New: func() any { return new(Rows) }}

func newRows() *Rows { return spareRows.Get().(*Rows) }

// Release gives the memory of the rows back, for other results.
func (r *Rows) Release() {
	if cap(r.data) <= rowsKept && cap(r.cells) <= rowsKept/cellSize {
		r.width, r.cells, r.data = 0, r.cells[:0], r.data[:0]
		spareRows.Put(r)
	}
}
