package store_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/caregraph/caregraph/model"
)

// ok(call(...))(t) returns the value of the call and fails on an error.
func ok[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// errOf returns the error of a call.
func errOf[T any](_ T, err error) error { return err }

// wantCode checks that err has the code and exactly the fields.
func wantCode(t *testing.T, err error, code model.Code, fields ...string) {
	t.Helper()
	apiErr, isAPIErr := errors.AsType[*model.Error](err)
	if !isAPIErr || apiErr.Code != code {
		t.Fatalf("error is %v, want %s", err, code)
	}
	var named []string
	for _, f := range apiErr.Fields {
		named = append(named, f.Field)
	}
	if !slices.Equal(named, fields) {
		t.Fatalf("%s names %v, want %v", code, named, fields)
	}
}

// wantCodes is wantCode for several codes, as "field CODE".
func wantCodes(t *testing.T, err error, want ...string) {
	t.Helper()
	apiErr, isAPIErr := errors.AsType[*model.Error](err)
	if !isAPIErr {
		t.Fatalf("error is %v, want a model.Error", err)
	}
	var named []string
	for _, f := range apiErr.Fields {
		named = append(named, f.Field+" "+string(f.Code))
	}
	if !slices.Equal(named, want) {
		t.Fatalf("refused with %v, want %v", named, want)
	}
}

func wantIDs(t *testing.T, what string, got []int64, want ...int64) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s are %v, want %v", what, got, want)
	}
}

func idsOf[T model.Node](rows []T) []int64 {
	ids := make([]int64, len(rows))
	for i, row := range rows {
		ids[i] = row.NodeID().Num
	}
	return ids
}

// set returns a change of one field.
func set[T any](field string, apply func(*T)) model.Change[T] {
	return model.Change[T]{Field: field, Apply: apply}
}

// page reads a page of a list.
type page[T model.Listed] func(context.Context, model.PageArgs) (*list[T], error)

// everyPage reads a list in pages of the size, forwards or backwards. It returns the rows
// in the order of the list.
func everyPage[T model.Listed](t *testing.T, read page[T], size int, backwards bool) []T {
	t.Helper()
	var all []T
	args := model.PageArgs{First: &size}
	if backwards {
		args = model.PageArgs{Last: &size}
	}
	for range 1_000 {
		l, err := read(t.Context(), args)
		if err != nil {
			t.Fatal(err)
		}
		more := l.HasNext
		if backwards {
			more, all = l.HasPrevious, append(slices.Clone(l.Rows), all...)
		} else {
			all = append(all, l.Rows...)
		}
		if !more {
			return all
		}
		if len(l.Rows) != size {
			t.Fatalf("a page of %d has %d rows and says there are more", size, len(l.Rows))
		}
		if backwards {
			args.Before = new(l.Cursor(l.Rows[0]))
		} else {
			args.After = new(l.Cursor(l.Rows[size-1]))
		}
	}
	t.Fatal("the list has no end")
	return nil
}
