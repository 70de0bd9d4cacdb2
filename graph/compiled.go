package graph

import (
	"context"
	"errors"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/caregraph/caregraph/graph/plan"
	"github.com/caregraph/caregraph/internal/auth"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
)

// Reuse takes the data of a response that was sent, for the next ones.
func Reuse(data []byte) { plan.Reuse(data) }

// How a query was answered, beside the reasons of package plan.
const (
	// Compiled is by a plan.
	Compiled = "compiled"
	// interpreted is by the executor because Config.Interpret asks for it.
	interpreted = "interpreted"
	// anonymous callers are refused by the executor.
	anonymous = "unauthenticated"
)

// lists are the root fields that are lists, for plans.
var lists = map[string]plan.List{
	"patients": func(l *store.Level, v *model.Viewer, args map[string]any) (*store.Read, error) {
		return l.ReadPatients(v, patientQuery(pageArgs(args), args["search"].(*string),
			args["filter"].(*model.PatientFilter), args["orderBy"].(*model.PatientOrder)))
	},
	"doctors": func(l *store.Level, v *model.Viewer, args map[string]any) (*store.Read, error) {
		return l.ReadDoctors(v, doctorQuery(pageArgs(args), args["search"].(*string),
			args["filter"].(*model.DoctorFilter), args["orderBy"].(*model.DoctorOrder)))
	},
	"mappings": func(l *store.Level, _ *model.Viewer, args map[string]any) (*store.Read, error) {
		return l.ReadMappings(mappingQuery(pageArgs(args), args["filter"].(*model.MappingFilter), args["orderBy"].(*model.MappingOrder)))
	},
}

// compile returns the compiler of queries.
func (r resolver) compile(schema *ast.Schema) *plan.Compiler {
	return plan.New(plan.Config{Schema: schema, Policy: r.Policy, Store: r.Store, Lists: lists, Access: r.allowed})
}

// compiled answers a query by its plan, and leaves to gqlgen's executor what a
// plan cannot answer: the executor gives the same answers, and is the one that
// refuses.
func (r resolver) compiled(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	op := graphql.GetOperationContext(ctx)
	if op.Operation.Operation != ast.Query {
		return next(ctx)
	}
	out, how := r.answer(ctx, op)
	if r.Answered != nil {
		r.Answered(ctx, how)
	}
	if out == nil {
		return next(ctx)
	}
	return graphql.OneShot(out)
}

// answer returns no answer, and why, when the executor must give it.
func (r resolver) answer(ctx context.Context, op *graphql.OperationContext) (out *graphql.Response, how string) {
	if r.Interpret {
		return nil, interpreted
	}
	defer func() {
		if value := recover(); value != nil {
			out, how = r.failed(ctx, op, r.panicked(ctx, value)), Compiled
		}
	}()
	compiled, reason := r.plans.Plan(op)
	if compiled == nil {
		return nil, reason
	}
	caller := auth.CallerFrom(ctx)
	v, confirmed, err := caller.Presumed(ctx)
	for err == nil && v != nil {
		if !compiled.MayCall(r.Policy, v) {
			return nil, plan.ReasonRefused
		}
		actual := v
		answer, reason, err := compiled.Run(ctx, v, op.Variables, r.Now(), func(ctx context.Context, reads []*store.Read) error {
			if confirmed {
				return r.Store.Read(ctx, v, reads) //nolint:wrapcheck // the store says what it was doing
			}
			found, err := r.Store.ReadConfirming(ctx, v, reads)
			if err != nil {
				return err //nolint:wrapcheck // as above
			}
			if actual, err = caller.Seen(found); err != nil || *actual != *v {
				return errOther
			}
			return nil
		})
		switch {
		case errors.Is(err, errOther):
			v, confirmed = actual, true // nobody, if the session has ended
		case err != nil:
			return r.failed(ctx, op, err), Compiled
		case reason != "":
			return nil, reason
		default:
			return r.respond(ctx, op, answer), Compiled
		}
	}
	return nil, anonymous
}

// errOther says that the viewer is not the one who was presumed.
var errOther = errors.New("the viewer has changed")

func (r resolver) respond(ctx context.Context, op *graphql.OperationContext, answer *plan.Answer) *graphql.Response {
	out := &graphql.Response{Data: answer.Data}
	switch {
	case len(answer.Hidden) == 0:
	case isRedacting(op):
		paths := make([]ast.Path, len(answer.Hidden))
		for i, hidden := range answer.Hidden {
			paths[i] = hidden.Path
		}
		extend(out, "redacted", paths)
	default:
		for _, hidden := range answer.Hidden {
			out.Errors = append(out.Errors, r.present(ctx, at(hidden.Path, hidden.Position, hiddenField())))
		}
	}
	return out
}

// failed answers a query that could not be read: each of its root fields has
// the error and is null, or all of data is if one of them cannot be null.
func (r resolver) failed(ctx context.Context, op *graphql.OperationContext, err error) *graphql.Response {
	out := &graphql.Response{}
	data := []byte{'{'}
	for i, f := range graphql.CollectFields(op, op.Operation.SelectionSet, []string{"Query"}) {
		if i > 0 {
			data = append(data, ',')
		}
		data = append(model.AppendText(data, f.Alias), ':')
		if f.Name == "__typename" {
			data = append(data, `"Query"`...)
			continue
		}
		data = append(data, "null"...)
		out.Errors = append(out.Errors, r.present(ctx, at(ast.Path{ast.PathName(f.Alias)}, f.Position, err)))
		if f.Definition.Type.NonNull {
			out.Data = []byte("null")
		}
	}
	if out.Data == nil {
		data = append(data, '}')
		out.Data = data
	}
	return out
}

// at is an error with its place, in the answer and in the document.
func at(path ast.Path, position *ast.Position, err error) error {
	out := gqlerror.WrapPath(path, err)
	out.Locations = []gqlerror.Location{{Line: position.Line, Column: position.Column}}
	return out
}

func pageArgs(args map[string]any) model.PageArgs { return plan.PageArgs(args) }
