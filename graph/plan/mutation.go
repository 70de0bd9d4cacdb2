package plan

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"github.com/caregraph/caregraph/graph/gen"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store/query"
)

const mutationType = "Mutation"

// mutation is a root field of Mutation.
type mutation struct {
	field graphql.CollectedField
	run   gen.Mutate
	args  int
	// reads is what the payload reads after the mutation; nil if it reads nothing.
	reads *Plan
}

// mutated is the result of a mutation.
type mutated struct {
	gen.Mutated

	err error
	// reads has the rows that the payload reads; nil if readErr says why there are none, or
	// if no one is signed in.
	reads   *Execution
	readErr error
}

// Mutator runs the mutations of an Execution.
type Mutator struct {
	Resolver gen.MutationResolver
	// Read binds the plan of what a payload reads, with BindAfter, and fetches its rows, for
	// the account that is signed in then. It returns nil if no one is.
	Read func(ctx context.Context, reads *Plan, record model.Node) (*Execution, error)
	// Recovered turns a panic into an error.
	Recovered func(ctx context.Context, value any) error
}

// Mutate runs the mutations one after another, each with what its payload reads. From then
// on gqlgen's executor must not answer, for it would run them again. A panic becomes the
// error of its mutation.
func (x *Execution) Mutate(ctx context.Context, m Mutator) {
	x.mutated = make([]mutated, len(x.plan.mutations))
	for i, called := range x.plan.mutations {
		args := x.args[called.args]
		ctx := graphql.WithFieldContext(ctx, &graphql.FieldContext{Object: mutationType, Field: called.field, Args: args})
		x.mutated[i] = called.do(ctx, m, args)
	}
}

func (m mutation) do(ctx context.Context, by Mutator, args map[string]any) (done mutated) {
	defer func() {
		if value := recover(); value != nil {
			done = mutated{err: by.Recovered(ctx, value)}
		}
	}()
	done.Mutated, done.err = m.run(ctx, by.Resolver, args)
	if done.err == nil && m.reads != nil {
		done.reads, done.readErr = by.Read(ctx, m.reads, done.Record)
	}
	return done
}

// mutation compiles a field of Mutation whose payload selects, next to query and edges, no
// record that would have to be read.
func (c *compilation) mutation(f graphql.CollectedField) (value, error) {
	if f.Name == "__typename" {
		return constant(quoted(mutationType)), nil
	}
	run, ok := gen.Mutations[f.Name]
	if !ok {
		return nil, errUnsupported{mutationType + "." + f.Name}
	}
	p := payload{index: len(c.plan.mutations), field: newField(f), object: object{relations: -1}}
	called := mutation{field: f, run: run, args: c.arguments(mutationType, f)}
	typ := f.Definition.Type.Name()
	record := c.Schema.Types[typ].Fields[0].Name
	reads := &compilation{Compiler: c.Compiler, op: c.op, plan: &Plan{}}
	for _, s := range c.fields(f.Selections, typ) {
		selected := newField(s)
		var err error
		switch s.Name {
		case "__typename":
			selected.value = constant(quoted(typ))
		case "userErrors":
			selected.value, err = c.userErrors(p.index, s)
		case record, "existing":
			selected.value, err = c.record(p.index, s)
		default:
			called.reads = reads.plan
			selected.value, err = reads.after(p.index, typ, s)
		}
		if err != nil {
			return nil, err
		}
		p.object.fields = append(p.object.fields, selected)
	}
	c.plan.calls = append(append(c.plan.calls, mutationType+"."+f.Name), reads.plan.calls...)
	c.plan.mutations = append(c.plan.mutations, called)
	return p, nil
}

// payload writes the payload of a mutation, null if it failed.
type payload struct {
	index  int
	field  field
	object object
}

func (p payload) write(e *encoding, _ row) {
	done := e.mutated[p.index]
	if done.err != nil {
		e.addNull(Null{Path: e.here(), Position: p.field.position, Err: done.err})
		return
	}
	args, loads, below := e.args, e.loads, e.below
	if x := done.reads; x != nil {
		e.args, e.loads, e.below = x.args, x.loads, make([]runs, len(x.loads))
	}
	p.object.write(e, row{})
	e.args, e.loads, e.below = args, loads, below
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
