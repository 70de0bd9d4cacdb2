package query

import (
	"fmt"
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

// maxTerm is the length of the longest searched text, an e-mail address.
const maxTerm = 254

// CheckText returns BAD_USER_INPUT for a text that PostgreSQL cannot store, and for
// one that is too long to match anything.
func CheckText(field string, text *string) error {
	switch {
	case text == nil:
		return nil
	case strings.ContainsRune(*text, 0):
		return model.NewFieldError(field, model.CodeBadUserInput, field+" must not contain null characters.")
	case utf8.RuneCountInString(*text) > maxTerm:
		return model.NewFieldError(field, model.CodeBadUserInput, fmt.Sprintf("%s must have at most %d characters.", field, maxTerm))
	default:
		return nil
	}
}

// Searching returns the condition of the argument search.
func (t *RecordType) Searching(args Args) ([]Condition, error) {
	term := Arg[string](args, "search")
	if err := CheckText("search", term); err != nil || term == nil {
		return nil, err
	}
	return []Condition{t.search(*term)}, nil
}

// maxWords is how many words of a search may come in any order. The last one has the rest.
const maxWords = 8

// search returns the condition that a row contains the words of the term in its searched
// fields, in any order, or the phone number that the term is.
func (t *RecordType) search(term string) Condition {
	folded, like := model.Fold(term), t.SearchIn+" LIKE ?"
	if folded == "" {
		return Where("TRUE")
	}
	var texts []string
	var args []any
	for _, word := range strings.SplitN(folded, " ", maxWords) {
		if isShort(word) {
			texts, args = append(texts, "("+like+" OR "+like+")"), append(args, escaped(word)+"%", "% "+escaped(word)+"%")
			continue
		}
		texts, args = append(texts, like), append(args, contains(word))
	}
	words := strings.Join(texts, " AND ")
	if digits := model.PhoneDigits(term); digits != "" && !isShort(folded) {
		return Where("("+words+" OR "+like+")", append(args, contains(digits))...)
	}
	return Where(words, args...)
}

// isShort reports whether a word is too short to be found anywhere, and has a letter or a
// digit. It is then the beginning of a word, which the indexes can find, too.
func isShort(word string) bool {
	return utf8.RuneCountInString(word) < shortest && strings.ContainsFunc(word, isWord)
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }

// contains returns the pattern of LIKE for texts that contain a text.
func contains(text string) string { return "%" + escaped(text) + "%" }

// escaped returns a text as a pattern of LIKE.
func escaped(text string) string {
	return strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(text)
}
