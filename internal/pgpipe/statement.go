package pgpipe

import (
	"database/sql/driver"
	"fmt"
	"reflect"
	"strconv"
	"time"
	"unique"
)

// Statement is a statement to be prepared and executed, and its result.
type Statement struct {
	// Text is interned: the cache of prepared statements compares it without
	// reading it.
	Text unique.Handle[string]
	// Args are in PostgreSQL's text format; nil is null. See Argument.
	Args [][]byte
	// Split, when it is set, divides each row between Above and Rows.
	Split *Split

	// Rows is the result, once the statement was run without an error.
	Rows, Above *Rows

	// done, when it is set, is called once the rows are there.
	done func()
}

// NewStatement returns a statement for a text that is used again and again.
func NewStatement(text string, args ...[]byte) *Statement {
	return &Statement{Text: unique.Make(text), Args: args}
}

// Argument returns a value in PostgreSQL's text format; nil is null. It refuses
// a type that no argument has.
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
