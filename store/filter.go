package store

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store/query"
)

// searched returns the condition of the argument search.
func searched(s query.Scope, args query.Args) ([]query.Condition, error) {
	term := query.Arg[string](args, "search")
	if err := checkText("search", term); err != nil || term == nil {
		return nil, err
	}
	return []query.Condition{s.Search(*term)}, nil
}

// narrow adds the condition that a filter has on a field, unless it has none. A row on
// which the viewer may not read the field does not meet it.
func narrow[T any](q *query.Selection, s query.Scope, field string, value *T, text string) {
	if value != nil {
		q.Conditions = append(q.Conditions, s.Readable(field), query.Where(text, *value))
	}
}

// maxTerm is the length of the longest searched text, an e-mail address.
const maxTerm = 254

// checkText returns BAD_USER_INPUT for a text that PostgreSQL cannot store, and for
// one that is too long to match anything.
func checkText(field string, text *string) error {
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

func orZero[V any](v *V) (zero V) {
	if v == nil {
		return zero
	}
	return *v
}
