package plan

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store/query"
)

// after compiles what a payload reads after its mutation: the field query, or the record
// as an entry of a list.
func (c *compilation) after(index int, payload string, f graphql.CollectedField) (value, error) {
	a := after{index: index, field: newField(f)}
	var err error
	if f.Definition.Type.Name() == c.Schema.Query.Name {
		a.value, err = c.query(f)
	} else {
		a.value, err = c.entryOf(payload, f)
	}
	return a, err
}

// after writes a value that a payload reads, or null without one.
type after struct {
	index int
	field field
	value value
}

func (a after) write(e *encoding, at row) {
	switch done := e.mutated[a.index]; {
	case done.readErr != nil:
		e.addNull(Null{Path: e.here(), Position: a.field.position, Err: done.readErr})
	case done.reads == nil:
		e.null()
	default:
		a.value.write(e, at)
	}
}

// query compiles the selection of the field query.
func (c *compilation) query(f graphql.CollectedField) (value, error) {
	o := &object{relations: -1}
	for _, s := range c.fields(f.Selections, c.Schema.Query.Name) {
		if s.Name == "changes" { // the step is read when the plan is bound, which is before the mutation
			return nil, errUnsupported{ReasonReads}
		}
		selected := newField(s)
		var err error
		if selected.value, err = c.root(s); err != nil {
			return nil, err
		}
		o.fields = append(o.fields, selected)
	}
	return o, nil
}

// entryOf compiles an edge with the record of the payload, which is the first field.
func (c *compilation) entryOf(payload string, f graphql.CollectedField) (value, error) {
	list, ok := c.Records.Type(c.Schema.Types[payload].Fields[0].Type.Name()).EntryList(f.Name)
	if !ok {
		return nil, errUnsupported{payload + "." + f.Name}
	}
	if len(c.plan.loads) >= maxLoads {
		return nil, errUnsupported{ReasonSize}
	}
	node, args := list.Node(), c.arguments(payload, f)
	conn := &connection{parent: -1, present: -1, id: node.Record().ID()}
	entries := location{join: node.Entry()}
	if entries.join != node.Record() {
		conn.present = entries.join.Present()
	}
	conn.load = c.plan.load(func(x *Execution) (*query.Load, error) {
		if x.record == nil {
			return nil, nil //nolint:nilnil // the payload has no record
		}
		return node.EntryOf(list, x.record.NodeID().Num, x.args[args]), nil
	})
	entries.load = conn.load
	fields, err := c.edge(conn, node, entries, f)
	return entryOf{conn, fields}, err
}

// entryOf writes an edge with the record of a payload, or null if it is no entry.
type entryOf struct {
	*connection

	edge []pageField
}

func (o entryOf) write(e *encoding, _ row) {
	if e.loads[o.load] == nil {
		e.null()
		return
	}
	p := e.page(o.connection, row{})
	if p.n > 0 && o.present >= 0 {
		if _, exists := p.rows.Value(p.first, o.present); !exists {
			p.n = 0
		}
	}
	if p.n == 0 {
		e.null()
		return
	}
	o.writeFields(e, o.edge, p, row{p.rows, p.first})
}

// BindAfter is Bind for what a payload reads after its mutation, with the record of the
// payload, nil without one.
func (p *Plan) BindAfter(ctx context.Context, v *model.Viewer, variables map[string]any, record model.Node) (x *Execution, reason string) {
	return p.bind(ctx, &Execution{plan: p, viewer: v, record: record}, variables)
}
