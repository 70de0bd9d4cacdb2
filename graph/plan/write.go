package plan

import (
	"fmt"
	"reflect"
	"strconv"

	"github.com/caregraph/caregraph/internal/pgpipe"
	"github.com/caregraph/caregraph/model"
)

// writer appends a value in PostgreSQL's binary format as JSON.
type writer func(b, value []byte) []byte

// writerOf returns the writer of a Go type of the models. It writes the same as the
// type's MarshalGQL; the differential test compares them.
func writerOf(t reflect.Type) (writer, error) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t {
	case reflect.TypeFor[model.Date]():
		return writeDate, nil
	case reflect.TypeFor[model.DateTime]():
		return writeDateTime, nil
	case reflect.TypeFor[model.Decimal]():
		return writeText, nil // the column has two places
	}
	switch t.Kind() {
	case reflect.String:
		return writeText, nil
	case reflect.Int:
		return writeInt, nil
	case reflect.Bool:
		return writeBool, nil
	default:
		return nil, fmt.Errorf("a %v has no form in JSON", t)
	}
}

func writeText(b, value []byte) []byte { return model.AppendText(b, value) }

func writeInt(b, value []byte) []byte { return strconv.AppendInt(b, int64(pgpipe.Int(value)), 10) }

func writeBigInt(b, value []byte) []byte { return strconv.AppendInt(b, pgpipe.BigInt(value), 10) }

func writeBool(b, value []byte) []byte { return strconv.AppendBool(b, pgpipe.Bool(value)) }

// writeID returns the writer of global ids of a kind.
func writeID(kind model.Kind) writer {
	prefix := `"` + string(kind) + "_"
	return func(b, value []byte) []byte {
		b = append(b, prefix...)
		b = strconv.AppendInt(b, pgpipe.BigInt(value), 10)
		return append(b, '"')
	}
}

// writePhone returns the writer of phone numbers in a format.
func writePhone(format model.PhoneFormat) writer {
	return func(b, value []byte) []byte {
		return model.AppendText(b, model.PhoneNumber(value).Format(format))
	}
}
