package plan

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/caregraph/caregraph/model"
)

// sent is a number as PostgreSQL sends it.
func sent[T int32 | int64](n T) []byte {
	b, err := binary.Append(nil, binary.BigEndian, n)
	if err != nil {
		panic(err)
	}
	return b
}

func marshaled(v interface{ MarshalGQL(io.Writer) }) string {
	var b bytes.Buffer
	v.MarshalGQL(&b)
	return b.String()
}

// stride is how many days the test goes on: one where a year may begin with
// another rule, and some in between.
func stride(year int) int {
	if year < 10 || year > 1_890 && year < 2_110 || year%100 == 0 || year > 9_990 {
		return 1
	}
	return 13
}

// TestWriteDate_AgreesWithTheModel from the first day that a date can have to
// the last.
func TestWriteDate_AgreesWithTheModel(t *testing.T) {
	t.Parallel()
	const secondsInDay = 24 * 60 * 60
	first := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	for day := first; day.Year() < 10_000; day = day.AddDate(0, 0, stride(day.Year())) {
		days := int32((day.Unix() - epoch.Unix()) / secondsInDay)
		if got, want := string(writeDate(nil, sent(days))), marshaled(model.DateOf(day)); got != want {
			t.Fatalf("%d days: %s, want %s", days, got, want)
		}
	}
}

func TestWriteDateTime_AgreesWithTheModel(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	from := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro() - epoch.UnixMicro()
	until := time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC).UnixMicro() - epoch.UnixMicro()
	check := func(micros int64) {
		at := time.UnixMicro(epoch.UnixMicro() + micros)
		if got, want := string(writeDateTime(nil, sent(micros))), marshaled(model.DateTime{Time: at}); got != want {
			t.Fatalf("%d microseconds: %s, want %s", micros, got, want)
		}
	}
	for _, near := range []int64{from, until, 0, microsInDay, -microsInDay, 86_399_999_999, -86_399_999_999} {
		for _, beside := range []int64{-1, 0, 1} {
			if at := near + beside; from <= at && at <= until {
				check(at)
			}
		}
	}
	for range 50_000 {
		check(from + random.Int64N(until-from))
	}
}

// TestWriter_SaysWhatItCannotWrite instead of writing something else.
func TestWriter_SaysWhatItCannotWrite(t *testing.T) {
	t.Parallel()
	for _, typ := range []reflect.Type{
		reflect.TypeFor[float64](), reflect.TypeFor[[]string](), reflect.TypeFor[time.Time](), reflect.TypeFor[int64](), reflect.TypeFor[model.Relations](),
	} {
		if _, err := writerOf(typ); err == nil {
			t.Errorf("%v has a writer", typ)
		}
	}
	for _, known := range recordTypes {
		for i := range known.model.NumField() {
			if field := known.model.Field(i); field.Type.Kind() == reflect.Pointer {
				if _, err := writerOf(field.Type); err != nil && field.Type.Elem().Kind() != reflect.Int64 {
					t.Errorf("%v.%s: %v", known.model, field.Name, err)
				}
			}
		}
	}
}

func TestWriteNumbers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		write      writer
		sent, want string
	}{
		{writeInt, string(sent[int32](-1)), "-1"},
		{writeInt, string(sent[int32](1<<31 - 1)), "2147483647"},
		{writeBigInt, string(sent[int64](-1 << 63)), "-9223372036854775808"},
		{writeBool, "\x01", "true"},
		{writeBool, "\x00", "false"},
		{writeID(model.KindPatient), string(sent[int64](1<<63 - 1)), `"pat_9223372036854775807"`},
		{writePhone(model.PhoneNational), "+919876543210", `"9876543210"`},
		{writePhone(model.PhoneE164), "+919876543210", `"+919876543210"`},
		{writePhone(model.PhoneNational), `0" OR "1"`, `"0\" OR \"1\""`},
		{writeText, "", `""`},
	} {
		if got := string(c.write([]byte("["), []byte(c.sent))); got != "["+c.want {
			t.Errorf("%q is written %s, want [%s", c.sent, got, c.want)
		}
	}
}

// BenchmarkWrite is what a value of each kind costs.
func BenchmarkWrite(b *testing.B) {
	now := sent(int64(834_567_890_123_456))
	for _, c := range []struct {
		name  string
		write writer
		value []byte
	}{
		{"Text", writeText, []byte("12 MG Road, Bengaluru, Karnataka 560001")},
		{"TextToEscape", writeText, []byte("Allergic to \"penicillin\"\nand to dust")},
		{"Int", writeInt, sent[int32](12)},
		{"Bool", writeBool, []byte{1}},
		{"ID", writeID(model.KindPatient), sent[int64](123_456)},
		{"Date", writeDate, sent[int32](-3_500)},
		{"DateTime", writeDateTime, now},
		{"Phone", writePhone(model.PhoneNational), []byte("+919876543210")},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			var out [128]byte
			for b.Loop() {
				c.write(out[:0], c.value)
			}
		})
	}
}
