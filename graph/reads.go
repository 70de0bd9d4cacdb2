package graph

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/caregraph/caregraph/graph/gen"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/query"
)

// reads is the reference engine. It reads records for gqlgen's executor, one statement
// for each level of an answer. It serves payloads with other records, refusals and
// everything that package plan cannot answer. The differential test compares the two
// engines.
type reads struct{ Config }

var _ gen.Reads = reads{}

// One returns the record that a field names, nil if it does not exist for the viewer.
func (r reads) One(ctx context.Context, of model.Node, field string) (model.Node, error) {
	if err := setUpFirst(ctx); err != nil {
		return nil, err
	}
	t := r.Store.Records().Type(of.TypeName())
	e := t.Edge(field)
	if e == nil {
		return nil, fmt.Errorf("%s.%s names no record", t.Name, field)
	}
	id, set := t.ID(of, e.From)
	if !set {
		return nil, nil //nolint:nilnil // it names none
	}
	loaders := loadersOf(ctx)
	records, err := allOrNull(ctx, loaders.related, []key[int64]{loaders.relatedKey(t.Name, e, id)})
	if err != nil {
		return nil, err
	}
	return records[0], nil
}

// List returns a page of a list of a record.
func (r reads) List(ctx context.Context, of model.Node, field string, args map[string]any) (any, error) {
	if err := setUpFirst(ctx); err != nil {
		return nil, err
	}
	t, loaders := r.Store.Records().Type(of.TypeName()), loadersOf(ctx)
	l := t.List(field)
	if l == nil {
		return r.ownList(ctx, t, of, field, args)
	}
	owner := of.NodeID().Num
	page, err := loaders.pages.Load(ctx, loaders.pageKey(t.Name, l, args, owner))
	if err != nil {
		return nil, err
	}
	listed := *page
	listed.Count = func(ctx context.Context) (int, error) {
		return loaders.counts.Load(ctx, loaders.countKey(t.Name, l, args, owner))
	}
	if l.Node != "" {
		listed.Entries, err = r.nodes(ctx, l, page.Entries)
	}
	return &listed, err
}

// nodes returns the entries of a list whose nodes are records that its rows name. It
// omits an entry if its node does not exist for the viewer.
func (r reads) nodes(ctx context.Context, l *query.List, rows []model.RecordEntry) ([]model.RecordEntry, error) {
	t, loaders := l.Rows(), loadersOf(ctx)
	e := t.Edge(l.Node)
	keys := make([]key[int64], len(rows))
	for i, row := range rows {
		id, _ := t.ID(row.Node, e.From)
		keys[i] = loaders.relatedKey(t.Name, e, id)
	}
	nodes, err := allOrNull(ctx, loaders.related, keys)
	entries := make([]model.RecordEntry, 0, len(rows))
	if err != nil {
		return entries, err
	}
	for i, row := range rows {
		if nodes[i] != nil {
			entries = append(entries, model.RecordEntry{Cursor: row.Cursor, Node: nodes[i], Row: row.Node})
		}
	}
	return entries, nil
}

// ownList returns a page from a source of its own.
func (r reads) ownList(ctx context.Context, t *query.RecordType, of model.Node, field string, args map[string]any) (any, error) {
	own := t.OwnList(field)
	if own == nil {
		return nil, fmt.Errorf("%s.%s is no list of records", t.Name, field)
	}
	loaders := loadersOf(ctx)
	return loaders.own.Load(ctx, loaders.ownKey(t.Name, own, args, query.Owner{ID: of.NodeID(), Relations: of.ViewerRelations()}))
}

// Record returns the live record with the id, nil if it does not exist for the viewer.
func (r reads) Record(ctx context.Context, typ string, id model.ID) (model.Node, error) {
	record, err := r.Store.Get(ctx, viewer(ctx), typ, id.Of(r.Store.Records().Type(typ).Kind))
	if model.CodeOf(err) == model.CodeNotFound {
		return nil, nil //nolint:nilnil // null is the answer
	}
	return record, err
}

// Root returns a page of a list of Query.
func (r reads) Root(ctx context.Context, field string, args map[string]any) (any, error) {
	v := viewer(ctx)
	page, err := r.Store.Page(ctx, v, field, args)
	if err != nil {
		return nil, err
	}
	page.Count = func(ctx context.Context) (int, error) { return r.Store.Count(ctx, v, field, args) }
	return page, nil
}

// Viewer returns what the viewer may do with a record.
func (r reads) Viewer(_ context.Context, of model.Node) (*gen.ViewerAccess, error) {
	return r.allowed(of.TypeName(), of.ViewerRelations()), nil
}

