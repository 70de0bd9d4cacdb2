package plan

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"github.com/caregraph/caregraph/graph/gen"
	"github.com/caregraph/caregraph/store/query"
)

const mutationType = "Mutation"

// mutation is a root field of Mutation.
type mutation struct {
	field graphql.CollectedField
	run   gen.Mutate
	args  int
}

// mutated is the result of a mutation.
type mutated struct {
	gen.Mutated

	err error
}

// Mutate runs the mutations one after another. From then on gqlgen's executor must not
// answer, for it would run them again. A panic becomes the error of its mutation.
func (x *Execution) Mutate(ctx context.Context, m gen.MutationResolver, recovered func(ctx context.Context, value any) error) {
	x.mutated = make([]mutated, len(x.plan.mutations))
	for i, called := range x.plan.mutations {
		args := x.args[called.args]
		ctx := graphql.WithFieldContext(ctx, &graphql.FieldContext{Object: mutationType, Field: called.field, Args: args})
		x.mutated[i] = called.do(ctx, m, args, recovered)
	}
}

func (m mutation) do(
	ctx context.Context, resolver gen.MutationResolver, args map[string]any, recovered func(ctx context.Context, value any) error,
) (done mutated) {
	defer func() {
		if value := recover(); value != nil {
			done = mutated{err: recovered(ctx, value)}
		}
	}()
	done.Mutated, done.err = m.run(ctx, resolver, args)
	return done
}

// mutation compiles a field of Mutation whose payload selects no record that would have
// to be read.
func (c *compilation) mutation(f graphql.CollectedField) (value, error) {
	if f.Name == "__typename" {
		return constant(quoted(mutationType)), nil
	}
	run, ok := gen.Mutations[f.Name]
	if !ok {
		return nil, errUnsupported{mutationType + "." + f.Name}
	}
	c.plan.calls = append(c.plan.calls, mutationType+"."+f.Name)
	p := payload{index: len(c.plan.mutations), field: newField(f), object: object{relations: -1}}
	c.plan.mutations = append(c.plan.mutations, mutation{f, run, c.arguments(mutationType, f)})
	typ := f.Definition.Type.Name()
	for _, s := range c.fields(f.Selections, typ) {
		selected := newField(s)
		var err error
		switch s.Name {
		case "__typename":
			selected.value = constant(quoted(typ))
		case "userErrors":
			selected.value, err = c.userErrors(p.index, s)
		default:
			selected.value, err = c.record(p.index, s)
		}
		if err != nil {
			return nil, err
		}
		p.object.fields = append(p.object.fields, selected)
	}
	return p, nil
}

// payload writes the payload of a mutation, null if it failed.
type payload struct {
	index  int
	field  field
	object object
}

func (p payload) write(e *encoding, _ row) {
	if err := e.mutated[p.index].err; err != nil {
		e.addNull(Null{Path: e.here(), Position: p.field.position, Err: err})
		return
	}
	p.object.write(e, row{})
}

// written writes the record of a payload or, with existing, the record that has a value
// that is taken.
type written struct {
	index    int
	node     *query.Node
	object   *object
	existing bool
}

// noLoad is the load of a record that is not read.
const noLoad = -1

func (c *compilation) record(index int, f graphql.CollectedField) (value, error) {
	node := c.Records.Type(f.Definition.Type.Name()).Node()
	o, err := c.object(location{noLoad, node.Record()}, f.Selections)
	return written{index, node, o, f.Name == "existing"}, err
}

func (w written) write(e *encoding, _ row) {
	done := e.mutated[w.index]
	record := done.Record
	if w.existing {
		record = done.Existing
	}
	if record == nil {
		e.null()
		return
	}
	rows := w.node.Row(record)
	defer rows.Release()
	w.object.write(e, row{rows, 0})
}
