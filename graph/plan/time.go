package plan

import (
	"time"

	"github.com/caregraph/caregraph/internal/pgpipe"
)

// epoch is where PostgreSQL counts the days of a date and the microseconds of a timestamptz from.
var epoch = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)

func day(value []byte) time.Time { return epoch.AddDate(0, 0, int(pgpipe.Int(value))) }

// Days count from 0000-03-01, so that the leap day is the last day of a year. Earlier
// dates, and years with more than four digits, are left to the standard library. They
// are only in the database if an operator writes them. In W3, dates take 5 % of the server's CPU.
const (
	epochDay    = 730_425
	endDay      = 3_652_365 // 10000-01-01
	microsInDay = 24 * 60 * 60 * 1_000_000
)

const (
	dateText     = `"0000-00-00"`
	dateTimeText = `"0000-00-00T00:00:00.000000Z"`
)

func writeDate(b, value []byte) []byte {
	days := int(pgpipe.Int(value)) + epochDay
	if days < 0 || days >= endDay {
		return day(value).AppendFormat(b, `"2006-01-02"`)
	}
	b = append(b, dateText...)
	putDay(b[len(b)-len(dateText):], uint32(days))
	return b
}

func writeDateTime(b, value []byte) []byte {
	micros := pgpipe.BigInt(value)
	if micros < -epochDay*microsInDay || micros >= (endDay-epochDay)*microsInDay {
		at := epoch.AddDate(0, 0, int(micros/microsInDay)).Add(time.Duration(micros%microsInDay) * time.Microsecond)
		return at.AppendFormat(b, `"2006-01-02T15:04:05.000000Z"`)
	}
	since := uint64(micros + epochDay*microsInDay)
	inDay := since % microsInDay
	seconds, fraction := uint32(inDay/1_000_000), uint32(inDay%1_000_000)
	b = append(b, dateTimeText...)
	text := b[len(b)-len(dateTimeText):]
	putDay(text, uint32(since/microsInDay))
	putTwo(text[12:], seconds/3600)
	putTwo(text[15:], seconds/60%60)
	putTwo(text[18:], seconds%60)
	putTwo(text[21:], fraction/10_000)
	putTwo(text[23:], fraction/100%100)
	putTwo(text[25:], fraction%100)
	return b
}

// putDay writes the Gregorian date of a day after the first byte of a text.
func putDay(text []byte, days uint32) {
	const inEra = 146_097 // days in 400 years
	era, day := days/inEra, days%inEra
	yearOfEra := (day - day/1_460 + day/36_524 - day/146_096) / 365
	day -= 365*yearOfEra + yearOfEra/4 - yearOfEra/100
	month := (5*day + 2) / 153 // 0 is March
	day -= (153*month + 2) / 5
	year := era*400 + yearOfEra
	if month += 3; month > 12 {
		month, year = month-12, year+1
	}
	putTwo(text[1:], year/100)
	putTwo(text[3:], year%100)
	putTwo(text[6:], month)
	putTwo(text[9:], day+1)
}

// putTwo writes a number below 100 as two digits.
func putTwo(text []byte, n uint32) {
	_ = text[1]
	text[0], text[1] = byte('0'+n/10), byte('0'+n%10) //nolint:gosec // n is below 100
}
