package store

import (
	"slices"
	"strings"

	"github.com/caregraph/caregraph/model"
)

// Read is a level with the arguments of one request, or a count of its rows.
type Read struct {
	level *Level
	// parent and on are what the rows belong to: a record of another read.
	parent *Read
	on     *Record
	side   Side

	query query
	page  model.Page
	// counts asks for the number of rows, groups for that of each specialization.
	counts, groups bool
	// selective says that the values of its conditions decide how to find rows.
	selective bool
	// one says that there is one row at most, that with the id.
	one bool
	id  int64
	// active leaves out mappings that have ended.
	active bool
	// only leaves out the row beyond the page.
	only bool
	// folds is set when the read's statement does the one above, too, which then
	// is foldedInto it.
	folds      *fold
	foldedInto *Read
	sent       *statement
	// Rows is what was read. A count has one row, with the number as a bigint;
	// below another level it has one for each parent, with its id before.
	Rows *Rows
}

// ReadOne reads the live record with the id, if it exists for the viewer.
func (l *Level) ReadOne(id int64) *Read {
	t := l.records[0].table
	return &Read{level: l, one: true, id: id, query: query{
		table: t, by: byKey, deleted: model.DeletedExclude, conditions: []condition{when(t.alias+".id = ?", id)},
	}}
}

// ReadByIDs reads those of the live records that exist for the viewer, in no
// order.
func (l *Level) ReadByIDs(ids []int64) *Read {
	t := l.records[0].table
	return &Read{level: l, query: query{
		table: t, by: byKey, deleted: model.DeletedExclude, conditions: []condition{when(t.alias+".id = ANY(?)", ids)},
	}}
}

// ReadPatients reads a page of patients. It refuses what Store.Patients does.
func (l *Level) ReadPatients(v *model.Viewer, f PatientQuery) (*Read, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	return l.readFiltered(l.store.patientQuery(anyViewer(v), f))
}

// ReadDoctors reads a page of doctor entries. It refuses what Store.Doctors does.
func (l *Level) ReadDoctors(v *model.Viewer, f DoctorQuery) (*Read, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	return l.readFiltered(l.store.doctorQuery(anyViewer(v), f))
}

// ReadMappings reads a page of mappings. It refuses what Store.Mappings does.
func (l *Level) ReadMappings(f MappingQuery) (*Read, error) { return l.readList(f.query()) }

func (l *Level) readFiltered(q query) (*Read, error) {
	r, err := l.readList(q)
	r.selective = len(q.conditions) > 0
	return r, err
}

func (l *Level) readList(q query) (*Read, error) {
	page, err := q.page.Page(q.order.Order)
	return &Read{level: l, query: q, page: page}, err
}

// ReadMappingsOf reads the same page of mappings for each of the records that
// another read gives out, the newest first. It refuses what Store.MappingsOf
// does.
func (l *Level) ReadMappingsOf(parent *Read, on *Record, args model.PageArgs, isActive *bool) (*Read, error) {
	side := OfDoctor
	if on.table.typ == "Patient" {
		side = OfPatient
	}
	order := side.sorting()
	page, err := args.Page(order.Order)
	return &Read{
		level: l, parent: parent, on: on, side: side, page: page, active: isActive != nil && *isActive,
		query: query{
			table: mappings(), by: byKey, deleted: model.DeletedExclude, order: order,
			conditions: MappingQuery{IsActive: isActive}.conditions(),
		},
	}, err
}

// The columns of ReadSpecializations: a text and a bigint.
const (
	SpecializationName = iota
	SpecializationCount
)

// ReadSpecializations reads what Store.Specializations does.
func (l *Level) ReadSpecializations() *Read {
	return &Read{level: l, groups: true, query: query{table: doctors(), by: byScan, deleted: model.DeletedExclude}}
}

// Count counts the rows of a list on all its pages.
func (r *Read) Count() *Read {
	count := *r
	count.counts = true
	return &count
}

// Order is that of a list.
func (r *Read) Order() model.Order { return r.query.order.Order }

// Page is the checked page of a list.
func (r *Read) Page() model.Page { return r.page }

// OnlyPage has the read leave out the row beyond the page, from which it is known
// whether there are more.
func (r *Read) OnlyPage() { r.only = true }

// mostShared is how many rows requests may read that share a round trip.
const mostShared = 100

// lookups reports whether the reads are of a few records by their ids, of the
// mappings of patients that are looked up, and of the active ones of the viewer's
// own doctor entry, all of which the viewer sees. What they cost is known
// beforehand, which is true of no other list: a page of few rows may have to be
// looked for among all, and those who travel with it would wait.
func (s *Store) lookups(v *model.Viewer, reads []*Read) bool {
	rows := 0
	for _, r := range reads {
		if r.counts || r.groups || !r.isLookup() && !r.ofPatients() && !s.ofOwnEntry(v, r) {
			return false
		}
		rows += r.mostRows()
	}
	return rows <= mostShared
}

func (r *Read) ofPatients() bool { return r.parent != nil && r.side == OfPatient }

func (s *Store) ofOwnEntry(v *model.Viewer, r *Read) bool {
	return r.parent != nil && r.active && r.parent.one && r.on == r.parent.level.Record() &&
		r.side == OfDoctor && r.parent.id == s.living.entryOf(v.SessionID)
}

// isLookup reports whether the read is of records by their ids.
func (r *Read) isLookup() bool { return r.parent == nil && !r.paged() }

