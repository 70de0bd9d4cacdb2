// Package limits refuses operations that would cost more than a caller may ask
// for, before they run. It checks the shape (tokens, depth, aliases,
// selections) before validation, because the time of validation is quadratic in
// it; and the cost, which needs the variables, after validation. Both checks
// take time linear in the document.
//
// The package does not throttle. Of the caller it asks only how many rows a list may
// search.
package limits

import (
	"context"
	"errors"
	"fmt"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/caregraph/caregraph/model"
)

// Limits are the bounds of one request.
type Limits struct {
	// Depth is how deep fields may nest; fragments count with their content.
	Depth int
	// Cost counts each field as 1, and a long text as up to 6. It multiplies what is
	// below a page or below nodes(ids:) by the requested number of records. A search, a
	// filter, an order and a totalCount of a list of Query cost 1 for 10 rows that the
	// caller can see, a page without them 1 for 100; rows beyond MaxRows are free. A
	// totalCount below a record costs 10.
	Cost int
	// Aliases counts the fields of the document that have another name in the
	// result.
	Aliases int
	// Tokens counts words, numbers, signs and comments of the document. Pass
	// the same number to the server's SetParserTokenLimit.
	Tokens int
	// Document counts the bytes of the document, those that the parser ignores too.
	Document int
	// Selections counts fields, inline fragments and fragment spreads of the
	// document. The content of a fragment counts once, however often the
	// fragment is spread.
	Selections int
	// Repeats counts the pairs of selections with the same name in the same
	// selection set, which validation compares.
	Repeats int
	// Writes counts the root fields of a mutation.
	Writes int
	// Rows returns how many rows a list of Query has for the caller, about, and at most
	// MaxRows. It is asked only if the answer decides. Nil: none.
	Rows func(ctx context.Context, list string) (int, error)
}

// Default returns limits that all our clients stay far below, and that keep the
// validation of a hostile document below about 20 ms on one slow core (see
// BenchmarkRefusal and BenchmarkWorstAccepted).
func Default() Limits {
	return Limits{Depth: 16, Cost: 50_000, Aliases: 50, Tokens: 1_500, Document: 128 << 10, Selections: 300, Repeats: 100, Writes: 30}
}

// Extension returns the limits as an extension of a gqlgen server. Use it after
// extensions that change the query, such as automatic persisted queries.
//
// A document or operation over a limit is not executed. Its error has the code
// LIMIT_EXCEEDED and a message with the name and the value of the limit.
func (l Limits) Extension() Extension {
	return extension{l}
}

type extension struct{ limits Limits }

// Extension checks the shape of a document before validation, and the cost of an
// operation after it.
type Extension interface {
	graphql.HandlerExtension
	graphql.OperationParameterMutator
	graphql.OperationContextMutator
	// Cost is MutateOperationContext that returns the cost and does not store it.
	Cost(ctx context.Context, op *graphql.OperationContext) (int, *gqlerror.Error)
}

var _ Extension = extension{}

// ExtensionName returns the key of the operation's Stats.
func (extension) ExtensionName() string { return "Limits" }

// Validate returns an error if a limit would refuse every operation.
func (e extension) Validate(graphql.ExecutableSchema) error {
	l := e.limits
	if min(l.Depth, l.Cost, l.Tokens, l.Document, l.Selections, l.Writes) <= 0 || min(l.Aliases, l.Repeats) < 0 {
		return errors.New("limits: every limit must be positive")
	}
	return nil
}

// MutateOperationParameters refuses a document whose shape exceeds a limit. It
// runs before gqlgen parses the query and changes nothing. It lets a document
// pass that cannot be parsed: gqlgen reports the syntax error.
func (e extension) MutateOperationParameters(_ context.Context, params *graphql.RawParams) *gqlerror.Error {
	if len(params.Query) > e.limits.Document {
		return exceeded("The document has %d bytes, and --max-document allows %d.", len(params.Query), e.limits.Document)
	}
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: params.Query}, e.limits.Tokens)
	if err != nil {
		return e.tokenLimitError(err)
	}
	return e.limits.check(doc)
}

// tokenLimitError translates the parser's error for a document with too many
// tokens, the only parse error that is about a limit. It returns nil for
// others.
func (e extension) tokenLimitError(err error) *gqlerror.Error {
	parse, ok := errors.AsType[*gqlerror.Error](err)
	if ok && parse.Message == fmt.Sprintf("exceeded token limit of %d", e.limits.Tokens) {
		return exceeded("The document has more tokens than the %d that --max-tokens allows.", e.limits.Tokens)
	}
	return nil
}

// MutateOperationContext refuses an operation whose cost exceeds the limit, and
// stores the cost for Cost.
func (e extension) MutateOperationContext(ctx context.Context, op *graphql.OperationContext) *gqlerror.Error {
	cost, err := e.Cost(ctx, op)
	op.Stats.SetExtension(e.ExtensionName(), cost)
	return err
}

func (e extension) Cost(ctx context.Context, op *graphql.OperationContext) (int, *gqlerror.Error) {
	if n := hashingFields(op); n > maxHashing {
		return 0, exceeded("The document has %d fields of register, login, changePassword and eraseMe, and at most %d is allowed.", n, maxHashing)
	}
	if writes := writesOf(op); writes > e.limits.Writes {
		return 0, exceeded("The operation changes %d things, and --max-writes allows %d. Send several operations.", writes, e.limits.Writes)
	}
	cost, reads := costOf(op)
	if cost <= e.limits.Cost && cost+mostOf(reads) > e.limits.Cost {
		searched, err := e.limits.search(ctx, reads)
		if err != nil {
			return cost, gqlerror.Wrap(err)
		}
		cost += searched
	}
	if cost > e.limits.Cost {
		return cost, exceeded("The operation costs %s, and --max-cost allows %d. Ask for fewer fields, smaller pages, or fewer searches and counts.",
			number(cost), e.limits.Cost)
	}
	return cost, nil
}

// mostOf returns the cost of the reads for an account with very many rows.
func mostOf(reads []read) (cost int) {
	for _, r := range reads {
		cost += r.cost(MaxRows)
	}
	return cost
}

// search returns the cost of the rows that the reads search.
func (l Limits) search(ctx context.Context, reads []read) (cost int, err error) {
	if l.Rows == nil {
		return 0, nil
	}
	for _, r := range reads {
		rows, err := l.Rows(ctx, r.field)
		if err != nil {
			return 0, err
		}
		cost += r.cost(rows)
	}
	return cost, nil
}

// Cost returns the cost of the operation by the rule of Limits.Cost, or 0 if
// the extension is not in use.
func Cost(op *graphql.OperationContext) int {
	cost, _ := op.Stats.GetExtension(extension{}.ExtensionName()).(int)
	return cost
}

func exceeded(format string, args ...any) *gqlerror.Error {
	err := gqlerror.Errorf(format, args...)
	err.Extensions = map[string]any{"code": string(model.CodeLimitExceeded)}
	return err
}
