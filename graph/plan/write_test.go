package plan

import (
	"bytes"
	"encoding/binary"
	"io"
	"reflect"
	"testing"
	"time"

	"github.com/caregraph/caregraph/store/storetest"

	"github.com/caregraph/caregraph/model"
)

// sent returns a number in PostgreSQL's binary format.
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
	records := storetest.New(t).Store.Records()
	for _, known := range records.Types() {
		for i := range known.Model.NumField() {
			if field := known.Model.Field(i); field.Type.Kind() == reflect.Pointer {
				if _, err := writerOf(field.Type); err != nil && field.Type.Elem().Kind() != reflect.Int64 {
					t.Errorf("%v.%s: %v", known.Model, field.Name, err)
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

// BenchmarkWrite measures a value of each kind.
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
