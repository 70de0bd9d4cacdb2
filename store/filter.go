package store

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store/query"
)

// narrow adds the condition that a filter has on a field, unless it has none. A row on
// which the viewer may not read the field does not meet it.
func narrow[T any](q *query.Selection, s query.Scope, field string, value *T, text string) {
	if value != nil {
		q.Conditions = append(q.Conditions, s.Readable(field), query.Where(text, *value))
	}
}

// narrowTo is narrow for a list of values, of which a row must have one. A null list is no
// condition; an empty one matches nothing.
func narrowTo(q *query.Selection, s query.Scope, field string, values []string, text string) {
	if values == nil {
		return
	}
	quoted := make([]string, len(values))
	for i, value := range values {
		quoted[i] = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
	}
	array := "{" + strings.Join(quoted, ",") + "}"
	narrow(q, s, field, &array, text)
}

// not returns NOT if the condition that follows must not hold. PostgreSQL plans EXISTS and
// NOT EXISTS as joins, but not a comparison of EXISTS with a value.
func not(negated bool) string {
	if negated {
		return "NOT "
	}
	return ""
}

func textOf[T ~string](value T) string { return string(value) }

// textsOf returns nil for null.
func textsOf[T any](values []T, text func(T) string) []string {
	if values == nil {
		return nil
	}
	texts := make([]string, len(values))
	for i, value := range values {
		texts[i] = text(value)
	}
	return texts
}

// numbersOf returns the numbers of ids of a kind as texts.
func numbersOf(ids []*model.ID, kind model.Kind) []string {
	return textsOf(ids, func(id *model.ID) string { return strconv.FormatInt(id.Of(kind), 10) })
}

// maxListed is the number of values in a list of a filter.
const maxListed = 100

func checkList[T any](field string, values []T) error {
	if len(values) > maxListed {
		return model.NewFieldError(field, model.CodeBadUserInput, fmt.Sprintf("%s must have at most %d values.", field, maxListed))
	}
	return nil
}

func checkDate(field string, date *model.Date) error {
	if date != nil && !date.Valid() {
		return model.NewFieldError(field, model.CodeBadUserInput, field+" must be a date, such as 1990-05-15.")
	}
	return nil
}

func checkTime(field string, at *model.DateTime) error {
	if at != nil && !at.Valid() {
		return model.NewFieldError(field, model.CodeBadUserInput, field+" must be a date-time, such as 2026-01-31T09:30:00Z.")
	}
	return nil
}

func checkNumber(field string, number *model.Decimal) error {
	if number != nil && !number.Valid() {
		return model.NewFieldError(field, model.CodeBadUserInput, field+" must be a number.")
	}
	return nil
}

func orZero[V any](v *V) (zero V) {
	if v == nil {
		return zero
	}
	return *v
}
