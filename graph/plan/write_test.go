package plan

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"reflect"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/caregraph/caregraph/graph/gen"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store/storetest"
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

// TestRow_IsWrittenAsTheRecord, also its rare values: both come from the model.
func TestRow_IsWrittenAsTheRecord(t *testing.T) {
	t.Parallel()
	records := storetest.New(t).Store.Records()
	at := func(text string) model.DateTime {
		parsed, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			t.Fatal(err)
		}
		return model.DateTime{Time: parsed}
	}
	for _, record := range []model.Node{
		&model.Patient{DateOfBirth: model.ParseDate("0001-01-01"), Email: new(model.EmailAddress)},
		&model.Patient{DateOfBirth: model.ParseDate("1999-12-31"), Name: "a\"\n"},
		&model.Patient{DateOfBirth: model.ParseDate("2000-02-29"), Lifecycle: model.Lifecycle{Version: 1<<31 - 1, CreatedAt: at("1969-12-31T23:59:59.999999999Z")}},
		&model.Doctor{ConsultationFee: model.ParseDecimal("1e3"), Lifecycle: model.Lifecycle{UpdatedAt: at("1999-12-31T23:59:59.0000019+05:30")}},
		&model.Doctor{ConsultationFee: model.ParseDecimal(".5"), IsVerified: true, ExperienceYears: -1, AccountID: new(int64)},
		&model.Mapping{IsActive: true, EndedAt: new(at("2026-01-31T09:30:00.123456Z")), Notes: new("")},
		&model.User{ID: 1<<63 - 1, Username: "अ", Role: model.RoleDoctor},
	} {
		typ, of := records.Type(record.TypeName()), reflect.ValueOf(record).Elem()
		for name, binding := range gen.Bindings[typ.Name] {
			if binding.Field == "" {
				continue
			}
			field, node := of.FieldByName(binding.Field), typ.Node()
			index, err := node.Record().Column(binding.Field)
			if err != nil {
				t.Fatal(err)
			}
			write, err := writerOf(field.Type())
			if err != nil {
				t.Fatal(err)
			}
			e := &encoding{}
			column{index, write}.write(e, row{node.Row(record), 0})
			if got, want := string(e.out), asMarshaled(field); got != want {
				t.Errorf("%s.%s is written %s, want %s", typ.Name, name, got, want)
			}
		}
	}
}

// asMarshaled returns a value as gqlgen writes it.
func asMarshaled(field reflect.Value) string {
	field = reflect.Indirect(field)
	if !field.IsValid() {
		return "null"
	}
	if v, ok := field.Interface().(interface{ MarshalGQL(w io.Writer) }); ok {
		return marshaled(v)
	}
	if field.Kind() == reflect.String {
		return marshaled(graphql.MarshalString(field.String()))
	}
	return fmt.Sprint(field.Interface())
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
