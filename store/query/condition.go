package query

import (
	"strings"
	"unicode"
	"unicode/utf8"

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

// shortest is the length of the shortest term that the indexes of trigrams can find
// anywhere in a text.
const shortest = 3

// Search returns the condition that a row contains the term in its searched fields. A
// shorter term with a letter or a digit is the beginning of a word, which these indexes
// can find, too.
func (s Scope) Search(term string) Condition {
	folded := model.Fold(term)
	like := s.SearchIn + " LIKE ?"
	either := "(" + like + " OR " + like + ")"
	switch digits := model.PhoneDigits(term); {
	case folded == "":
		return Where("TRUE")
	case utf8.RuneCountInString(folded) < shortest && strings.ContainsFunc(folded, isWord):
		return Where(either, escaped(folded)+"%", "% "+escaped(folded)+"%")
	case digits == "":
		return Where(like, contains(folded))
	default:
		return Where(either, contains(folded), contains(digits))
	}
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }

// contains returns the pattern of LIKE for texts that contain a text.
func contains(text string) string { return "%" + escaped(text) + "%" }

// escaped returns a text as a pattern of LIKE.
func escaped(text string) string {
	return strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(text)
}
