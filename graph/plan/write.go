package plan

import (
	"fmt"
	"reflect"
	"strconv"
	"time"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
)

// writer appends a value as JSON from how PostgreSQL sent it.
type writer func(b, value []byte) []byte

// writerOf returns the writer of a Go type of the models. What it writes is
// what the type's MarshalGQL writes; the differential test holds them together.
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
		return writeText, nil // with the two places of its column
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

func writeInt(b, value []byte) []byte { return strconv.AppendInt(b, int64(store.Int(value)), 10) }

func writeBigInt(b, value []byte) []byte { return strconv.AppendInt(b, store.BigInt(value), 10) }

func writeBool(b, value []byte) []byte { return strconv.AppendBool(b, store.Bool(value)) }

// writeID returns the writer of global ids of a kind.
func writeID(kind model.Kind) writer {
	prefix := `"` + string(kind) + "_"
	return func(b, value []byte) []byte {
		b = append(b, prefix...)
		b = strconv.AppendInt(b, store.BigInt(value), 10)
		return append(b, '"')
	}
}

// writePhone returns the writer of phone numbers in a format.
func writePhone(format model.PhoneFormat) writer {
	return func(b, value []byte) []byte {
		return model.AppendText(b, model.PhoneNumber(value).Format(format))
	}
}

// epoch is where PostgreSQL counts days and microseconds from.
var epoch = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)

func day(value []byte) time.Time { return epoch.AddDate(0, 0, store.Days(value)) }

func writeDate(b, value []byte) []byte {
	year, month, day := civil(store.Days(value))
	b = append(b, '"')
	b = appendDay(b, year, month, day)
	return append(b, '"')
}

const microsInDay = 24 * 60 * 60 * 1_000_000

func writeDateTime(b, value []byte) []byte {
	micros := store.Micros(value)
	days, rest := micros/microsInDay, micros%microsInDay
	if rest < 0 {
		days, rest = days-1, rest+microsInDay
	}
	year, month, day := civil(int(days))
	seconds := int(rest / 1_000_000)
	b = append(b, '"')
	b = appendDay(b, year, month, day)
	b = append(b, 'T')
	b = appendDigits(b, seconds/3600, 2)
	b = append(b, ':')
	b = appendDigits(b, seconds/60%60, 2)
	b = append(b, ':')
	b = appendDigits(b, seconds%60, 2)
	b = append(b, '.')
	b = appendDigits(b, int(rest%1_000_000), 6)
	return append(b, `Z"`...)
}

func appendDay(b []byte, year, month, day int) []byte {
	b = appendDigits(b, year, 4)
	b = append(b, '-')
	b = appendDigits(b, month, 2)
	b = append(b, '-')
	return appendDigits(b, day, 2)
}

// appendDigits appends the number with at least so many digits.
func appendDigits(b []byte, n, digits int) []byte {
	var text [20]byte
	i := len(text)
	for n > 0 || digits > 0 {
		i--
		text[i] = byte('0' + n%10)
		n /= 10
		digits--
	}
	return append(b, text[i:]...)
}

// civil returns the Gregorian date of a day, counted from 2000-01-01. It counts
// from 1 March of the year 0, so that the leap day is the last of its year.
func civil(days int) (year, month, day int) {
	const (
		toMarchOfYear0 = 730_425
		inEra          = 146_097 // days in 400 years
	)
	days += toMarchOfYear0
	era := days / inEra
	inThisEra := days % inEra
	yearOfEra := (inThisEra - inThisEra/1_460 + inThisEra/36_524 - inThisEra/146_096) / 365
	dayOfYear := inThisEra - (365*yearOfEra + yearOfEra/4 - yearOfEra/100)
	shifted := (5*dayOfYear + 2) / 153 // 0 is March
	year = era*400 + yearOfEra
	month = shifted + 3
	if month > 12 {
		month, year = month-12, year+1
	}
	return year, month, dayOfYear - (153*shifted+2)/5 + 1
}
