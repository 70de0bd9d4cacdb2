// Package plan answers queries: it compiles an operation once, to the nodes that
// the store fetches in one round trip and to encoders that write the answer from
// their rows. The encoders also write the records that mutations return. It leaves an
// operation that it cannot answer to gqlgen's executor, which answers every operation
// and gives the same answers.
//
// The package describes no type of record. It reads what a field is bound to from
// gqlgen's bindings (gen.Bindings), who may see it from the compiled policy
// (model.FieldPolicy.CanRead), and the records from their descriptors
// (query.RecordType). It never runs SQL.
package plan

import (
	"context"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/internal/pgpipe"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store/query"
)

// Reasons why gqlgen's executor must answer an operation.
const (
	// ReasonArguments is for bad arguments.
	ReasonArguments = "arguments"
	// ReasonIntrospection is for __schema and __type.
	ReasonIntrospection = "introspection"
	// ReasonReads is for payloads of mutations whose record selects other records.
	ReasonReads = "reads"
	// ReasonRefused is for root fields that the viewer may not call.
	ReasonRefused = "refused"
	// ReasonSize is for too many statements, or a statement with too many joins. With
	// fragments a short document can select thousands of lists, which the executor's
	// loaders batch.
	ReasonSize = "size"
)

// maxLoads is the number of statements of a plan, and maxJoined that of the records that
// one statement joins: PostgreSQL takes exponential time to plan joins.
const (
	maxLoads  = 40
	maxJoined = 12
)

// Plan is a compiled operation. It is safe for concurrent use.
type Plan struct {
	// calls are the root fields, for MayCall.
	calls []string
	args  []*arguments
	// steps are the arguments of the fields changes, whose results are the ids of loads.
	steps   []int
	changes Changes
	loads   []loader
	roots   object
	// mutations are run before Encode.
	mutations []mutation
	// size is the size of the latest answer.
	size sizeHint
}

// loader returns one of the plan's loads for the arguments and the earlier loads; nil if
// there is nothing to load.
type loader func(x *Execution) (*query.Load, error)

// check only returns the error of the loader.
func (load loader) check(x *Execution) (*query.Load, error) {
	_, err := load(x)
	return nil, err
}

// load adds a load to the plan and returns its index.
func (p *Plan) load(load loader) int {
	p.loads = append(p.loads, load)
	return len(p.loads) - 1
}

// Execution is a plan bound to one request.
type Execution struct {
	// Request is what the store must fetch before Encode.
	Request query.Request

	plan   *Plan
	viewer *model.Viewer
	// variables have the values of the request.
	variables map[string]any
	args      []map[string]any
	steps     []*model.ChangeSet
	loads     []*query.Load
	// mutated are the results of Mutate.
	mutated []mutated
	// record is that of the payload that reads; see BindAfter.
	record model.Node
}

// Answer is the answer to an operation.
type Answer struct {
	// Data is the JSON of the answer's data.
	Data []byte
	// Nulls are the values that are null because of an error, in the order of the answer.
	Nulls []Null
}

// Null is a value that is null because the viewer may not see it or, with an error,
// because its mutation failed.
type Null struct {
	Path     ast.Path
	Position *ast.Position
	Err      error
}

// Bind binds the plan to a viewer and to the values of variables, or returns the reason
// why gqlgen's executor must answer.
func (p *Plan) Bind(ctx context.Context, v *model.Viewer, variables map[string]any) (x *Execution, reason string) {
	for _, m := range p.mutations {
		if m.reads == nil {
			continue
		}
		if _, reason := m.reads.BindAfter(ctx, v, variables, nil); reason != "" {
			return nil, reason
		}
	}
	return p.bind(ctx, &Execution{plan: p, viewer: v}, variables)
}

func (p *Plan) bind(ctx context.Context, x *Execution, variables map[string]any) (_ *Execution, reason string) {
	loads := make([]*query.Load, 2*len(p.loads))
	x.loads, x.Request.Loads = loads[:len(p.loads)], loads[len(p.loads):len(p.loads)]
	x.variables, x.args = variables, make([]map[string]any, len(p.args))
	var err error
	for i, args := range p.args {
		if x.args[i], err = args.of(ctx, variables); err != nil {
			return nil, ReasonArguments // the executor reports the error
		}
	}
	for _, args := range p.steps {
		step, err := p.changes(ctx, x.viewer, x.args[args])
		if err != nil {
			return nil, ReasonArguments
		}
		x.steps = append(x.steps, step)
	}
	for i, load := range p.loads {
		if x.loads[i], err = load(x); err != nil {
			return nil, ReasonArguments
		}
		if x.loads[i] != nil {
			x.Request.Loads = append(x.Request.Loads, x.loads[i])
		}
	}
	return x, ""
}

// Meter counts the bytes of an answer: its rows while they arrive, and its JSON. Grow
// returns how long the JSON may become before it must be counted again.
type Meter interface {
	pgpipe.Meter
	Grow(length int) (room int, err error)
	Sent(length int)
}

// Encode writes the answer from the fetched rows, which it releases, or from the results
// of Mutate. It returns the error of the meter.
func (x *Execution) Encode(now time.Time, meter Meter) (*Answer, error) {
	defer x.release()
	rows := 0
	for _, load := range x.Request.Loads {
		rows += load.Rows.Size()
	}
	e := newEncoding(len(x.loads))
	defer e.reuse()
	e.args, e.steps, e.loads, e.mutated = x.args, x.steps, x.loads, x.mutated
	e.now, e.session, e.out, e.meter, e.room = now, x.viewer.SessionID, x.plan.size.buffer(rows), meter, uncounted
	x.plan.roots.write(e, row{})
	if !e.grow() {
		return nil, e.failed
	}
	meter.Sent(len(e.out))
	x.plan.size.set(len(e.out))
	return &Answer{Data: e.out, Nulls: e.nulls}, nil
}

func (x *Execution) release() {
	x.Request.Release()
	for _, done := range x.mutated {
		if done.reads != nil {
			done.reads.release()
		}
	}
}

// uncounted is how long an answer may be without being counted.
const uncounted = 128 << 10

// MayCall reports whether the viewer may call every root field of the plan. A viewer who
// must set up a second factor may not: the executor knows the exceptions.
func (p *Plan) MayCall(policy *model.Policy, v *model.Viewer) bool {
	if v.NeedsTotp {
		return false
	}
	for _, call := range p.calls {
		if !policy.CanCall(call, v.Relations()) {
			return false
		}
	}
	return true
}
