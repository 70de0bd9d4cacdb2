// Package query turns the descriptors of record types and the viewer's relations into
// SQL that reads records. A Node describes, at compile time, what one place of an
// answer needs. A Load adds the arguments of one request. A Request is what one round
// trip fetches. The package names no record type, has no connection and writes no
// data.
package query

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/schema"

	"github.com/caregraph/caregraph/model"
)

// RecordType describes a record type: what schema.graphqls and the Go struct do not
// say.
type RecordType struct {
	Name         string       // in the schema: "Patient"
	Kind         model.Kind   // prefix of its ids: "pat"
	Model        reflect.Type // its struct; bun derives the columns, gen.Bindings the fields
	Table, Alias string       // "patients", "patient"
	Live         string       // SQL condition: the row is not deleted; "" means always

	// Rules are the viewer's relations to a row, from store/access.go. A record with
	// a Parent has the relations of its parent, and Rules only if there is a faster
	// way to them.
	Rules    func(ViewerArg) []Rule
	Parent   *Parent
	EndedBy  string    // field whose write rule says who may delete or end the record; "" means no one
	One      []Edge    // fields that name one other record
	Many     []List    // fields that are pages of other records
	Own      []Own     // fields that are pages from a source of their own
	Root     *Root     // the list of Query; nil without one
	Feed     *Feed     // the changes that devices follow; nil: none
	Groups   []Group   // lists of Query that count the records by a value
	Sorts    []Sort    // the first one is the default
	Searched []string  // fields that search compares
	SearchIn string    // SQL of the folded text of these fields
	Keys     []TextKey // columns that are written with others, to compare their texts
	Unique   []Unique  // unique indexes, and what a violation means to the caller

	// What NewRecords resolves.
	records *Records
	parent  *RecordType
	isOwner bool // it is the parent of another type
	// hasID and hasAnyID are the conditions of lookups.
	hasID, hasAnyID string
	table           *schema.Table
	columns         map[string]column // by the fields of the model
}

// Parent is the record whose relations a record has.
type Parent struct{ Type, Column string }

// Edge is a field that names one other record: the one whose Key equals From.
type Edge struct {
	Field, To      string
	From, Key      string // columns
	IncludeDeleted bool   // the other record stays readable after it was deleted

	to *RecordType
	// always is set if the record exists whenever the one that names it does.
	always bool
}

// List is a field that is a page of other records, in the default order of Of.
type List struct {
	Field, Of string
	Key       string // column of Of that names this record
	Node      string // edge of Of whose record is the node; "" means Of itself
	Entry     string // field of payloads with a record of Of as an entry; "" means none
	ByNode    bool   // its arguments orderBy and search are about the nodes
	Where     func(Args) []Condition
	// OwnRows reports whether the viewer sees every row of the list when the record is
	// the viewer's own doctor entry. The cost of the list is known then.
	OwnRows func(Args) bool

	of *RecordType
}

// Own is a field that is a page from a source other than the table of a record type.
// Read returns a connection of the model for each owner, in their order, in one call for
// all owners with the same arguments. It is called only for viewers who may read the
// field. The source defines its cursors. Values with rules carry the relations of their
// owner.
type Own struct {
	Field string
	Read  func(ctx context.Context, v *model.Viewer, owners []Owner, args Args) ([]any, error)
}

// Owner is a record that exists for the viewer, and the viewer's relations to it.
type Owner struct {
	ID        model.ID
	Relations model.Relations
}

// Root is the list of Query. Filter returns BAD_USER_INPUT for bad arguments.
type Root struct {
	Field  string
	Entry  string // field of payloads with a record as an entry of the list; "" means none
	Filter func(Scope, Args) (Selection, error)
	// Event is recorded of the viewer before the list is answered; "" means none.
	Event model.SecurityEventKind
}

// Selection is the result of the arguments of a list.
type Selection struct {
	Conditions []Condition
	Path       AccessPath
	Deleted    model.DeletedFilter
	// Selective is set if the best plan depends on the values of the conditions.
	Selective bool
}

// Group is a list of Query that counts live records by the value of a column, grouped by
// the SQL By. Name and Count are its fields in the schema.
type Group struct{ Field, Value, By, Name, Count string }

// Sort is an order of the type's lists, named by a value of its enum, by a column or, if
// By is not "", by this SQL.
type Sort struct {
	Enum, Field, Column string
	By                  string
	Key                 model.KeyType
	Descending          bool // the default direction
}

// Unique is a unique index with the caller's error for a violation.
type Unique struct {
	Index, Field string
	Code         model.Code
	Message      string
}

