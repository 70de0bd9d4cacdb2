package model

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// The scalars EmailAddress, PhoneNumber, Date and Decimal accept any text. Valid
// returns false for a malformed one, so that validation can report its field
// together with all other errors of the input.

// India is Indian Standard Time. Days begin and end in it.
var India = time.FixedZone("IST", 5*3600+1800)

// Date is a calendar day.
type Date struct {
	day     time.Time // midnight UTC
	valid   bool
	invalid string // the text if it is not a date
}

// ParseDate reads YYYY-MM-DD, also with one-digit months and days.
func ParseDate(text string) Date {
	text = strings.TrimSpace(text)
	if day, err := time.Parse("2006-1-2", text); err == nil && day.Year() > 0 { // PostgreSQL has no year 0
		return DateOf(day)
	}
	return Date{invalid: text}
}

// DateOf returns the date of a midnight UTC.
func DateOf(midnight time.Time) Date { return Date{day: midnight, valid: true} }

// Valid reports whether the text was a date.
func (d Date) Valid() bool { return d.valid }

// IsZero reports whether the text was empty.
func (d Date) IsZero() bool { return !d.valid && d.invalid == "" }

// Day returns midnight UTC of the date.
func (d Date) Day() time.Time { return d.day }

// String returns the date as YYYY-MM-DD.
func (d Date) String() string { return d.day.Format(time.DateOnly) }

// AgeAt returns the completed years from the date to an instant, by the Indian day.
func (d Date) AgeAt(now time.Time) int {
	today := now.In(India)
	age := today.Year() - d.day.Year()
	if today.Month() < d.day.Month() || today.Month() == d.day.Month() && today.Day() < d.day.Day() {
		age--
	}
	return max(age, 0)
}

// MarshalGQL writes the date as a JSON string.
func (d Date) MarshalGQL(w io.Writer) { writeText(w, d.String()) }

// UnmarshalGQL takes a string.
func (d *Date) UnmarshalGQL(v any) error {
	return readText(v, d, ParseDate, "a date, such as 1990-05-15")
}

// MarshalJSON writes the date, or the text that is none: the loaders tell arguments
// apart by it.
func (d Date) MarshalJSON() ([]byte, error) {
	if !d.Valid() {
		return json.Marshal(d.invalid)
	}
	return json.Marshal(d.String())
}

// Value returns the date for PostgreSQL.
func (d Date) Value() (driver.Value, error) { return d.String(), nil }

// Scan reads a column of type date.
func (d *Date) Scan(src any) error {
	switch v := src.(type) {
	case time.Time:
		*d = DateOf(v)
	case string:
		*d = ParseDate(v)
	default:
		return fmt.Errorf("scan %T into a date", src)
	}
	return nil
}

// Decimal is an exact decimal number.
type Decimal struct {
	number decimal.Decimal
	valid  bool
}

// maxDecimalText and maxDecimalExponent bound the cost of a number such as
// 1e999999999.
const (
	maxDecimalText     = 40
	maxDecimalExponent = 20
)

// ParseDecimal reads 1500, 1500.5 or 1e3.
func ParseDecimal(text string) Decimal {
	text = strings.TrimSpace(text)
	if len(text) > maxDecimalText {
		return Decimal{}
	}
	number, err := decimal.NewFromString(text)
	if err != nil || number.Exponent() < -maxDecimalExponent || number.Exponent() > maxDecimalExponent {
		return Decimal{}
	}
	return Decimal{number, true}
}

// Valid reports whether the text was a number.
func (d Decimal) Valid() bool { return d.valid }

// Places returns the number of decimal places.
func (d Decimal) Places() int {
	places := 0
	for !d.number.Equal(d.number.Truncate(int32(places))) { // at most maxDecimalExponent
		places++
	}
	return places
}

// Between reports whether low <= d <= high.
func (d Decimal) Between(low, high int) bool {
	return !d.number.LessThan(decimal.NewFromInt(int64(low))) && !d.number.GreaterThan(decimal.NewFromInt(int64(high)))
}

// String returns the number with two places: 1500.00.
func (d Decimal) String() string { return d.number.StringFixed(2) }

// MarshalJSON writes the number with all its places, or null: the loaders tell
// arguments apart by it.
func (d Decimal) MarshalJSON() ([]byte, error) {
	if !d.valid {
		return []byte("null"), nil
	}
	return json.Marshal(d.number.String())
}

// MarshalGQL writes the number as a JSON string with two places.
func (d Decimal) MarshalGQL(w io.Writer) { writeText(w, d.String()) }

// UnmarshalGQL takes a string or a number. A float64 comes only from a literal.
func (d *Decimal) UnmarshalGQL(v any) error {
	switch v := v.(type) {
	case string, json.Number, int64:
		*d = ParseDecimal(fmt.Sprint(v))
	case float64:
		*d = ParseDecimal(strconv.FormatFloat(v, 'f', -1, 64))
	default:
		return mustBe(false, "a string or a number")
	}
	return nil
}

// Value returns the number for PostgreSQL.
func (d Decimal) Value() (driver.Value, error) { return d.number.String(), nil }

// Scan reads a column of type numeric.
func (d *Decimal) Scan(src any) error {
	d.valid = true
	return d.number.Scan(src)
}

// DateTime is an instant with the precision of PostgreSQL, a microsecond.
type DateTime struct {
	time.Time

	malformed bool
}

const dateTimeLayout = "2006-01-02T15:04:05.000000Z"

// MarshalGQL writes RFC 3339 in UTC with six decimal places.
func (t DateTime) MarshalGQL(w io.Writer) { writeText(w, t.UTC().Format(dateTimeLayout)) }

// ParseDateTime reads an RFC 3339 date-time. PostgreSQL has no year 0.
func ParseDateTime(text string) DateTime {
	parsed, err := time.Parse(time.RFC3339Nano, text)
	parsed = parsed.UTC().Truncate(time.Microsecond)
	return DateTime{Time: parsed, malformed: err != nil || parsed.Year() < 1}
}

// Valid reports whether the text was a date-time.
func (t DateTime) Valid() bool { return !t.malformed }

// UnmarshalGQL takes a string.
func (t *DateTime) UnmarshalGQL(v any) error {
	return readText(v, t, ParseDateTime, "an RFC 3339 date-time")
}

// Value returns the instant for PostgreSQL.
func (t DateTime) Value() (driver.Value, error) { return t.Time, nil }

// Scan reads a column of type timestamptz.
func (t *DateTime) Scan(src any) error {
	parsed, ok := src.(time.Time)
	if !ok {
		return fmt.Errorf("scan %T into a date-time", src)
	}
	t.Time = parsed
	return nil
}

func readText[T any](v any, into *T, parse func(string) T, what string) error {
	text, ok := v.(string)
	*into = parse(text)
	return mustBe(ok, "a string holding "+what)
}

func mustBe(ok bool, what string) error {
	if ok {
		return nil
	}
	return NewError(CodeBadUserInput, "must be "+what)
}
