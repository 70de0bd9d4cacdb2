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
	// caller can see, as changes does, a page without them 1 for 100; rows beyond MaxRows are
	// free. Below a record, a totalCount costs 10, and a search or an order 10 more.
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

// Validate returns an error if a limit would refuse every operation.
func (l Limits) Validate() error {
	if min(l.Depth, l.Cost, l.Tokens, l.Document, l.Selections, l.Writes) <= 0 || min(l.Aliases, l.Repeats) < 0 {
		return errors.New("limits: every limit must be positive")
	}
	return nil
}

// CheckDocument returns LIMIT_EXCEEDED, with the name and the value of the limit, for a
// document whose shape exceeds one. Call it before validation. It lets a document pass that
// cannot be parsed.
func (l Limits) CheckDocument(query string) *gqlerror.Error {
	if len(query) > l.Document {
		return exceeded("The document has %d bytes, and --max-document allows %d.", len(query), l.Document)
	}
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: query}, l.Tokens)
	if err != nil {
		return l.tokenLimitError(err)
	}
	return l.check(doc)
}

// tokenLimitError translates the parser's error for a document with too many
// tokens, the only parse error that is about a limit. It returns nil for
// others.
func (l Limits) tokenLimitError(err error) *gqlerror.Error {
	parse, ok := errors.AsType[*gqlerror.Error](err)
	if ok && parse.Message == fmt.Sprintf("exceeded token limit of %d", l.Tokens) {
		return exceeded("The document has more tokens than the %d that --max-tokens allows.", l.Tokens)
	}
	return nil
}

// CheckOperation returns the cost of an operation with its variables, by the rule of Cost,
// and LIMIT_EXCEEDED for one whose cost exceeds the limit.
func (l Limits) CheckOperation(ctx context.Context, op *graphql.OperationContext) (int, *gqlerror.Error) {
	if n := hashingFields(op); n > maxHashing {
		return 0, exceeded("The document has %d fields of register, login, changePassword and eraseMe, and at most %d is allowed.", n, maxHashing)
	}
	if writes := writesOf(op); writes > l.Writes {
		return 0, exceeded("The operation changes %d things, and --max-writes allows %d. Send several operations.", writes, l.Writes)
	}
	cost, reads := costOf(op)
	if cost <= l.Cost && cost+mostOf(reads) > l.Cost {
		searched, err := l.search(ctx, reads)
		if err != nil {
			return cost, gqlerror.Wrap(err)
		}
		cost += searched
	}
	if cost > l.Cost {
		return cost, exceeded("The operation costs %s, and --max-cost allows %d. Ask for fewer fields, smaller pages, or fewer searches and counts.",
			number(cost), l.Cost)
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

func exceeded(format string, args ...any) *gqlerror.Error {
	err := gqlerror.Errorf(format, args...)
	err.Extensions = map[string]any{"code": string(model.CodeLimitExceeded)}
	return err
}