// Entry returns the record of a payload as an entry of the list with the field, nil if it
// is none.
func (r reads) Entry(ctx context.Context, of model.Node, field string, args map[string]any) (*model.RecordEntry, error) {
	if of == nil {
		return nil, nil //nolint:nilnil // the payload has no record
	}
	entry, err := r.Store.Entry(ctx, viewer(ctx), of.TypeName(), field, of.NodeID().Num, args)
	if entry == nil || err != nil {
		return nil, err
	}
	list, _ := r.Store.Records().Type(of.TypeName()).EntryList(field)
	if list.Below != nil {
		entries, err := r.nodes(ctx, list.Below, []model.RecordEntry{*entry})
		if len(entries) == 0 {
			return nil, err
		}
		entry = &entries[0]
	}
	return entry, nil
}

// Query looks the viewer up again, because the mutation may have changed what the account
// may do.
func (r reads) Query(ctx context.Context) (*gen.Query, error) {
	v := viewer(ctx)
	if v == nil {
		return nil, nil //nolint:nilnil // no one is signed in
	}
	v, err := r.Store.SessionViewer(ctx, v.SessionID)
	if err != nil {
		return nil, err
	}
	current(ctx).setViewer(v)
	if v == nil {
		return nil, nil //nolint:nilnil // the session has ended
	}
	return &gen.Query{}, nil
}

// allowed returns what a viewer with the relations may do with a record of a type.
func (r Config) allowed(typ string, has model.Relations) *gen.ViewerAccess {
	rule := r.Policy.Types[typ]
	relations := []gen.Relation{}
	for _, name := range has.Names() {
		relations = append(relations, gen.Relation(name))
	}
	writable := rule.Writable(has)
	return &gen.ViewerAccess{
		Relations:      relations,
		CanUpdate:      len(writable) > 0,
		CanDelete:      rule.Fields[r.Store.Records().Type(typ).EndedBy].CanWrite(has),
		WritableFields: writable,
		RedactedFields: rule.Redacted(has),
	}
}

// queries has the fields of Query that are not generated.
type queries struct {
	gen.QueryReads

	store *store.Store
}

func (q queries) Me(ctx context.Context) (*model.User, error) {
	v := viewer(ctx)
	return q.store.User(ctx, v, v.UserID)
}

func (q queries) Node(ctx context.Context, id model.ID) (model.Node, error) {
	found, err := q.Nodes(ctx, []*model.ID{&id})
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

func (q queries) Nodes(ctx context.Context, ids []*model.ID) ([]model.Node, error) {
	if len(ids) > model.MaxPage {
		return nil, model.NewFieldError("ids", model.CodeBadUserInput, fmt.Sprintf("Ask for at most %d ids at once.", model.MaxPage))
	}
	wanted := make([]model.ID, len(ids))
	for i, id := range ids {
		wanted[i] = *id
	}
	return nodes(ctx, q.store, wanted)
}

// nodes reads the records of each type together. It returns nil in place of one that does
// not exist for the viewer.
func nodes(ctx context.Context, s *store.Store, ids []model.ID) ([]model.Node, error) {
	wanted := map[model.Kind][]int64{}
	for _, id := range ids {
		wanted[id.Kind] = append(wanted[id.Kind], id.Num)
	}
	found := map[model.ID]model.Node{}
	for _, t := range s.Records().Types() {
		if len(wanted[t.Kind]) == 0 {
			continue
		}
		rows, err := s.GetMany(ctx, viewer(ctx), t.Name, wanted[t.Kind])
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			found[row.NodeID()] = row
		}
	}
	nodes := make([]model.Node, len(ids))
	for i, id := range ids {
		nodes[i] = found[id]
	}
	return nodes, nil
}

func (q queries) Changes(ctx context.Context, after *string, first *int, types []model.ChangeType) (*model.ChangeSet, error) {
	return q.store.Changes(ctx, viewer(ctx), query.Args{"after": after, "first": first, "types": types})
}

// changeSets has the field of ChangeSet that is not a value of the step.
type changeSets struct{ store *store.Store }

func (c changeSets) Nodes(ctx context.Context, of *model.ChangeSet) ([]model.Node, error) {
	found, err := nodes(ctx, c.store, of.Changed)
	return slices.DeleteFunc(found, func(n model.Node) bool { return n == nil }), err
}

func (q queries) Specializations(ctx context.Context) ([]*model.Specialization, error) {
	return q.store.Specializations(ctx, viewer(ctx))
}

// patients has the field of Patient that is not generated.
type patients struct {
	gen.PatientReads

	now func() time.Time
}

func (p patients) Age(_ context.Context, of *model.Patient) (int, error) {
	return of.AgeAt(p.now()), nil
}
