package graph

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/caregraph/caregraph/internal/coerce"
	"github.com/caregraph/caregraph/internal/limits"
)

// operations makes a request ready for the engines: it checks the shape of the document,
// parses and validates it, reads literals and variables as values of their types, and
// checks the cost. Each failure is an error of the request: nothing is executed.
type operations struct {
	resolver

	schema    *ast.Schema
	inputs    *coerce.Schema
	rules     *rules.Rules
	limits    limits.Limits
	documents graphql.Cache[*document]
	// registered are the registered documents. They stay.
	registered map[string]*document

	// onPanic and onField are methods of the resolver: as values, each has a copy of it.
	onPanic graphql.RecoverFunc
	onField graphql.FieldMiddleware
}

// document is a valid document.
type document struct {
	*ast.QueryDocument

	variables map[*ast.OperationDefinition]*coerce.Operation
	live      map[*ast.OperationDefinition]*liveQuery
}

// maxCachedDocuments is the number of cached documents. The longest ones within the token
// limit take some 200 KB each.
const maxCachedDocuments = 200

func (r resolver) newOperations(schema *ast.Schema) (*operations, error) {
	bounds := r.limits()
	if err := bounds.Validate(); err != nil {
		return nil, err
	}
	valid := rules.NewDefaultRules()
	valid.RemoveRule(rules.ValuesOfCorrectTypeRule.Name)          // coerce judges all values
	for _, quiet := range []struct{ loud, quiet validator.Rule }{ // a suggestion reveals names
		{rules.FieldsOnCorrectTypeRule, rules.FieldsOnCorrectTypeRuleWithoutSuggestions},
		{rules.ScalarLeafsRule, rules.ScalarLeafsRuleWithoutSuggestions},
	} {
		valid.RemoveRule(quiet.loud.Name)
		valid.AddRule(quiet.quiet.Name, quiet.quiet.RuleFunc)
	}
	o := &operations{
		resolver: r, schema: schema, inputs: coerce.New(schema, "Decimal"), rules: valid,
		limits: bounds, documents: lru.New[*document](maxCachedDocuments), registered: map[string]*document{},
		onPanic: r.recovered, onField: r.guard,
	}
	return o, o.register()
}

// register makes the registered documents ready. Its error names all that are not valid.
func (o *operations) register() error {
	var broken []error
	for _, d := range o.Documents {
		doc, errs := o.parse(d.Text)
		if errs != nil {
			broken = append(broken, fmt.Errorf("%s: document %q: %w", d.Source, d.ID, errs[0]))
			continue
		}
		o.registered[d.Text] = doc
		o.plans.Prepare(doc.QueryDocument)
	}
	return errors.Join(broken...)
}

// executor is gqlgen's executor, except that operations makes its requests ready.
type executor struct {
	graphql.GraphExecutor

	operations *operations
}

// CreateOperationContext makes a request ready, or returns why it cannot be executed.
func (e executor) CreateOperationContext(ctx context.Context, params *graphql.RawParams) (*graphql.OperationContext, gqlerror.List) {
	return e.operations.context(ctx, params)
}

func (o *operations) context(ctx context.Context, params *graphql.RawParams) (*graphql.OperationContext, gqlerror.List) {
	op := &graphql.OperationContext{
		OperationName: params.OperationName, Extensions: params.Extensions, Headers: params.Headers,
		RecoverFunc: o.onPanic, ResolverMiddleware: o.onField, RootResolverMiddleware: onRoot,
		Stats: graphql.Stats{Read: params.ReadTime}, RawQuery: params.Query,
	}
	doc, errs := o.document(ctx, params)
	if errs != nil {
		return op, errs
	}
	op.Doc, op.Operation = doc.QueryDocument, doc.Operations.ForName(params.OperationName)
	if op.Operation == nil {
		return op, invalid("operation %s not found", params.OperationName)
	}
	if op.Variables, errs = doc.variables[op.Operation].Variables(params.Variables); errs != nil {
		return op, errs
	}
	if live := doc.live[op.Operation]; live != nil {
		op.Stats.SetExtension(liveExtension, live)
	}
	cost, err := o.limits.CheckOperation(ctx, op)
	if err != nil {
		return op, gqlerror.List{err}
	}
	o.logOperation(ctx, op, cost)
	return op, nil
}

func onRoot(ctx context.Context, next graphql.RootResolver) graphql.Marshaler { return next(ctx) }

// maxLoggedName bounds the length of a name in the log.
const maxLoggedName = 64

// logOperation adds the operation to the log line of the request.
func (o *operations) logOperation(ctx context.Context, op *graphql.OperationContext, cost int) {
	name := op.OperationName
	if name == "" {
		name = op.Operation.Name
	}
	o.AddLogAttrs(ctx,
		slog.String("operation", name[:min(len(name), maxLoggedName)]),
		slog.String("operation_type", string(op.Operation.Operation)),
		slog.Int("cost", cost))
}

// document returns a valid document within the limits, from the cache if it is there.
func (o *operations) document(ctx context.Context, params *graphql.RawParams) (*document, gqlerror.List) {
	query := params.Query
	if doc, ok := o.registered[query]; ok {
		return doc, nil
	}
	if doc, ok := o.documents.Get(ctx, query); ok {
		return doc, nil
	}
	doc, errs := o.parse(query)
	if errs == nil {
		o.documents.Add(ctx, query, doc)
	}
	return doc, errs
}

// parse returns a valid document within the limits.
func (o *operations) parse(query string) (*document, gqlerror.List) {
	if err := o.limits.CheckDocument(query); err != nil {
		return nil, gqlerror.List{err}
	}
	parsed, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: query}, o.Limits.Tokens)
	if err != nil {
		failed := gqlerror.WrapIfUnwrapped(err)
		errcode.Set(failed, errcode.ParseFailed)
		return nil, gqlerror.List{failed}
	}
	if len(parsed.Operations) == 0 {
		return nil, invalid("no operation provided")
	}
	if errs := validator.ValidateWithRules(o.schema, parsed, o.rules); len(errs) > 0 {
		for _, err := range errs {
			errcode.Set(err, errcode.ValidationFailed)
		}
		return nil, errs
	}
	variables, errs := o.inputs.Operations(parsed)
	if errs != nil {
		return nil, errs
	}
	live, errs := o.liveQueries(parsed)
	if errs != nil {
		return nil, errs
	}
	return &document{parsed, variables, live}, nil
}

func invalid(format string, args ...any) gqlerror.List {
	err := gqlerror.Errorf(format, args...)
	errcode.Set(err, errcode.ValidationFailed)
	return gqlerror.List{err}
}
