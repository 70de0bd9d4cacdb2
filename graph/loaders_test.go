package graph

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store/query"
)

// ownTest is a list with a source of its own and the loaders of one response.
func ownTest(read func(owners []query.Owner) ([]any, error)) func(t *testing.T, args query.Args, owners ...query.Owner) ([]any, error) {
	viewer := &model.Viewer{UserID: 7}
	own := &query.Own{Field: "log", Read: func(_ context.Context, v *model.Viewer, owners []query.Owner, args query.Args) ([]any, error) {
		if v != viewer || *query.Arg[int](args, "first") == 0 {
			return nil, fmt.Errorf("read for %v with %v", v, args)
		}
		return read(owners)
	}}
	l := newLoaders(nil, viewer)
	return func(t *testing.T, args query.Args, owners ...query.Owner) ([]any, error) {
		t.Helper()
		keys := make([]key[query.Owner], len(owners))
		for i, owner := range owners {
			keys[i] = l.ownKey("Patient", own, args, owner)
		}
		return l.own.LoadAll(t.Context(), keys)
	}
}

func first(n int) query.Args { return query.Args{"first": &n} }

func TestLoaders_ReadTheOwnListsOfManyOwnersInOneCall(t *testing.T) {
	t.Parallel()
	var calls [][]query.Owner
	load := ownTest(func(owners []query.Owner) ([]any, error) {
		calls = append(calls, owners)
		pages := make([]any, len(owners))
		for i, owner := range owners {
			pages[i] = fmt.Sprint(owner.ID, owner.Relations.Names())
		}
		return pages, nil
	})
	one := query.Owner{ID: model.ID{Kind: "pat", Num: 1}, Relations: model.Owner}
	two := query.Owner{ID: model.ID{Kind: "pat", Num: 2}, Relations: model.AssignedDoctor}
	for _, c := range []struct {
		args   query.Args
		owners []query.Owner
		want   []any
	}{
		{first(1), []query.Owner{two, one}, []any{"pat_2 [ASSIGNED_DOCTOR]", "pat_1 [OWNER]"}},
		{first(1), []query.Owner{one}, []any{"pat_1 [OWNER]"}}, // the same values in other pointers
		{first(2), []query.Owner{one}, []any{"pat_1 [OWNER]"}},
	} {
		if pages, err := load(t, c.args, c.owners...); err != nil || !reflect.DeepEqual(pages, c.want) {
			t.Errorf("pages are %v, error %v, want %v", pages, err, c.want)
		}
	}
	slices.SortFunc(calls[0], func(a, b query.Owner) int { return int(a.ID.Num - b.ID.Num) })
	if want := [][]query.Owner{{one, two}, {one}}; !reflect.DeepEqual(calls, want) {
		t.Errorf("calls are %v, want %v", calls, want)
	}
}

func TestLoaders_ReportWhatAnOwnListCannotRead(t *testing.T) {
	t.Parallel()
	owner := query.Owner{ID: model.ID{Kind: "pat", Num: 1}}
	broken := errors.New("broken")
	_, err := ownTest(func([]query.Owner) ([]any, error) { return nil, broken })(t, first(1), owner)
	if !errors.Is(err, broken) {
		t.Errorf("error is %v", err)
	}
	_, err = ownTest(func([]query.Owner) ([]any, error) { return []any{1, 2}, nil })(t, first(1), owner)
	if err == nil || err.Error() != "Patient.log: 2 pages of 1 owners" {
		t.Errorf("error is %v", err)
	}
}

// TestLoaders_TellArgumentsApart: lists with different arguments are not read in one
// call, as the rows of one would be the answer of the other.
func TestLoaders_TellArgumentsApart(t *testing.T) {
	t.Parallel()
	known := map[string]any{}
	for _, value := range []any{
		nil, 1, "1", true, model.ParseID("pat_1"), model.ParseID("doc_1"), model.ParseDate("1990-05-15"), model.ParseDate("1990-05-16"),
		model.ParseDate("then"), model.ParseDate("now"), model.ParseDecimal("1.001"), model.ParseDecimal("1.002"),
	} {
		key := groupOf(query.Args{"filter": &struct{ Value any }{value}})
		if other, ok := known[key]; ok {
			t.Errorf("%T %v and %v have the same key %s", value, value, other, key)
		}
		known[key] = value
	}
}
