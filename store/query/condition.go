package query

import (
	"strings"

	"github.com/uptrace/bun"

	"github.com/caregraph/caregraph/model"
)

// Condition is a part of WHERE. Each ? in its text is an argument: a value or SQL.
type Condition struct {
	Text string
	Args []any
}

// Where returns a condition.
func Where(text string, args ...any) Condition { return Condition{text, args} }

// Apply adds conditions to a query of bun.
func Apply(q *bun.SelectQuery, conditions []Condition) *bun.SelectQuery {
	for _, c := range conditions {
		q = q.Where(c.Text, c.Args...)
	}
	return q
}

// Args are the decoded arguments of a field, by their names in the schema.
type Args map[string]any

// Arg returns an argument that may be null or absent: nil then. The schema decides
// whether the decoder yields a pointer.
func Arg[T any](a Args, name string) *T {
	switch value := a[name].(type) {
	case *T:
		return value
	case T:
		return &value
	default:
		return nil
	}
}

// Page returns the page arguments.
func (a Args) Page() model.PageArgs {
	return model.PageArgs{
		First: Arg[int](a, "first"), Last: Arg[int](a, "last"),
		After: Arg[string](a, "after"), Before: Arg[string](a, "before"),
	}
}

// Search returns the condition that a row contains the term in its searched fields.
func (s Scope) Search(term string) Condition {
	folded := model.Fold(term)
	if folded == "" {
		return Where("TRUE")
	}
	like := s.SearchIn + " LIKE ?"
	digits := model.PhoneDigits(term)
	if digits == "" {
		return Where(like, contains(folded))
	}
	return Where("("+like+" OR "+like+")", contains(folded), contains(digits))
}

// contains returns the pattern of LIKE for texts that contain a text.
func contains(text string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(text) + "%"
}
