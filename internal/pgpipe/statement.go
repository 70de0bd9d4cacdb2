package pgpipe

import (
	"database/sql/driver"
	"fmt"
	"reflect"
	"strconv"
	"time"
	"unique"
)

// Statement is a statement to prepare and execute, with its result.
type Statement struct {
	// Text is interned, so that the cache of prepared statements compares pointers.
	Text unique.Handle[string]
	// Type is what the statement reads, for the log; may be empty.
	Type string
	// Args are in PostgreSQL's text format; nil is null. See Argument.
	Args [][]byte
	// Constants are columns that the statement does not return, by their place in its
	// rows, in ascending order. Split counts them.
	Constants []Constant
	// Split, if set, divides each row between Above and Rows.
	Split *Split
	// Bytes is the likely size of the result, for RunShared.
	Bytes int

	// Meter, if set, counts the bytes of the rows while they arrive.
	Meter Meter

	// Rows is the result after Run without an error.
	Rows, Above *Rows

	// done, if set, is called when the rows have arrived.
	done func()
}

// Constant is a column with the same value in every row.
type Constant struct {
	Column int
	Value  []byte
}

// insert returns the values of a row with the constants among them, in a slice that it
// uses again.
func insert(constants []Constant, into, values [][]byte) [][]byte {
	into = into[:0]
	for _, c := range constants {
		n := c.Column - len(into)
		into = append(append(into, values[:n]...), c.Value)
		values = values[n:]
	}
	return append(into, values...)
}

// Meter counts the bytes of rows. Its error ends the statement and its connection, so
// that PostgreSQL does not send the rest.
type Meter interface{ Add(bytes int) error }

// meterStep is how many bytes of a statement arrive before they are counted.
const meterStep = 64 << 10

// NewStatement returns a statement for a text that is used repeatedly.
func NewStatement(text string, args ...[]byte) *Statement {
	return &Statement{Text: unique.Make(text), Args: args}
}

// Argument returns a value in PostgreSQL's text format; nil is null. It returns an error
// for an unsupported type.
func Argument(value any) ([]byte, error) {
	if v, ok := value.(driver.Valuer); ok {
		plain, err := v.Value()
		if err != nil {
			return nil, fmt.Errorf("an argument: %w", err)
		}
		value = plain
	}
	switch v := value.(type) {
	case nil:
		return nil, nil
	case string:
		return []byte(v), nil
	case bool:
		return strconv.AppendBool(nil, v), nil
	case int:
		return strconv.AppendInt(nil, int64(v), 10), nil
	case int64:
		return strconv.AppendInt(nil, v, 10), nil
	case []int64:
		return arrayText(v), nil
	case time.Time:
		return v.AppendFormat(nil, time.RFC3339Nano), nil
	}
	if v := reflect.ValueOf(value); v.Kind() == reflect.String {
		return []byte(v.String()), nil
	}
	return nil, fmt.Errorf("a %T is no argument", value)
}

func arrayText(ids []int64) []byte {
	text := []byte{'{'}
	for i, id := range ids {
		if i > 0 {
			text = append(text, ',')
		}
		text = strconv.AppendInt(text, id, 10)
	}
	return append(text, '}')
}