// TextKey is a column that the store computes from the texts of columns, "" for null, whenever
// it writes one of them. It is null in rows that another program has written.
type TextKey struct {
	Column string
	From   []string
	Of     func(texts ...string) *string
	// Index is the unique index of the column, which may begin with the column Within;
	// "" without one.
	Index, Within string
}

// column is a column of a table with the cast of its result. A wide column may contain
// texts of more than maxNarrow characters; wide is their limit, 0 for other columns.
type column struct {
	name, cast string
	wide       int
}

const maxNarrow = 1_000

// Records holds all record types. It is safe for concurrent use.
type Records struct {
	policy *model.Policy
	writer schema.QueryGen
	types  []*RecordType
	byName map[string]*RecordType
	// followed are the types with a Feed, in the order of its letters; feeds caches the
	// texts of Changed by feedKey.
	followed []*RecordType
	feeds    sync.Map
}

// NewRecords resolves the names by which record types refer to each other. It
// refuses an unknown type, a column that the table lacks, a parent with a parent,
// two types with one name or kind of ids, and a sorted or counted field that not
// everyone who has the record may read, or a searched one that not everyone who may
// list them reads, since a list would reveal it. It
// refuses a type without rules, a list without an order, and records that can be
// deleted without the condition that they are not. It refuses a policy under which one
// end of a relation between two records reveals what the other end hides.
func NewRecords(types []RecordType, policy *model.Policy) (*Records, error) {
	dialect := pgdialect.New()
	r := &Records{policy: policy, writer: schema.NewQueryGen(dialect), byName: map[string]*RecordType{}}
	for i := range types {
		t := types[i]
		if !reflect.PointerTo(t.Model).Implements(reflect.TypeFor[model.Listed]()) {
			return nil, fmt.Errorf("record type %s: *%s is no model.Listed", t.Name, t.Model)
		}
		t.hasID, t.hasAnyID = t.Alias+".id = ?", t.Alias+".id = ANY(?)"
		t.records, t.columns, t.table = r, map[string]column{}, dialect.Tables().Get(t.Model)
		for _, f := range t.table.Fields {
			limit := policy.Types[t.Name].Constraints[strings.ToLower(f.GoName[:1])+f.GoName[1:]]
			c := column{name: f.Name}
			if f.IndirectType.Kind() == reflect.String && limit.Max > maxNarrow {
				c.wide = limit.Max
			}
			if f.IndirectType == reflect.TypeFor[model.Decimal]() {
				c.cast = "::text"
			}
			t.columns[f.GoName] = c
		}
		for _, other := range r.types {
			if t.Name == other.Name || t.Kind == other.Kind {
				return nil, fmt.Errorf("record type %s: %s has the same name or kind", t.Name, other.Name)
			}
		}
		r.types = append(r.types, &t)
		r.byName[t.Name] = &t
	}
	for _, t := range r.types {
		if err := t.resolve(); err != nil {
			return nil, fmt.Errorf("record type %s: %w", t.Name, err)
		}
	}
	if err := r.checkEnds(); err != nil {
		return nil, err
	}
	r.followed = slices.DeleteFunc(slices.Clone(r.types), func(t *RecordType) bool { return t.Feed == nil })
	slices.SortFunc(r.followed, func(a, b *RecordType) int { return cmp.Compare(a.Feed.Kind, b.Feed.Kind) })
	return r, nil
}

// Types returns all record types in the order of their descriptors.
func (r *Records) Types() []*RecordType { return r.types }

// Followed returns the types with a Feed, in the order of its letters.
func (r *Records) Followed() []*RecordType { return r.followed }

// Type returns the record type with the name, or nil.
func (r *Records) Type(name string) *RecordType { return r.byName[name] }

// Root returns the record type that a field of Query lists, or nil.
func (r *Records) Root(field string) *RecordType {
	for _, t := range r.types {
		if t.Root != nil && t.Root.Field == field {
			return t
		}
	}
	return nil
}

// Group returns the record type that a field of Query counts.
func (r *Records) Group(field string) (*RecordType, *Group) {
	for _, t := range r.types {
		if g := find(t.Groups, func(g Group) bool { return g.Field == field }); g != nil {
			return t, g
		}
	}
	return nil, nil
}

// Edge returns the edge of a field, or nil.
func (t *RecordType) Edge(field string) *Edge {
	return find(t.One, func(e Edge) bool { return e.Field == field })
}

// List returns the list of a field, or nil.
func (t *RecordType) List(field string) *List {
	return find(t.Many, func(l List) bool { return l.Field == field })
}

