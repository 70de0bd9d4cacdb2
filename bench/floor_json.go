package main

import (
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// text is a column that is not copied: it is valid until the next row, and nil
// for NULL.
type text = pgtype.DriverBytes

func appendText(buf []byte, value text) []byte {
	if value == nil {
		return append(buf, "null"...)
	}
	buf = append(buf, '"')
	start := 0
	for i, c := range value {
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		buf = append(buf, value[start:i]...)
		buf = appendEscape(buf, c)
		start = i + 1
	}
	buf = append(buf, value[start:]...)
	return append(buf, '"')
}

func appendEscape(buf []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(buf, '\\', c)
	case '\n':
		return append(buf, '\\', 'n')
	default:
		const digits = "0123456789abcdef"
		return append(buf, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
	}
}

func appendID(buf []byte, prefix string, id int64) []byte {
	buf = append(append(buf, '"'), prefix...)
	return append(strconv.AppendInt(buf, id, 10), '"')
}

func appendDate(buf []byte, t time.Time) []byte {
	return append(t.AppendFormat(append(buf, '"'), time.DateOnly), '"')
}

// appendTime always writes six digits after the second. time.RFC3339 is the
// layout that the library formats fast.
func appendTime(buf []byte, t time.Time) []byte {
	buf = t.UTC().AppendFormat(append(buf, '"'), time.RFC3339)
	buf[len(buf)-1] = '.' // instead of Z
	micros := t.Nanosecond() / 1000
	for unit := 100_000; unit > 0; unit /= 10 {
		buf = append(buf, byte('0'+micros/unit%10))
	}
	return append(buf, 'Z', '"')
}

func appendMaybeTime(buf []byte, t pgtype.Timestamptz) []byte {
	if !t.Valid {
		return append(buf, "null"...)
	}
	return appendTime(buf, t.Time)
}
