package graph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/vikstrous/dataloadgen"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/query"
)

// loaders batch the reads of the fields of one response, so that the reference engine
// sends one statement for each level and not for each record. They serve one viewer and
// never outlive the response.
type loaders struct {
	store   *store.Store
	viewer  *model.Viewer
	related *batcher[int64, model.Node]
	pages   *batcher[int64, *model.RecordPage]
	counts  *batcher[int64, int]
	own     *batcher[query.Owner, any]
}

func newLoaders(s *store.Store, v *model.Viewer) *loaders {
	return &loaders{
		store: s, viewer: v, related: newBatcher[int64, model.Node](), pages: newBatcher[int64, *model.RecordPage](),
		counts: newBatcher[int64, int](), own: newBatcher[query.Owner, any](),
	}
}

// relatedKey returns the key of the record that an edge of a type leads to. Edges
// that lead to the same records have the same group.
func (l *loaders) relatedKey(typ string, e *query.Edge, id int64) key[int64] {
	return l.related.key(groupOf(e.To, e.Key, e.IncludeDeleted), id, func(ctx context.Context, ids []int64) (map[int64]model.Node, error) {
		return l.store.Related(ctx, l.viewer, typ, e.Field, ids)
	})
}

// pageKey returns the key of a page of a list. Lists of the same rows have the same
// group.
func (l *loaders) pageKey(typ string, of *query.List, args query.Args, owner int64) key[int64] {
	conditions, err := of.Conditions(args) // PagesOf returns the error
	group := groupOf(typ, of.Of, of.Key, args.Page(), of.Sorting(args).Order, conditions, fmt.Sprint(err))
	return l.pages.key(group, owner, func(ctx context.Context, owners []int64) (map[int64]*model.RecordPage, error) {
		return l.store.PagesOf(ctx, l.viewer, typ, of.Field, owners, args)
	})
}

// countKey returns the key of the number of rows of a list.
func (l *loaders) countKey(typ string, of *query.List, args query.Args, owner int64) key[int64] {
	conditions, err := of.Conditions(args) // CountsOf returns the error
	return l.counts.key(groupOf(typ, of.Of, of.Key, conditions, fmt.Sprint(err)), owner, func(ctx context.Context, owners []int64) (map[int64]int, error) {
		return l.store.CountsOf(ctx, l.viewer, typ, of.Field, owners, args)
	})
}

// ownKey returns the key of a page from a source of its own.
func (l *loaders) ownKey(typ string, own *query.Own, args query.Args, owner query.Owner) key[query.Owner] {
	return l.own.key(groupOf(typ, own.Field, args), owner, func(ctx context.Context, owners []query.Owner) (map[query.Owner]any, error) {
		pages, err := own.Read(ctx, l.viewer, owners, args)
		if err == nil && len(pages) != len(owners) {
			err = fmt.Errorf("%s.%s: %d pages of %d owners", typ, own.Field, len(pages), len(owners))
		}
		if err != nil {
			return nil, err
		}
		found := make(map[query.Owner]any, len(owners))
		for i, owner := range owners {
			found[owner] = pages[i]
		}
		return found, nil
	})
}

// groupOf returns a text that is the same for the same values.
func groupOf(values ...any) string {
	text, err := json.Marshal(values)
	if err != nil {
		text = fmt.Append(nil, values...) // cannot happen; fields are not batched then
	}
	return string(text)
}

// batcher loads values by their keys. Keys of one group that come within the
// batchWindow are loaded in one call.
type batcher[I comparable, T any] struct {
	*dataloadgen.Loader[key[I], T]

	mu    sync.Mutex
	calls map[string]func(context.Context, []I) (map[I]T, error) // by group
}

type key[I comparable] struct {
	group string
	id    I
}

// batchWindow is how long a loader waits for the siblings of its first key: gqlgen
// resolves each in a goroutine.
const batchWindow = time.Millisecond

func newBatcher[I comparable, T any]() *batcher[I, T] {
	b := &batcher[I, T]{calls: map[string]func(context.Context, []I) (map[I]T, error){}}
	b.Loader = dataloadgen.NewMappedLoader(b.load, dataloadgen.WithWait(batchWindow))
	return b
}

// key returns a key of a group, whose values call loads. call leaves out an id
// without a value.
func (b *batcher[I, T]) key(group string, id I, call func(context.Context, []I) (map[I]T, error)) key[I] {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls[group] = call
	return key[I]{group, id}
}

// load loads each group in one call. An error is that of the keys of its group.
func (b *batcher[I, T]) load(ctx context.Context, keys []key[I]) (map[key[I]]T, error) {
	groups := map[string][]I{}
	for _, k := range keys {
		groups[k.group] = append(groups[k.group], k.id)
	}
	found, failed := make(map[key[I]]T, len(keys)), dataloadgen.MappedFetchError[key[I]]{}
	for group, ids := range groups {
		b.mu.Lock()
		call := b.calls[group]
		b.mu.Unlock()
		values, err := call(ctx, ids)
		for _, id := range ids {
			if err != nil {
				failed[key[I]{group, id}] = err
			} else if value, ok := values[id]; ok {
				found[key[I]{group, id}] = value
			}
		}
	}
	if len(failed) > 0 {
		return found, failed
	}
	return found, nil
}

// allOrNull loads records in the order of the keys: nil for one that does not exist for
// the viewer.
func allOrNull(ctx context.Context, l *batcher[int64, model.Node], keys []key[int64]) ([]model.Node, error) {
	records, err := l.LoadAll(ctx, keys)
	errs, ok := errors.AsType[dataloadgen.ErrorSlice](err)
	if !ok {
		return records, err
	}
	for _, err := range errs {
		if err != nil && !errors.Is(err, dataloadgen.ErrNotFound) {
			return nil, err
		}
	}
	return records, nil
}
