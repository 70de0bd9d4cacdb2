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

// loaders batch what the fields of one response ask for one by one, so that the
// reference engine sends a statement for each level and not for each record. They
// are made for one viewer and never outlive the response.
type loaders struct {
	related *dataloadgen.Loader[edgeKey, model.Node]
	pages   *dataloadgen.Loader[pageKey, *model.RecordPage]
	counts  *dataloadgen.Loader[pageKey, int]
	own     *dataloadgen.Loader[ownKey, any]

	mu     sync.Mutex
	fields map[any]fieldRef // by link, list or ownList
}

// edgeKey names a record by the value of the column that edges lead to. Keys with
// the same link are loaded in one statement.
type edgeKey struct {
	link

	key int64
}

// link is what edges have in common that lead to the same records.
type link struct {
	to, column string
	deleted    bool
}

// pageKey names the page of one owner. Keys with the same list are loaded in one
// statement.
type pageKey struct {
	list

	owner int64
}

// list is the rows of the records of a type, with the page and the conditions as
// JSON.
type list struct{ typ, rows, column, args string }

// ownKey names the page of one owner from a source of its own. Keys with the same
// list are loaded in one call.
type ownKey struct {
	ownList

	owner query.Owner
}

// ownList is a list with a source of its own, with its arguments as JSON.
type ownList struct{ typ, field, args string }

// fieldRef is one of the fields that have the same link or list, with its arguments and,
// for a list with a source of its own, the descriptor.
type fieldRef struct {
	typ, field string
	args       query.Args
	own        *query.Own
}

// batchWindow is how long a loader waits for the siblings of its first key: gqlgen
// resolves each in a goroutine.
const batchWindow = time.Millisecond

func newLoaders(s *store.Store, v *model.Viewer) *loaders {
	l := &loaders{fields: map[any]fieldRef{}}
	wait := dataloadgen.WithWait(batchWindow)
	l.related = dataloadgen.NewMappedLoader(func(ctx context.Context, keys []edgeKey) (map[edgeKey]model.Node, error) {
		return batch(keys, func(k edgeKey) (link, int64) { return k.link, k.key }, func(e link, keys []int64) (map[int64]model.Node, error) {
			a := l.fieldOf(e)
			return s.Related(ctx, v, a.typ, a.field, keys)
		})
	}, wait)
	l.pages = dataloadgen.NewMappedLoader(func(ctx context.Context, keys []pageKey) (map[pageKey]*model.RecordPage, error) {
		return batch(keys, splitPage, func(p list, owners []int64) (map[int64]*model.RecordPage, error) {
			a := l.fieldOf(p)
			return s.PagesOf(ctx, v, a.typ, a.field, owners, a.args)
		})
	}, wait)
	l.counts = dataloadgen.NewMappedLoader(func(ctx context.Context, keys []pageKey) (map[pageKey]int, error) {
		return batch(keys, splitPage, func(p list, owners []int64) (map[int64]int, error) {
			a := l.fieldOf(p)
			return s.CountsOf(ctx, v, a.typ, a.field, owners, a.args)
		})
	}, wait)
	l.own = dataloadgen.NewMappedLoader(func(ctx context.Context, keys []ownKey) (map[ownKey]any, error) {
		return batch(keys, func(k ownKey) (ownList, query.Owner) { return k.ownList, k.owner }, func(o ownList, owners []query.Owner) (map[query.Owner]any, error) {
			a := l.fieldOf(o)
			return ownPages(ctx, v, a, owners)
		})
	}, wait)
	return l
}

func splitPage(k pageKey) (list, int64) { return k.list, k.owner }

// edgeKey returns the key of the record that an edge of a type leads to.
func (l *loaders) edgeKey(typ string, e *query.Edge, key int64) edgeKey {
	to := link{e.To, e.Key, e.IncludeDeleted}
	l.addField(to, fieldRef{typ, e.Field, nil, nil})
	return edgeKey{to, key}
}

// pageKey returns the key of a page of a list.
func (l *loaders) pageKey(typ string, of *query.List, args query.Args, owner int64) pageKey {
	p := list{typ, of.Of, of.Key, asText([]any{args.Page(), of.Conditions(args)})}
	l.addField(p, fieldRef{typ, of.Field, args, nil})
	return pageKey{p, owner}
}

// ownKey returns the key of a page from a source of its own.
func (l *loaders) ownKey(typ string, own *query.Own, args query.Args, owner query.Owner) ownKey {
	o := ownList{typ, own.Field, asText(args)}
	l.addField(o, fieldRef{typ, own.Field, args, own})
	return ownKey{o, owner}
}

// ownPages reads the pages of many owners in one call.
func ownPages(ctx context.Context, v *model.Viewer, a fieldRef, owners []query.Owner) (map[query.Owner]any, error) {
	pages, err := a.own.Read(ctx, v, owners, a.args)
	if err != nil {
		return nil, err
	}
	if len(pages) != len(owners) {
		return nil, fmt.Errorf("%s.%s: %d pages of %d owners", a.typ, a.field, len(pages), len(owners))
	}
	found := make(map[query.Owner]any, len(owners))
	for i, owner := range owners {
		found[owner] = pages[i]
	}
	return found, nil
}

// asText returns arguments as a text that is the same for the same values.
func asText(args any) string {
	text, err := json.Marshal(args)
	if err != nil {
		text = fmt.Append(nil, args) // cannot happen; pages are not batched then
	}
	return string(text)
}

func (l *loaders) addField(group any, a fieldRef) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fields[group] = a
}

func (l *loaders) fieldOf(group any) fieldRef {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fields[group]
}

// batch groups keys, and loads each group in one call. A key without a value is
// left out; an error is that of the keys of its group.
func batch[K, G, I comparable, T any](keys []K, split func(K) (G, I), load func(G, []I) (map[I]T, error)) (map[K]T, error) {
	groups := map[G][]K{}
	for _, key := range keys {
		group, _ := split(key)
		groups[group] = append(groups[group], key)
	}
	found := make(map[K]T, len(keys))
	failed := dataloadgen.MappedFetchError[K]{}
	for group, members := range groups {
		ids := make([]I, len(members))
		for i, key := range members {
			_, ids[i] = split(key)
		}
		values, err := load(group, ids)
		for i, key := range members {
			if err != nil {
				failed[key] = err
			} else if value, ok := values[ids[i]]; ok {
				found[key] = value
			}
		}
	}
	if len(failed) > 0 {
		return found, failed
	}
	return found, nil
}

// orNull loads one record: nil when it does not exist for the viewer.
func orNull(ctx context.Context, l *dataloadgen.Loader[edgeKey, model.Node], key edgeKey) (model.Node, error) {
	record, err := l.Load(ctx, key)
	if errors.Is(err, dataloadgen.ErrNotFound) {
		return nil, nil //nolint:nilnil // null is the answer
	}
	return record, err
}

// allOrNull is orNull for many records, each in the place of its key.
func allOrNull(ctx context.Context, l *dataloadgen.Loader[edgeKey, model.Node], keys []edgeKey) ([]model.Node, error) {
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
