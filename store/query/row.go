package query

import (
	"encoding/binary"
	"reflect"
	"time"

	"github.com/caregraph/caregraph/internal/pgpipe"
	"github.com/caregraph/caregraph/model"
)

// Row returns a record as the row that the node would read. The node joins no others.
func (n *Node) Row(record model.Node) *pgpipe.Rows {
	fields, of := n.Record().typ.table.FieldMap, reflect.ValueOf(record).Elem()
	values := make([][]byte, len(n.columns))
	for i, c := range n.columns {
		values[i] = binaryOf(reflect.Indirect(fields[c.name].Value(of)))
	}
	return pgpipe.NewRow(values)
}

// epoch is where PostgreSQL counts the days of a date and the microseconds of a timestamptz from.
var epoch = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)

const secondsInDay = 24 * 60 * 60

// binaryOf returns a value as the result of its column: in PostgreSQL's binary format, and
// a Decimal as a text. The value that is not valid is null.
func binaryOf(value reflect.Value) []byte {
	if !value.IsValid() {
		return nil
	}
	switch v := value.Interface().(type) {
	case model.Date:
		return integer((v.Day().Unix() - epoch.Unix()) / secondsInDay)
	case model.DateTime:
		return bigint(v.UnixMicro() - epoch.UnixMicro())
	case model.Decimal:
		return []byte(v.String())
	case model.Relations:
		return integer(int64(v))
	case int:
		return integer(int64(v))
	case int64:
		return bigint(v)
	case bool:
		if v {
			return []byte{1}
		}
		return []byte{0}
	default:
		return []byte(value.String())
	}
}

func integer(n int64) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) } //nolint:gosec // two's complement

func bigint(n int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) } //nolint:gosec // two's complement
