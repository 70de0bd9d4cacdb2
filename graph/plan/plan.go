// Package plan answers queries without gqlgen's executor: an operation is
// compiled once to the statements that it needs and to encoders that write its
// answer straight from their rows. What a plan cannot answer is left to the
// executor, which would give the same answer.
//
// What stands behind a field is not said here but read from gqlgen's bindings
// (gen.Bindings), who may see it from the compiled policy, and which rows there
// are from the store.
package plan

import (
	"context"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
)

// Reasons why an operation is left to the executor.
const (
	// ReasonArguments is for those that will be refused, too.
	ReasonArguments = "arguments"
	// ReasonIntrospection is for __schema and __type.
	ReasonIntrospection = "introspection"
	// ReasonRefused is for root fields that the viewer may not call.
	ReasonRefused = "refused"
	// ReasonSize is for what would take too many statements, or one that joins too
	// much: fragments make a short document ask for thousands of lists, which the
	// executor's loaders read together.
	ReasonSize = "size"
)

// mostReads is how many statements a plan may have, and mostJoined how many
// records one of them may join: PostgreSQL takes exponential time to plan it.
const (
	mostReads  = 40
	mostJoined = 12
)

// Plan is a compiled operation. It is safe for concurrent use.
type Plan struct {
	// calls are the root fields that the viewer must be allowed to call.
	calls  []string
	slots  []*arguments
	askers []asker
	roots  []rootField
	// size is how large the latest answer was.
	size sizeHint
}

// asker makes one of the plan's reads of the arguments and of the reads before
// it; nil when there is nothing to read.
type asker func(r *run) (*store.Read, error)

// check is the asker of nothing: it refuses what the read would.
func (ask asker) check(r *run) (*store.Read, error) {
	_, err := ask(r)
	return nil, err
}

// read adds a read to the plan and returns its place.
func (p *Plan) read(ask asker) int {
	p.askers = append(p.askers, ask)
	return len(p.askers) - 1
}

// run is one use of a plan.
type run struct {
	viewer *model.Viewer
	args   []map[string]any
	reads  []*store.Read
}

// Answer is what a plan says to an operation.
type Answer struct {
	// Data is the JSON of the answer's data.
	Data []byte
	// Hidden are the values that the viewer may not see, in the order of the
	// answer, where Data has null.
	Hidden []Hidden
}

// Hidden is where a value is that the viewer may not see.
type Hidden struct {
	Path     ast.Path
	Position *ast.Position
}

// Read makes the reads of a request; it hands them over, all at once.
type Read func(ctx context.Context, reads []*store.Read) error

// Run answers an operation for a viewer, whom the read must confirm unless that
// was done before: an error of the read is returned as it is. The reason says
// why the operation is left to the executor; then there is no answer.
func (p *Plan) Run(
	ctx context.Context, v *model.Viewer, variables map[string]any, now time.Time, read Read,
) (answer *Answer, reason string, err error) {
	r := &run{viewer: v, args: make([]map[string]any, len(p.slots)), reads: make([]*store.Read, len(p.askers))}
	for i, slot := range p.slots {
		if r.args[i], err = slot.of(ctx, variables); err != nil {
			return nil, ReasonArguments, nil // the executor says what is wrong with them
		}
	}
	wanted := make([]*store.Read, 0, len(p.askers))
	for i, ask := range p.askers {
		if r.reads[i], err = ask(r); err != nil {
			return nil, ReasonArguments, nil
		}
		if r.reads[i] != nil {
			wanted = append(wanted, r.reads[i])
		}
	}
	if err := read(ctx, wanted); err != nil {
		return nil, "", err
	}
	defer release(wanted)
	e := &encoding{reads: r.reads, below: make([]map[int64][]int32, len(r.reads)), now: now, out: p.size.buffer()}
	p.write(e, r)
	p.size.note(len(e.out))
	return &Answer{Data: e.out, Hidden: e.hidden}, "", nil
}

func (p *Plan) write(e *encoding, r *run) {
	e.out = append(e.out, '{')
	for i, root := range p.roots {
		if i > 0 {
			e.out = append(e.out, ',')
		}
		e.out = append(e.out, root.text...)
		e.path = append(e.path, step{name: root.key})
		root.value.write(e, r)
		e.path = e.path[:len(e.path)-1]
	}
	e.out = append(e.out, '}')
}

func release(reads []*store.Read) {
	for _, read := range reads {
		read.Rows.Release()
		read.Rows = nil
	}
}

// MayCall reports whether the viewer may call every root field of the plan.
func (p *Plan) MayCall(policy *model.Policy, v *model.Viewer) bool {
	for _, call := range p.calls {
		if !policy.CanCall(call, v.Relations()) {
			return false
		}
	}
	return true
}