// mostRows is how many rows the read gives out at most.
func (r *Read) mostRows() int {
	switch {
	case r.one:
		return 1
	case r.isLookup():
		return model.MaxPage
	case r.parent == nil:
		return r.limit()
	default:
		return r.limit() * r.parent.mostRows()
	}
}

// limit is the most rows that the read gives out for each record above.
func (r *Read) limit() int {
	if r.only {
		return r.page.Limit
	}
	return r.page.Limit + 1
}

func (r *Read) paged() bool { return r.query.order.column != "" }

// levelText is what of a level's statements is the same for all viewers of a
// role.
type levelText struct {
	columns string
	// foldColumns are the same in a statement that is also that of a level below,
	// and foldExports what that needs.
	foldColumns, foldExports string
	// exists is the rule of the level's own records.
	exists string
	// exports and keys are the columns of the level's own records: those of its
	// rows, and those that a level below needs.
	exports, keys string
	// joins are the other records, in order; joinKeys as keys.
	joins, joinKeys []string
}

// text returns the texts for the role of the viewer.
func (r *Read) text(v *model.Viewer) *levelText {
	l := r.level
	key := textKey{v.Role, r.query.by, r.query.deleted, r.query.order.column}
	if kept, ok := l.texts.Load(key); ok {
		return kept.(*levelText)
	}
	made, _ := l.texts.LoadOrStore(key, l.newText(v, r.query))
	return made.(*levelText)
}

// textKey has few values: whatever a client asks for, it makes few texts.
type textKey struct {
	role    model.Role
	by      reach
	deleted model.DeletedFilter
	order   string
}

func (l *Level) newText(v *model.Viewer, q query) *levelText {
	s, own, who := l.store, l.records[0], anyViewer(v)
	t := &levelText{columns: l.selectList(), foldColumns: l.foldColumns()}
	relations, live := s.sql(own.table.relations(who)), own.table.live
	if l.inherits {
		relations, live = "up.r", "TRUE"
		t.exists = "TRUE"
		if l.narrows() {
			t.exists = "(up.r & " + bits(s.policy.Types[own.table.typ].Exists) + ") <> 0"
		}
	} else {
		t.exists = s.sqlWhere(s.exists(own.table, who, q.by, q.deleted))
	}
	t.exports = own.exported(relations, q.order.column)
	folded := *own
	folded.standing = own.standing || own.table.typ == "Patient"
	t.foldExports = folded.exported(relations, q.order.column)
	if q.order.column != "" { // what joined rows are sorted by
		t.exports += ", " + q.order.column + " AS place"
		t.foldExports += ", " + q.order.column + " AS place"
	}
	t.keys = own.keys(relations) + ", " + live + " AS live"
	for _, joined := range l.records[1:] {
		relations := s.sql(joined.table.relations(who))
		exports, keys := joined.exported(relations, ""), joined.keys(relations)
		if joined.inline() {
			t.exports, t.keys = t.exports+", "+exports, t.keys+", "+keys
			t.joins, t.joinKeys = append(t.joins, ""), append(t.joinKeys, "")
			continue
		}
		exists := s.sqlWhere(s.exists(joined.table, who, byKey, joined.edge.deleted))
		t.joins = append(t.joins, " LEFT "+joined.lateral(exports, exists))
		t.joinKeys = append(t.joinKeys, " "+joined.lateral(keys, exists))
	}
	return t
}

// narrows reports whether records that inherit exist for fewer viewers than
// those that they belong to.
func (l *Level) narrows() bool {
	types := l.store.policy.Types
	return !types["Patient"].Exists.Within(types[l.records[0].table.typ].Exists)
}

// asksUp reports whether the level needs to know how the viewer stands to the
// records that its own belong to.
func (l *Level) asksUp() bool { return l.inherits && (l.records[0].standing || l.narrows()) }

// keys is what a level below needs of the record: how the viewer stands to it,
// too, if that may be inherited.
func (r *Record) keys(relations string) string {
	named := *r
	named.standing, named.place = r.table.typ == "Patient", false
	return named.exported(relations, "")
}

// exported is the columns that the record's part of the statement gives out.
func (r *Record) exported(relations, sortKey string) string {
	names := make([]string, len(r.exports))
	for i, name := range r.exports {
		names[i] = r.table.alias + "." + name
		if r.inline() {
			names[i] += " AS " + r.prefix + name
		}
	}
	if r.standing {
		names = append(names, relations+" AS "+r.prefix+"relations")
	}
	if r.place {
		names = append(names, "("+sortKey+")::text AS sort_key")
	}
	return strings.Join(names, ", ")
}

// lateral is the part of the statement that joins the record to the one that
// names it.
func (r *Record) lateral(exports, exists string) string {
	from := r.table.name + " AS " + r.table.alias
	if r.table.from != "" {
		from += " " + r.table.from
	}
	return "JOIN LATERAL (SELECT " + exports + " FROM " + from +
		" WHERE " + r.table.alias + "." + r.edge.key + " = " + r.parent.ref(r.edge.from) + " AND " + exists + ") AS " + r.alias + " ON TRUE"
}

// path returns the records that lead from the level's own to this one, both
// included, by their place in the level.
func (r *Record) path() []int {
	var places []int
	for ; r != nil; r = r.parent {
		places = append(places, slices.Index(r.level.records, r))
	}
	slices.Reverse(places)
	return places
}
