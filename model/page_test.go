package model_test

import (
	"encoding/base64"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/model"
)

func orders() []model.Order {
	var all []model.Order
	for _, key := range []model.KeyType{model.KeyTime, model.KeyDate, model.KeyText, model.KeyInt, model.KeyNumeric} {
		all = append(all, model.Order{List: "patients", Field: string(key), Key: key}, model.Order{List: "patients", Field: string(key), Key: key, Descending: true})
	}
	return append(all, model.Order{List: "doctors", Field: "text", Key: model.KeyText})
}

// key is a sort key of the type, as PostgreSQL writes it.
func key(t model.KeyType) string {
	return map[model.KeyType]string{
		model.KeyTime: "2026-01-31 09:30:00.123+00", model.KeyDate: "1990-05-15", model.KeyText: "asha \"<राव>\" \\", model.KeyInt: "12", model.KeyNumeric: "1500.00",
	}[t]
}

func TestCursor_RoundTripsInItsOwnOrderOnly(t *testing.T) {
	t.Parallel()
	for i, of := range orders() {
		want := model.Cursor{Key: key(of.Key), ID: 42}
		text := of.Encode(want)
		for j, order := range orders() {
			page, err := model.PageArgs{After: &text, Before: &text}.Page(order)
			switch {
			case i == j && (err != nil || *page.After != want || *page.Before != want):
				t.Errorf("%s: %+v, %v", of.Field, page, err)
			case i != j && model.CodeOf(err) != model.CodeInvalidCursor:
				t.Errorf("a cursor of %+v is taken by %+v: %v", of, order, err)
			}
		}
	}
}

func TestPageArgs_Page(t *testing.T) {
	t.Parallel()
	order := orders()[0]
	for _, args := range []struct {
		page  model.PageArgs
		limit int
		back  bool
		code  model.Code
		field string
	}{
		{model.PageArgs{}, model.DefaultPage, false, "", ""},
		{model.PageArgs{First: new(0)}, 0, false, "", ""},
		{model.PageArgs{First: new(100)}, 100, false, "", ""},
		{model.PageArgs{Last: new(7)}, 7, true, "", ""},
		{model.PageArgs{First: new(101)}, 0, false, model.CodeBadUserInput, "first"},
		{model.PageArgs{First: new(-1)}, 0, false, model.CodeBadUserInput, "first"},
		{model.PageArgs{Last: new(101)}, 0, false, model.CodeBadUserInput, "last"},
		{model.PageArgs{First: new(1), Last: new(1)}, 0, false, model.CodeBadUserInput, "last"},
		{model.PageArgs{After: new("")}, 0, false, model.CodeInvalidCursor, "after"},
		{model.PageArgs{Before: new("!")}, 0, false, model.CodeInvalidCursor, "before"},
		{model.PageArgs{After: new(strings.Repeat("A", 6_000))}, 0, false, model.CodeInvalidCursor, "after"},
	} {
		page, err := args.page.Page(order)
		if model.CodeOf(err) != args.code || err == nil && (page.Limit != args.limit || page.Backwards != args.back) {
			t.Errorf("%+v became %+v, %v", args, page, err)
		}
		if args.field != "" && codesOf(t, err)[0] != args.field+" "+string(args.code) {
			t.Errorf("%+v is refused with %v", args, err)
		}
	}
}

// Clients keep old cursors: a cursor is, byte for byte, the JSON of the list's tag, the
// key and the id by encoding/json.
func TestCursor_IsWhatEncodingJSONMakes(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	pieces := []string{"a", "Asha Rao", " ", "0", `"`, `\`, "<", ">", "&", "/", "'", "\x00", "\b", "\f", "\n", "\r", "\t", "\x1f", "\x7f", "राव", "é", "😷", "\u2028", "\u2029", "\ufffd", "\xff", "\xc3", "\xed\xa0\x80", "\xf0\x9f"}
	for i := range 20_000 {
		text := func() (text string) {
			for range random.IntN(8) {
				text += pieces[random.IntN(len(pieces))]
			}
			return text
		}
		order := model.Order{List: "patients", Field: "NAME", Key: model.KeyText, Descending: i%2 == 0}
		if i%100 == 0 {
			order.List, order.Field = text(), text()
		}
		cursor := model.Cursor{Key: text() + strings.Repeat("long ", i%50), ID: random.Int64() - random.Int64()}
		direction := map[bool]model.OrderDirection{false: model.Ascending, true: model.Descending}[order.Descending]
		list, err := json.Marshal([]any{order.List + " " + order.Field + " " + string(direction), cursor.Key, cursor.ID})
		if err != nil {
			t.Fatal(err)
		}
		want := base64.RawURLEncoding.EncodeToString(list)
		if got := order.Encode(cursor); got != want {
			t.Fatalf("%+v of %+v is %s, want %s", cursor, order, got, want)
		}
		if got := string(order.AppendCursor([]byte("["), cursor)); got != "["+want {
			t.Fatalf("%+v of %+v is appended as %s, want [%s", cursor, order, got, want)
		}
	}
}

// Any text as a cursor is refused, or it is a cursor that the order can return.
func FuzzCursor(f *testing.F) {
	for _, order := range orders() {
		f.Add(order.Encode(model.Cursor{Key: key(order.Key), ID: 1}))
	}
	for _, list := range []string{``, `[]`, `[null,null,null]`, `["patients text ASC","",1]`, `["patients text ASC","a",1,2]`, `["patients integer ASC","1e3",1]`, `{"0":1}`} {
		f.Add(base64.RawURLEncoding.EncodeToString([]byte(list)))
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, order := range orders() {
			page, err := model.PageArgs{After: &text}.Page(order)
			if err != nil {
				if model.CodeOf(err) != model.CodeInvalidCursor {
					t.Fatalf("%q: %v", text, err)
				}
				continue
			}
			again, err := model.PageArgs{After: new(order.Encode(*page.After))}.Page(order)
			if err != nil || *again.After != *page.After || page.After.ID < 1 || strings.ContainsRune(page.After.Key, 0) {
				t.Fatalf("%q became %+v, then %+v, %v", text, page.After, again.After, err)
			}
		}
	})
}
