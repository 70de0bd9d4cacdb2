package plan

import (
	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store/query"
)

// root compiles a field of Query.
func (c *compilation) root(f graphql.CollectedField) (value, error) {
	if f.Name == "__typename" {
		return constant(quoted(c.Schema.Query.Name)), nil
	}
	if f.Name == "__schema" || f.Name == "__type" {
		return nil, errUnsupported{ReasonIntrospection}
	}
	if len(c.plan.loads) >= maxLoads {
		return nil, errUnsupported{ReasonSize}
	}
	c.plan.calls = append(c.plan.calls, "Query."+f.Name)
	typ := c.Records.Type(f.Definition.Type.Name())
	list := c.Records.Root(f.Name)
	counted, group := c.Records.Group(f.Name)
	switch {
	case f.Name == "me":
		return c.single(f, typ, func(n *query.Node, x *Execution) *query.Load { return n.One(x.viewer.UserID) })
	case f.Name == "node", f.Name == "nodes":
		return c.nodes(f)
	case f.Name == "changes":
		return c.changes(f)
	case list != nil:
		return c.list(f, list)
	case group != nil:
		return c.group(f, counted, group)
	case typ != nil && f.Definition.Arguments.ForName("id") != nil:
		id := f.Arguments.ForName("id").Value
		return c.single(f, typ, func(n *query.Node, x *Execution) *query.Load { return n.One(x.id(id).Of(typ.Kind)) })
	default:
		return nil, errUnsupported{f.Name}
	}
}

// single writes one record, or null if it does not exist for the viewer.
type single struct {
	load   int
	object *object
}

func (s single) write(e *encoding, _ row) {
	rows := e.loads[s.load].Rows
	if rows.Len() == 0 {
		e.null()
		return
	}
	s.object.write(e, row{rows, 0})
}

func (c *compilation) single(
	f graphql.CollectedField, t *query.RecordType, load func(*query.Node, *Execution) *query.Load,
) (value, error) {
	node := t.Node()
	index := c.plan.load(func(x *Execution) (*query.Load, error) { return load(node, x), nil })
	o, err := c.object(location{index, node.Record()}, f.Selections)
	return single{index, o}, err
}

// id returns the value of an argument of type ID!. Unlike gen.Arguments it makes no maps,
// which matters for a request that looks up one record.
func (x *Execution) id(argument *ast.Value) (id model.ID) {
	value, _ := argument.Value(x.variables)
	_ = id.UnmarshalGQL(value) // an unknown value is no id
	return id
}

func (c *compilation) list(f graphql.CollectedField, t *query.RecordType) (value, error) {
	node, args := t.Node(), c.arguments("Query", f)
	conn := &connection{parent: -1, present: -1}
	err := c.connection(conn, node, location{join: node.Record()}, f, func(x *Execution) (*query.Load, error) {
		return node.List(x.viewer, x.args[args])
	})
	return conn, err
}

// group writes a list of values with the number of records.
type group struct {
	load   int
	object *object
}

func (g group) write(e *encoding, _ row) {
	rows := e.loads[g.load].Rows
	e.list(rows.Len(), func(i int) { g.object.write(e, row{rows, i}) })
}

func (c *compilation) group(f graphql.CollectedField, t *query.RecordType, by *query.Group) (value, error) {
	node, typ := t.Node(), f.Definition.Type.Name()
	g := group{object: &object{relations: -1}}
	g.load = c.plan.load(func(*Execution) (*query.Load, error) { return node.GroupBy(by), nil })
	for _, s := range c.fields(f.Selections, typ) {
		f := newField(s)
		switch s.Name {
		case "__typename":
			f.value = constant(quoted(typ))
		case by.Name:
			f.value = column{query.GroupValue, writeText}
		case by.Count:
			f.value = column{query.GroupCount, writeBigInt}
		default:
			return nil, errUnsupported{typ + "." + s.Name}
		}
		g.object.fields = append(g.object.fields, f)
	}
	return g, nil
}

// byID writes records by their ids.
type byID struct{ kinds map[model.Kind]kindOf }

// kindOf is the load of the records of one kind.
type kindOf struct {
	load, id int
	object   *object
}

func (c *compilation) nodes(f graphql.CollectedField) (value, error) {
	args := c.arguments("Query", f)
	b, err := c.byID(f, c.Records.Types(), func(x *Execution) ([]model.ID, error) { return idsOf(x.args[args]) })
	if f.Name == "node" {
		return nodeByID{b, args}, err
	}
	return nodesByID{b, args}, err
}

// byID compiles the selection of records of the types, whose ids are known in a request.
func (c *compilation) byID(f graphql.CollectedField, types []*query.RecordType, ids func(*Execution) ([]model.ID, error)) (byID, error) {
	b := byID{map[model.Kind]kindOf{}}
	for _, t := range types {
		node := t.Node()
		k := kindOf{id: node.Record().ID()}
		k.load = c.plan.load(func(x *Execution) (*query.Load, error) {
			var wanted []int64
			all, err := ids(x)
			for _, id := range all {
				if id.Kind == t.Kind {
					wanted = append(wanted, id.Num)
				}
			}
			if err != nil || len(wanted) == 0 {
				return nil, err
			}
			return node.ByIDs(wanted), nil
		})
		var err error
		if k.object, err = c.object(location{k.load, node.Record()}, f.Selections); err != nil {
			return b, err
		}
		b.kinds[t.Kind] = k
	}
	return b, nil
}

// idsOf returns the ids in the arguments of node or nodes.
func idsOf(args map[string]any) ([]model.ID, error) {
	if id, ok := args["id"].(model.ID); ok {
		return []model.ID{id}, nil
	}
	given, _ := args["ids"].([]*model.ID)
	if len(given) > model.MaxPage {
		return nil, errUnsupported{ReasonArguments}
	}
	ids := make([]model.ID, len(given))
	for i, id := range given {
		ids[i] = *id
	}
	return ids, nil
}

// find returns the row of a record, or false if it does not exist for the viewer.
func (b byID) find(e *encoding, id model.ID) (o *object, at row, ok bool) {
	k, known := b.kinds[id.Kind]
	if !known || e.loads[k.load] == nil {
		return nil, row{}, false
	}
	rows := e.loads[k.load].Rows
	for n := range rows.Len() {
		if rows.Int64(n, k.id) == id.Num {
			return k.object, row{rows, n}, true
		}
	}
	return nil, row{}, false
}

func (b byID) writeOne(e *encoding, id model.ID) {
	o, at, ok := b.find(e, id)
	if !ok {
		e.null()
		return
	}
	o.write(e, at)
}

type (
	nodeByID struct {
		byID
		args int
	}
	nodesByID struct {
		byID
		args int
	}
)

func (n nodeByID) write(e *encoding, _ row) {
	ids, _ := idsOf(e.args[n.args])
	n.writeOne(e, ids[0])
}

func (n nodesByID) write(e *encoding, _ row) {
	ids, _ := idsOf(e.args[n.args])
	e.list(len(ids), func(i int) { n.writeOne(e, ids[i]) })
}
