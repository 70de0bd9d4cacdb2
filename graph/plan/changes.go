package plan

import (
	"context"
	"strconv"

	"github.com/99designs/gqlgen/graphql"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store/query"
)

// Changes returns the next step of a device, for the arguments of Query.changes.
type Changes func(ctx context.Context, v *model.Viewer, args query.Args) (*model.ChangeSet, error)

// changeSet writes a step of Query.changes. The step is known when the plan is bound, and
// its records are loads like those of nodes.
type changeSet struct {
	step   int
	fields []stepField
}

// stepField is a selected field of a step.
type stepField struct {
	key, text string
	write     func(e *encoding, step *model.ChangeSet)
}

func (c *compilation) changes(f graphql.CollectedField) (value, error) {
	set := changeSet{step: len(c.plan.steps)}
	c.plan.steps, c.plan.changes = append(c.plan.steps, c.arguments("Query", f)), c.Changes
	typ := f.Definition.Type.Name()
	for _, s := range c.fields(f.Selections, typ) {
		field := stepField{key: s.Alias, text: quoted(s.Alias) + ":"}
		switch s.Name {
		case "__typename":
			field.write = func(e *encoding, _ *model.ChangeSet) { e.out = append(e.out, quoted(typ)...) }
		case "cursor":
			field.write = func(e *encoding, step *model.ChangeSet) { e.out = model.AppendText(e.out, step.Cursor) }
		case "reset":
			field.write = func(e *encoding, step *model.ChangeSet) { e.out = strconv.AppendBool(e.out, step.Reset) }
		case "hasMore":
			field.write = func(e *encoding, step *model.ChangeSet) { e.out = strconv.AppendBool(e.out, step.HasMore) }
		case "gone":
			field.write = func(e *encoding, step *model.ChangeSet) {
				e.list(len(step.Gone), func(i int) { e.out = model.AppendText(e.out, step.Gone[i].String()) })
			}
		case "nodes":
			b, err := c.byID(s, c.Records.Followed(), func(x *Execution) ([]model.ID, error) { return x.steps[set.step].Changed, nil })
			if err != nil {
				return nil, err
			}
			field.write = func(e *encoding, step *model.ChangeSet) { b.writeFound(e, step.Changed) }
		default:
			return nil, errUnsupported{typ + "." + s.Name}
		}
		set.fields = append(set.fields, field)
	}
	return set, nil
}

func (s changeSet) write(e *encoding, _ row) {
	e.out = append(e.out, '{')
	for i := range s.fields {
		f := &s.fields[i]
		if i > 0 {
			e.out = append(e.out, ',')
		}
		e.out = append(e.out, f.text...)
		e.path = append(e.path, step{name: f.key})
		f.write(e, e.steps[s.step])
		e.path = e.path[:len(e.path)-1]
	}
	e.out = append(e.out, '}')
}

// writeFound writes a list of records. It omits those that no longer exist for the viewer:
// the next step tells the device.
func (b byID) writeFound(e *encoding, ids []model.ID) {
	type found struct {
		object *object
		at     row
	}
	var all []found
	for _, id := range ids {
		if o, at, ok := b.find(e, id); ok {
			all = append(all, found{o, at})
		}
	}
	e.list(len(all), func(i int) { all[i].object.write(e, all[i].at) })
}
