package plan

import (
	"github.com/99designs/gqlgen/graphql"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
)

// List makes the read of a root field that is a list, from its decoded
// arguments.
type List func(l *store.Level, v *model.Viewer, args map[string]any) (*store.Read, error)

// rootField is a selected field of Query.
type rootField struct {
	key, text string
	value     rootValue
}

// rootValue writes what a field of Query holds.
type rootValue interface {
	write(e *encoding, r *run)
}

// root compiles a field of Query.
func (c *compilation) root(f graphql.CollectedField) (rootValue, error) {
	if f.Name == "__typename" {
		return rootTypename(quoted(c.Schema.Query.Name)), nil
	}
	if f.Name == "__schema" || f.Name == "__type" {
		return nil, uncovered{ReasonIntrospection}
	}
	if len(c.plan.askers) >= mostReads {
		return nil, uncovered{ReasonSize}
	}
	c.plan.calls = append(c.plan.calls, "Query."+f.Name)
	typ := f.Definition.Type.Name()
	list, isList := c.Lists[f.Name]
	_, isRecord := recordTypes[typ]
	switch {
	case f.Name == "me":
		return c.single(f, typ, func(l *store.Level, r *run, _ map[string]any) *store.Read { return l.ReadOne(r.viewer.UserID) })
	case f.Name == "node", f.Name == "nodes":
		return c.nodes(f)
	case isList:
		return c.list(f, list)
	case f.Name == "specializations":
		return c.specializations(f)
	case isRecord && f.Definition.Arguments.ForName("id") != nil:
		return c.single(f, typ, func(l *store.Level, _ *run, args map[string]any) *store.Read {
			return l.ReadOne(args["id"].(model.ID).Of(recordTypes[typ].kind))
		})
	default:
		return nil, uncovered{f.Name}
	}
}

type rootTypename string

func (t rootTypename) write(e *encoding, _ *run) { e.out = append(e.out, t...) }

// single is one record: null when it does not exist for the viewer.
type single struct {
	read   int
	object *object
}

func (s single) write(e *encoding, _ *run) {
	rows := e.reads[s.read].Rows
	if rows.Len() == 0 {
		e.null()
		return
	}
	s.object.write(e, row{rows, 0})
}

func (c *compilation) single(f graphql.CollectedField, typ string, ask func(*store.Level, *run, map[string]any) *store.Read) (rootValue, error) {
	level, err := c.Store.Level(typ)
	if err != nil {
		return nil, err //nolint:wrapcheck // says the type
	}
	level.Record().ID()
	slot := c.arguments("Query", f)
	read := c.plan.read(func(r *run) (*store.Read, error) { return ask(level, r, r.args[slot]), nil })
	o, err := c.object(place{read, level.Record(), typ}, f.Selections)
	return single{read, o}, err
}

// rootList is a connection at the root.
type rootList struct{ *connection }

func (l rootList) write(e *encoding, _ *run) { l.connection.write(e, row{}) }

func (c *compilation) list(f graphql.CollectedField, ask List) (rootValue, error) {
	typ := c.Schema.Types[f.Definition.Type.Name()].Fields.ForName("nodes").Type.Name()
	level, err := c.Store.Level(typ)
	if err != nil {
		return nil, err //nolint:wrapcheck // says the type
	}
	slot := c.arguments("Query", f)
	conn := &connection{parent: -1, present: -1}
	err = c.connection(conn, level, place{record: level.Record(), typ: typ}, f, func(r *run) (*store.Read, error) {
		return ask(level, r.viewer, r.args[slot])
	})
	return rootList{conn}, err
}

// specializations is a list of names with the number of doctors.
type specializations struct {
	read   int
	object *object
}

func (s specializations) write(e *encoding, _ *run) {
	rows := e.reads[s.read].Rows
	e.list(rows.Len(), func(i int) { s.object.write(e, row{rows, i}) })
}

func (c *compilation) specializations(f graphql.CollectedField) (rootValue, error) {
	level, err := c.Store.Level("Doctor")
	if err != nil {
		return nil, err //nolint:wrapcheck // says the type
	}
	list := specializations{object: &object{standing: -1}}
	list.read = c.plan.read(func(*run) (*store.Read, error) { return level.ReadSpecializations(), nil })
	for _, s := range c.fields(f.Selections, "Specialization") {
		f := field{key: s.Alias, text: quoted(s.Alias) + ":"}
		switch s.Name {
		case "__typename":
			f.value = constant(`"Specialization"`)
		case "name":
			f.value = column{store.SpecializationName, writeText}
		case "doctorCount":
			f.value = column{store.SpecializationCount, writeBigInt}
		default:
			return nil, uncovered{"Specialization." + s.Name}
		}
		list.object.fields = append(list.object.fields, f)
	}
	return list, nil
}

// byID is what node and nodes give out: each record in the place of its id.
type byID struct {
	slot  int
	kinds map[model.Kind]kindOf
}

// kindOf is the read of the records of one kind.
type kindOf struct {
	read, id int
	object   *object
}

func (c *compilation) nodes(f graphql.CollectedField) (rootValue, error) {
	b := byID{slot: c.arguments("Query", f), kinds: map[model.Kind]kindOf{}}
	for typ, known := range recordTypes {
		level, err := c.Store.Level(typ)
		if err != nil {
			return nil, err //nolint:wrapcheck // says the type
		}
		k := kindOf{id: level.Record().ID()}
		k.read = c.plan.read(func(r *run) (*store.Read, error) {
			var wanted []int64
			ids, err := idsOf(r.args[b.slot])
			for _, id := range ids {
				if id.Kind == known.kind {
					wanted = append(wanted, id.Num)
				}
			}
			if err != nil || len(wanted) == 0 {
				return nil, err
			}
			return level.ReadByIDs(wanted), nil
		})
		if k.object, err = c.object(place{k.read, level.Record(), typ}, f.Selections); err != nil {
			return nil, err
		}
		b.kinds[known.kind] = k
	}
	if f.Name == "node" {
		return nodeByID{b}, nil
	}
	return nodesByID{b}, nil
}

// idsOf returns the ids that node or nodes was asked for.
func idsOf(args map[string]any) ([]*model.ID, error) {
	if id, ok := args["id"].(model.ID); ok {
		return []*model.ID{&id}, nil
	}
	ids, _ := args["ids"].([]*model.ID)
	if len(ids) > model.MaxPage {
		return nil, uncovered{ReasonArguments}
	}
	return ids, nil
}

func (b byID) write(e *encoding, id *model.ID) {
	k, known := b.kinds[id.Kind]
	if !known || e.reads[k.read] == nil {
		e.null()
		return
	}
	rows := e.reads[k.read].Rows
	for n := range rows.Len() {
		if rows.Int64(n, k.id) == id.Num {
			k.object.write(e, row{rows, n})
			return
		}
	}
	e.null()
}

type (
	nodeByID  struct{ byID }
	nodesByID struct{ byID }
)

func (n nodeByID) write(e *encoding, r *run) {
	ids, _ := idsOf(r.args[n.slot])
	n.byID.write(e, ids[0])
}

func (n nodesByID) write(e *encoding, r *run) {
	ids, _ := idsOf(r.args[n.slot])
	e.list(len(ids), func(i int) { n.byID.write(e, ids[i]) })
}

// PageArgs are the page arguments among a list's decoded arguments.
func PageArgs(args map[string]any) model.PageArgs {
	return model.PageArgs{
		First: args["first"].(*int), Last: args["last"].(*int),
		After: args["after"].(*string), Before: args["before"].(*string),
	}
}
