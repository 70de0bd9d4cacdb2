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

// maxTerm is that of an e-mail address, the longest thing that is searched.
const maxTerm = 254

// checkText refuses a text that PostgreSQL cannot hold, and one so long that it
// matches nothing and only costs time.
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