// OwnList returns the Own of a field, or nil.
func (t *RecordType) OwnList(field string) *Own {
	return find(t.Own, func(o Own) bool { return o.Field == field })
}

func find[T any](all []T, wanted func(T) bool) *T {
	for i := range all {
		if wanted(all[i]) {
			return &all[i]
		}
	}
	return nil
}

// Target returns the type of the record that the edge names.
func (e *Edge) Target() *RecordType { return e.to }

// Rows returns the type of the rows of the list.
func (l *List) Rows() *RecordType { return l.of }

// ColumnOf returns the column of a field of the schema: that of its edge, or of the
// model's field of that name; "" if there is none.
func (t *RecordType) ColumnOf(field string) string {
	if e := t.Edge(field); e != nil {
		return e.From
	}
	return t.columns[strings.ToUpper(field[:1])+field[1:]].name
}

// fieldOf returns the field of the schema that has the value of a column, or "".
func (t *RecordType) fieldOf(column string) string {
	for name, c := range t.columns {
		if c.name == column {
			return strings.ToLower(name[:1]) + name[1:]
		}
	}
	return ""
}

// KeyOf returns the value of a key for a record.
func (t *RecordType) KeyOf(k TextKey, record any) *string {
	row, texts := reflect.ValueOf(record).Elem(), make([]string, len(k.From))
	for i, column := range k.From {
		if value := reflect.Indirect(t.table.FieldMap[column].Value(row)); value.IsValid() {
			texts[i] = value.String()
		}
	}
	return k.Of(texts...)
}

// KeysFrom returns the keys that change with one of the columns.
func (t *RecordType) KeysFrom(columns []string) (keys []TextKey) {
	for _, k := range t.Keys {
		if slices.ContainsFunc(k.From, func(column string) bool { return slices.Contains(columns, column) }) {
			keys = append(keys, k)
		}
	}
	return keys
}

// ID returns the value of a column that contains an id, or false if it is null.
func (t *RecordType) ID(record any, column string) (int64, bool) {
	value := reflect.Indirect(t.table.FieldMap[column].Value(reflect.ValueOf(record).Elem()))
	if !value.IsValid() {
		return 0, false
	}
	return value.Int(), true
}

// Conditions returns the conditions of the list for its arguments. It returns
// BAD_USER_INPUT for a bad search.
func (l *List) Conditions(args Args) (conditions []Condition, err error) {
	if l.Where != nil {
		conditions = l.Where(args)
	}
	if !l.ByNode {
		return conditions, nil
	}
	search, err := l.node().Searching(args)
	return append(conditions, search...), err
}

// node returns the type of the nodes of a list with a Node.
func (l *List) node() *RecordType { return l.of.Edge(l.Node).to }

// NeedsNode reports whether the conditions or the order for these arguments are about the
// nodes. The statement must then join them to the rows by NodeJoin.
func (l *List) NeedsNode(args Args) bool {
	if !l.ByNode {
		return false
	}
	sort, _ := l.node().sortBy(args)
	return sort != nil || Arg[string](args, "search") != nil
}

// NodeJoin returns the JOIN of the nodes that exist for the viewer. It is "" if the nodes
// are the parents of the rows, which are joined already.
func (l *List) NodeJoin(v ViewerArg) schema.QueryWithArgs {
	e := l.of.Edge(l.Node)
	if l.of.parent == e.to {
		return bun.SafeQuery("")
	}
	deleted := model.DeletedExclude
	if e.IncludeDeleted {
		deleted = IncludeDeleted
	}
	text, args := "JOIN ? AS ? ON ?.? = ?.?", []any{
		bun.Safe(e.to.Table), bun.Safe(e.to.Alias), bun.Safe(e.to.Alias), bun.Safe(e.Key), bun.Safe(l.of.Alias), bun.Safe(e.From),
	}
	for _, c := range e.to.Scope(v).Exists(Lookup, deleted) {
		text, args = text+" AND ("+c.Text+")", append(args, c.Args...)
	}
	return bun.SafeQuery(text, args...)
}

func (t *RecordType) rule() model.TypePolicy { return t.records.policy.Types[t.Name] }

// owner returns the type that the rules are about: the parent, or itself.
func (t *RecordType) owner() *RecordType {
	if t.parent != nil {
		return t.parent
	}
	return t
}

func (t *RecordType) rules(v ViewerArg) []Rule {
	if t.Rules == nil && t.parent != nil {
		return t.parent.Rules(v)
	}
	return t.Rules(v)
}
