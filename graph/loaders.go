package graph

import (
	"context"
	"errors"
	"time"

	"github.com/vikstrous/dataloadgen"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
)

// loaders fetch together what the fields of one response ask for one by one,
// so that a nested query costs a statement per level and not per record. They
// are made for one viewer and never outlive the response.
type loaders struct {
	users            *dataloadgen.Loader[int64, *model.User]
	patients         *dataloadgen.Loader[int64, *model.Patient]
	doctors          *dataloadgen.Loader[int64, *model.Doctor]
	doctorsByAccount *dataloadgen.Loader[int64, *model.Doctor]
	mappings         *dataloadgen.Loader[pageOf, *model.List[*model.Mapping]]
	mappingCounts    *dataloadgen.Loader[pageOf, int]
}

// window is how long a loader waits for the siblings of its first key: gqlgen
// resolves those in goroutines of their own.
const window = time.Millisecond

func newLoaders(s *store.Store, v *model.Viewer) *loaders {
	wait := dataloadgen.WithWait(window)
	return &loaders{
		users:    dataloadgen.NewMappedLoader(keyed(s.UsersByIDs, v, userKey), wait),
		patients: dataloadgen.NewMappedLoader(keyed(s.PatientsByIDs, v, patientKey), wait),
		doctors:  dataloadgen.NewMappedLoader(keyed(s.DoctorsOfMappings, v, doctorKey), wait),
		doctorsByAccount: dataloadgen.NewMappedLoader(keyed(s.DoctorsOfAccounts, v, func(d *model.Doctor) int64 {
			return *d.AccountID
		}), wait),
		mappings: dataloadgen.NewMappedLoader(func(ctx context.Context, keys []pageOf) (map[pageOf]*model.List[*model.Mapping], error) {
			return perPage(keys, func(p part, parents []int64) (map[int64]*model.List[*model.Mapping], error) {
				return s.MappingsOf(ctx, v, p.side, parents, p.args(), p.active())
			})
		}, wait),
		mappingCounts: dataloadgen.NewMappedLoader(func(ctx context.Context, keys []pageOf) (map[pageOf]int, error) {
			return perPage(keys, func(p part, parents []int64) (map[int64]int, error) {
				return s.CountMappingsOf(ctx, v, p.side, parents, p.active())
			})
		}, wait),
	}
}

func userKey(u *model.User) int64       { return u.ID }
func patientKey(p *model.Patient) int64 { return p.ID }
func doctorKey(d *model.Doctor) int64   { return d.ID }

// keyed makes a store method that reads many rows fit a loader.
func keyed[T any](
	read func(context.Context, *model.Viewer, []int64) ([]T, error), v *model.Viewer, key func(T) int64,
) func(context.Context, []int64) (map[int64]T, error) {
	return func(ctx context.Context, ids []int64) (map[int64]T, error) {
		rows, err := read(ctx, v, ids)
		found := make(map[int64]T, len(rows))
		for _, row := range rows {
			found[key(row)] = row
		}
		return found, err
	}
}

// orNil asks a loader for one record: nil when it does not exist for the
// viewer.
func orNil[K comparable, T any](ctx context.Context, l *dataloadgen.Loader[K, *T], key K) (*T, error) {
	record, err := l.Load(ctx, key)
	if errors.Is(err, dataloadgen.ErrNotFound) {
		return nil, nil //nolint:nilnil // null is the answer
	}
	return record, err
}

// allOrNil is orNil for many records, each in the place of its key.
func allOrNil[K comparable, T any](ctx context.Context, l *dataloadgen.Loader[K, *T], keys []K) ([]*T, error) {
	records, err := l.LoadAll(ctx, keys)
	faults, ok := errors.AsType[dataloadgen.ErrorSlice](err)
	if !ok {
		return records, err
	}
	for _, fault := range faults {
		if fault != nil && !errors.Is(fault, dataloadgen.ErrNotFound) {
			return nil, fault
		}
	}
	return records, nil
}

// pageOf is a key of the mapping loaders: the page of one parent. Keys with the
// same part travel in one statement.
type pageOf struct {
	part

	parent int64
}

// part is page arguments in a form that can be compared.
type part struct {
	side          store.Side
	first, last   optional[int]
	after, before optional[string]
	isActive      optional[bool]
}

type optional[T comparable] struct {
	value T
	set   bool
}

func given[T comparable](p *T) (o optional[T]) {
	if p != nil {
		o.value, o.set = *p, true
	}
	return o
}

func (o optional[T]) pointer() *T {
	if !o.set {
		return nil
	}
	return &o.value
}

func (p part) args() model.PageArgs {
	return model.PageArgs{
		First: p.first.pointer(), Last: p.last.pointer(),
		After: p.after.pointer(), Before: p.before.pointer(),
	}
}

func (p part) active() *bool { return p.isActive.pointer() }

// perPage asks once for all parents of each page among the keys.
func perPage[T any](keys []pageOf, ask func(part, []int64) (map[int64]T, error)) (map[pageOf]T, error) {
	parents := map[part][]int64{}
	for _, key := range keys {
		parents[key.part] = append(parents[key.part], key.parent)
	}
	found := make(map[pageOf]T, len(keys))
	faults := dataloadgen.MappedFetchError[pageOf]{}
	for p, ids := range parents {
		answers, err := ask(p, ids)
		for _, id := range ids {
			key := pageOf{p, id}
			if err != nil {
				faults[key] = err
				continue
			}
			found[key] = answers[id]
		}
	}
	if len(faults) > 0 {
		return found, faults
	}
	return found, nil
}
