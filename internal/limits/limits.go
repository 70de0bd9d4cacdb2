// Package limits refuses operations that would cost more than a caller may
// ask for, before they cost it. Shape (tokens, depth, aliases, selections) is
// looked at before validation, since validation is quadratic in it; cost, which
// needs the variables, after. Both checks take time linear in the document.
//
// The package knows nothing of who calls: throttling is elsewhere.
package limits

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/caregraph/caregraph/model"
)

// Limits is the most that one request may ask for.
type Limits struct {
	// Depth is how deep fields may nest; fragments add what they hold.
	Depth int
	// Cost counts every field as 1 and multiplies what lies below a page or
	// below nodes(ids:) by the number of records asked for.
	Cost int
	// Aliases counts the fields of the document that have another name in the
	// answer.
	Aliases int
	// Tokens counts words, numbers, signs and comments of the document. Give
	// the same number to the server's SetParserTokenLimit.
	Tokens int
	// Selections counts fields, inline fragments and fragment spreads of the
	// document; what a fragment holds counts once, however often it is spread.
	Selections int
	// Repeats counts the pairs of selections that ask for the same name in the
	// same selection set: what validation compares.
	Repeats int
}

// Default returns limits that every client of ours stays far below, and that
// keep the validation of a hostile document below some 20 ms on one slow core
// (see BenchmarkRefusal and BenchmarkWorstAccepted).
func Default() Limits {
	return Limits{Depth: 16, Cost: 50_000, Aliases: 50, Tokens: 1_500, Selections: 300, Repeats: 100}
}

const (
	// maxAccepted is how many documents known to be within the limits are not
	// looked at again. All of them take 5 MB at most, and far less as a rule.
	maxAccepted = 2_000
	// maxKeyBytes is up to which length, in bytes, a document is remembered by
	// its text.
	maxKeyBytes = 2_000
)

// Extension returns the limits as an extension of a gqlgen server. It must be
// used after those that change the query, as automatic persisted queries do.
//
// A document or an operation over a limit is not executed; its error has the
// code LIMIT_EXCEEDED and a message that says which limit it is and how high.
func (l Limits) Extension() graphql.HandlerExtension {
	return extension{limits: l, accepted: lru.New[struct{}](maxAccepted)}
}

type extension struct {
	limits   Limits
	accepted graphql.Cache[struct{}]
}

var _ interface {
	graphql.HandlerExtension
	graphql.OperationParameterMutator
	graphql.OperationContextMutator
} = extension{}

// ExtensionName is the key of the operation's Stats.
func (extension) ExtensionName() string { return "Limits" }

// Validate refuses limits that would let nothing through.
func (e extension) Validate(graphql.ExecutableSchema) error {
	l := e.limits
	if min(l.Depth, l.Cost, l.Tokens, l.Selections) <= 0 || min(l.Aliases, l.Repeats) < 0 {
		return errors.New("limits: every limit must be positive")
	}
	return nil
}

// MutateOperationParameters refuses a document whose shape is over a limit. It
// runs before gqlgen parses the query and changes nothing. A document that
// cannot be parsed is let through: gqlgen tells what is wrong with it.
func (e extension) MutateOperationParameters(ctx context.Context, params *graphql.RawParams) *gqlerror.Error {
	key := keyOf(params.Query)
	if _, ok := e.accepted.Get(ctx, key); ok {
		return nil
	}
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: params.Query}, e.limits.Tokens)
	if err != nil {
		return e.tokenLimitError(err)
	}
	if err := e.limits.check(doc); err != nil {
		return err
	}
	e.accepted.Add(ctx, strings.Clone(key), struct{}{}) // it may be part of something long
	return nil
}

// keyOf returns the document, or a hash of one that is long: looking up a text
// costs less than hashing it, but a client can send long ones to be kept.
func keyOf(query string) string {
	if len(query) <= maxKeyBytes {
		return query
	}
	hash := sha256.Sum256([]byte(query))
	return string(hash[:])
}

// tokenLimitError translates the parser's refusal of a document that is too long, the
// only parse error that is about a limit.
func (e extension) tokenLimitError(err error) *gqlerror.Error {
	parse, ok := errors.AsType[*gqlerror.Error](err)
	if ok && parse.Message == fmt.Sprintf("exceeded token limit of %d", e.limits.Tokens) {
		return exceeded("The document has more than %d tokens.", e.limits.Tokens)
	}
	return nil
}

// MutateOperationContext refuses an operation whose cost is over the limit, and
// notes the cost of all others for Cost.
func (e extension) MutateOperationContext(_ context.Context, op *graphql.OperationContext) *gqlerror.Error {
	cost := costOf(op)
	op.Stats.SetExtension(e.ExtensionName(), cost)
	if cost > e.limits.Cost {
		return exceeded("The operation costs %s, and at most %d is allowed. Ask for fewer fields or smaller pages.",
			number(cost), e.limits.Cost)
	}
	return nil
}

// Cost returns what the operation costs by the rule of Limits.Cost, or 0 where
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
